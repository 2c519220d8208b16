"""Tests of agenttop.tui.panes.heat.

Latencies over time: the highest row is the slowest, and shades are parts of their own column.
"""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.heat import BUCKETS
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB
from agenttop.tui.panes import heat
from agenttop.tui.view import View
from tests.tui.sim import Sim
from tests.tui.test_whole import tick


def drawn(
    *seconds: tuple[int, ...], ttft: tuple[int, ...] = (), ascii: bool = False, rows: int = 14, measure: str = "total"
) -> list[str]:
    sim = Sim("ramp")
    snapshot = sim.until(60)[-1]
    history = History(sim.info)
    for t_s, counts in enumerate(seconds, 61 - len(seconds)):
        history.add(tick(t_s, latency_counts=counts, ttft_counts=ttft), float(t_s))
    look = dataclasses.replace(RGB, glyphs=ASCII) if ascii else RGB
    return [str(line) for line in heat.full(View(sim.info, snapshot, history, look, measure=measure), 71, rows)]


def test_shades_are_parts_of_a_column() -> None:
    lines = drawn((0, 0, 1, 0, 3), (0, 0, 100, 0, 5))
    columns = ["".join(line[cell] for line in lines[1:11]) for cell in (67, 68)]
    assert columns[0].strip() == "███   ▓▓▓▓"
    assert columns[1].strip() == "░░░   ████"
    assert "50%+" in lines[12]


def test_ascii_has_shades_too() -> None:
    lines = drawn((0, 0, 1, 0, 3), ascii=True)
    assert "".join(line[68] for line in lines[1:11]).strip() == "###   %%%%"
    assert all(line.isascii() for line in lines)


def test_nothing_answered_is_said() -> None:
    assert any("no answer in this time" in line for line in drawn((), ()))


@given(st.lists(st.lists(st.integers(0, 3), max_size=BUCKETS), max_size=6), st.integers(1, 60))
def test_of_few_requests_every_bucket_that_has_one_is_drawn(columns: list[list[int]], rows: int) -> None:
    edges = heat.span(columns, rows)
    assert len(edges) == rows
    seen = {bucket for column in columns for bucket, count in enumerate(column) if count}
    if 0 < sum(map(sum, columns)) < 200:  # the p0.5 is the first of them, the p99.9 the last
        assert edges[0][0] == min(seen)
        assert edges[-1][1] == max(seen) + 1
        assert seen <= {bucket for low, stop in edges for bucket in range(low, stop)}


def test_a_few_outliers_take_no_room() -> None:
    column = [0] * BUCKETS
    column[16:20] = [400, 900, 500, 200]
    column[3] = column[38] = 1
    edges = heat.span([column], 12)
    assert (edges[0][0], edges[-1][1]) == (16, 20)
    assert [edge for edge, _ in edges] == [16] * 3 + [17] * 3 + [18] * 3 + [19] * 3


def test_no_row_is_of_more_than_half_an_octave_where_there_is_room() -> None:
    column = [0] * 14 + [1] * 8
    assert all(stop - low == 1 for low, stop in heat.span([column], 8))


def test_first_tokens_have_a_map_of_their_own_where_there_is_room() -> None:
    lines = drawn((0, 0, 0, 0, 0, 0, 5), ttft=(0, 4), rows=20)
    names = [line.split()[1] for line in lines if line.split()[1:2] and line.split()[1] in ("total", "first")]
    assert names == ["total", "first"]
    assert sum("█" in line for line in lines[:-2]) >= 2
    swapped = drawn((0, 0, 0, 0, 0, 0, 5), ttft=(0, 4), rows=20, measure="first token")
    assert [line.split()[1] for line in (swapped[1], swapped[9])] == ["first", "total"]
    assert {len(line) for line in lines} == {71}


def test_where_there_is_no_room_one_is_chosen() -> None:
    lines = drawn((0, 0, 0, 0, 0, 0, 5), ttft=(0, 4), rows=12)
    assert "total, last 1m  f first token" in lines[0]
    other = drawn((0, 0, 0, 0, 0, 0, 5), ttft=(0, 4), rows=12, measure="first token")
    assert "first token, last 1m  f total" in other[0]
    assert lines[1:-3] != other[1:-3]


def test_what_does_not_stream_has_one_map() -> None:
    lines = drawn((0, 0, 0, 0, 0, 0, 5), rows=30)
    assert "total, last 1m" in lines[0]
    assert not any("first token" in line for line in lines)
    assert any("no first token in this time" in line for line in drawn((1,), rows=12, measure="first token"))
