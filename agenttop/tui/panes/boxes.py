"""The boxes pane: of a run over many machines what each of them does; a run on one has none."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.boxes import CLOCK_ERROR_MS, LOST, OFF, UP, BoxRow
from agenttop.metrics.saturation import CPU_PERCENT, LAG_US
from agenttop.tui.text import Line, clean, count, fit, ms, rate
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Heads of the columns after the name, and their cells; those of a wide pane.
_COLUMNS = (("users", 6), ("rps", 8), ("cpu", 5), ("lag p99", 8), ("ttft p95", 9), ("state", 9))
_WIDE = (("total p95", 10), ("away", 8), ("clock ±", 8))
_WIDE_FROM = 84


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return ``m boxes: b1 25 · 120/s  b2 ! lost``, one line; none without boxes."""
    look = view.look
    if not view.snap.boxes:
        return []
    text = Line().add("m ", look.key).add("boxes: ", look.dim)
    for index, box in enumerate(view.snap.boxes):
        part = Line().add("  " if index else "").add(f"{fit(clean(box.name), 16, look.glyphs.ellipsis)} ", look.text)
        part.add(f"{count(box.users)} {rate(box.rps)}/s" if box.state == UP else _state(box), _style(view, box))
        if text.width + part.width > width - 2:
            return [text.add(f" {look.glyphs.ellipsis}", look.dim)]
        text.extend(part)
    return [text]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a line for each box; in a wide pane with its distance and what its clock can be off by."""
    look = view.look
    columns = (*_COLUMNS[:-1], *(_WIDE if width >= _WIDE_FROM else ()), _COLUMNS[-1])
    name = max(6, width - 4 - sum(cells for _, cells in columns))
    head = Line().add("box", look.dim).to(name)
    for text, cells in columns:
        head.right(text, cells, look.dim)
    boxes = view.snap.boxes[view.scroll :]
    room = height - 3
    shown = boxes if len(boxes) <= room else boxes[: room - 1]
    body = [head, *(_row(view, box, name, wide=width >= _WIDE_FROM) for box in shown)]
    if len(shown) < len(boxes):
        body.append(Line().add(f"{look.glyphs.ellipsis} {len(boxes) - len(shown)} more", look.dim))
    if not view.snap.boxes:
        body = [Line().add("this run is on one machine", look.dim)]
    lost = sum(box.state == LOST for box in view.snap.boxes)
    word = Line().add(f"! {lost} lost", look.bad) if lost else None
    return boxed(look, width, height, title(look, "boxes", "m"), word, body)


def _row(view: View, box: BoxRow, name: int, *, wide: bool) -> Line:
    look = view.look
    line = Line().add(fit(clean(box.name), name - 1, look.glyphs.ellipsis), look.strong).to(name)
    line.right(count(box.users), 6, look.text).right(rate(box.rps), 8, look.text)
    line.right(f"{box.cpu_percent:.0f}%", 5, look.bad if box.cpu_percent > CPU_PERCENT else look.text)
    lag = box.loop_lag_p99_ms
    line.right(_ms(lag), 8, look.bad if lag is not None and lag > LAG_US / 1000 else look.text)
    line.right(ms(box.ttft_p95_ms), 9, look.text)
    if wide:
        line.right(ms(box.latency_p95_ms), 10, look.text).right(_ms(box.trip_ms), 8, look.text)
        unsure = box.clock_error_ms is not None and box.clock_error_ms > CLOCK_ERROR_MS
        line.right(_ms(box.clock_error_ms), 8, look.warn if unsure else look.text)
    return line.right(_state(box), 9, _style(view, box))


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}ms"


def _state(box: BoxRow) -> str:
    return box.state if box.state in (UP, OFF) else f"! {box.state}"


def _style(view: View, box: BoxRow) -> Style:
    look = view.look
    return {UP: look.text, OFF: look.dim, LOST: look.bad}.get(box.state, look.warn)
