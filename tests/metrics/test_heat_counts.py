"""Counts by bucket come back as they were given, and sums of parts are sums of what was given."""

from __future__ import annotations

import sys
from itertools import zip_longest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics import heat_counts as module
from agenttop.metrics.heat import BUCKETS
from agenttop.metrics.heat_counts import HeatCounts

second = st.lists(st.integers(0, 65_535), max_size=BUCKETS).map(lambda found: _told(found))


def _told(found: list[int]) -> tuple[int, ...]:
    while found and not found[-1]:
        found = found[:-1]
    return tuple(found)


def _made(seconds: list[tuple[int, ...]]) -> HeatCounts:
    made = HeatCounts()
    for counts in seconds:
        made.append(counts)
    return made


@pytest.fixture(autouse=True)
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)


@given(st.lists(second, max_size=20))
def test_each_second_comes_back(seconds: list[tuple[int, ...]]) -> None:
    made = _made(seconds)
    assert [made.at(index) for index in range(len(seconds))] == seconds


@given(st.lists(second, min_size=1, max_size=20), st.integers(1, 7), st.data())
def test_parts_are_sums(seconds: list[tuple[int, ...]], step: int, data: st.DataObject) -> None:
    stop = data.draw(st.integers(0, len(seconds)))
    wanted = []
    for begin in range(0, stop - step + 1, step):
        whole = [0] * BUCKETS
        for counts in seconds[begin : begin + step]:
            for bucket, count in enumerate(counts):
                whole[bucket] += count
        wanted.append(_told(whole))
    assert _made(seconds).parts(step, stop) == wanted


def test_it_goes_on_after_parts_were_made_and_begins_anew() -> None:
    made = _made([(0, 1), (), (2,)])
    made.parts(1, 3)
    made.append((0, 0, 3))
    assert made.at(3) == (0, 0, 3)
    made.clear()
    made.append((5,))
    assert made.at(0) == (5,)
    assert made.parts(1, 1) == [(5,)]


def test_zeros_at_both_ends_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 3600)
    made = _made([(*[0] * 16, *range(1, 15))] * 3600)
    (block,) = made._blocks
    assert sum(map(sys.getsizeof, (block.cells, block.firsts, block.starts))) / 3600 < 40


@given(st.lists(second, min_size=1, max_size=14), st.data())
def test_more_counts_of_a_second_change_no_other(seconds: list[tuple[int, ...]], data: st.DataObject) -> None:
    made = _made(seconds)
    index = data.draw(st.integers(0, len(seconds) - 1))
    more = data.draw(second)
    made.add(index, more)
    for place, counts in enumerate(seconds):
        both = [sum(pair) for pair in zip_longest(counts, more if place == index else (), fillvalue=0)]
        assert made.at(place) == tuple(min(count, 65_535) for count in both)
    made.append((1, 2))
    assert made.at(len(seconds)) == (1, 2)
