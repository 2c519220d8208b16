"""Where the time of a request goes, as the target tells it."""

from __future__ import annotations

from agenttop.tui.text import Line, clean, fit, ms
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title


def full(view: View, width: int, height: int) -> list[Line]:
    """A bar for each phase, the longest first, from zero."""
    look = view.look
    phases = sorted(view.snap.phases_ms.items(), key=lambda phase: (-phase[1], phase[0]))
    longest = phases[0][1] if phases else 0.0
    room = max(4, width - 4 - 18 - 10)
    body = []
    for name, value in phases[: height - 2]:
        line = Line().add(fit(clean(name), 17, look.glyphs.ellipsis), look.text).to(18).right(ms(value), 7, look.strong)
        share = value / longest if longest > 0 else 0.0
        body.append(line.add("  ").add(look.glyphs.bar * round(share * room), look.load))
    if not phases:
        body = [Line().add("the target reports none", look.dim)]
    return boxed(look, width, height, title(look, "phases"), Line().add("mean ms", look.dim), body)
