from __future__ import annotations

import pytest

from agenttop.controller.ending import (
    STOPPED_BY_USER,
    End,
    Halted,
    abandoned,
    failure,
    gate,
    gated,
    goes_further,
    nothing_answered,
)
from agenttop.journal.figures import Closed
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.snapshot import Verdict
from agenttop.thresholds.breaker import Breaker, BreakerRule
from tests.metrics.fakes import FakeRun

LAYOUT = FakeRun(seconds=4).layout
VERDICTS = [Verdict("rps > 1", word, word == "pass", None, "/s") for word in ("pass", "fail", "no data")]


def counted(**outcomes: int) -> Aggregate:
    aggregate = Aggregate(LAYOUT)
    leaf = LeafDelta(0, 0, outcomes, {}, {}, {}, 0)
    aggregate.fold(Delta(0, 0, 1.0, [leaf], [], [], {}, [], 0.0, Health(None, 0.0, 0.0, 0)))
    return aggregate


@pytest.mark.parametrize(
    ("than", "further"),
    [
        ("", ["finish", "drain", "cancel"]),
        ("finish", ["drain", "cancel"]),
        ("drain", ["cancel"]),
        ("cancel", []),
    ],
)
def test_nothing_takes_an_end_back(than: str, further: list[str]) -> None:
    assert [mode for mode in ("finish", "drain", "cancel") if goes_further(mode, than)] == further


def test_a_run_that_is_cut_is_due_at_once_and_has_sent_as_long_as_it_did() -> None:
    halted = Halted("finish", 5.0, 35.0)
    assert halted.by("drain", 6.0) == Halted("drain", 5.0, 35.0)
    assert halted.by("cancel", 6.0) == Halted("cancel", 5.0, 6.0)


def test_thresholds_fail_a_run_that_nothing_else_is_wrong_with() -> None:
    aggregate = counted(ok=3)
    assert End().judged(aggregate, VERDICTS) == End("completed", 99, "2 of 3 thresholds failed")
    assert End().judged(aggregate, VERDICTS[:1]) == End("completed", 0, "")
    for other in (STOPPED_BY_USER, failure("every worker died"), gate("circuit_breaker", "it opened")):
        assert other.judged(aggregate, VERDICTS) == other
    assert [STOPPED_BY_USER.exit_code, failure("").exit_code, gate("", "").exit_code] == [130, 1, 99]


def test_a_budget_says_what_it_was_used_for() -> None:
    end = End("budget").judged(counted(ok=3, budget_refused=2), [])
    assert (end.exit_code, end.message.endswith("; 2 requests not sent")) == (0, True)


def test_nothing_answered_means_that_no_connection_was_made() -> None:
    assert nothing_answered(counted(connect_error=3))
    assert not nothing_answered(counted(connect_error=3, ok=1))
    assert not nothing_answered(counted())


@pytest.mark.parametrize(
    ("lost", "stopped_s", "ending", "why"),
    [
        (0, [], True, ""),
        (1, [], True, ""),  # one of two was lost on the way: that is told, the run ends as it was to
        (2, [], True, "every worker died"),
        (2, [], False, "every worker died"),
        (0, [3.0], False, "every worker died"),
        (0, [3.0, 3.5], False, "every worker stopped by itself: it heard nothing from the controller"),
        (0, [3.0, 3.5], True, ""),
    ],
)
def test_a_run_without_workers_has_failed_unless_it_was_to_end(
    lost: int, stopped_s: list[float], ending: bool, why: str
) -> None:
    assert abandoned(2, lost, stopped_s, ending=ending) == why


def test_a_threshold_comes_before_the_circuit_breaker() -> None:
    tick = FakeRun(seconds=4).aggregate().timeline.ticks()[-1]
    breaker, verdict = Breaker(BreakerRule(0.5, 10.0)), VERDICTS[1]
    assert gated(Closed(tick, [], None, opens=False), breaker) is None
    ends = [gated(Closed(tick, [], aborting, opens=True), breaker) for aborting in (None, verdict)]
    assert [end and (end.stop_reason, end.exit_code) for end in ends] == [
        ("circuit_breaker", 99),
        ("threshold_abort", 99),
    ]
