"""Pieces of the measured time: they are equal, bounded in number, and sum to what was counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.metrics.blocks import MAX_BLOCKS, Blocks
from agenttop.metrics.counts import Counts
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Price
from tests.metrics.fakes import FakeRun

SECONDS = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(0, 2), st.lists(st.integers(1, 10**9), max_size=4), st.integers(0, 3)),
    max_size=60,
)


def counted(ok: int, limited: int = 0) -> Counts:
    return Counts({"ok": ok, "rate_limited": limited, "timeout": 1, "cancelled": 5})


def records(blocks: list[dict[str, Any]], key: str = "latency_hdr") -> list[int]:
    """The records of each piece."""
    return [HdrHistogram.decode(block[key]).get_total_count() if block[key] else 0 for block in blocks]


def test_a_piece_is_a_second_at_first() -> None:
    blocks = Blocks(2)
    blocks.add(0, 0, counted(2), {"latency": fold(np.array([1_000_000, 2_000_000]))})
    blocks.add(2, 1, counted(1, 3), {"latency": fold(np.array([5_000_000])), "ttft": fold(np.array([1_000_000]))})
    found = blocks.summary([0, 1], 3.0)
    assert [block["start_s"] for block in found] == [0.0, 1.0, 2.0]
    assert [block["requests"] for block in found] == [3, 0, 5]
    assert [block["failed"] for block in found] == [1, 0, 4]
    assert [block["rate_limited"] for block in found] == [0, 0, 3]
    assert records(found) == [2, 0, 1]
    assert records(found, "ttft_hdr") == [0, 0, 1]
    assert found[1]["latency_hdr"] is None
    only = blocks.summary([1], 3.0)
    assert [block["requests"] for block in only] == [0, 0, 5]
    assert list(only[0])[:6] == ["start_s", "requests", "failed", "rate_limited", "latency_hdr", "ttft_hdr"]


def test_tokens_and_what_they_cost() -> None:
    blocks = Blocks(1, price=Price(input=1.0, output=10.0, cached=0.5))
    told = {"token_requests": 2, "input_tokens": 1000, "cached_tokens": 400, "output_tokens": 90, "output_told": 2}
    blocks.add(0, 0, Counts({"ok": 2}, told | {"good": 1, "attempts": 3}), {})
    (block,) = blocks.summary([0], 1.0)
    assert (block["good"], block["attempts"], block["output_tokens"], block["token_requests"]) == (1, 3, 90, 2)
    assert block["cost_usd"] == pytest.approx((600 + 200 + 900) / 1e6)


def test_neighbours_become_one_as_the_run_grows() -> None:
    blocks = Blocks(1)
    for second in range(61):
        blocks.add(second, 0, counted(second), {})
    found = blocks.summary([0], 61.0)
    assert [block["start_s"] for block in found] == [2.0 * at for at in range(31)]
    assert [block["requests"] for block in found[:2]] == [0 + 1 + 2, 2 + 3 + 2]
    blocks.add(86_399, 0, counted(0), {})
    found = blocks.summary([0], 86_400.0)
    assert 30 <= len(found) <= MAX_BLOCKS
    assert found[1]["start_s"] == 2048.0
    assert found[0]["requests"] == sum(range(61)) + 61


def test_time_in_which_nothing_ended_has_pieces_too() -> None:
    blocks = Blocks(1)
    blocks.add(0, 0, counted(1), {})
    assert len(blocks.summary([0], 20.02)) == 20
    found = blocks.summary([0], 300.0)
    assert [block["start_s"] for block in found[:3]] == [0.0, 8.0, 16.0]
    assert len(found) == 38
    assert Blocks(1).summary([0], 0.0) == []


def test_the_first_piece_begins_with_the_measured_time() -> None:
    blocks = Blocks(1, begin_s=2.5)
    blocks.add(2, 0, counted(1), {})
    blocks.add(4, 0, counted(1), {})
    assert [block["start_s"] for block in blocks.summary([0], 3.5)] == [2.5, 3.0, 4.0, 5.0]


@settings(max_examples=60)
@given(SECONDS, st.floats(0, 50), st.floats(0, 5_000))
def test_pieces_sum_to_what_was_counted(
    told: list[tuple[int, int, list[int], int]], begin_s: float, measured_s: float
) -> None:
    blocks = Blocks(3, begin_s)
    whole = Counts()
    latencies = 0
    for second, request, values, limited in told:
        new = counted(len(values), limited)
        whole.add(new)
        latencies += len(values)
        blocks.add(second, request, new, {"latency": fold(np.array(values))} if values else {})
    found = blocks.summary(range(3), measured_s)
    assert len(found) <= MAX_BLOCKS
    assert sum(block["requests"] for block in found) == whole.requests
    assert sum(block["failed"] for block in found) == whole.failed
    assert sum(block["rate_limited"] for block in found) == whole.rate_limited
    assert sum(records(found)) == latencies
    starts = [block["start_s"] for block in found]
    assert len({b - a for a, b in pairwise(starts[1:])}) <= 1
    by_request = [blocks.summary([request], measured_s) for request in range(3)]
    for at, block in enumerate(found):
        assert sum(parts[at]["requests"] for parts in by_request) == block["requests"]


def test_memory_is_bounded_however_long_a_run_is() -> None:
    blocks = Blocks(1)
    random = np.random.default_rng(0)
    for second in range(3_000):
        blocks.add(second, 0, counted(9), {"latency": fold(random.integers(10**6, 10**7, 9))})
    pieces = blocks._pieces[0]
    assert len(pieces) <= MAX_BLOCKS
    assert max(len(parts) for piece in pieces.values() for parts in piece.parts.values()) <= 17


@pytest.mark.parametrize("run", [FakeRun(seconds=20), FakeRun(seconds=75, warmup_s=10.0)])
def test_blocks_of_a_run_sum_to_its_totals(run: FakeRun) -> None:
    aggregate, measured_s = run.aggregate(), run.seconds - run.warmup_s
    parts = [aggregate.metrics_pool(pool, measured_s) for pool in range(3)]
    parts += [aggregate.metrics_request(request, measured_s) for request in range(6)]
    for found in (aggregate.metrics_total(measured_s), *parts):
        for key in ("requests", "failed", "rate_limited"):
            assert sum(block[key] for block in found["blocks"]) == found[key]
        for key in ("latency", "ttft"):
            dist = found[f"{key}_ms"]
            assert sum(records(found["blocks"], f"{key}_hdr")) == (dist["count"] if dist else 0)
        assert sum(block["attempts"] for block in found["blocks"]) == found["attempts"]
        assert sum(block["output_tokens"] for block in found["blocks"]) == (found["tokens"]["output"] or 0)
    assert "blocks" not in aggregate.metrics_stage(0, 1.0)
