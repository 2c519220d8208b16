"""Renders the verdict on the target: at the head of a report, and in short where its answer is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.metrics.assessment import BAD, KEEPS_UP, word_of
from agenttop.report.figures import fit
from agenttop.report.page import INDENT, Page
from agenttop.schedule.quantities import clock

#: Characters of a sentence at most: it may name requests and phases.
_MAX = 600


def verdict_lines(page: Page, run: Mapping[str, Any]) -> None:
    """Add the verdict, what else was not well, and the knee; nothing for a run without."""
    verdict = run.get("verdict")
    if verdict is None:
        return
    page.line()
    page.prose(_sentence(verdict, _MAX), _style(verdict["state"]))
    for other in verdict["others"]:
        page.prose(_sentence(other, _MAX), "yellow")
    if verdict["bound"]:
        page.prose(fit(verdict["bound"], _MAX), "bold")


def verdict_in_short(page: Page, run: Mapping[str, Any], most: int) -> None:
    """Add the verdict and the knee, ``most`` lines of each; nothing for a run without."""
    verdict = run.get("verdict")
    if verdict is None:
        return
    # Words are not cut where lines break, and the state has a word and its time before the sentence.
    room = most * (page.width - len(INDENT) - 15) - 20
    page.prose(_sentence(verdict, room), _style(verdict["state"]))
    if verdict["bound"]:
        page.prose(fit(verdict["bound"], room), "bold")


def _style(state: str) -> str:
    return "red" if state in BAD else "green" if state == KEEPS_UP else "yellow"


def _sentence(verdict: Mapping[str, Any], most: int) -> str:
    """Return a state with its sentence: ``! QUEUES from 00:42 on: …``."""
    word = word_of(verdict["state"])
    if verdict["state"] not in BAD:
        return f"{word}: {fit(verdict['words'], most)}"
    return f"! {word} from {clock(verdict['since_s'])} on: {fit(verdict['words'], most)}"
