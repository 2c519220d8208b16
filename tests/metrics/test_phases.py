"""Phases by stage, live, and those of each request in the summary."""

from __future__ import annotations

from array import array

import pytest

from agenttop.metrics.delta import LeafDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.phases import MAX_STAGES_TOLD, stage_phases
from agenttop.metrics.scope import Scope
from tests.metrics.fakes import FakeRun

PHASES = {"context_load", "llm_call", "tool_execution", "(unattributed)"}


def test_they_are_those_of_the_summary() -> None:
    run = FakeRun(seconds=20, warmup_s=2.0)
    aggregate = run.aggregate()
    told = aggregate.snapshot(run.situation(20)).stage_phases
    assert [each.stage for each in told] == [0, 1, 2]
    for each in told:
        metrics = aggregate.metrics_stage(each.stage, 1.0)
        assert set(each.mean_ms) == set(each.share) == PHASES
        for name, dist in metrics["phases_ms"].items():
            assert each.mean_ms[name] == pytest.approx(dist["mean"], abs=0.01)
            assert each.share[name] == pytest.approx(metrics["phase_shares"][name]["mean"], abs=1e-3)
            assert each.requests >= dist["count"]
        assert sum(each.share.values()) == pytest.approx(1.0, abs=1e-3)


def test_every_request_has_its_own() -> None:
    run = FakeRun(seconds=10)
    aggregate = run.aggregate()
    for request, info in enumerate(run.layout.requests):
        metrics = aggregate.metrics_request(request, 10.0)
        expected = PHASES if info.pool == 0 else set()
        assert set(metrics["phase_shares"]) == expected
        assert set(metrics["phases_ms"]) == expected - {"(unattributed)"}


def test_shares_of_single_requests_are_kept_by_request() -> None:
    run = FakeRun(seconds=1, storm=None)
    aggregate = run.aggregate()
    (delta, *_), now = run.deltas(1), run.situation(1)
    for request, share in ((1, 0.25), (2, 0.75)):
        hists = {
            "latency": fold(array("q", [100_000_000])),
            "phase.only": fold(array("q", [int(share * 100_000_000)])),
            "phase_share.only": fold(array("q", [int(share * 1_000_000)])),
        }
        delta.leaves[:] = [LeafDelta(request, 0, {"ok": 1}, {}, hists, {})]
        aggregate.fold(delta)
    aggregate.second(now)
    for request, share in ((1, 0.25), (2, 0.75)):
        assert aggregate.metrics_request(request, 1.0)["phase_shares"]["only"]["p95"] == pytest.approx(share, rel=0.01)


def test_there_are_none_before_there_are_any() -> None:
    assert stage_phases([Scope(), Scope()]) == ()


def test_many_stages_are_bounded() -> None:
    scopes = []
    for _ in range(100):
        scope = Scope()
        scope.hist("phase.a").add(fold(array("q", [1_000_000])))
        scopes.append(scope)
    told = stage_phases(scopes)
    assert [each.stage for each in told] == [0, *range(101 - MAX_STAGES_TOLD, 100)]
    assert (told[0].mean_ms, told[0].share, told[0].requests) == ({"a": 1.0}, {"a": 1.0}, 1)
