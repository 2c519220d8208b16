"""The latency panes: time to first token beside total, on one time axis and one scale from zero."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import Percentiles, Tick
from agenttop.tui.axis import axis, sparkline, times, words
from agenttop.tui.history import Field
from agenttop.tui.panes.rate import SIDE
from agenttop.tui.text import Line, count, ms, nice
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, rule, title
from agenttop.tui.widgets.chart import Values, curves, peak

_NAMES = ("p50", "p90", "p95", "p99", "max")

TTFT: tuple[Field, Field, Field] = (lambda t: t.ttft_p50_ms, lambda t: t.ttft_p95_ms, lambda t: t.ttft_p99_ms)
TOTAL: tuple[Field, Field, Field] = (lambda t: t.latency_p50_ms, lambda t: t.latency_p95_ms, lambda t: t.latency_p99_ms)


def _inter_chunk(tick: Tick) -> float | None:
    return tick.inter_chunk_p95_ms


def streams(view: View) -> int:
    """Return whether first tokens are to be expected: 0 for a run that only asks for whole answers."""
    return int(view.snap.ttft is not None or any(pool.protocol != "http" for pool in view.snap.pools))


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return a table of percentiles, each row with its p95 of the last minute or so."""
    look, snap = view.look, view.snap
    fixed = 12 + 7 * len(_NAMES) + 2
    points = max(0, min(300, width - fixed - 1))
    head = rule(look, width, Line().add("latency ms", look.strong), None, "4")
    along = axis(view, points)
    ttft, total, gaps = (along.series(view.history, field) for field in (TTFT[1], TOTAL[1], _inter_chunk))
    top = peak(ttft, total)
    rows = (
        ("TTFT", snap.ttft, ttft, top, look.ttft),
        ("Total", snap.latency, total, top, look.total),
        ("Inter-chunk", snap.inter_chunk, gaps, peak(gaps), look.dim),
    )
    titles = Line().add("4", look.key).add(" latency ms", look.strong)
    for name in _NAMES:
        titles.add(f" {look.glyphs.box[4] * (5 - len(name))} ", look.faint).add(name, look.dim)
    label = f"p95, {words(view)}" if points >= 16 else words(view).removeprefix("last ")
    titles.add("  ").add(label, look.dim)
    if points >= len(label) + 3:
        titles.add(" ").add(look.glyphs.box[4] * (width - titles.width), look.faint)
    lines = [titles if width >= fixed else head]
    for name, row, trend, scale, style in rows:
        line = Line().add(f" {name}", style).to(12)
        for value in _values(row):
            line.right(ms(value), 7, look.text if row else look.dim)
        lines.append(line.to(fixed).extend(sparkline(view, along, trend, scale, style)))
    return lines[:height]


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
    rows = (
        ("first token", snap.ttft, look.ttft),
        ("total", snap.latency, look.total),
        ("between chunks", snap.inter_chunk, look.dim),
    )
    for label, row, style in rows:
        line = Line().add(label, style).to(15)
        for value in _values(row):
            line.right(ms(value), cell, look.strong if row else look.dim)
        lines.append(line)
    return lines


def _bars(view: View, width: int) -> list[Line]:
    look, snap = view.look, view.snap
    room = max(4, width - 4 - 6 - 9)
    top = nice(max(snap.ttft.max if snap.ttft else 0.0, snap.latency.max if snap.latency else 0.0))
    body: list[Line] = []
    for name, row, style in (("first token", snap.ttft, look.ttft), ("total", snap.latency, look.total)):
        head = Line().add(name, style)
        body.append(head.add(f"  of {count(row.count)}", look.dim) if row else head.add("  no sample", look.dim))
        for percentile, value in zip(_NAMES, _values(row), strict=True):
            line = Line().add(percentile, look.dim).to(5).right(ms(value), 8, look.strong).add("  ")
            if value is not None:
                line.add(look.glyphs.bar * max(1, round(min(1.0, value / top) * (room - 2))), style)
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
    fields: tuple[Field, Field, Field],
) -> list[Line]:
    look = view.look
    cells, rows = max(8, width - 4 - SIDE - 8), max(1, height - 3)
    along, per_cell = axis(view, cells), 2 if look.glyphs.braille else 1
    # The scale is that of both charts together, whichever of them this is.
    both = [along.series(view.history, field, per_cell) for field in (*TTFT, *TOTAL)]
    top = nice(max(peak(*both), 10.0))
    mine: list[Values] = list(both[:3] if fields is TTFT else both[3:])
    styles: tuple[Style, ...] = (look.low, look.middle, look.high)
    series = [(values, style, mark) for values, style, mark in zip(mine, styles, ".o*", strict=True)]
    body: list[Line] = []
    for index, line in enumerate(curves(series, rows, top, look.glyphs)):
        label = ms(top) if index == 0 else ms(top / 2) if rows >= 5 and rows % 2 and index == rows // 2 else ""
        label = "0" if index == rows - 1 else label
        body.append(Line().right(label, 6, look.dim).to(8).extend(line).to(8 + cells))
    body.append(Line().to(8).extend(times(view, along)))
    if now is None:
        figures: list[tuple[str, str, Style]] = [("no sample", "", look.dim)]
        if name != "total" and view.snap.latency is not None:
            figures = [("nothing", "", look.dim), ("streamed", "", look.dim)]
    else:
        # Where curves are of letters, each percentile stands beside its own.
        high, middle, low = ("", "", "") if look.glyphs.braille else ("* ", "o ", ". ")
        figures = [
            (f"{high}p99", ms(now.p99), look.high),
            (f"{middle}p95", ms(now.p95), look.middle),
            (f"{low}p50", ms(now.p50), look.low),
            ("max", ms(now.max), look.text),
            ("of", count(now.count), look.dim),
        ]
    offset = 1 if rows >= len(figures) + 1 else 0
    for line, (label, value, style) in zip(body[offset:], figures, strict=False):
        line.add("  ").add(label, style).right(value, SIDE - 3 - len(label), style)
    return boxed(look, width, height, title(look, name, "4"), Line().add(f"ms, {words(view)}", look.dim), body)


def _window(view: View) -> Line:
    return Line().add(f"ms, last {view.snap.window_s:.0f}s", view.look.dim)


def _values(row: Percentiles | None) -> tuple[float | None, ...]:
    return (row.p50, row.p90, row.p95, row.p99, row.max) if row else (None,) * 5


def _some(row: Percentiles | None) -> tuple[float | None, ...]:
    return (row.p50, row.p95, row.p99) if row else (None,) * 3
