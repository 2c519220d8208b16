"""Renders the slowest requests and their traces as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.figures import ms
from agenttop.report.page import Page
from agenttop.schedule.quantities import clock

#: Requests shown; the rest is in the summary.
SHOWN = 3


def slowest(page: Page, summary: Mapping[str, Any]) -> None:
    """Add the first few by latency, then those by time to first token that are not among them; nothing without any."""
    told = summary.get("slowest")
    if not told or not told["by_latency"]:
        return
    first = told["by_latency"][:SHOWN]
    shown = {row["trace_id"] for row in first}
    rows = [*first, *(row for row in told["by_ttft"][:SHOWN] if row["trace_id"] not in shown)]
    page.section("slowest requests", "by total, then by TTFT")
    table = [["", "at", "TTFT", "total", "trace id"]]
    table += [
        [row["request"], clock(row["t_s"]), ms(row["ttft_ms"]), ms(row["latency_ms"]), row["trace_id"]] for row in rows
    ]
    page.table(table, first_min=8)
