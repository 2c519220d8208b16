"""The bottom line: the keys, or the answer to the last command, or a question, or what is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.cells import cell_len

from agenttop.tui.keys import FOOTER, FOOTER_REPLAY, LOOKING, SEARCHING
from agenttop.tui.prompt import Kind, Prompt, Words
from agenttop.tui.text import Line, clean, fit, join
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


def _nobody(text: str) -> None:
    """Hear a text before somebody listens."""


class Bar(Pane):
    """One line: the keys, or an answer, a question, a prompt. While it asks or is typed in (:attr:`listens`) every key
    is for it, handed over by :meth:`press`: no key goes past it, and none that comes early is lost. A command that is
    refused makes it two lines, so that what was typed stands under the reason.
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(self._bar, id=id)
        self.question: Question | None = None
        self.prompt = Prompt()
        self.detach = False
        self.command: Callable[[str], None] = _nobody
        """Gets a command that was typed."""
        self.narrow: Callable[[str], None] = _nobody
        """Gets the filter as it is typed."""
        self._status: tuple[str, str, bool] | None = None
        """Word, text, and whether all is well."""
        self._until_t_s = 0.0

    @property
    def listens(self) -> bool:
        """Return whether every key is for it."""
        return self.question is not None or bool(self.prompt.kind)

    @property
    def rows(self) -> int:
        """Return how many lines it needs."""
        return 2 if self.prompt.kind and self.prompt.refused else 1

    def tell(self, text: str, ok: bool, t_s: float, command: str = "") -> None:
        """Show an answer to ``command`` for a while from ``t_s`` on."""
        if self.prompt.kind:
            self.prompt.answer(command, text, ok)
        self.say("applied" if ok else "! rejected", text, t_s, ok=ok)

    def say(self, word: str, text: str, t_s: float, *, ok: bool = True) -> None:
        """Show what was done, or not, for a while from ``t_s`` on."""
        self._status, self._until_t_s = (word, clean(text), ok), t_s + STAY_S
        self._redraw()

    def ask(self, question: Question) -> None:
        """Show a question and wait for a key."""
        self.question = question
        self._redraw()

    def type(self, kind: Kind, text: str, words: Words | None = None) -> None:
        """Begin to type a command or a filter."""
        self.prompt.open(kind, text, words)
        self._redraw()

    def press(self, key: str, character: str | None = None) -> None:
        """Take a key."""
        if self.question is not None:
            answer = self.question.answers.get(key)
            self.question = None
            self._redraw()
            if answer is not None:
                answer()
            return
        kind, before = self.prompt.kind, self.prompt.text
        if key == "escape":
            self.prompt.close()
        elif key == "enter":
            self._enter()
        elif not self.prompt.press(key) and character is not None and character.isprintable():
            self.prompt.insert(character)
        self._redraw()
        if kind == "/" and key != "enter":
            text = self.prompt.text if self.prompt.kind else ""
            if text != before:
                self.narrow(text)

    def paste(self, text: str) -> None:
        """Take what is pasted, its first line: a command is not sent before enter is pressed."""
        if self.question is None and self.prompt.kind:
            self.prompt.insert(clean(text.strip().partition("\n")[0]))
            self._redraw()
            if self.prompt.kind == "/":
                self.narrow(self.prompt.text)

    def _enter(self) -> None:
        text = self.prompt.submit()
        if self.prompt.kind == "/":
            self.prompt.close()
            self.narrow(text)
        elif text:
            self.command(text)

    def expire(self, t_s: float) -> None:
        """Take the answer away once it is old."""
        if self._status is not None and t_s >= self._until_t_s:
            self._status = None

    def _bar(self, view: View, width: int, height: int) -> list[Line]:
        look = view.look
        line = Line().add(" ")
        if self.prompt.kind and self.question is None:
            return self._typed(view, width, height)
        if self.question is not None:
            line.add(self.question.text, look.strong).add("  ")
            for key, label in self.question.choices:
                line.add(f" {key}", look.key).add(f" {label} ", look.dim)
        elif self._status is not None:
            word, text, ok = self._status
            line.add(f"{word}: ", look.good if ok else look.bad)
            line.add(fit(look.glyphs.tell(text), width - line.width - 1, look.glyphs.ellipsis), look.text)
        else:
            self._keys(view, line, width)
        return [line]

    def _typed(self, view: View, width: int, height: int) -> list[Line]:
        """Return the prompt: what is typed, with the cursor, and what is said of it."""
        look, prompt = view.look, self.prompt
        above = []
        said = look.glyphs.tell(prompt.said)
        if height > 1 and prompt.refused:
            above = [Line().add(f" {fit(said, width - 2, look.glyphs.ellipsis)}", look.bad)]
            said = ""
        line = Line().add(f" {prompt.kind} ", look.key)
        room = width - 5
        # Of a long text the part around the cursor.
        first = 0
        while cell_len(prompt.text[first : prompt.at]) > room:
            first += 1
        before, after = prompt.text[first : prompt.at], prompt.text[prompt.at :]
        line.add(before, look.text).add(after[:1] or prompt.likely[:1] or " ", look.cursor)
        line.add(after[1:], look.text).add(prompt.likely[1:], look.dim)
        left = width - line.width - 2
        if said and left > 8:
            line = join(line, Line().add(f"{fit(said, left, look.glyphs.ellipsis)} ", look.text), width)
        return [*above, line]

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
