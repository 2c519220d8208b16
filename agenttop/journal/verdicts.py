"""The verdicts of a run in words, and as its summary has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agenttop.metrics.snapshot import Verdict


def told(verdict: Verdict) -> str:
    """A failed threshold in words."""
    if verdict.observed is None:
        return f"{verdict.expression} (no data)"
    over = " in a window" if verdict.window_s is not None else ""
    return f"{verdict.expression} (observed {verdict.observed:.4g}{verdict.unit}{over})"


def summed(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The summary's ``thresholds``."""
    keys = ("expression", "observed", "passed", "aborted_run", "verdict", "unit", "window_s")
    return [{key: getattr(verdict, key) for key in keys} for verdict in verdicts]
