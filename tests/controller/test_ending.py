from __future__ import annotations

import pytest

from agenttop.controller.ending import STOPPED_BY_USER, End, Halted, failure, gate, goes_further, nothing_answered
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.snapshot import Verdict
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
