"""The heat map of latencies, second by second: time to the right, latency upwards in log steps, shades for how many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style

from agenttop.metrics.heat import BUCKETS, PER_OCTAVE, lower_ms
from agenttop.tui.axis import Axis, axis, times, words
from agenttop.tui.history import ByBucket
from agenttop.tui.panes.latency import distribution
from agenttop.tui.text import Line
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
    first, each, tall = span(columns, rows)
    body = []
    for row in range(rows - 1, -1, -1):
        low = first + row // tall * each
        label = _edge(lower_ms(low)) if low % PER_OCTAVE == 0 and low < BUCKETS and row % tall == 0 else ""
        line = Line().right(label, _SIDE - 1, look.dim).to(_SIDE)
        for column in columns:
            count, all_ = sum(column[low : low + each]), sum(column)
            line.add(*_cell(view, measure, count / all_ if all_ else 0.0))
        body.append(line)
    if not any(columns):
        what = "answer" if measure is MEASURES[0] else measure.name
        body[rows // 2] = Line().to(_SIDE).add(f"no {what} in this time", look.dim)
    return body


def span(columns: Columns, rows: int) -> tuple[int, int, int]:
    """Return the first bucket to draw, how many buckets a row covers, and how many rows cover the same.

    All buckets with a request are drawn, and more if there is room, so that the map does not jump with every slow
    answer.
    """
    seen = [bucket for column in columns for bucket, count in enumerate(column) if count]
    low, high = (min(seen), max(seen)) if seen else (2 * PER_OCTAVE, 16 * PER_OCTAVE)
    each = 1
    while (high // each) - (low // each) + 1 > rows:
        each *= 2
    low, high = low // each, high // each
    tall = max(1, rows // (high - low + 3))
    spare = rows // tall - (high - low + 1)
    below = min(low, max(0, spare // 2))
    return (low - below) * each, each, tall


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
    """Return where a row begins: powers of two, so few letters do."""
    return f"{low_ms:.0f}ms" if low_ms < 1000 else f"{low_ms / 1024:.0f}s"
