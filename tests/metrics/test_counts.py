"""Counts are added, subtracted and read: what is not there is 0."""

from __future__ import annotations

from array import array

from agenttop.metrics.counts import Counts, total
from agenttop.metrics.delta import HistDelta, LeafDelta
from agenttop.metrics.histogram import fold


def ms(*values: float) -> HistDelta:
    return fold(array("q", [int(value * 1e6) for value in values]))


LEAF = LeafDelta(
    0, 0, {"ok": 5, "timeout": 1, "rate_limited": 3, "cancelled": 7, "budget_refused": 11}, {200: 5, 429: 3},
    {"latency": ms(10, 20), "ttft": ms(5)}, {"attempts": 9},
)  # fmt: skip


def counted(*leaves: LeafDelta) -> Counts:
    made = Counts()
    for leaf in leaves:
        made.add_leaf(leaf)
    return made


def test_what_the_outcomes_come_to() -> None:
    counts = counted(LEAF)
    found = (counts.requests, counts.ok, counts.failed, counts.rate_limited, counts.other_failed)
    assert found == (9, 5, 4, 3, 1)
    nothing = Counts()
    assert (nothing.requests, nothing.ok, nothing.failed, nothing.rate_limited, nothing.other_failed) == (0,) * 5


def test_everything_is_added() -> None:
    twice = counted(LEAF, LEAF)
    assert twice.outcomes == {name: 2 * number for name, number in LEAF.outcomes.items()}
    assert (twice.status, twice.sums) == ({200: 10, 429: 6}, {"attempts": 18})
    assert {name: len(parts) for name, parts in twice.parts.items()} == {"latency": 2, "ttft": 2}
    assert {name: found.count for name, found in twice.merged().items()} == {"latency": 4, "ttft": 2}
    latency = twice.records("latency")
    assert latency is not None
    assert (latency.count, twice.records("connect")) == (4, None)


def test_of_a_leaf_only_what_is_to_be_kept() -> None:
    counts = Counts()
    counts.add_leaf(LEAF, ("ttft", "connect"))
    assert set(counts.parts) == {"ttft"}
    assert counts.sums == {"attempts": 9}
    counts.add_leaf(LEAF, ())
    assert (counts.sums, len(counts.parts["ttft"])) == ({"attempts": 18}, 1)


def test_anothers_distributions_come_along_and_stay_its_own() -> None:
    one, other = counted(LEAF), counted(LEAF)
    whole = Counts()
    whole.add_all(one)
    whole.add_all(other)
    assert (whole.outcomes["ok"], len(whole.parts["latency"])) == (10, 2)
    assert len(one.parts["latency"]) == 1, "it is not the same list"


def test_what_was_added_is_subtracted() -> None:
    counts = counted(LEAF, LEAF)
    counts.subtract(LEAF)
    assert (counts.outcomes, counts.status, counts.sums) == (LEAF.outcomes, LEAF.status, LEAF.sums)


def test_a_total_is_of_counts_alone() -> None:
    whole = total([counted(LEAF), LEAF])
    assert (whole.outcomes["timeout"], whole.status[200], whole.sums["attempts"], whole.parts) == (2, 10, 18, {})
    assert total([]).requests == 0


def test_counts_that_are_given_are_copied() -> None:
    outcomes, sums = {"ok": 1}, {"attempts": 1}
    counts = Counts(outcomes, sums)
    counts.add(LEAF)
    assert (outcomes, sums) == ({"ok": 1}, {"attempts": 1})
    assert (counts.ok, counts.sums["attempts"]) == (6, 10)
