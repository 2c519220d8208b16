from __future__ import annotations

import json
import math
from copy import deepcopy
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from agenttop.journal.summarize import build_summary, run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import SlowRequest
from agenttop.metrics.snapshot import Edited
from agenttop.report.summary import summary_schema
from tests.metrics.fakes import FakeRun

_MADE: dict[str, dict[str, Any]] = {}


def summary_of(run: FakeRun, **options: Any) -> dict[str, Any]:
    """The summary of a made-up run. Folding one takes most of a second: equal runs are folded once."""
    key = repr((run, options))
    if key not in _MADE:
        _MADE[key] = _summary(run, **options)
    return deepcopy(_MADE[key])


def _summary(run: FakeRun, **options: Any) -> dict[str, Any]:
    ended: dict[str, Any] = {"duration_s": float(run.seconds), "sending_ended_s": float(run.seconds)}
    ended |= {"stop_reason": "completed", "exit_code": 0}
    header = run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)
    return build_summary(run.aggregate(), header, **(ended | options))


@pytest.mark.parametrize(
    "run", [FakeRun(), FakeRun(seconds=10, peak=0, workers=1), FakeRun(warmup_s=20.0, saturated=(5, 30))]
)
def test_a_summary_validates(run: FakeRun) -> None:
    summary = summary_of(run)
    decoded = json.loads(json.dumps(summary, allow_nan=False))
    jsonschema.Draft202012Validator(summary_schema()).validate(decoded)
    _no_nan(summary)
    for metrics in (summary["totals"], *summary["pools"].values(), *summary["requests"].values(), *summary["stages"]):
        for dist in (value for key, value in metrics.items() if key.endswith("_ms") and value and "p50" in value):
            ordered = [dist[key] for key in ("min", "p50", "p75", "p90", "p95", "p99", "p99_9", "max")]
            assert ordered == sorted(ordered)


def test_keys_and_names() -> None:
    summary = summary_of(FakeRun(seconds=10))
    assert list(summary["pools"]) == ["chat", "tools", "voice"]
    assert "chat/POST /api/sessions" in summary["requests"]
    assert (summary["pools"]["voice"]["protocol"], summary["pools"]["voice"]["dialect"]) == ("ws", "openai.realtime")
    assert summary["pools"]["chat"]["users_max"] > 0
    assert summary["run"]["started_at"] == "2026-01-05T12:00:00Z"
    assert summary["run"]["ended_at"] == "2026-01-05T12:00:10Z"
    assert "incomplete" not in summary["run"]
    assert {len(column) for column in summary["timeline"].values() if isinstance(column, list)} == {10}


def test_rates_are_of_the_measured_time() -> None:
    summary = summary_of(FakeRun(seconds=30, warmup_s=10.0), sending_ended_s=25.0, duration_s=30.0)
    assert summary["run"]["measured_s"] == 15.0
    assert summary["totals"]["rps"] == pytest.approx(summary["totals"]["requests"] / 15.0)
    assert [stage["measured_s"] for stage in summary["stages"]] == [0.0, 14.0, 1.0]


def test_stages_as_they_really_were() -> None:
    spans = [(0.0, 3.5), (3.5, 10.0), None]
    stages = summary_of(FakeRun(seconds=10), stage_spans=spans)["stages"]
    assert [(stage["start_s"], stage["end_s"]) for stage in stages] == [(0.0, 3.5), (3.5, 10.0), (8.0, 10.0)]
    assert [stage["measured_s"] for stage in stages] == [3.5, 6.5, 0.0]
    assert stages[0]["planned_end_s"] == 2.0
    assert stages[1]["rps"] == pytest.approx(stages[1]["requests"] / 6.5)
    assert stages[2]["rps"] == 0.0


def test_stages_that_were_dropped_leave_no_gap_in_what_names_them_by_their_place() -> None:
    run = FakeRun(seconds=10)
    ramp, hold, drain = run.layout.stages
    run.layout = replace(run.layout, traceparent=True)
    aggregate = Aggregate(run.layout)
    spike = replace(drain, index=3, name="spike")
    aggregate.replan(Edited((ramp, hold, replace(drain, dropped=True), spike), 10.0))
    aggregate.slowest.add(SlowRequest(0, 3, 9.0, 880.0, 20.0, 200, "a" * 32))
    aggregate.second(replace(run.situation(9), stage=3))
    header = run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)
    ended: dict[str, Any] = {"duration_s": 10.0, "sending_ended_s": 10.0, "stop_reason": "completed", "exit_code": 0}
    summary = build_summary(aggregate, header, **ended)
    assert [stage["name"] for stage in summary["stages"]] == ["ramp", "hold", "spike"]
    assert summary["timeline"]["stage"] == [2]
    assert [row["stage"] for by in ("by_latency", "by_ttft") for row in summary["slowest"][by]] == [2, 2]


def _no_nan(value: Any) -> None:
    if isinstance(value, dict):
        for part in value.values():
            _no_nan(part)
    elif isinstance(value, list):
        for part in value:
            _no_nan(part)
    elif isinstance(value, float):
        assert math.isfinite(value)
