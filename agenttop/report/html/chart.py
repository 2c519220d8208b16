"""Draws charts over time as SVG. All charts of a page have the same axis of time; scales begin at zero.

What a chart shows is drawn here, and is there without a script. Under the plot's own coordinates, 0 to :data:`SPAN`
wide and 0 to :data:`HEIGHT` high, a script can show a part of it larger without drawing anything anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from agenttop.report.figures import digits, ms, per_s
from agenttop.report.html.markup import Markup, el, joined
from agenttop.report.html.series import Values
from agenttop.report.scale import TIME_STEPS, nice
from agenttop.schedule.quantities import clock

#: Coordinates of a plot.
SPAN, HEIGHT = 10_000, 1000
#: The picture: its size, where the plot stands in it, and how wide and high that is.
WIDE, HIGH, LEFT, TOP, PLOT_WIDE, PLOT_HIGH = 1000, 216, 62, 10, 928, 178
_LABEL_WIDE = 80
UNITS: dict[str, Callable[[float], str]] = {"ms": ms, "/s": per_s, "": digits}


@dataclass(frozen=True, slots=True)
class Series:
    """One thing over time. ``color`` is 0 to 5; an area is filled down to zero."""

    name: str
    values: Values
    color: int
    area: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened. ``kind`` is ``stage``, ``control`` or ``event``."""

    t_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The time that all charts of a page show, and what happened in it."""

    end_s: float
    marks: Sequence[Mark] = ()

    def x(self, t_s: float) -> int:
        """Return the coordinate of a time."""
        return round(min(max(t_s / self.end_s, 0.0), 1.0) * SPAN)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: series whose values belong to the same times; ``unit`` is a key of :data:`UNITS`."""

    title: str
    note: str
    unit: str
    t_s: Sequence[float]
    series: Sequence[Series]

    @property
    def shown(self) -> list[Series]:
        """Return the series that have a value."""
        return [each for each in self.series if any(value is not None for value in each.values)]

    def figures(self) -> dict[str, Any]:
        """Return what a script tells of it: times and values in three digits or more."""
        shown = self.shown
        return {
            "unit": self.unit,
            "t": [_short(t) for t in self.t_s],
            "names": [each.name for each in shown],
            "v": [[None if v is None else _short(v) for v in each.values] for each in shown],
        }


def draw(chart: Chart, axis: Axis, number: int) -> Markup:
    """Return a chart as a figure; nothing of one without any value."""
    shown = chart.shown
    if not shown:
        return Markup()
    top = nice(max(value for each in shown for value in each.values if value is not None))
    words = UNITS[chart.unit]
    grid = [_grid(part, words(top * part / 4) + (chart.unit if chart.unit == "/s" else "")) for part in range(5)]
    lines = [_line(each, chart.t_s, axis, top, at) for at, each in enumerate(shown)]
    keys = [
        el("button", each.name, type="button", class_=f"key c{each.color}", data_series=at, aria_pressed="true")
        for at, each in enumerate(shown)
    ]
    inner = joined(marks_of(axis, first=not number), *lines)
    return framed(chart.title, chart.note, axis, number, joined(*grid), inner, el("span", *keys, class_="keys"))


def framed(
    title: str, note: str, axis: Axis, number: int, scale: Markup, inner: Markup, keys: Markup | None = None
) -> Markup:
    """Return a figure over time.

    Args:
        title: of it.
        note: what it is of.
        axis: the time below.
        number: of the chart, by which a script finds its values.
        scale: what stands beside and behind the plot, in coordinates of the picture.
        inner: what is in the plot, in coordinates of that.
        keys: names of its series.
    """
    plot = el(
        "svg", inner, el("line", class_="cursor", y1=0, y2=HEIGHT),
        el("rect", class_="chosen", y=0, height=HEIGHT, width=0), class_="plot", x=LEFT, y=TOP, width=PLOT_WIDE,
        height=PLOT_HIGH, viewBox=f"0 0 {SPAN} {HEIGHT}", preserveAspectRatio="none",
    )  # fmt: skip
    picture = el(
        "svg", scale, el("g", *_time_labels(axis), class_="x"), plot, viewBox=f"0 0 {WIDE} {HIGH}", role="img",
        aria_label=f"{title}: {note}",
    )  # fmt: skip
    head = el("figcaption", el("b", title), " ", el("small", note), keys)
    return el("figure", head, picture, class_="chart", data_chart=number)


def _time_labels(axis: Axis) -> Iterator[Markup]:
    """Yield the times under a plot."""
    step = next((s for s in TIME_STEPS if s / axis.end_s * PLOT_WIDE >= _LABEL_WIDE), TIME_STEPS[-1])
    for t_s in range(0, int(axis.end_s) + 1, step):
        x = LEFT + t_s / axis.end_s * PLOT_WIDE
        yield el("text", clock(t_s), x=f"{x:.0f}", y=HIGH - 8, text_anchor="middle")


def _grid(part: int, label: str) -> Markup:
    y = TOP + PLOT_HIGH * (4 - part) / 4
    line = el("line", class_="grid", x1=LEFT, x2=LEFT + PLOT_WIDE, y1=y, y2=y)
    return joined(line, el("text", label, x=LEFT - 6, y=y + 4, text_anchor="end"), between="")


def marks_of(axis: Axis, *, first: bool = False) -> Markup:
    """Return the marks of an axis for a plot: the first of a page says what each of them is."""
    if first:
        return joined(*_marks(axis))
    kinds = dict.fromkeys(mark.kind for mark in axis.marks)
    places = {kind: sorted({axis.x(mark.t_s) for mark in axis.marks if mark.kind == kind}) for kind in kinds}
    return joined(
        *(
            el("path", d="".join(f"M{x} 0v{HEIGHT}" for x in found), class_=f"mark {kind}")
            for kind, found in places.items()
        )
    )


def _marks(axis: Axis) -> Iterator[Markup]:
    for mark in axis.marks:
        x = axis.x(mark.t_s)
        yield el("line", el("title", f"{clock(mark.t_s)} {mark.text}"), class_=f"mark {mark.kind}", x1=x, x2=x, y1=0,
                 y2=HEIGHT)  # fmt: skip


def _line(series: Series, t_s: Sequence[float], axis: Axis, top: float, number: int) -> Markup:
    """Return a series; where there is no value the line is broken."""
    runs: list[list[tuple[int, int]]] = [[]]
    for at_s, value in zip(t_s, series.values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((axis.x(at_s), HEIGHT - round(min(max(value / top, 0.0), 1.0) * HEIGHT)))
    steps = [_path(run) for run in runs if run]
    paths = [el("path", d="".join(steps), class_="line")]
    if series.area:
        closed = [f"{_path(run)}V{HEIGHT}H{run[0][0]}Z" for run in runs if run]
        paths.insert(0, el("path", d="".join(closed), class_="area"))
    return el("g", *paths, class_=f"c{series.color}", data_series=number)


def _path(points: Sequence[tuple[int, int]]) -> str:
    """Return points as a path of small steps: a fifth of the size of one that names every place."""
    (x, y), *rest = points
    if not rest:
        return f"M{x - 8} {y}h16"
    steps = []
    for to_x, to_y in rest:
        steps.append(f"{to_x - x} {to_y - y}")
        x, y = to_x, to_y
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps).replace(' -', '-')}"


def _short(value: float) -> float | int:
    """Return a value in four digits, a whole one without a fraction."""
    found = float(f"{value:.4g}") if abs(value) < 10_000 else round(value)
    return int(found) if found == int(found) else found
