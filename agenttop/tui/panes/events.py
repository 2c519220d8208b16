"""The events pane: what happened, the newest first."""

from __future__ import annotations

from agenttop.schedule.quantities import clock
from agenttop.tui.text import Line, clean, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, rule, title


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return the events under a rule."""
    return [rule(view.look, width, title(view.look, "events"), key="6"), *_events(view, width - 3, " ")][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return the events in a box."""
    return boxed(view.look, width, height, title(view.look, "events", "6"), None, _events(view, width - 4, ""))


def _events(view: View, width: int, indent: str) -> list[Line]:
    look = view.look
    lines = []
    # What is told only when it is over may be older than what was told before it.
    newest = sorted(view.snap.events, key=lambda event: event.t_s)[::-1]
    for event in newest[view.scroll :]:
        bad = event.level in ("warn", "error")
        style = look.bad if event.level == "error" else look.warn if bad else look.text
        line = Line().add(indent).add(clock(event.t_s), look.dim).add(" ! " if bad else "   ", style)
        lines.append(
            line.add(
                fit(look.glyphs.tell(clean(event.text)), width - line.width, look.glyphs.ellipsis),
                style if bad else look.text,
            )
        )
    return lines or [Line().add(f"{indent}none so far", look.dim)]
