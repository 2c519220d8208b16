"""The time axis that all trends of a screen share: how much of the past a chart shows, and the cell of each second.

A cell is a whole number of seconds, or a second a whole number of cells; cells lie on multiples of that, so that a
chart moves by whole cells and most of it stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.style import Style

from agenttop.metrics.live import WINDOW_S
from agenttop.tui.history import Field, History, Known, Percentile
from agenttop.tui.text import Line
from agenttop.tui.view import View
from agenttop.tui.widgets.chart import spark

T = TypeVar("T")
Styles = Sequence[Style]

#: Names of the windows in the order the key goes through them, and their lengths in seconds; 0 is the whole run.
WINDOWS: tuple[tuple[str, int], ...] = (("1m", 60), ("5m", 300), ("all", 0))
#: No chart is of less.
MIN_SPAN_S = 60
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 40, 60, 90, 120, 180, 240, 300, 600, 900, 1200, 1800, 3600)
_LABELS = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)


@dataclass(frozen=True, slots=True)
class Axis:
    """A number of cells that end now; ``step_s`` seconds a cell, or if that is 1, ``wide`` cells a second."""

    cells: int
    step_s: int
    wide: int
    now_s: float

    @property
    def seconds(self) -> float:
        """Return the seconds that it covers."""
        return self.cells * self.step_s / self.wide

    def series(self, history: History, field: Field, per_cell: int = 1) -> list[float | None]:
        """``per_cell`` (1 or 2) values a cell."""
        points, each, repeat = self._points(per_cell)
        return self._repeated(history.series(field, points, each, self.step_s // each), repeat, per_cell)

    def percentiles(self, history: History, of: Percentile, per_cell: int = 1) -> list[Known | None]:
        """``per_cell`` (1 or 2) percentiles a cell, each of :meth:`window_s` seconds."""
        points, each, repeat = self._points(per_cell)
        return self._repeated(history.percentiles(of, points, each, self.step_s // each), repeat, per_cell)

    def window_s(self, per_cell: int = 1) -> float:
        """What a percentile is of."""
        return max(WINDOW_S, self._points(per_cell)[1])

    def _points(self, per_cell: int) -> tuple[int, int, int]:
        """How many points there are, of how many seconds each, and for how many values each stands."""
        split = self.step_s % per_cell == 0
        each, repeat = (self.step_s // per_cell, self.wide) if split else (self.step_s, self.wide * per_cell)
        return -(-self.cells * per_cell // repeat), each, repeat

    def _repeated(self, values: list[T], repeat: int, per_cell: int) -> list[T]:
        if repeat == 1:
            return values
        return [value for value in values for _ in range(repeat)][-self.cells * per_cell :]

    def column(self, t_s: float) -> int | None:
        """Return the cell of a second; None if that is not shown."""
        end = math.ceil(self.now_s / self.step_s)
        back = end - math.ceil(t_s / self.step_s)
        cell = self.cells - 1 - back * self.wide
        return cell if 0 <= cell < self.cells and back >= 0 else None


def axis(view: View, cells: int) -> Axis:
    """Return the axis of a chart with so many cells."""
    now_s = view.snap.t_s
    window = dict(WINDOWS)[view.window]
    shown = max(MIN_SPAN_S, math.ceil(min(window, now_s) if window else now_s))
    if cells >= 2 * shown:
        return Axis(cells, 1, cells // shown, now_s)
    wanted = -(-shown // max(1, cells))
    step = next((step for step in _STEPS if step >= wanted), -(-wanted // 3600) * 3600)
    return Axis(cells, step, 1, now_s)


def words(view: View) -> str:
    """Return the window in words."""
    return "whole run" if view.window == "all" else f"last {view.window}"


def times(view: View, along: Axis) -> Line:
    """Return the row under a chart: how long ago, and a mark for each manual change."""
    look = view.look
    cells: list[tuple[str, Style]] = [(char, look.dim) for char in _labels(along)]
    for cell in marked(view, along):
        start, stop = _word(cells, cell)
        cells[start:stop] = [(" ", look.dim)] * (stop - start)
        cells[cell] = (look.glyphs.mark, look.warn)
    line = Line()
    for text, style in cells:
        line.add(text, style)
    return line


def sparkline(view: View, along: Axis, values: Sequence[float | None], top: float, style: Style | Styles) -> Line:
    """A trend of one row, in which a mark takes the place of what it stands in; of one style, or of one for each
    cell.
    """
    line, marks = Line(), marked(view, along)
    styles = [style] * len(values) if isinstance(style, Style) else style
    for cell, (char, each) in enumerate(zip(spark(values, top, view.look.glyphs), styles, strict=True)):
        line.add(*((view.look.glyphs.mark, view.look.warn) if cell in marks else (char, each)))
    return line


def marked(view: View, along: Axis) -> list[int]:
    """Return the cells in which there were manual changes."""
    found = {along.column(mark.t_s) for mark in view.marks}
    return sorted(cell for cell in found if cell is not None)


def _word(cells: list[tuple[str, Style]], at: int) -> tuple[int, int]:
    """Return the range of the label that ``at`` is in, or beside."""
    start = stop = at
    while start > 0 and cells[start - 1][0] != " ":
        start -= 1
    while stop < len(cells) and cells[stop][0] != " ":
        stop += 1
    return start, stop


def _labels(along: Axis) -> str:
    """Return the labels ``-3m       -2m       -1m     now``."""
    width, each_s = along.cells, along.step_s / along.wide
    cells = [" "] * width
    whole = next((label for label in _LABELS if label / each_s >= 9), _LABELS[-1])
    free = width - 5
    cells[-3:] = "now"
    for back in range(whole, int(width * each_s) + 1, whole):
        label = _ago(back, whole)
        start = width - 1 - round(back / each_s)
        if start >= 0 and start + len(label) <= free:
            cells[start : start + len(label)] = label
            free = start - 1
    return "".join(cells[:width])


def _ago(back: int, whole: int) -> str:
    if whole < 60:
        return f"-{back}s"
    if whole < 3600:
        return f"-{back // 60}m"
    return f"-{back // 3600}h"
