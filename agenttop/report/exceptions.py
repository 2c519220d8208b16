"""Renders the exceptions in users' own code as text."""

from __future__ import annotations

from typing import Any

from agenttop.metrics.outcome import USER_ERROR
from agenttop.metrics.scope import clean_text
from agenttop.report.figures import count, duration
from agenttop.report.page import INDENT, Page

#: Of the most frequent ones, so many are shown.
SHOWN = 8


def exceptions(page: Page, totals: dict[str, Any]) -> None:
    """Add a section with each exception, its place and its count; nothing if there was none."""
    number = totals.get("user_errors", 0)
    if not number:
        return
    page.section("exceptions in users' code", count(number))
    errors = [error for error in totals["errors"] if error["outcome"] == USER_ERROR]
    for error in errors[:SHOWN]:
        when = f"{duration(error['first_s'])} – {duration(error['last_s'])}"
        page.prose(f"! {count(error['count'])} × {clean_text(error['message'])}, {when}", "yellow")
    left = number - sum(error["count"] for error in errors[:SHOWN])
    if left:
        page.line(f"{INDENT}and {count(left)} more", "dim")
