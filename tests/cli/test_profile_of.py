from __future__ import annotations

from typing import Any

from agenttop.cli.profile_of import _without_lost_thresholds

TASKS = [{"name": "t", "get": "/"}]


def test_a_threshold_on_a_stage_that_is_gone_is_left_out_and_told() -> None:
    table: dict[str, Any] = {
        "target": "${URL}",
        "thresholds": [
            "error_rate < 5%",
            "latency{stage:peak} p95 < 2s",
            {"expression": "latency{stage:gone} p95 < 2s", "window": "5s"},
        ],
        "stages": [{"name": "peak", "duration": "5s", "users": 1}],
        "pools": [{"name": "chat", "tasks": TASKS}],
    }
    notes = _without_lost_thresholds(table, ["URL"])
    assert notes == ["Left out, for it is on what is not in this plan: latency{stage:gone} p95 < 2s"]
    assert table["thresholds"] == ["error_rate < 5%", "latency{stage:peak} p95 < 2s"]
    assert _without_lost_thresholds(table, ["URL"]) == []
