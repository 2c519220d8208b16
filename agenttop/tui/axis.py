"""The time axis that all trends of a screen share: how much of the past they show, and the cell of each second.

All charts of a screen show the same seconds, however wide each is. Their cells lie on multiples of their length, so
that a chart moves by whole cells and most of it stays as it was; how much is shown grows in steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from rich.style import Style

from agenttop.metrics.live import WINDOW_S
from agenttop.report.scale import TIME_STEPS
from agenttop.schedule.quantities import clock
from agenttop.tui.history import ByBucket, Field, History, Known, Percentile, last_step
from agenttop.tui.text import Line
from agenttop.tui.view import View
from agenttop.tui.widgets.chart import REVERSE, spark

T = TypeVar("T")
Styles = Sequence[Style]
UNDERLINED = Style(underline=True)

#: Names of the windows in the order the key goes through them, and their lengths in seconds; 0 is the whole run.
WINDOWS: tuple[tuple[str, int], ...] = (("1m", 60), ("5m", 300), ("all", 0))
#: Seconds that charts show, the least that are enough; beyond, whole quarters of a day.
SPANS = (
    60, 75, 90, 120, 150, 180, 240, 300, 360, 450, 600, 750, 900, 1200, 1500, 1800, 2400, 3000, 3600, 4500, 5400, 7200,
    9000, 10_800, 14_400, 18_000, 21_600, 28_800, 36_000, 43_200, 64_800, 86_400,
)  # fmt: skip
_QUARTER_DAY_S = 21_600


@dataclass(frozen=True, slots=True)
class Axis:
    """``cells`` that end now, of ``cell_s`` seconds each; the last ``used`` of them are the ``seconds`` that it is of.

    They are fewer where a cell is longer than a live window: then it is of whole seconds, an even number, so that all
    percentiles are of as many.
    """

    cells: int
    seconds: int
    now_s: float

    @property
    def cell_s(self) -> float:
        """Return the seconds of a cell."""
        exact = self.seconds / max(1, self.cells)
        return exact if exact <= WINDOW_S else 2.0 * math.ceil(exact / 2)

    @property
    def used(self) -> int:
        """Return how many cells, the last ones, are drawn."""
        return min(self.cells, math.ceil(self.seconds / self.cell_s - 1e-9))

    def series(self, history: History, field: Field) -> list[float | None]:
        """Return a value for each cell."""
        return self._all(history.series(field, self.used, self.cell_s), 1)

    def percentiles(self, history: History, of: Percentile, per_cell: int = 1) -> list[Known | None]:
        """Return ``per_cell`` (1 or 2) percentiles a cell, each of :meth:`window_s` seconds."""
        known = history.percentiles(of, self.used * per_cell, self.cell_s / per_cell, per_cell)
        return self._all(known, per_cell)

    def heat(self, history: History, counts: ByBucket) -> list[list[int]]:
        """Return counts by bucket for each cell."""
        return [[]] * (self.cells - self.used) + history.heat(self.used, self.cell_s, counts)

    def window_s(self, per_cell: int = 1) -> float:
        """Return the seconds that a percentile is of."""
        return max(WINDOW_S, self.cell_s / per_cell)

    def _all(self, values: list[T | None], per_cell: int) -> list[T | None]:
        return [None] * (self.cells * per_cell - len(values)) + values

    def column(self, t_s: float) -> int | None:
        """Return the cell of a second; None if that is not shown."""
        back = last_step(self.now_s, self.cell_s) - last_step(t_s, self.cell_s)
        cell = self.cells - 1 - back
        return cell if self.cells - self.used <= cell < self.cells else None


def span_s(view: View) -> int:
    """Return how many seconds all charts show."""
    now_s, window = view.snap.t_s, dict(WINDOWS)[view.window]
    wanted = min(window, now_s) if window else now_s
    return next((span for span in SPANS if span >= wanted), -(-math.ceil(wanted) // _QUARTER_DAY_S) * _QUARTER_DAY_S)


def axis(view: View, cells: int) -> Axis:
    """Return the axis of a chart with so many cells."""
    return Axis(cells, span_s(view), view.snap.t_s)


def words(view: View) -> str:
    """Return what is shown in words: ``last 1m20``, ``whole run``. Of a run that is younger than its charts, in steps
    of ten seconds.
    """
    if view.window == "all":
        return "whole run"
    shown = min(span_s(view), max(10, int(view.snap.t_s) // 10 * 10))
    minutes, seconds = divmod(shown, 60)
    if not minutes:
        return f"last {seconds}s"
    return f"last {minutes}m{seconds:02}" if seconds else f"last {minutes}m"


def times(view: View, along: Axis) -> Line:
    """Return the row under a chart: how long ago, and a mark for each manual change."""
    look = view.look
    cells: list[tuple[str, Style]] = [(char, look.dim) for char in _labels(along, clock_of(view, along.now_s))]
    for cell in marked(view, along):
        start, stop = _word(cells, cell)
        cells[start:stop] = [(" ", look.dim)] * (stop - start)
        cells[cell] = (look.glyphs.mark, look.warn)
    _point(view, along, cells)
    line = Line()
    for text, style in cells:
        line.add(text, style)
    return line


def _point(view: View, along: Axis, cells: list[tuple[str, Style]]) -> None:
    """Mark the second that is looked at, with its time."""
    at = looked_at(view, along)
    if at is None or view.at_s is None:
        return
    look, label = view.look, clock(view.at_s)
    after = at + 1 + len(label) <= len(cells)
    text = f"{look.glyphs.now}{label}" if after else f"{label}{look.glyphs.now}"
    begin = at if after else at - len(label)
    if begin < 0:
        begin, text = at, look.glyphs.now
    for end in (begin, begin + len(text) - 1):
        start, stop = _word(cells, end)
        cells[start:stop] = [(" ", look.dim)] * (stop - start)
    cells[begin : begin + len(text)] = [(char, look.strong) for char in text]


def looked_at(view: View, along: Axis) -> int | None:
    """Return the cell of the second that is looked at; None without one."""
    return None if view.at_s is None else along.column(view.at_s)


def sparkline(view: View, along: Axis, values: Sequence[float | None], top: float, style: Style | Styles) -> Line:
    """Return a trend of one row, of one style or of one for each cell. What stands where there is a mark is underlined;
    where nothing stands, it is the mark.
    """
    look, line, marks, looked = view.look, Line(), marked(view, along), looked_at(view, along)
    styles = [style] * len(values) if isinstance(style, Style) else style
    for cell, (char, each) in enumerate(zip(spark(values, top, look.glyphs), styles, strict=True)):
        if cell == looked:
            line.add(char, each + REVERSE)
        elif cell not in marks:
            line.add(char, each)
        else:
            line.add(*((look.glyphs.mark, look.warn) if char == " " else (char, look.warn + UNDERLINED)))
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


def clock_of(view: View, t_s: float) -> str:
    """Return the time of day of a second of the run, in hours and minutes; empty where its begin is not told."""
    try:
        begin = datetime.fromisoformat(view.info.started_at)
    except ValueError:
        return ""
    return f"{(begin + timedelta(seconds=t_s)).astimezone(view.zone):%H:%M}"


def _labels(along: Axis, clock: str) -> str:
    """Return the labels ``-3m       -2m       -1m    14:05 now``."""
    width, each_s = along.cells, along.cell_s
    cells = [" "] * width
    whole = next((label for label in TIME_STEPS if label / each_s >= 9), TIME_STEPS[-1])
    now = f"{clock} now" if clock and width >= 24 else "now"
    free = width - len(now) - 1
    cells[-len(now) :] = now
    for back in range(whole, int(along.used * each_s) + 1, whole):
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
