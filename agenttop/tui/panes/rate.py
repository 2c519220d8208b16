"""The rate pane: requests per second, and what is in flight."""

from __future__ import annotations

from agenttop.metrics.snapshot import Tick
from agenttop.tui.axis import axis, sparkline, times, words
from agenttop.tui.panes.header import age_whole
from agenttop.tui.text import Line, age, count, nice, rate, size
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title
from agenttop.tui.widgets.chart import across, area, peak

#: Columns of the figures beside a chart: the same for all charts over time, so that their axes stand under each other.
SIDE = 19


def _rps(tick: Tick) -> float | None:
    return tick.rps


def _target(tick: Tick) -> float | None:
    return tick.target


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one row."""
    look, snap = view.look, view.snap
    tail = Line().right(rate(snap.rps), 7, look.strong).add("/s", look.dim)
    gap = "   " if width >= 76 else "  "
    if snap.rate and width >= 76:
        tail.add("   target " if view.open_only else "   open pools ", look.dim).add(f"{count(snap.rate)}/s", look.text)
    hang = view.history.hangs()
    tail.add(f"{gap}in-flight ", look.dim).add(count(snap.in_flight), look.strong)
    style = look.bad if hang else look.text
    tail.add(f"{gap}oldest ", look.dim).add(("! " if hang else "") + age(snap.oldest_s), style)
    along = axis(view, max(8, width - 7 - tail.width - 2))
    values = along.series(view.history, _rps)
    line = (
        Line()
        .add("2", look.key)
        .add(" RPS  ", look.dim)
        .extend(sparkline(view, along, values, peak(values), look.load))
    )
    return [line.extend(tail)][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a chart in a box, with the target of open pools as a line in it, and the figures of now beside it."""
    look, snap = view.look, view.snap
    side = SIDE
    cells, rows = max(8, width - 4 - side - 8), max(1, height - 3)
    along = axis(view, cells)
    values = along.series(view.history, _rps)
    wanted = along.series(view.history, _target) if view.open_only else [None] * cells
    top = nice(max(peak(values, wanted), 1.0))
    lines = [None if w is None else max(0, min(rows - 1, int(w / top * rows - 1e-9))) for w in wanted]
    body: list[Line] = []
    for index, text in enumerate(area(values, rows, top, look.glyphs)):
        label = count(top) if index == 0 else "0" if index == rows - 1 else ""
        line = Line().right(label, 6, look.dim).to(8)
        for char, wants in zip(text, lines, strict=True):
            if wants == rows - 1 - index:
                line.add(look.glyphs.wanted, across(char, look))
            else:
                line.add(char, look.load)
        body.append(line)
    body.append(Line().to(8).extend(times(view, along)))
    hang = view.history.hangs()
    figures = [("now", f"{rate(snap.rps)}/s", look.strong)]
    if snap.rate:
        figures.append(("target" if view.open_only else "open pools", f"{rate(snap.rate)}/s", look.text))
    figures += [
        ("in flight", count(snap.in_flight), look.text),
        ("oldest", ("! " if hang else "") + age(snap.oldest_s), look.bad if hang else look.text),
    ]
    if hang:
        figures.append(("! no answer", age_whole(hang), look.bad))
    if snap.dropped_iterations:
        figures.append(("! dropped", count(snap.dropped_iterations), look.warn))
    figures += [("requests", count(snap.requests), look.text), ("ok", count(snap.ok), look.text)]
    if snap.output_tokens:
        figures.append(("tokens", f"{count(snap.tick.output_tokens_per_s)}/s", look.text))
    if snap.bytes_received:
        figures.append(("received", size(snap.bytes_received), look.text))
    for line, (name, value, style) in zip(body, figures, strict=False):
        line.to(width - 4 - side + 2).add(name, look.dim).right(value, side - 2 - len(name), style)
    right = Line()
    if view.open_only and width >= 50:
        right.add(f"{look.glyphs.wanted} ", look.strong).add("target  ", look.dim)
    right.add(words(view), look.dim)
    return boxed(look, width, height, title(look, "requests per second", "2"), right, body)
