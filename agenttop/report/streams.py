"""Renders warnings about streams that are none, or have no end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.metrics.streams import burst_words, is_bursty, silence_words
from agenttop.report.figures import count, fit
from agenttop.report.page import Page


def streams(page: Page, summary: Mapping[str, Any]) -> None:
    """Add a warning for each request whose streams came in one burst, and other faults of streams."""
    for name, metrics in summary["requests"].items():
        told = metrics.get("streams")
        if told and is_bursty(told["streamed"], told["one_burst"]):
            page.prose(f"! {fit(name, 40)}: {burst_words(told['streamed'], told['one_burst'])}", "yellow")
    told = summary["totals"].get("streams") or {}
    facts = []
    if told.get("stalled"):
        facts.append(f"! {count(told['stalled'])} streams stalled (idle_timeout)")
    if told.get("unterminated"):
        facts.append(f"! {count(told['unterminated'])} streams ended without their terminal event")
    nothing = summary["totals"].get("said_nothing")
    if nothing and silence_words(nothing) not in summary["generator"]["warnings"]:
        facts.append(f"! {silence_words(nothing)}")
    page.joined(facts, "yellow")
