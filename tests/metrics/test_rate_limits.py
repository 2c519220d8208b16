"""Rate limits in the summary and in the live picture."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.figures import metrics
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.recorder import Recorder
from agenttop.metrics.run_state import RunState
from agenttop.metrics.scope import Scope
from agenttop.metrics.snapshot import StageInfo

POOLS = (PoolInfo("chat", "http", "json", open=False),)
STAGES = (StageInfo(0, "hold", 0, 10, 5, 5, "users"),)


def layout(**flags: bool) -> Layout:
    return msgspec.structs.replace(Layout(POOLS, (RequestInfo(0, "a"),), STAGES), **flags)


def limits(flags: dict[str, bool], outcomes: dict[str, int], **sums: int) -> dict[str, Any]:
    """``rate_limit`` of the summary."""
    scope = Scope()
    scope.outcomes.update(outcomes)
    scope.sums.update(sums)
    found: dict[str, Any] = metrics(scope, 1.0, layout(**flags))["rate_limit"]
    return found


def test_what_nobody_asked_for_is_null() -> None:
    found = limits({}, {"ok": 3, "rate_limited": 1}, attempts=4)
    assert (found["count"], found["share"], found["amplification"]) == (1, 0.25, 1.0)
    assert found["conformant"] is found["violations"] is found["recovered"] is None


def test_nothing_to_judge_is_none_at_fault() -> None:
    found = limits({"rate_limit": True, "retries": True}, {"ok": 3}, attempts=3)
    assert (found["count"], found["conformant"], found["violations"], found["recovered"]) == (0, 0, {}, 0)


def test_refusals_that_were_sent_again_count() -> None:
    # 10 requests on the wire: 4 requests, 6 of whose answers were refusals and followed by another attempt.
    outcomes = {"ok": 3, "rate_limited": 1}
    found = limits({"retries": True}, outcomes, attempts=10, retries=6, recovered=2)
    assert (found["count"], found["share"], found["recovered"], found["amplification"]) == (7, 0.7, 2, 2.5)


def test_violations_by_kind_the_most_frequent_first() -> None:
    kinds = {"violation.500 under limit": 2, "violation.no Retry-After": 5, "violation.400 under limit": 2}
    found = limits({"rate_limit": True}, {"rate_limited": 6}, conformant=1, rate_limit_violations=9, **kinds)
    assert found["conformant"] == 1
    assert list(found["violations"].items()) == [
        ("no Retry-After", 5),
        ("400 under limit", 2),
        ("500 under limit", 2),
    ]


def test_response_times_of_a_closed_pool_that_begins_to_send_again() -> None:
    aggregate, recorder = Aggregate(layout()), Recorder(layout().closed)
    leaf = recorder.row(0)[0]
    for second, latencies, waited in ((1, (10, 20), None), (1, (30,), None), (2, (40,), 900), (2, (50,), None)):
        leaf.latency.extend(value * 1_000_000 for value in latencies)
        if waited is not None:
            leaf.resent(waited * 1_000_000, planned=False)
            leaf.retries, leaf.recovered, leaf.rate_limit_violations = 1, 1, 2
        aggregate.fold(_of(*recorder.fold().leaves))
        now = RunState(float(second))
        aggregate.second(now)
    snapshot = aggregate.snapshot(now)
    assert (snapshot.retries, snapshot.recovered, snapshot.violations) == (1, 1, 2)
    for found in (aggregate.metrics_total(2.0), aggregate.metrics_stage(0, 2.0), aggregate.metrics_request(0, 2.0)):
        assert (found["latency_ms"]["count"], found["latency_ms"]["max"]) == (5, pytest.approx(50, rel=0.01))
        response = found["response_time_ms"]
        assert (response["count"], response["max"]) == (5, pytest.approx(900, rel=0.01))
        assert response["mean"] == pytest.approx((10 + 20 + 30 + 900 + 50) / 5, rel=0.01)
        assert found["rate_limit"]["recovered"] == 1


def _of(*leaves: LeafDelta) -> Delta:
    return Delta(0, 1, 0.5, [*leaves], [], [], {}, [], 0.0, Health(None, 1.0, 1.0, 1))
