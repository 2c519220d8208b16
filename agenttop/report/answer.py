"""Tells in a word and a sentence how a run came out, for the head of whatever is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agenttop.exits import DONE, STOPPED, THRESHOLD
from agenttop.metrics.scope import clean_text
from agenttop.report.glance import ended_words
from agenttop.report.observed import observed, told_alone

PASS, FAIL, STOP, ERROR = "PASS", "FAIL", "STOPPED", "ERROR"
_WORDS = {DONE: PASS, THRESHOLD: FAIL, STOPPED: STOP}


def answer(summary: Mapping[str, Any]) -> tuple[str, str]:
    """Return one of :data:`PASS`, :data:`FAIL`, :data:`STOP` and :data:`ERROR`, and how the run ended in a sentence.

    It follows the exit code, so that a page says what a CI job does.
    """
    run = summary["run"]
    word = ERROR if run.get("incomplete") else _WORDS.get(run["exit_code"], ERROR)
    words = f"{clean_text(run['name'], 60)} {ended_words(run)[0]}"
    return word, f"{words}: {clean_text(run['message'])}" if run.get("message") else words


def failures(summary: Mapping[str, Any]) -> list[str]:
    """Return what failed, a sentence each: thresholds and the gate; else why the run itself did; nothing if all is
    well.
    """
    found = [
        told_alone(each, f"threshold failed: {clean_text(each['expression'])}, observed {observed(each)}")
        for each in summary["thresholds"]
        if not each["passed"]
    ]
    gate = summary.get("gate")
    if gate and gate["blocked"]:
        found.append(f"gate: {clean_text(gate['words'])}")
    word, words = answer(summary)
    return found or ([words] if word in (FAIL, ERROR) else [])
