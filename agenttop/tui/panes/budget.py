"""The budget pane: what is used of each cap, and what requests in flight hold of it at worst."""

from __future__ import annotations

from rich.style import Style

from agenttop.metrics.snapshot import BudgetLine
from agenttop.tui.text import Line, count
from agenttop.tui.view import View
from agenttop.tui.widgets.box import boxed, title

#: Shares of a cap from which on it is worth a warning, and from which on the end is near.
WARN, NEAR = 0.8, 0.95
_NAMES = {"requests": "requests", "tokens": "tokens", "cost_usd": "USD"}


def compact(view: View, width: int, height: int) -> list[Line]:
    """Return one line: the share of each cap that is used, with figures and a bar if there is room, else of
    the worst.
    """
    look, lines = view.look, view.snap.budget
    line = Line().add("b", look.key).add(" budget", look.dim)
    each = (width - 11) // max(len(lines), 1)
    worst = max(lines, key=_used, default=None)
    for number, part in enumerate(lines):
        wide = each >= 34
        line.to(12 + number * each if wide else line.width + (5 if number == 0 else 3))
        line.add(f"{_NAMES[part.name]} ", look.dim)
        if wide:
            _bar(view, line, part, min(each - 31, 16))
            line.add("  ")
        if wide or part is worst:
            line.add(f"{_figures(part)}  ", look.text)
        line.add(*_share(view, part))
    return [line][:height]


def full(view: View, width: int, height: int) -> list[Line]:
    """Return a line with a bar for each cap."""
    look = view.look
    body = []
    for part in view.snap.budget:
        figures = _figures(part)
        line = Line().add(_NAMES[part.name], look.dim).to(10)
        _bar(view, line, part, max(width - 4 - 10 - 8 - 24, 8))
        line.right(figures, width - 4 - line.width - 8, look.text)
        text, style = _share(view, part)
        body.append(line.right(text, 8, style))
    if not body:
        body.append(Line().add("the profile has none", look.dim))
    refused = view.snap.budget_refused
    word = Line().add(f"! {count(refused)} not sent", look.bad) if refused else Line().add("used, in flight", look.dim)
    return boxed(look, width, height, title(look, "budget", "b"), word, body)


def _figures(part: BudgetLine) -> str:
    if part.name == "cost_usd":
        return f"{part.used:.2f} of {part.cap:g}"
    return f"{count(part.used)} of {count(part.cap or 0)}"


def _used(part: BudgetLine) -> float:
    return part.used / part.cap if part.cap else 0.0


def _share(view: View, part: BudgetLine) -> tuple[str, Style]:
    share = _used(part)
    if share >= NEAR:
        return f"! {share:.0%}", view.look.bad
    return f"{share:.0%}", view.look.warn if share >= WARN else view.look.text


def _bar(view: View, line: Line, part: BudgetLine, width: int) -> None:
    """Add a bar of what is used, then held by requests in flight, then free."""
    look, cap = view.look, part.cap or 1.0
    used = min(round(width * part.used / cap), width)
    held = min(round(width * (part.used + part.held) / cap), width) - used
    line.add(look.glyphs.bar * used, look.load).add(look.glyphs.wanted * held, look.warn)
    line.add(look.glyphs.future * (width - used - held), look.faint)
