"""Exceptions in users' own code: beside the outcomes, in every scope, and among the causes of failure."""

from __future__ import annotations

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import WARMUP, Delta, ErrorDelta, Health
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.outcome import USER_ERROR, Outcome
from agenttop.metrics.recorder import Recorder
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import StageInfo

LAYOUT = Layout(
    (PoolInfo("shop", "http", "json", open=False),),
    (RequestInfo(0, "buy", optional=True), RequestInfo(0, "ask"), RequestInfo(0, "setup", optional=True)),
    (StageInfo(0, "hold", 0, 10, 5, 5, "users"),),
)
WORDS = "Shop.buy raised KeyError: 'x' (my_agent.py:17)"


def folded(stage: int, raised: int) -> Aggregate:
    """A second with one good request and some exceptions of the same task."""
    recorder = Recorder([True] * 3)
    leaf = recorder.row(stage)[0]
    leaf.latency.append(5_000_000)
    for _ in range(raised):
        leaf.user_errors += 1
        recorder.error(leaf, USER_ERROR, WORDS, 0.5)
    batch = recorder.fold()
    aggregate = Aggregate(LAYOUT)
    health = Health(None, 10.0, 50.0, 20)
    aggregate.fold(Delta(0, 0, 0.9, batch.leaves, batch.pools, batch.errors, batch.checks, [], 0.0, health))
    aggregate.second(situation())
    return aggregate


def situation() -> RunState:
    """The end of the first second."""
    return RunState(t_s=1.0, plan_t_s=1.0, state="running", stage=0)


def test_they_are_no_requests_and_in_every_scope() -> None:
    aggregate = folded(0, 3)
    for found in (
        aggregate.metrics_total(1.0),
        aggregate.metrics_pool(0, 1.0),
        aggregate.metrics_request(0, 1.0),
        aggregate.metrics_stage(0, 1.0),
    ):
        assert (found["requests"], found["failed"], found["outcomes"]) == (1, 0, {"ok": 1})
        assert found["user_errors"] == 3
        (error,) = found["errors"]
        assert (error["outcome"], error["message"], error["count"]) == ("user_error", WORDS, 3)
    assert USER_ERROR not in set(Outcome)


def test_they_are_a_cause_that_is_shown() -> None:
    snapshot = folded(0, 3).snapshot(situation())
    (cause,) = snapshot.causes
    assert (cause.outcome, cause.count, cause.recent, cause.example) == ("user_error", 3, (3,), WORDS)
    assert (snapshot.failed, snapshot.error_rate) == (0, 0.0)
    assert folded(0, 0).snapshot(situation()).causes == ()


def test_in_the_warm_up_they_are_only_shown() -> None:
    aggregate = folded(WARMUP, 3)
    assert aggregate.metrics_total(1.0)["user_errors"] == 0
    assert aggregate.snapshot(situation()).causes[0].count == 3


def test_a_row_that_may_stay_empty_is_shown_when_it_is_not() -> None:
    assert [row.name for row in folded(0, 0).snapshot(situation()).table] == ["buy", "ask"]


def test_an_outcome_is_text_in_what_is_sent() -> None:
    recorder = Recorder((True,))
    recorder.error(recorder.row(0)[0], Outcome.TIMEOUT, "late", 1.0)
    assert recorder.fold().errors == [ErrorDelta(0, 0, "timeout", "late", 1, 1.0, 1.0)]
