"""The heat map of latencies, second by second: time to the right, latency upwards in log steps, shades for how many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, zip_longest

from rich.style import Style

from agenttop.metrics.heat import PER_OCTAVE, lower_ms
from agenttop.tui.axis import Axis, axis, times, words
from agenttop.tui.history import ByBucket
from agenttop.tui.panes.latency import distribution
from agenttop.tui.text import Line, ms
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Parts of a column's requests from which on a cell has the next shade; the first is for any at all.
SHADES = (0.0, 0.1, 0.25, 0.5)
#: Columns of the labels at the left.
_SIDE = 7
#: Rows of the frame, the time axis and the legend.
_AROUND = 4
#: Rows of a map, from which on there is room for both.
_MIN_ROWS = 6
#: Rows of the percentiles below the enlarged map, where they are a table and where they are bars.
_TABLE, _BARS, _ROOM_FOR_BARS = 6, 16, 48

#: Percentiles between which latencies are drawn; buckets that are, where there are none.
CROPPED = (0.5, 99.9)
NOTHING = (2 * PER_OCTAVE, 16 * PER_OCTAVE)

Columns = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure that a map can show."""

    name: str
    counts: ByBucket


#: In the order the key goes through them.
MEASURES = (Measure("total", lambda tick: tick.latency_counts), Measure("first token", lambda tick: tick.ttft_counts))


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a map in a box, or if there is room both on one time axis, the chosen one above.

    A shade is a part of the requests of its own column, so that light load is seen as well.
    """
    look = view.look
    along, rows = axis(view, max(8, width - 4 - _SIDE)), max(1, height - _AROUND)
    first, second = sorted(MEASURES, key=lambda measure: measure.name != view.measure)
    chosen, other = (_columns(view, along, measure) for measure in (first, second))
    if rows >= 2 * (_MIN_ROWS + 1) and any(other):
        half = (rows - 2) // 2
        body = [_heading(view, first), *_map(view, first, chosen, rows - 2 - half)]
        body += [_heading(view, second), *_map(view, second, other, half)]
        right = Line().add(words(view), look.dim)
    else:
        body = _map(view, first, chosen, rows)
        right = Line().add(f"{first.name}, {words(view)}", look.dim)
        if any(other):
            right.add("  f", look.key).add(f" {second.name}", look.dim)
    body.append(Line().to(_SIDE).extend(times(view, along)))
    body.append(_legend(view, first))
    return boxed(look, width, height, title(look, "latency over time", "8"), right, body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """Return the maps above the percentiles of now."""
    below = _BARS if height >= _ROOM_FOR_BARS else min(_TABLE, height // 3)
    return full(view, width, height - below) + distribution(view, width, below)


def _columns(view: View, along: Axis, measure: Measure) -> Columns:
    return along.heat(view.history, measure.counts)


def _map(view: View, measure: Measure, columns: Columns, rows: int) -> list[Line]:
    look = view.look
    body = []
    edges = span(columns, rows)
    for row in range(rows - 1, -1, -1):
        low, stop = edges[row]
        octave = next((bucket for bucket in range(low, stop) if bucket % PER_OCTAVE == 0), None)
        first = not row or edges[row - 1][0] < low
        edge = low if not row else octave if first else None
        line = Line().right(_edge(lower_ms(edge)) if edge is not None else "", _SIDE - 1, look.dim)
        line.to(_SIDE)
        for column in columns:
            count, all_ = sum(column[low:stop]), sum(column)
            line.add(*_cell(view, measure, count / all_ if all_ else 0.0))
        body.append(line)
    if not any(columns):
        what = "answer" if measure is MEASURES[0] else measure.name
        body[rows // 2] = Line().to(_SIDE).add(f"no {what} in this time", look.dim)
    return body


def span(columns: Columns, rows: int) -> list[tuple[int, int]]:
    """Return the buckets of each row, the lowest first: the first, and the one after the last.

    From the p0.5 to the p99.9 of all that is shown, over all rows: a few outliers take no room. A bucket is of several
    rows, or where there are too few, a row of several buckets.
    """
    whole: list[int] = []
    for column in columns:
        whole = [a + b for a, b in zip_longest(whole, column, fillvalue=0)]
    low, high = (_reached(whole, percent) for percent in CROPPED) if any(whole) else NOTHING
    buckets = high - low + 1
    firsts = [low + row * buckets // rows for row in range(rows + 1)]
    return [(first, max(first + 1, after)) for first, after in pairwise(firsts)]


def _reached(counts: Sequence[int], percent: float) -> int:
    """Return the bucket in which a percentile (0 to 100) of counts is."""
    rank = max(1, math.ceil(percent * sum(counts) / 100))
    return next(bucket for bucket, reached in enumerate(accumulate(counts)) if reached >= rank)


def _heading(view: View, measure: Measure) -> Line:
    return Line().add(measure.name, _colour(view, measure))


def _colour(view: View, measure: Measure) -> Style:
    return view.look.total if measure is MEASURES[0] else view.look.ttft


def _cell(view: View, measure: Measure, part: float) -> tuple[str, Style]:
    look, shades = view.look, view.look.glyphs.shades
    if part <= 0:
        return shades[0], look.dim
    level = sum(part >= least for least in SHADES)
    return shades[level], look.high if level >= 3 else _colour(view, measure)


def _legend(view: View, measure: Measure) -> Line:
    look, line = view.look, Line().to(_SIDE)
    line.add("of each column  ", look.dim)
    for shade, least in zip(look.glyphs.shades[1:], SHADES, strict=True):
        part = f" {least:.0%}+  " if least else " any  "
        line.add(shade, _cell(view, measure, max(least, 1e-9))[1]).add(part, look.dim)
    return line


def _edge(low_ms: float) -> str:
    """Return where a row begins: mostly a power of two, so few letters do."""
    return f"{ms(low_ms)}ms" if low_ms < 1000 else f"{low_ms / 1024:.3g}s"
