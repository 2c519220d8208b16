"""The latency panes: time to first token beside total, on one time axis and one scale, from zero or logarithmic."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.style import Style

from agenttop.metrics.floors import too_few
from agenttop.metrics.heat import PER_OCTAVE, percentile_ms
from agenttop.metrics.snapshot import Percentiles, Tick
from agenttop.report.scale import nice
from agenttop.tui.axis import Axis, axis, sparkline, times, words
from agenttop.tui.history import Known, Percentile
from agenttop.tui.panes.rate import LEFT, SIDE, SIDE_BARE
from agenttop.tui.text import Line, age, count, ms
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, rule, title
from agenttop.tui.widgets.chart import LETTERS, Spread, Values, peak, spread
from agenttop.tui.widgets.scale import Scale, logarithmic

#: What the three percentiles of a chart are drawn as: an area, a line, dots.
LEGEND = ("█", "⠒", "⠐")
#: From so many times the other one on, first tokens and totals have scales of their own.
APART = 10.0
Fields = tuple[Percentile, Percentile, Percentile]

_NAMES = ("p50", "p90", "p95", "p99", "max")

_PERCENTS = (50, 90, 95, 99, 50)
"""What the names are of; a maximum is believed when a median is."""


def _ttft(tick: Tick) -> tuple[int, ...]:
    return tick.ttft_counts


def _latency(tick: Tick) -> tuple[int, ...]:
    return tick.latency_counts


TTFT = (
    Percentile(50, lambda t: t.ttft_p50_ms, _ttft),
    Percentile(95, lambda t: t.ttft_p95_ms, _ttft),
    Percentile(99, lambda t: t.ttft_p99_ms, _ttft),
)
TOTAL = (
    Percentile(50, lambda t: t.latency_p50_ms, _latency),
    Percentile(95, lambda t: t.latency_p95_ms, _latency),
    Percentile(99, lambda t: t.latency_p99_ms, _latency),
)
GAPS = Percentile(95, lambda t: t.inter_chunk_p95_ms, lambda t: t.inter_chunk_counts)


def _curve(view: View, of: Percentile, known: Sequence[Known | None], style: Style) -> tuple[Values, list[Style]]:
    """What is drawn of a percentile, lighter where it is of too few samples."""
    lighter = view.look.lighter(style)
    styles = [lighter if each is None or too_few(of.percent, each.samples) else style for each in known]
    return [None if each is None else each.value for each in known], styles


def _believed(view: View, row: Percentiles | None, name: str, style: Style) -> Style:
    """The style of a figure: lighter where it is of too few samples."""
    percent = dict(zip(_NAMES, _PERCENTS, strict=True))[name]
    return view.look.lighter(style) if row is None or too_few(percent, row.count) else style


def streams(view: View) -> int:
    """Return whether first tokens are to be expected: 0 for a run that only asks for whole answers."""
    return int(view.history.streamed or any(pool.protocol != "http" for pool in view.snap.pools))


def says(view: View) -> int:
    """Return how many rows of percentiles there are: what never streams has one."""
    return 3 if streams(view) else 1


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return a table of percentiles, each row with its p95 of the last minute or so."""
    look, snap = view.look, view.snap
    fixed = 12 + 7 * len(_NAMES) + 2
    points = max(0, min(300, width - fixed - 1))
    log = "log " if view.log else ""
    head = rule(look, width, Line().add(f"latency {log}ms", look.strong), None, "4")
    along = axis(view, points)
    drawn = ((TTFT[1], look.ttft), (TOTAL[1], look.total), (GAPS, look.dim))
    ttft, total, gaps = (_curve(view, of, along.percentiles(view.history, of), style) for of, style in drawn)
    scales = [_scale(view, along, fields, 1)[0] for fields in (TTFT, TOTAL)]
    between = logarithmic(value for value in gaps[0] if value) if view.log else Scale(peak(gaps[0]))
    rows = [
        ("TTFT", snap.ttft, ttft, scales[0], look.ttft),
        ("Total", snap.latency, total, scales[1], look.total),
        ("Inter-chunk", snap.inter_chunk, gaps, between, look.dim),
    ]
    if not streams(view):
        rows = rows[1:2]
    titles = Line().add("4", look.key).add(" latency ms", look.strong)
    for name in _NAMES:
        titles.add(f" {look.glyphs.box[4] * (5 - len(name))} ", look.faint).add(name, look.dim)
    label = f"{log}p95 of {age(along.window_s())}, {words(view)}"
    if points < len(label):
        label = f"{log}p95, {words(view)}" if points >= 16 + len(log) else log + words(view).removeprefix("last ")
    titles.add("  ").add(label, look.dim)
    if points >= len(label) + 3:
        titles.add(" ").add(look.glyphs.box[4] * (width - titles.width), look.faint)
    lines = [titles if width >= fixed else head]
    for name, row, trend, scale, style in rows:
        line = Line().add(f" {name}", style).to(12)
        for each, value in zip(_NAMES, _values(row), strict=True):
            line.right(ms(value), 7, _believed(view, row, each, look.text))
        lines.append(line.to(fixed).extend(sparkline(view, along, scale.shares(trend[0]), 1.0, trend[1])))
    return lines[:height]


def trend(view: View, width: int, height: int) -> list[Line]:
    """Return the total over time without a box, as wide as the chart of requests per second above it."""
    look, now = view.look, view.snap.latency
    cells, rows = max(8, width - LEFT - SIDE_BARE), max(1, height - 1)
    along, per_cell = axis(view, cells), 2 if look.glyphs.braille else 1
    scale = _logarithmic(view, along, TOTAL, per_cell) if view.log else _from_zero(view, along, TOTAL, per_cell)
    lines = []
    labels = _labels(view, scale, rows)
    for index, line in enumerate(_drawn(view, along, TOTAL, rows, scale)):
        lines.append(Line().right(labels.get(index, ""), LEFT - 1, look.dim).to(LEFT).extend(line).to(LEFT + cells))
    if now is not None:
        for line, (label, value, style) in zip(lines, _figures(view, now)[: rows if rows < 5 else 3], strict=False):
            line.add("  ").add(label, style).right(value, SIDE_BARE - 3 - len(label), style)
    return [*lines, Line().to(LEFT).extend(times(view, along))]


def ttft(view: View, width: int, height: int) -> list[Line]:
    """Return the box of the time to first token."""
    return _box(view, width, height, "time to first token", view.snap.ttft, TTFT)


def total(view: View, width: int, height: int) -> list[Line]:
    """Return the box of the total time of a request."""
    return _box(view, width, height, "total", view.snap.latency, TOTAL)


def full(view: View, width: int, height: int) -> list[Line]:
    """Return both, one above the other, and the gaps between chunks: the enlarged pane."""
    upper = (height - 3) // 2
    lines = ttft(view, width, upper) + total(view, width, height - 3 - upper)
    gaps = Line()
    for name, value in zip(_NAMES, _values(view.snap.inter_chunk), strict=True):
        gaps.add(name, view.look.dim).right(ms(value), 8).add("   ")
    return lines + boxed(
        view.look, width, 3, title(view.look, "between chunks"), Line().add("ms", view.look.dim), [gaps]
    )


def distribution(view: View, width: int, height: int) -> list[Line]:
    """Return every percentile: as a bar, both on one scale from zero, if there is room, else as a table."""
    look = view.look
    body = _bars(view, width) if height >= 16 else _table(view, width)
    return boxed(look, width, height, title(look, "percentiles", "8"), _window(view), body)


def _table(view: View, width: int) -> list[Line]:
    look, snap = view.look, view.snap
    cell = max(7, min(12, (width - 4 - 15) // len(_NAMES)))
    head = Line().to(15)
    for name in _NAMES:
        head.right(name, cell, look.dim)
    lines = [head]
    rows = [
        ("first token", snap.ttft, look.ttft),
        ("total", snap.latency, look.total),
        ("between chunks", snap.inter_chunk, look.dim),
    ]
    for label, row, style in rows if streams(view) else rows[1:2]:
        line = Line().add(label, style).to(15)
        for name, value in zip(_NAMES, _values(row), strict=True):
            line.right(ms(value), cell, _believed(view, row, name, look.strong))
        lines.append(line)
    return lines


def _bars(view: View, width: int) -> list[Line]:
    look, snap = view.look, view.snap
    room = max(4, width - 4 - 6 - 9)
    top = nice(max(value or 0.0 for row in (snap.ttft, snap.latency) for value in _values(row)))
    body: list[Line] = []
    for name, row, style in (("first token", snap.ttft, look.ttft), ("total", snap.latency, look.total)):
        head = Line().add(name, style)
        body.append(head.add(f"  of {count(row.count)}", look.dim) if row else head.add("  no sample", look.dim))
        for percentile, value in zip(_NAMES, _values(row), strict=True):
            line = Line().add(percentile, look.dim).to(5)
            line.right(ms(value), 8, _believed(view, row, percentile, look.strong)).add("  ")
            if value is not None:
                bar = look.glyphs.bar * max(1, round(min(1.0, value / top) * (room - 2)))
                line.add(bar, _believed(view, row, percentile, style))
            body.append(line)
        body.append(Line())
    gap = Line().add("between chunks", look.dim)
    for name, value in zip(("p50", "p95", "p99"), _some(snap.inter_chunk), strict=True):
        gap.add(f"   {name} ", look.dim).add(ms(value), look.text)
    return [*body[:-1], gap]


def _box(
    view: View,
    width: int,
    height: int,
    name: str,
    now: Percentiles | None,
    fields: Fields,
) -> list[Line]:
    look = view.look
    cells, rows = max(8, width - 4 - SIDE - 8), max(1, height - 3)
    along, per_cell = axis(view, cells), 2 if look.glyphs.braille else 1
    scale, own = _scale(view, along, fields, per_cell)
    body: list[Line] = []
    labels = _labels(view, scale, rows, middle=True)
    for index, line in enumerate(_drawn(view, along, fields, rows, scale)):
        body.append(Line().right(labels.get(index, ""), 6, look.dim).to(8).extend(line).to(8 + cells))
    body.append(Line().to(8).extend(times(view, along)))
    if now is None:
        figures: list[tuple[str, str, Style]] = [("no sample", "", look.dim)]
        if name != "total" and view.snap.latency is not None:
            figures = [("nothing", "", look.dim), ("streamed", "", look.dim)]
    else:
        figures = _figures(view, now)
    offset = 1 if rows >= len(figures) + 1 else 0
    for line, (label, value, style) in zip(body[offset:], figures, strict=False):
        line.add("  ").add(label, style).right(value, SIDE - 3 - len(label), style)
    right = f"ms of {age(along.window_s(per_cell))}, {words(view)}"
    if view.log:
        right = f"log {right}"
    elif own:
        right = f"own scale, {right}"
    return boxed(look, width, height, title(look, name, "4"), Line().add(right, look.dim), body)


def _figures(view: View, now: Percentiles) -> list[tuple[str, str, Style]]:
    """Return name, value and style of each; a percentile stands beside what it is drawn as."""
    look = view.look
    low, middle, high = (f"{mark} " for mark in (LEGEND if look.glyphs.braille else LETTERS))
    return [
        (f"{high}p99", ms(now.p99), _believed(view, now, "p99", look.high)),
        (f"{middle}p95", ms(now.p95), _believed(view, now, "p95", look.middle)),
        (f"{low}p50", ms(now.p50), _believed(view, now, "p50", look.low)),
        ("max", ms(now.max), look.text),
        ("of", count(now.count), look.dim),
    ]


def _drawn(view: View, along: Axis, fields: Fields, rows: int, scale: Scale) -> list[Line]:
    """Return the rows of a chart, the highest first."""
    look, curves = view.look, []
    for of, style in zip(fields, (look.low, look.middle, look.high), strict=True):
        known = along.percentiles(view.history, of, 2 if look.glyphs.braille else 1)
        values, styles = _curve(view, of, known, style)
        curves.append((scale.shares(values), styles))
    return spread(Spread(*curves), rows, 1.0, look.glyphs, look.high)


def _labels(view: View, scale: Scale, rows: int, *, middle: bool = False) -> dict[int, str]:
    """Return what stands beside the rows of a chart, by row; from zero also half of it, where there is a ``middle``."""
    found = {row: ms(value) for row, value in scale.labels(rows, 4 if view.look.glyphs.braille else 1).items()}
    if middle and not scale.bottom and rows >= 5 and rows % 2:
        found[rows // 2] = ms(scale.top / 2)
    return found


def _scale(view: View, along: Axis, fields: Fields, per_cell: int) -> tuple[Scale, bool]:
    """Return the scale of a chart, and whether it is one of its own: where first tokens and totals are so far apart
    that one of them would lie on the ground. A logarithmic one is always of both.
    """
    if view.log:
        return _logarithmic(view, along, (*TTFT, *TOTAL), per_cell), False
    mine, other = (_highest(view, along, of, per_cell) for of in (fields, TOTAL if fields is TTFT else TTFT))
    own = bool(mine and other) and max(mine, other) >= APART * min(mine, other)
    return Scale(nice(max(mine if own else max(mine, other), 10.0))), own


def _from_zero(view: View, along: Axis, fields: Fields, per_cell: int) -> Scale:
    return Scale(nice(max(_highest(view, along, fields, per_cell), 10.0)))


def _logarithmic(view: View, along: Axis, of: Sequence[Percentile], per_cell: int) -> Scale:
    """Return the scale of all that is shown, outliers too: they take but little of it."""
    known = (each for one in of for each in along.percentiles(view.history, one, per_cell))
    return logarithmic(each.value for each in known if each is not None)


def _highest(view: View, along: Axis, fields: Fields, per_cell: int) -> float:
    """Return the p99 of all that is shown, or the highest p50 or p95 if that is more and of samples enough: a few
    outliers move none of these.
    """
    shown = percentile_ms(view.history.counts(fields[0].counts, along.seconds), 99) or 0.0
    found = [shown * 2 ** (0.5 / PER_OCTAVE)]  # where its bucket ends
    for of in fields[:2]:
        known = along.percentiles(view.history, of, per_cell)
        found += [each.value for each in known if each is not None and not too_few(of.percent, each.samples)]
    return max(found)


def _window(view: View) -> Line:
    last = "last " if view.at_s is None else ""
    return Line().add(f"ms, {last}{view.snap.window_s:.0f}s", view.look.dim)


def _values(row: Percentiles | None) -> tuple[float | None, ...]:
    values = (row.p50, row.p90, row.p95, row.p99, row.max) if row else (math.nan,) * 5
    return tuple(value if math.isfinite(value) else None for value in values)


def _some(row: Percentiles | None) -> tuple[float | None, ...]:
    return (row.p50, row.p95, row.p99) if row else (None,) * 3
