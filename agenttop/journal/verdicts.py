"""Formats the verdicts of a run: in words, and for its summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agenttop.metrics.not_refused import NOT_REFUSED
from agenttop.metrics.snapshot import Verdict


def told(verdict: Verdict) -> str:
    """Return a failed threshold in words."""
    if verdict.observed is None:
        return f"{verdict.expression} (no data)"
    of = f" {NOT_REFUSED}" if verdict.refused else ""
    over = " in a window" if verdict.window_s is not None else ""
    return f"{verdict.expression} (observed {verdict.observed:.4g}{verdict.unit}{of}{over})"


def summed(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Return the summary's ``thresholds``."""
    keys = ("expression", "observed", "passed", "aborted_run", "verdict", "unit", "window_s", "refused")
    return [{key: getattr(verdict, key) for key in keys} for verdict in verdicts]
