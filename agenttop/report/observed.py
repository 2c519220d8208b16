"""Tells what a threshold observed, in the unit of its own expression."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from agenttop.metrics.catalogue import OWN_DISTRIBUTIONS
from agenttop.metrics.not_refused import explained, starred
from agenttop.report.figures import count, duration

_TIMED = {*OWN_DISTRIBUTIONS, "phase", "unattributed"}
#: Columns where nothing has to give way.
_WIDE = 1000
NO_DATA = "no data"


def noted(threshold: Mapping[str, Any]) -> str:
    """Return what is told of a threshold beside its verdict: what it observed, in which window, what it did."""
    note = NO_DATA if threshold.get("verdict") == NO_DATA else f"observed {observed(threshold)}"
    note += f" in the worst {duration(threshold['window_s'])}" if threshold.get("window_s") else ""
    return note + (", ended the run" if threshold["aborted_run"] else "")


def observed(threshold: Mapping[str, Any]) -> str:
    """Return what a threshold observed, in the expression's own unit; durations without one are ms, as in k6. It has a
    star where refused answers are left out of it.
    """
    return starred(_figure(threshold), refused(threshold))


def refused(threshold: Mapping[str, Any]) -> int:
    """Return how many refused answers the figure leaves out; 0 in summaries of before they were counted."""
    return int(threshold.get("refused", 0))


def threshold_rows(thresholds: Iterable[Mapping[str, Any]], title: str = "") -> list[list[str]]:
    """Return cells of thresholds, titles before them, ``title`` that of the expressions; the last is pass or FAIL."""
    return [
        [title, "observed", ""],
        *(
            [each["expression"], noted(each).removeprefix("observed "), "pass" if each["passed"] else "FAIL"]
            for each in thresholds
        ),
    ]


def star_words(thresholds: Iterable[Mapping[str, Any]], width: int = _WIDE) -> str:
    """Return what the star at figures of these thresholds means, in so many columns; empty if none has one."""
    return explained([refused(threshold) for threshold in thresholds], width)


def told_alone(threshold: Mapping[str, Any], note: str) -> str:
    """Return what is told of a threshold where no other stands beside it, with what its star means."""
    return "; ".join(filter(None, (note, star_words([threshold]))))


def _figure(threshold: Mapping[str, Any]) -> str:
    value, expression = threshold["observed"], threshold["expression"].strip()
    if value is None:
        return "nothing"
    figure = f"{value:.4g}" if abs(value) < 10_000 else count(value)
    if threshold.get("unit") is not None:
        return f"{figure}{threshold['unit']}"
    unit = re.search(r"[<>=]\s*[\d._]+\s*(%|[a-z]+)?$", expression)
    if unit and unit[1]:
        return figure + unit[1]
    timed = re.split(r"[\s{(.]", expression, maxsplit=1)[0] in _TIMED and not re.search(r"\b(count|rate)\b", expression)
    return f"{figure}ms" if timed else figure
