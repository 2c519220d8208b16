"""Renders each request's own phases, if more than one request reports any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.figures import count, ms, share
from agenttop.report.page import Page
from agenttop.report.phases import phases_of, spent_on

#: Requests shown; of more those that took most time together.
MAX_PHASES = 8


def phases_by_request(page: Page, summary: Mapping[str, Any]) -> None:
    """Add a line for each request with each phase's mean and share of the latency, the longest phase first."""
    found = {name: phases for name, metrics in summary["requests"].items() if (phases := phases_of(metrics))}
    if len(found) < 2:
        return
    spent = {name: spent_on(phases) for name, phases in found.items()}
    whole: dict[str, float] = {}
    for parts in spent.values():
        for phase, part in parts.items():
            whole[phase] = whole.get(phase, 0.0) + part
    shown = sorted(found, key=lambda name: -sum(spent[name].values()))[:MAX_PHASES]
    names = sorted(whole, key=lambda phase: -whole[phase])
    page.section("phases by request", "mean, share of the latency")
    rows = [["", *names]]
    for name in shown:
        total = sum(spent[name].values()) or 1.0
        rows.append([name, *(_cell(found[name].get(phase), spent[name].get(phase, 0.0) / total) for phase in names)])
    page.table(rows, first_min=12)
    if len(shown) < len(found):
        page.prose(f"only the most telling requests; {count(len(found) - len(shown))} more are in the summary", "dim")


def _cell(dist: Mapping[str, Any] | None, part: float) -> str:
    return "-" if dist is None else f"{ms(dist['mean'])} {share(part):>6}"
