"""Tests of agenttop.metrics.recorder, agenttop.metrics.outcome.

What is recorded is folded once, whole, and however many steps it takes.
"""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.catalogue import COUNTERS, DISTRIBUTIONS
from agenttop.metrics.delta import ErrorDelta, HistDelta, PoolDelta, SlowRequest
from agenttop.metrics.histogram import fold
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import MAX_MESSAGES, STEP, Leaf, Recorder


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


def test_every_figure_of_a_leaf_is_taken_once() -> None:
    leaf = Leaf(3, 2, 7)
    assert leaf.take() is None
    for number, name in enumerate(DISTRIBUTIONS, 1):
        getattr(leaf, name).extend([1_000_000] * number)
    for number, name in enumerate(COUNTERS, 1):
        setattr(leaf, name, number)
    leaf.outcomes["timeout"] = 4
    leaf.status[200] = 5
    leaf.miss(["ttft", "latency"])
    leaf.miss(["ttft"])
    taken = leaf.take()
    assert taken is not None
    assert {name: len(values) for name, values in taken.values.items()} == {
        name: number for number, name in enumerate(DISTRIBUTIONS, 1)
    }
    delta = taken.delta
    assert (delta.request, delta.stage, delta.mark, delta.outcomes, delta.status, taken.closed) == (
        3, 2, 7, {"timeout": 4, "ok": 1}, {200: 5}, False,
    )  # fmt: skip
    counted = {name: number for number, name in enumerate(COUNTERS, 1)}
    assert delta.sums == counted | {"missed.ttft": 2, "missed.latency": 1}
    assert leaf.take() is None
    leaf.violation("late")
    assert (leaf.missed, leaf.outcomes, leaf.status) == ({}, {}, {})
    again = leaf.take()
    assert again is not None
    assert (again.delta.outcomes, again.delta.status) == ({}, {})
    assert (again.delta.sums, again.values) == ({"rate_limit_violations": 1, "violation.late": 1}, {})
    assert leaf.take() is None


@pytest.mark.parametrize("name", ["late", "outcomes", "violations", "missed", "phases", *DISTRIBUTIONS, *COUNTERS])
def test_a_leaf_that_holds_only_one_thing_is_taken(name: str) -> None:
    leaf = Leaf(0, 0)
    held = getattr(leaf, name)
    if isinstance(held, array):
        held.append(1)
    elif isinstance(held, dict):
        held["x"] = array("q", [1]) if name == "phases" else 1
    else:
        setattr(leaf, name, 1)
    assert leaf.take() is not None
    assert leaf.take() is None


def test_phases_have_their_share_of_the_latency_and_are_bounded() -> None:
    leaf = Leaf(0, 0)
    for duration, latency in ((250, 1_000), (5, 1), (0, 0), (1, 3)):
        leaf.phase("plan", duration, latency)
    assert list(leaf.phases["plan"]) == [250, 5, 0, 1]
    assert list(leaf.shares["plan"]) == [250_000, 1_000_000, 0, 333_333]
    leaf.take()
    for number in range(40):
        leaf.phase(f"p{number}", 1, 2)
    leaf.phase("p3", 1, 4)
    leaf.phase("plan", 1, 2)
    names = ["plan", *(f"p{number}" for number in range(31))]
    assert list(leaf.phases) == list(leaf.shares) == names
    assert (list(leaf.shares["p3"]), list(leaf.shares["plan"])) == ([500_000, 250_000], [500_000])


def test_pools_are_counted_by_stage_and_mark() -> None:
    recorder = Recorder((False,))
    first = recorder.count(1, 2, 3)
    assert recorder.count(1, 2, 3) is first
    first.sessions, first.iterations, first.dropped_iterations = 5, 6, 7
    recorder.count(1, 2).iterations = 1
    assert recorder.fold().pools == [PoolDelta(1, 2, 5, 6, 7, 3), PoolDelta(1, 2, 0, 1, 0, 0)]
    assert recorder.fold().pools == []
    assert recorder.row(2, 3)[0].mark == 3
    assert recorder.row(2, 3) is recorder.row(2, 3)
    assert recorder.row(2) is not recorder.row(2, 3)


def test_failures_are_counted_by_their_words() -> None:
    recorder = Recorder((False, False), ("sk-0123456789",))
    leaf = recorder.row(4)[1]
    for at_s in (1.5, 2.5, 9.0):
        recorder.error(leaf, Outcome.TIMEOUT, "slow sk-0123456789\n", at_s)
    recorder.error(leaf, "timeout", "other", 3.0)
    assert recorder.take().errors == [
        ErrorDelta(1, 4, "timeout", "slow ***", 3, 1.5, 9.0),
        ErrorDelta(1, 4, "timeout", "other", 1, 3.0, 3.0),
    ]
    assert recorder.take().errors == []


def test_failures_whose_words_are_too_many_are_others_of_their_outcome() -> None:
    recorder = Recorder((False,))
    leaf = recorder.row(0)[0]
    for number in range(MAX_MESSAGES + 3):
        recorder.error(leaf, Outcome.TIMEOUT, str(number), float(number))
    recorder.error(leaf, Outcome.TRUNCATED, "cut", 1.0)
    recorder.error(leaf, Outcome.TIMEOUT, "0", 999.0)
    errors = recorder.take().errors
    assert errors[0] == ErrorDelta(0, 0, "timeout", "0", 2, 0.0, 999.0)
    assert errors[MAX_MESSAGES:] == [
        ErrorDelta(0, 0, "timeout", "(other)", 3, float(MAX_MESSAGES), MAX_MESSAGES + 2.0),
        ErrorDelta(0, 0, "truncated", "(other)", 1, 1.0, 1.0),
    ]


def test_checks_are_counted_either_way() -> None:
    recorder = Recorder((False,))
    for name, passed in (("a", True), ("b", False), ("a", False), ("a", True)):
        recorder.check(name, passed)
    assert recorder.take().checks == {"a": (2, 1), "b": (0, 1)}
    assert recorder.take().checks == {}


def test_the_slowest_are_taken_too() -> None:
    recorder = Recorder((False,))
    row = SlowRequest(0, 0, 1.0, 5.0, None, 200, "a" * 32)
    recorder.slowest.add(row)
    assert recorder.fold().slowest == [row]
    assert recorder.fold().slowest == []
