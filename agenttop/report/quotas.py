"""Renders what remained of the targets' limits as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.report.figures import count, share
from agenttop.report.page import Page


def quotas(page: Page, summary: Mapping[str, Any]) -> None:
    """Add a line for each limit that a target told of; nothing if none did."""
    told = summary.get("quotas") or []
    if not told:
        return
    page.section("left of the limits", "as the target told")
    rows = [["", "limit", "lowest", "", "last"]]
    for quota in told:
        limit, lowest = quota["limit"], quota["lowest_remaining"]
        part = share(lowest / limit) if limit and lowest is not None else ""
        name = f"{quota['pool']}: {quota['name']}"
        rows.append([name, count(limit), count(lowest), part, count(quota["last_remaining"])])
    used_up = [quota["lowest_remaining"] == 0 for quota in told]
    page.table(rows, lambda i: "yellow" if used_up[i] else "", first_min=12)
