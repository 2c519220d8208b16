"""Tests of agenttop.metrics.recorder, agenttop.metrics.outcome.

What is recorded is folded once, whole, and however many steps it takes.
"""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import STEP, Leaf, Recorder


def durations(count: int) -> array[int]:
    return array("q", (1_000_000 + number * 7919 % 90_000_000 for number in range(count)))


@given(st.integers(1, 3 * STEP + 1))
def test_many_durations_are_folded_in_parts_and_counted_once(count: int) -> None:
    recorder = Recorder((False,))
    recorder.row(0)[0].inter_chunk.extend(durations(count))
    (leaf,) = recorder.fold().leaves
    whole, parts = fold(durations(count)), leaf.hists["inter_chunk"]
    assert (parts.index, parts.counts, parts.count) == (whole.index, whole.counts, whole.count)
    assert (parts.low, parts.high) == (whole.low, whole.high)
    assert abs(parts.total - whole.total) <= 1e-9 * whole.total
    assert abs(parts.deviations - whole.deviations) <= 1e-6 * whole.deviations + 1e-6


def test_what_comes_while_it_is_folded_is_for_the_next_time() -> None:
    recorder = Recorder((False, False))
    leaf = recorder.row(0)[1]
    leaf.latency.extend(durations(2 * STEP))
    leaf.outcomes["server_error"] = 1
    leaf.attempts = 2 * STEP + 1
    leaf.phase("llm_call", 5_000_000, 10_000_000)
    recorder.error(leaf, Outcome.SERVER_ERROR, "500", 1.0)
    recorder.check("fine", True)
    recorder.count(0, 0).iterations = 3
    batch = recorder.take()
    steps = batch.steps()
    next(steps)
    leaf.latency.append(1_000_000)
    leaf.attempts += 1
    recorder.count(0, 0).iterations += 1
    for _ in steps:
        pass
    (first,) = batch.leaves
    assert (first.request, first.outcomes, first.sums) == (
        1,
        {"server_error": 1, "ok": 2 * STEP},
        {"attempts": 2 * STEP + 1},
    )
    assert {name: hist.count for name, hist in first.hists.items()} == {
        "latency": 2 * STEP,
        "phase.llm_call": 1,
        "phase_share.llm_call": 1,
    }
    assert ([error.count for error in batch.errors], batch.checks) == ([1], {"fine": (1, 0)})
    assert [pool.iterations for pool in batch.pools] == [3]
    second = recorder.fold()
    assert [(leaf.outcomes, leaf.hists["latency"].count) for leaf in second.leaves] == [({"ok": 1}, 1)]
    assert ([pool.iterations for pool in second.pools], second.errors, second.checks) == ([1], [], {})
    assert recorder.fold().leaves == []


def test_a_closed_pool_waits_what_the_answer_takes() -> None:
    recorder = Recorder((True, False))
    for leaf in recorder.row(0):
        leaf.latency.extend(durations(3))
    closed, opened = recorder.fold().leaves
    assert closed.hists["response_time"] == closed.hists["latency"] == opened.hists["latency"]
    assert "response_time" not in opened.hists, "it has some for what was planned alone"


@given(st.lists(st.tuples(st.integers(1, 10**9), st.none() | st.integers(10**9, 10**11)), max_size=40), st.booleans())
def test_a_request_that_was_sent_again_waited_longer(ok: list[tuple[int, int | None]], planned: bool) -> None:
    recorder = Recorder((True, False))
    for leaf in recorder.row(0):
        for latency, waited in ok:
            leaf.latency.append(latency)
            if waited is not None:
                leaf.resent(waited, planned=planned)
    leaves = recorder.fold().leaves
    assert [leaf.outcomes for leaf in leaves] == [{"ok": len(ok)}] * 2 * bool(ok)
    of_closed = [latency if waited is None else waited for latency, waited in ok]
    of_open = [waited for _, waited in ok if waited is not None] if planned else []
    for folded, expected in zip(leaves, (of_closed, of_open), strict=bool(ok)):
        assert _same(folded.hists["latency"], [latency for latency, _ in ok])
        assert _same(folded.hists.get("response_time"), expected)
    assert recorder.fold().leaves == []


def _same(found: HistDelta | None, values: list[int]) -> bool:
    """Whether the records are those values, in ns."""
    if found is None or not values:
        return found is None and not values
    whole = fold(array("q", values))
    return (found.index, found.counts, found.low, found.high) == (whole.index, whole.counts, whole.low, whole.high)


def test_violations_are_counted_by_kind_and_in_all() -> None:
    leaf = Leaf(0, 0)
    for kind in ("no Retry-After", "400 under limit", "no Retry-After"):
        leaf.violation(kind)
    assert (leaf.violations, leaf.rate_limit_violations) == ({"no Retry-After": 2, "400 under limit": 1}, 3)
