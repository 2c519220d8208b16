"""The phases pane: where the time of a request goes, as the target reports it."""

from __future__ import annotations

from agenttop.tui.text import Line, clean, fit, ms
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Columns of "×3.2", and what it is of.
_TREND = 8
_ROOM_FOR_TREND = 50


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a bar for each phase, the longest first, from zero; once the first stage is over, by how much each has
    grown.
    """
    look = view.look
    first = view.snap.first_phases_ms if width >= _ROOM_FOR_TREND else {}
    phases = sorted(view.snap.phases_ms.items(), key=lambda phase: (-phase[1], phase[0]))
    longest = phases[0][1] if phases else 0.0
    room = max(4, width - 4 - 18 - 10 - (_TREND if first else 0))
    body = []
    for name, value in phases[view.scroll :][: height - 2]:
        line = Line().add(fit(clean(name), 17, look.glyphs.ellipsis), look.text).to(18).right(ms(value), 7, look.strong)
        if first:
            line.right(_trend(value, first.get(name), look.glyphs.times), _TREND, look.text)
        share = value / longest if longest > 0 else 0.0
        body.append(line.add("  ").add(look.glyphs.bar * round(share * room), look.load))
    if not phases:
        body = [Line().add("the target reports none", look.dim)]
    words = f"mean ms, {look.glyphs.times} first stage" if first else "mean ms"
    return boxed(look, width, height, title(look, "phases", "7"), Line().add(words, look.dim), body)


def _trend(value: float, first: float | None, times: str) -> str:
    """Return how many times its first stage's mean a phase takes; empty for a phase that took no time there."""
    if not first:
        return ""
    factor = value / first
    return f"{times}{factor:.1f}" if factor < 99.95 else f"{times}{min(factor, 99_999):.0f}"
