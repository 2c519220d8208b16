"""The live window: what ended when, whoever told of it late or early, and what is shown of the causes of failure."""

from __future__ import annotations

from array import array

import pytest

from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import ErrorDelta, HistDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.live import RECENT_SECONDS, WINDOW_S, Live, Slice, percentile_ms, percentiles
from agenttop.metrics.snapshot import Cause


def ms(*values: float) -> HistDelta:
    return fold(array("q", [int(value * 1e6) for value in values]))


def new(**outcomes: int) -> Counts:
    return Counts(outcomes)


def told(live: Live, second: int | None, request: int = 0, hists: dict[str, HistDelta] | None = None, **n: int) -> None:
    live.add(second, request, new(**n), hists or {})


def count(found: HistDelta | None) -> int:
    return 0 if found is None else found.count


def test_what_the_window_keeps_of_all_and_of_each_request() -> None:
    live = Live(2, WINDOW_S)
    kept = ("latency", "ttft", "inter_chunk", "schedule_lag", "phase.plan")
    hists = {name: ms(10, 30) for name in (*kept, "connect", "tpot", "unattributed", "phase_share.plan")}
    told(live, None, 1, hists, ok=2)
    closed = live.close(1.0)
    assert {name: pieces[0].count for name, pieces in closed.whole.parts.items()} == dict.fromkeys(kept, 2)
    assert set(closed.by_request) == {1}
    assert set(closed.by_request[1].parts) == {"latency", "ttft", "inter_chunk"}
    assert live.records("latency", 0) is None
    assert count(live.records("latency", 1)) == count(live.records("latency")) == 2
    assert live.records("connect") is None
    assert live.phases_ms() == {"plan": 20.0}


def test_what_a_refusal_asked_to_wait_is_of_the_whole_run() -> None:
    live = Live(1, 1.0)
    for second in range(3):
        told(live, None, 0, {"retry_after": ms(2_000 + second)}, rate_limited=1)
        live.close(second + 1.0)
    assert (live.retry_after.count, live.retry_after.high) == (3, 2_002_000.0)
    assert live.records("retry_after") is None


def test_a_worker_that_is_ahead_counts_in_its_own_second() -> None:
    live = Live(1, WINDOW_S)
    told(live, 0, ok=1)
    told(live, 1, 0, {"latency": ms(7)}, ok=20, timeout=1)
    told(live, 3, ok=300)
    assert [live.close(end).whole.outcomes for end in (1.0, 2.0, 3.0, 4.0)] == [
        {"ok": 1},
        {"ok": 20, "timeout": 1},
        {},
        {"ok": 300},
    ]
    assert live.counts[0].outcomes == {"ok": 321, "timeout": 1}
    assert count(live.records("latency", 0)) == 1
    assert live.late() == []
    told(live, 7, ok=1)
    assert (live._ahead[7].start_s, live._ahead[7].end_s) == (7.0, 0.0)


def test_seconds_ahead_that_are_over_come_in_one_with_the_open_one() -> None:
    live = Live(2, WINDOW_S)
    told(live, None, 0, {"latency": ms(1)}, ok=1)
    told(live, 0, 0, {"latency": ms(2)}, ok=1)
    told(live, 1, 1, {"latency": ms(3)}, ok=1)
    told(live, 2, 0, ok=5)
    closed = live.close(2.0)
    assert (closed.start_s, closed.end_s, closed.seconds) == (0.0, 2.0, 2.0)
    assert closed.whole.outcomes == {"ok": 3}
    assert {request: counts.outcomes for request, counts in closed.by_request.items()} == {0: {"ok": 2}, 1: {"ok": 1}}
    assert [piece.count for piece in closed.whole.parts["latency"]] == [3], "in one piece"
    assert [piece.count for piece in closed.by_request[0].parts["latency"]] == [2]
    assert live.close(3.0).whole.outcomes == {"ok": 5}


def test_what_is_told_late_goes_to_the_second_in_which_it_ended() -> None:
    live = Live(2, 3.0)
    for second in range(3):
        told(live, second, 0, {"latency": ms(10)}, ok=1, timeout=1)
        live.close(second + 1.0)
    told(live, 1, 1, {"latency": ms(50), "ttft": ms(5)}, ok=3, timeout=2)
    told(live, 1, 0, {"latency": ms(60)}, ok=1)
    told(live, 0, 0, ok=1)
    told(live, 3, 0, ok=100)
    assert (count(live.records("latency")), live.rps([0, 1])) == (3, 2.0), "before the second closes"
    late = live.late()
    assert [(start, piece.whole.outcomes) for start, piece in late] == [
        (0.0, {"ok": 1}),
        (1.0, {"ok": 4, "timeout": 2}),
    ]
    assert all(isinstance(start, float) for start, _ in late)
    assert live.late() == [], "each is told once"
    assert [len(pieces) for pieces in late[1][1].whole.parts.values()] == [1, 1]
    assert (count(live.records("latency")), count(live.records("latency", 1)), live.rps([0, 1])) == (5, 1, 13 / 3)
    assert [(pieces[0].count, len(pieces)) for pieces in live._slices[1].whole.parts.values()] == [(3, 1), (1, 1)]
    live.error(ErrorDelta(0, 0, "timeout", "slow", 5, 0.5, 2.5))
    (cause,) = live.causes()
    assert (cause.count, cause.recent) == (5, (1, 3, 1))
    live.close(4.0)
    assert live.rps([0]) == 35.0, "its first second has left the window"


def test_what_is_older_than_the_window_is_in_the_run_alone() -> None:
    live = Live(1, 2.0)
    for second in range(4):
        live.close(second + 1.0)
    told(live, 0, 0, {"latency": ms(5)}, ok=2, timeout=1)
    ((start, piece),) = live.late()
    assert (start, piece.whole.requests) == (0.0, 3)
    assert (live.rps([0]), live.records("latency"), live.counts[0].requests) == (0.0, None, 3)


def test_exceptions_of_users_code_are_told_late_too() -> None:
    live = Live(1, WINDOW_S)
    live.close(1.0)
    live.close(2.0)
    live.add(0, 0, Counts(sums={"user_errors": 2}), {})
    live.late()
    live.error(ErrorDelta(0, 0, "user_error", "KeyError", 2, 0.1, 0.4))
    assert live.causes() == (Cause("user_error", 2, (2, 0), 0.1, 0.4, "KeyError"),)


def test_the_window_is_as_long_as_it_says_whatever_the_timer_does() -> None:
    live = Live(1, 3.0)
    assert (live.seconds, live.rps([0])) == (0.0, 0.0)
    for end in (1.0, 2.04, 2.96, 4.04, 5.0):
        told(live, None, ok=6)
        live.close(end)
    assert live.seconds == pytest.approx(5.0 - 2.04)
    assert live.rps([0]) == pytest.approx(18 / (5.0 - 2.04))
    live.close(60.0)
    assert (live.seconds, live.rps([0])) == (55.0, 0.0), "the newest stays however long it is"


def test_the_oldest_second_is_dropped_as_its_end_leaves_the_window() -> None:
    live = Live(1, 2.0)
    lengths = []
    for end in (1.0, 2.0, 3.0, 4.0):
        live.close(end)
        lengths.append(live.seconds)
    assert lengths == [1.0, 2.0, 2.0, 2.0]
    slow = Live(1, 10.0)
    for end in (5.0, 10.0, 15.0, 20.0):
        slow.close(end)
    assert slow.seconds == 10.0, "half a second of tolerance, however long a tick is"
    slow.close(19.4 + 5.0)
    assert slow.seconds == pytest.approx(14.4), "its end is in the window by more than that"
    short = Live(1, 2.0)
    for tenth in range(1, 60):
        short.close(tenth / 10)
    assert short.seconds == pytest.approx(2.0), "half a tick of tolerance, not half a second"


def test_a_rate_is_of_the_requests_asked_for() -> None:
    live = Live(3, WINDOW_S)
    for request, number in enumerate((1, 20, 300)):
        told(live, None, request, ok=number, cancelled=1)
    live.close(2.0)
    assert [live.rps(of) for of in ([0], [1, 2], iter([0, 2]), [])] == [0.5, 160.0, 150.5, 0.0]


def test_a_cause_has_its_first_and_last_time_and_the_newest_example() -> None:
    live = Live(1, WINDOW_S)
    told(live, None, ok=5, timeout=3, cancelled=2, budget_refused=1, check_failed=1)
    live.error(ErrorDelta(0, 0, "timeout", "one", 1, 0.4, 0.6))
    live.error(ErrorDelta(0, 0, "timeout", "two\x1b[31m", 1, 0.5, 0.6))
    live.error(ErrorDelta(0, 0, "timeout", "old", 1, 0.1, 0.2))
    live.close(1.0)
    live.close(2.0)
    assert live.causes() == (
        Cause("timeout", 3, (3, 0), 0.1, 0.6, "two"),
        Cause("check_failed", 1, (1, 0), 0.0, 1.0, ""),
    )


def test_a_failure_without_words_was_last_seen_in_its_second() -> None:
    live = Live(1, WINDOW_S)
    live.error(ErrorDelta(0, 0, "timeout", "slow", 1, 0.2, 0.3))
    for end in (1.0, 2.0, 3.0):
        told(live, None, timeout=1)
        live.close(end)
    (cause,) = live.causes()
    assert (cause.first_s, cause.last_s, cause.recent) == (0.2, 2.0, (1, 1, 1))


def test_causes_remember_a_minute() -> None:
    live = Live(1, WINDOW_S)
    for second in range(RECENT_SECONDS + 5):
        told(live, None, timeout=second + 1)
        live.close(second + 1.0)
    (cause,) = live.causes()
    assert cause.recent == tuple(range(6, RECENT_SECONDS + 6))
    assert cause.count == sum(range(1, RECENT_SECONDS + 6))


def test_the_loop_lag_of_each_second_is_beside_the_metrics() -> None:
    live = Live(1, WINDOW_S)
    live.loop_lag(None, ms(1))
    live.loop_lag(0, ms(2))
    live.loop_lag(1, ms(3))
    assert count(live.close(1.0).whole.records("loop_lag")) == 2
    assert count(live.close(2.0).whole.records("loop_lag")) == 1
    assert count(live.records("loop_lag")) == 3
    assert live.phases_ms() == {}


def test_phases_are_means_of_the_window() -> None:
    live = Live(1, 2.0)
    for second, value in enumerate((100.0, 10.0, 20.0)):
        told(live, None, 0, {"phase.plan": ms(value), "phase.act": ms(value, value + 2)})
        live.close(second + 1.0)
    assert live.phases_ms() == {"act": 16.0, "plan": 15.0}
    assert list(live.phases_ms()) == ["act", "plan"]


def test_percentiles_in_ms() -> None:
    found = ms(*range(1, 101))
    assert percentile_ms(found, 50, 99) == pytest.approx([50, 99], rel=0.002)
    assert percentile_ms(None, 50, 99) == [None, None]
    shown = percentiles(found)
    assert shown is not None
    assert (shown.count, shown.max) == (100, 100.0)
    assert (shown.p50, shown.p90, shown.p95, shown.p99) == pytest.approx((50, 90, 95, 99), rel=0.002)
    assert percentiles(None) is None


def test_a_slice_that_ends_before_it_began_has_no_length() -> None:
    assert (Slice(2.0, 1.0).seconds, Slice(1.0, 3.5).seconds, Slice(0.0).seconds) == (0.0, 2.5, 0.0)


def test_times_of_a_set_up_are_not_among_those_of_all_requests() -> None:
    live = Live(2, window_s=10.0, setup=[1])
    for request, took in ((0, 900.0), (1, 4.0)):
        hists = {"latency": ms(took), "ttft": ms(took), "phase.model": ms(took)}
        told(live, 0, request, hists, ok=1)
    closed = live.close(1.0)
    assert [count(live.records(metric)) for metric in ("latency", "ttft", "phase.model")] == [1, 1, 2]
    assert percentile_ms(live.records("latency"), 50)[0] == pytest.approx(900, rel=0.01)
    assert count(live.records("latency", 1)) == 1, "its own row has them"
    assert closed.whole.requests == 2, "and it was answered"
