"""What is counted under a mark, of made-up deltas."""

from __future__ import annotations

from array import array

import msgspec

from agenttop.metrics.delta import Delta, Health, LeafDelta, PoolDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.marks import Marks

Sums = dict[str, int]


def delta(
    *leaves: LeafDelta, worker: int = 0, pools: tuple[PoolDelta, ...] = (), open_marks: dict[int, int] | None = None
) -> Delta:
    health = Health(None, 0.0, 0.0, 0)
    return Delta(worker, 0, 0.0, list(leaves), list(pools), [], {}, [], 0.0, health, open_marks=open_marks or {})


def leaf(mark: int, outcomes: dict[str, int], sums: Sums | None = None, ms: tuple[int, ...] = ()) -> LeafDelta:
    hists = {"latency": fold(array("q", [value * 1_000_000 for value in ms]))} if ms else {}
    return LeafDelta(0, 0, outcomes, {}, hists, sums or {}, mark)


def test_marks_are_counted_apart_and_can_be_added() -> None:
    marks = Marks()
    marks.fold(
        delta(leaf(1, {"ok": 3}, {"attempts": 3, "good": 2, "missed.ttft": 1}, ms=(10, 20, 90)), leaf(0, {"ok": 9}))
    )
    marks.fold(delta(leaf(2, {"timeout": 2, "ok": 1}, {"attempts": 3}, ms=(40,)), worker=1))
    first, both = marks.of([1]), marks.of([1, 2])
    assert (first.good, first.requests, first.missed) == (2, 3, {"ttft": 1})
    assert (both.good, both.requests, both.missed) == (2, 6, {"timeout": 2, "ttft": 1})
    assert first.p95_ms("latency") == 90.0 or abs((first.p95_ms("latency") or 0) - 90) < 0.1
    assert first.p95_ms("ttft") is None
    assert marks.of([7]).requests == 0


def test_refusals_that_are_sent_again_dropped_arrivals_and_failed_connections_are_requests_that_are_not_good() -> None:
    marks = Marks()
    marks.fold(
        delta(
            leaf(1, {"ok": 4, "connect_error": 6}, {"attempts": 7, "good": 4, "retries": 3}),
            pools=(PoolDelta(0, 0, 0, 4, 5, 1), PoolDelta(0, 0, 0, 4, 9, 0)),
        )
    )
    count = marks.of([1])
    assert (count.good, count.requests, count.rate_limited) == (4, 15, 3)
    assert count.missed == {"connect_error": 6, "dropped": 5, "rate_limited": 3}


def test_a_mark_is_drained_when_every_worker_says_so() -> None:
    marks = Marks()
    marks.fold(delta(open_marks={1: 2}))
    marks.fold(delta(worker=1))
    assert not marks.drained(1)
    marks.fold(delta(open_marks={1: 0}))
    assert not marks.drained(1)  # the other has not told yet
    marks.fold(delta(worker=1, open_marks={1: 0}))
    assert marks.drained(1)
    marks.fold(delta(worker=1, open_marks={1: 4}))
    assert not marks.drained(1)
    marks.forget(1)
    assert marks.drained(1)


def test_what_is_still_in_flight_when_a_mark_is_closed_is_not_good_and_its_end_counts_no_more() -> None:
    marks = Marks()
    marks.fold(delta(leaf(1, {"ok": 5}, {"attempts": 5, "good": 5}), open_marks={1: 2}))
    marks.fold(delta(worker=1, open_marks={1: 1}))
    marks.close(1)
    marks.fold(delta(leaf(1, {"ok": 2}, {"attempts": 2, "good": 2}), open_marks={1: 0}))
    count = marks.of([1])
    assert (count.good, count.requests, count.missed) == (5, 8, {"unanswered": 3})


def test_deltas_of_before_there_were_marks_can_still_be_read() -> None:
    now = delta(leaf(3, {"ok": 1}), open_marks={3: 1})
    plain = msgspec.to_builtins(now)
    del plain[Delta.__struct_fields__.index("open_marks") :]
    del plain[3][0][-1]
    old = msgspec.msgpack.decode(msgspec.msgpack.encode(plain), type=Delta)
    assert (old.open_marks, old.leaves[0].mark) == ({}, 0)
    assert old.leaves[0].outcomes == {"ok": 1}


def test_distributions_of_a_mark_are_two() -> None:
    marks = Marks()
    hists = {name: fold(array("q", [20_000_000, 40_000_000])) for name in ("latency", "ttft", "connect")}
    for worker in (0, 1):
        marks.fold(delta(LeafDelta(0, 0, {"ok": 2}, {}, hists, {}, 5), worker=worker))
    count = marks.of([5])
    assert set(count.counts.parts) == {"latency", "ttft"}
    assert (count.p95_ms("latency"), count.p95_ms("ttft"), count.p95_ms("connect")) == (40.0, 40.0, None)


def test_a_mark_that_is_closed_counts_no_more_and_others_do() -> None:
    marks = Marks()
    marks.close(1)
    marks.fold(delta(leaf(1, {"ok": 2}), leaf(2, {"ok": 3}), pools=(pool(1, 4), pool(2, 5))))
    assert (marks.of([1]).requests, marks.of([2]).requests) == (0, 8)
    assert (marks.of([1]).missed, marks.of([2]).missed) == ({}, {"dropped": 5})
    assert (marks.unanswered(1), marks.unanswered(2)) == (0, 0)
    marks.fold(delta(open_marks={2: 6}))
    marks.fold(delta(open_marks={2: 1}, worker=1))
    assert (marks.unanswered(2), marks.of([2]).unanswered) == (7, 0)
    marks.close(2)
    assert (marks.of([2]).unanswered, marks.of([2, 1]).requests) == (7, 15)


def pool(mark: int, dropped: int) -> PoolDelta:
    return PoolDelta(0, 0, 0, 0, dropped, mark)


def test_why_requests_were_not_good_by_frequency() -> None:
    marks = Marks()
    outcomes = {"ok": 9, "rate_limited": 2, "cancelled": 50, "budget_refused": 60, "timeout": 4, "truncated": 0}
    marks.fold(delta(leaf(1, outcomes, {"retries": 5, "missed.ttft": 6, "missed.latency": 1, "good": 3})))
    missed = marks.of([1]).missed
    assert list(missed.items()) == [("rate_limited", 7), ("ttft", 6), ("timeout", 4), ("latency", 1)]
    assert Marks().drained(1), "nobody has anything in flight"


def test_dropped_arrivals_add_up_and_a_worker_that_never_spoke_can_be_lost() -> None:
    marks = Marks()
    for _ in range(2):
        marks.fold(delta(pools=(pool(1, 4),)))
    assert marks.of([1]).missed == {"dropped": 8}
    marks.forget(7)
    assert marks.drained(1) is False
