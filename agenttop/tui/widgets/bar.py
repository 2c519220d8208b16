"""The bottom line: the keys, or the answer to the last command, or a question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from textual import events

from agenttop.tui.keys import FOOTER, FOOTER_REPLAY, LOOKING, SEARCHING
from agenttop.tui.text import Line, clean, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.pane import Pane

#: How long an answer stays, in the run's own seconds.
STAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what each key does; every other key means no."""

    text: str
    choices: tuple[tuple[str, str], ...]
    """Key and label of each choice."""
    answers: Mapping[str, Callable[[], None]]


class Bar(Pane, can_focus=True):
    """One line. While a question stands it has the focus, so that no key goes past it."""

    def __init__(self, *, id: str) -> None:
        super().__init__(self._bar, id=id)
        self.question: Question | None = None
        self.detach = False
        self._status: tuple[str, bool] | None = None
        self._until_t_s = 0.0

    def tell(self, text: str, ok: bool, t_s: float) -> None:
        """Show an answer for a while from ``t_s`` on."""
        self._status, self._until_t_s = (clean(text), ok), t_s + STAY_S
        self._redraw()

    def ask(self, question: Question) -> None:
        """Show a question and wait for a key."""
        self.question = question
        self.screen.set_focus(self)
        self._redraw()

    def on_key(self, event: events.Key) -> None:
        if self.question is None:
            return
        event.stop()
        event.prevent_default()
        answer = self.question.answers.get(event.key)
        self.question = None
        self.screen.set_focus(None)
        self._redraw()
        if answer is not None:
            answer()

    def expire(self, t_s: float) -> None:
        """Take the answer away once it is old."""
        if self._status is not None and t_s >= self._until_t_s:
            self._status = None

    def _bar(self, view: View, width: int, height: int) -> list[Line]:
        look = view.look
        line = Line().add(" ")
        if self.question is not None:
            line.add(self.question.text, look.strong).add("  ")
            for key, label in self.question.choices:
                line.add(f" {key}", look.key).add(f" {label} ", look.dim)
        elif self._status is not None:
            text, ok = self._status
            word = "applied: " if ok else "! rejected: "
            line.add(word, look.good if ok else look.bad)
            line.add(fit(text, width - line.width - 1, look.glyphs.ellipsis), look.text)
        else:
            self._keys(view, line, width)
        return [line]

    def _keys(self, view: View, line: Line, width: int) -> None:
        look = view.look
        if view.pool is not None:
            line.add(f"{look.glyphs.selected} {fit(clean(view.pool), 16, look.glyphs.ellipsis)}  ", look.key)
        pool = view.selected
        rates = pool.unit == "rate" if pool else view.open_only
        shown = [(key, "rate" if rates and label == "users" else label, rank) for key, label, rank in FOOTER]
        shown = [part for part in shown if part[1] != "detach" or self.detach]
        if view.snap.search is not None:
            shown = [part for part in shown if part[1] in SEARCHING]
        if view.looking:
            line.add("only looking  ", look.warn)
            shown = [part for part in shown if part[1] in LOOKING]
        if view.cursor is not None:
            arrows = look.glyphs.arrows
            shown = [(key.replace("← →", arrows), label, rank) for key, label, rank in FOOTER_REPLAY]
            if not view.cursor.playing:
                shown[0] = ("space", "play", 0)
        while shown and line.width + sum(len(key) + len(label) + 3 for key, label, _ in shown) - 2 > width - 1:
            worst = max(rank for _, _, rank in shown)
            shown.remove(next(part for part in reversed(shown) if part[2] == worst))
        for index, (key, label, _) in enumerate(shown):
            line.add("  " if index else "").add(key, look.key).add(f" {label}", look.dim)
