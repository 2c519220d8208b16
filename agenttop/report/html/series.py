"""Thins the timeline of a summary for charts: rates by means, percentiles by merged counts, never by averaging them.

A percentile of the timeline is of a live window. While a point is no longer than that, the window that ends with the
point has all of its requests; of longer points the percentiles are of the summary's ``blocks``, whose counts are exact.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from agenttop.metrics.histogram import hdr_percentiles

#: Points of a chart at most: more than a wide screen has columns, less than a browser minds.
MAX_POINTS = 900
_US_PER_MS = 1000.0
Values = Sequence[float | None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Track:
    """Values over time: each is of the ``step_s`` seconds, or a little less, up to its ``t_s``."""

    t_s: Sequence[float]
    values: Mapping[str, Values]
    step_s: float


def means(summary: Mapping[str, Any], *names: str, most: int = MAX_POINTS) -> Track:
    """Return columns of the timeline, each point the mean of its seconds; of a column that an old summary does not
    have, nothing.
    """
    timeline = summary["timeline"]
    t_s = timeline["t_s"]
    size = max(1, math.ceil(len(t_s) / most))
    found = {}
    for name in names:
        column = timeline.get(name) or []
        found[name] = [_mean(column[at : at + size]) for at in range(0, len(t_s), size)] if column else []
    return Track(_ends(t_s, size), found, size * timeline["interval_s"])


def highest(summary: Mapping[str, Any], name: str, most: int = MAX_POINTS) -> Track:
    """Return a column of the timeline, each point the highest of its seconds."""
    timeline = summary["timeline"]
    t_s, column = timeline["t_s"], timeline.get(name) or []
    size = max(1, math.ceil(len(t_s) / most))
    parts = [[v for v in column[at : at + size] if v is not None] for at in range(0, len(column), size)]
    return Track(_ends(t_s, size), {name: [max(part, default=None) for part in parts]}, size * timeline["interval_s"])


def along(track: Track, name: str, t_s: Sequence[float]) -> list[float | None]:
    """Return values of one track at the times of another: each that of the point that the time is in."""
    values, found = track.values[name], []
    for time in t_s:
        at = bisect_left(track.t_s, time)
        inside = at < len(values) and track.t_s[at] - track.step_s < time + track.step_s
        found.append(values[at] if inside else None)
    return found


def percentiles(summary: Mapping[str, Any], metric: str, *percents: int, most: int = MAX_POINTS) -> Track:
    """Return percentiles of ``latency`` or ``ttft`` in ms, by ``p95`` and so on."""
    timeline = summary["timeline"]
    t_s = timeline["t_s"]
    size = max(1, math.ceil(len(t_s) / most))
    blocks = summary["totals"].get("blocks")
    if size * timeline["interval_s"] > (timeline.get("percentiles_s") or timeline["interval_s"]) and blocks:
        return _of_blocks(blocks, metric, percents)
    found = {}
    for percent in percents:
        column = timeline.get(f"{metric}_p{percent}_ms") or []
        found[f"p{percent}"] = _ends(column, size)
    return Track(_ends(t_s, size), found, timeline.get("percentiles_s") or timeline["interval_s"])


def _of_blocks(blocks: Sequence[Mapping[str, Any]], metric: str, percents: Sequence[int]) -> Track:
    found: dict[str, list[float | None]] = {f"p{percent}": [] for percent in percents}
    starts = [block["start_s"] for block in blocks]
    width = starts[1] - starts[0] if len(starts) > 1 else 1.0
    for block in blocks:
        hdr = block[f"{metric}_hdr"]
        values = hdr_percentiles(hdr, percents) if hdr else [None] * len(percents)
        for percent, value in zip(percents, values, strict=True):
            found[f"p{percent}"].append(None if value is None else value / _US_PER_MS)
    return Track([start + width for start in starts], found, width)


def _mean(values: Values) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _ends(column: Sequence[T], size: int) -> list[T]:
    """Return the last value of each point."""
    return [column[min(at + size, len(column)) - 1] for at in range(0, len(column), size)]
