"""Renders the boxes of a fleet as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.metrics.boxes import CLOCK_ERROR_MS
from agenttop.report.figures import count, ms
from agenttop.report.page import Page


def boxes(page: Page, summary: Mapping[str, Any]) -> None:
    """Add a line for each box; nothing of a run on one machine."""
    found = summary["generator"].get("boxes") or []
    if not found:
        return
    page.section("boxes", "what each of them sent")
    rows = [["", "requests", "users", "p95", "ttft p95", "CPU", "lag p99", "clock ±", ""]]
    for box in found:
        times = [ms((box[key] or {}).get("p95")) for key in ("latency_ms", "ttft_ms")]
        lag = ms((box["loop_lag_ms"] or {}).get("p99"))
        lost = f"lost {box['lost_s']:.0f}s" if box["lost_s"] is not None else ""
        state = lost or ("" if box["state"] == "up" else box["state"])
        cpu = f"{box['cpu_percent_max']:.0f}%"
        counts = [count(box["requests"]), count(box["users_max"])]
        rows.append([box["name"], *counts, *times, cpu, lag, ms(box["clock_error_ms"]), state])
    unsure = ["yellow" if box["clock_error_ms"] > CLOCK_ERROR_MS else "" for box in found]
    wrong = ["red" if box["lost_s"] is not None else style for box, style in zip(found, unsure, strict=True)]
    page.table(rows, lambda i: wrong[i], first_min=8)
