"""The rate pane: requests per second, and what is in flight."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import Tick
from agenttop.report.scale import nice
from agenttop.schedule.quantities import clock
from agenttop.tui.axis import axis, sparkline, times, words
from agenttop.tui.panes.header import age_whole
from agenttop.tui.text import Line, age, count, rate, size
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title
from agenttop.tui.widgets.chart import Values, across, area, peak

#: Columns of the figures beside a chart: the same for all charts over time, so that their axes stand under each other.
SIDE = 19
#: The same without boxes, and the columns to their left.
SIDE_BARE, LEFT = 34, 7
#: Of fewer cells nothing stands out.
_ENOUGH = 12


def _rps(tick: Tick) -> float | None:
    return tick.rps


def _target(tick: Tick) -> float | None:
    return tick.target


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one row, or a chart where there is room."""
    if height >= 2:
        return _chart(view, width, height)
    look, snap = view.look, view.snap
    tail = Line().right(rate(snap.rps), 7, look.strong).add("/s", look.dim)
    gap = "   " if width >= 76 else "  "
    if snap.rate and width >= 76 and view.at_s is None:
        tail.add("   target " if view.open_only else "   open pools ", look.dim).add(f"{count(snap.rate)}/s", look.text)
    if view.request is None:
        tail.add(gap).extend(_in_flight(view))
        if view.at_s is None:
            tail.add(gap).extend(_oldest(view))
    along = axis(view, max(8, width - LEFT - tail.width - 2))
    values = along.series(view.history, _rps)
    line = Line().add("2", look.key).add(" RPS  ", look.dim)
    line.extend(sparkline(view, along, values, peak(values), look.load))
    return [line.extend(tail)]


def _chart(view: View, width: int, height: int) -> list[Line]:
    """Return an area as wide as the trend of the latency below it."""
    look, snap = view.look, view.snap
    along = axis(view, max(8, width - LEFT - SIDE_BARE))
    values = along.series(view.history, _rps)
    top = nice(max(usual(values), 1.0))
    now = Line().add(rate(snap.rps), look.strong).add("/s", look.dim)
    if snap.rate and view.at_s is None:
        now.add("  target " if view.open_only else "  open pools ", look.dim).add(f"{count(snap.rate)}/s", look.text)
    sides = [now]
    if view.request is None:
        sides.append(_in_flight(view))
        if view.at_s is None:
            sides[-1].add("  ").extend(_oldest(view))
    if view.at_s is not None:
        sides += [Line().add(f"{name} ", look.dim).add(value, style) for name, value, style in _failing(view)]
    elif snap.dropped_iterations:
        sides.append(Line().add("! dropped ", look.dim).add(count(snap.dropped_iterations), look.warn))
    if view.at_s is None:
        sides.append(Line().add("requests ", look.dim).add(count(snap.requests), look.text))
    if snap.output_tokens:
        sides.append(Line().add("tokens ", look.dim).add(f"{count(snap.tick.output_tokens_per_s)}/s", look.text))
    lines = []
    for index, text in enumerate(area(values, height, top, look.glyphs)):
        line = Line()
        if index == 0:
            line.add("2", look.key).add(" RPS", look.dim)
            text = beyond(text, values, top, look.glyphs.now)
        if index == 1:
            line.right(count(top), LEFT - 1, look.dim)
        lines.append(
            line.to(LEFT).add(text, look.load).add("  ").extend(sides[index] if index < len(sides) else Line())
        )
    return lines


def usual(values: Values) -> float:
    """Return the highest value but for what stands out: up to two that are more than twice as high as all others."""
    ranked = sorted((value for value in values if value is not None), reverse=True)
    for out in (1, 2):
        if len(ranked) >= _ENOUGH and ranked[out] and ranked[out - 1] > 2 * ranked[out]:
            return ranked[out]
    return ranked[0] if ranked else 0.0


def beyond(text: str, values: Values, top: float, mark: str) -> str:
    """Return the highest row of an area with a mark where a value is above the top."""
    return "".join(
        mark if value is not None and value > top else char for char, value in zip(text, values, strict=True)
    )


def _failing(view: View) -> list[tuple[str, str, Style]]:
    """Return what failed in the second that is looked at."""
    look, tick = view.look, view.snap.tick
    others = max(0.0, tick.failed_per_s - tick.rate_limited_per_s)
    return [
        ("429", f"{rate(tick.rate_limited_per_s)}/s", look.warn if tick.rate_limited_per_s else look.text),
        ("failed", f"{rate(others)}/s", look.bad if others else look.text),
    ]


def _then(view: View) -> list[tuple[str, str, Style]]:
    """Return the figures of the second that is looked at."""
    look, tick, at_s = view.look, view.snap.tick, view.at_s or 0.0
    figures = [(f"at {clock(at_s)}", f"{rate(tick.rps)}/s", look.strong)]
    if view.request is None:
        if view.open_only:
            figures.append(("target", f"{rate(tick.target)}/s", look.text))
        figures.append(("in flight", count(tick.in_flight), look.text))
    figures += _failing(view)
    if view.snap.output_tokens:
        figures.append(("tokens", f"{count(tick.output_tokens_per_s)}/s", look.text))
    return figures


def _in_flight(view: View) -> Line:
    return Line().add("in-flight ", view.look.dim).add(count(view.snap.in_flight), view.look.strong)


def _oldest(view: View) -> Line:
    hang = view.history.hangs()
    value = ("! " if hang else "") + age(view.snap.oldest_s)
    return Line().add("oldest ", view.look.dim).add(value, view.look.bad if hang else view.look.text)


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a chart in a box, with the target of open pools as a line in it, and the figures of now beside it."""
    look, snap = view.look, view.snap
    side = SIDE
    cells, rows = max(8, width - 4 - side - 8), max(1, height - 3)
    along = axis(view, cells)
    values = along.series(view.history, _rps)
    aimed = view.open_only and view.request is None  # what is wanted is not told by request
    wanted = along.series(view.history, _target) if aimed else [None] * cells
    top = nice(max(usual(values), peak(wanted), 1.0))
    lines = [None if w is None else max(0, min(rows - 1, int(w / top * rows - 1e-9))) for w in wanted]
    body: list[Line] = []
    for index, text in enumerate(area(values, rows, top, look.glyphs)):
        label = count(top) if index == 0 else "0" if index == rows - 1 else ""
        line = Line().right(label, 6, look.dim).to(8)
        if index == 0:
            text = beyond(text, values, top, look.glyphs.now)
        for char, wants in zip(text, lines, strict=True):
            if wants == rows - 1 - index and char != look.glyphs.now:
                line.add(look.glyphs.wanted, across(char, look))
            else:
                line.add(char, look.load)
        body.append(line)
    body.append(Line().to(8).extend(times(view, along)))
    hang = view.history.hangs() if view.request is None else 0
    figures = [("now", f"{rate(snap.rps)}/s", look.strong)]
    if snap.rate:
        figures.append(("target" if view.open_only else "open pools", f"{rate(snap.rate)}/s", look.text))
    if view.request is None:
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
    for line, (name, value, style) in zip(body, figures if view.at_s is None else _then(view), strict=False):
        line.to(width - 4 - side + 2).add(name, look.dim).right(value, side - 2 - len(name), style)
    right = Line()
    if aimed and width >= 50:
        right.add(f"{look.glyphs.wanted} ", look.strong).add("target  ", look.dim)
    right.add(words(view), look.dim)
    return boxed(look, width, height, title(look, "requests per second", "2"), right, body)
