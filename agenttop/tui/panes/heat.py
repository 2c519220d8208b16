"""How latencies were spread, second by second: time to the right, latency upwards in log steps, shades for how many."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style

from agenttop.metrics.heat import BUCKETS, PER_OCTAVE, lower_ms
from agenttop.tui.axis import axis, times, words
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


def full(view: View, width: int, height: int) -> list[Line]:
    """The map in a box. A shade is a part of the requests of its own column, so that light load is seen as well."""
    look = view.look
    along, rows = axis(view, max(8, width - 4 - _SIDE)), max(1, height - _AROUND)
    columns = view.history.heat(-(-along.cells // along.wide), along.step_s)
    columns = [column for column in columns for _ in range(along.wide)][-along.cells :]
    first, each, tall = span(columns, rows)
    body = []
    for row in range(rows - 1, -1, -1):
        low = first + row // tall * each
        label = _edge(lower_ms(low)) if low % PER_OCTAVE == 0 and low < BUCKETS and row % tall == 0 else ""
        line = Line().right(label, _SIDE - 1, look.dim).to(_SIDE)
        for column in columns:
            count, all_ = sum(column[low : low + each]), sum(column)
            line.add(*_cell(view, count / all_ if all_ else 0.0))
        body.append(line)
    if not any(columns):
        body[rows // 2] = Line().to(_SIDE).add("no answer in this time", look.dim)
    body.append(Line().to(_SIDE).extend(times(view, along)))
    body.append(_legend(view))
    right = Line().add(f"total, {words(view)}", look.dim)
    return boxed(look, width, height, title(look, "latency over time", "8"), right, body)


def enlarged(view: View, width: int, height: int) -> list[Line]:
    """The map above the percentiles of now."""
    below = min(7, height // 3)
    return full(view, width, height - below) + distribution(view, width, below)


def span(columns: Sequence[Sequence[int]], rows: int) -> tuple[int, int, int]:
    """The first bucket to draw, how many of them a row is of, and how many rows are of the same: all that have a
    request are drawn, and more where there is room, so that what is drawn does not jump with every slow answer.
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


def _cell(view: View, part: float) -> tuple[str, Style]:
    look, shades = view.look, view.look.glyphs.shades
    if part <= 0:
        return shades[0], look.dim
    level = sum(part >= least for least in SHADES)
    return shades[level], look.high if level >= 3 else look.total


def _legend(view: View) -> Line:
    look, line = view.look, Line().to(_SIDE)
    line.add("of each column  ", look.dim)
    for shade, least in zip(look.glyphs.shades[1:], SHADES, strict=True):
        line.add(shade, _cell(view, max(least, 1e-9))[1]).add(f" {least:.0%}+  " if least else " any  ", look.dim)
    return line


def _edge(low_ms: float) -> str:
    """Where a row begins: powers of two, so few letters do."""
    return f"{low_ms:.0f}ms" if low_ms < 1000 else f"{low_ms / 1024:.0f}s"
