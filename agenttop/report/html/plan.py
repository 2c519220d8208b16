"""What a run's plan wanted at each second, made of the stages of its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.html.series import Track


def planned(summary: Mapping[str, Any]) -> Track:
    """Return the users that the stages of the whole run wanted, by ``planned``, at every second of the timeline.

    The plan has a clock of its own, which stands still while it is held; None outside of all stages, and in a run
    whose stages are of single pools or of arrivals.
    """
    timeline = summary["timeline"]
    times = timeline.get("plan_t_s") or timeline["t_s"]
    stages = [stage for stage in summary["stages"] if not stage.get("pool") and stage["unit"] == "users"]
    values = [_wanted(stages, t_s) for t_s in times]
    return Track(timeline["t_s"], {"planned": values}, timeline["interval_s"])


def _wanted(stages: list[Mapping[str, Any]], t_s: float | None) -> float | None:
    for stage in stages:
        start_s, end_s = stage.get("planned_start_s"), stage.get("planned_end_s")
        if t_s is None or start_s is None or end_s is None:
            return None
        if start_s < t_s <= end_s:
            part = (t_s - start_s) / (end_s - start_s)
            return float(stage["target_start"] + part * (stage["target_end"] - stage["target_start"]))
    return None
