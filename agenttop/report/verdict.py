"""Renders the verdict on the target: at the head of a report, and once more at its end, where one looks first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.metrics.assessment import BAD, KEEPS_UP
from agenttop.report.figures import fit
from agenttop.report.page import Page
from agenttop.schedule.quantities import clock

#: Characters of a sentence at most: it may name requests and phases.
_MAX = 600


def verdict_lines(page: Page, run: Mapping[str, Any]) -> None:
    """Add the verdict, what else was not well, and the knee; nothing for a run without."""
    verdict = run.get("verdict")
    if verdict is None:
        return
    page.line()
    state = verdict["state"]
    page.prose(_sentence(verdict), "red" if state in BAD else "green" if state == KEEPS_UP else "yellow")
    for other in verdict["others"]:
        page.prose(_sentence(other), "yellow")
    if verdict["bound"]:
        page.prose(fit(verdict["bound"], _MAX), "bold")


def _sentence(verdict: Mapping[str, Any]) -> str:
    """Return a state with its sentence: ``! QUEUES from 00:42 on: …``."""
    word = verdict["state"].replace("_", " ").upper()
    if verdict["state"] not in BAD:
        return f"{word}: {fit(verdict['words'], _MAX)}"
    return f"! {word} from {clock(verdict['since_s'])} on: {fit(verdict['words'], _MAX)}"
