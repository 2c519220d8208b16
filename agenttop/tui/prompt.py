"""The line to type a command or a filter in: what each key makes of it. What it looks like is the bottom line's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from agenttop.tui.text import clean

Kind = Literal[":", "/"]
#: Earlier commands that are kept.
KEPT = 100


@dataclass(frozen=True, slots=True)
class Words:
    """What may be typed."""

    complete: Callable[[str], list[str]]
    """What a text may become, the likeliest first."""
    hint: Callable[[str], str]
    """What may be typed next, in words."""
    goes_on: Callable[[str], bool]
    """Whether something may follow a text."""


@dataclass(slots=True)
class Prompt:
    """``:`` for commands, ``/`` for the filter. It is closed where ``kind`` is empty.

    Of commands, tab goes through the completions, up and down through the earlier ones. A command that is refused
    stands there again, unless something else has been typed since.
    """

    kind: Kind | Literal[""] = ""
    text: str = ""
    at: int = 0
    """How many characters stand before the cursor."""
    said: str = ""
    """What may be typed next, or the answer to the last command."""
    refused: bool = False
    """That is a refusal."""
    words: Words | None = None
    _sent: str = ""
    """The command whose answer is waited for."""
    _earlier: list[str] = field(default_factory=list)
    _back: int = 0
    """How many commands back up has gone."""
    _choices: list[str] = field(default_factory=list)
    """The completions that tab goes through; empty until it is pressed."""
    _spaced: bool = False
    """Tab has just added a space: one that is typed now is the same."""

    def open(self, kind: Kind, text: str, words: Words | None = None) -> None:
        """Begin with ``text``."""
        self.kind, self.words, self._sent, self._back = kind, words, "", 0
        self._write(text)
        if words is None:
            self.said = "enter keeps, esc clears"
        elif not text:
            self.said = "tab completes, esc closes"

    def close(self) -> None:
        """Give the line back."""
        self.kind = ""

    def answer(self, command: str, said: str, ok: bool) -> None:
        """Take the answer to a command, whoever gave it."""
        self.said, self.refused = ("applied: " if ok else "! rejected: ") + clean(said), not ok
        if command == self._sent:
            if not ok and not self.text:
                self.text, self.at = command, len(command)
            self._sent = ""

    @property
    def likely(self) -> str:
        """Return the rest of the first completion of what is typed; empty if there is none."""
        found = self.words.complete(self.text) if self.words is not None and self.text else []
        return found[0][len(self.text) :] if found and self.at == len(self.text) else ""

    def insert(self, text: str) -> None:
        """Type ``text``, as far as it is one line."""
        if text == " " and self._spaced:
            self._spaced = False
            return
        self._write(self.text[: self.at] + text + self.text[self.at :], self.at + len(text))

    def submit(self) -> str:
        """Return what is typed, and begin a new command."""
        text = self.text.strip()
        if self.kind == ":" and text:
            if self._earlier[-1:] != [text]:
                self._earlier = [*self._earlier[1 - KEPT :], text]
            self._sent, self._back = text, 0
            self._write("")
            self.said = ""
        return text

    def press(self, key: str) -> bool:
        """Follow a key that prints nothing; return whether it has a meaning here."""
        text, at = self.text, self.at
        self._spaced = False
        if key in ("backspace", "ctrl+h"):
            self._write(text[: max(0, at - 1)] + text[at:], max(0, at - 1))
        elif key in ("delete", "ctrl+d"):
            self._write(text[:at] + text[at + 1 :], at)
        elif key == "ctrl+u":
            self._write(text[at:], 0)
        elif key == "ctrl+k":
            self._write(text[:at], at)
        elif key == "ctrl+w":
            kept = text[:at].rstrip().rpartition(" ")
            before = kept[0] + kept[1]
            self._write(before + text[at:], len(before))
        elif key in ("left", "ctrl+b"):
            self.at = max(0, at - 1)
        elif key in ("right", "end", "ctrl+e", "ctrl+f") and at == len(text):
            self._write(text + self.likely)
        elif key in ("right", "ctrl+f"):
            self.at = at + 1
        elif key in ("end", "ctrl+e"):
            self.at = len(text)
        elif key in ("home", "ctrl+a"):
            self.at = 0
        elif key in ("up", "down"):
            self._go_back(1 if key == "up" else -1)
        elif key == "tab":
            self._fill_in()
        else:
            return False
        return True

    def _go_back(self, step: int) -> None:
        if self.kind == ":" and self._earlier:
            self._back = max(0, min(len(self._earlier), self._back + step))
            self._write(self._earlier[-self._back] if self._back else "")

    def _fill_in(self) -> None:
        """Fill in the first completion, and with every further tab the next; the only one with the space after it."""
        if self.words is None:
            return
        choices = self._choices
        if self.text not in choices or len(choices) == 1:
            choices, at = self.words.complete(self.text), 0
        else:
            at = choices.index(self.text) + 1
        if choices:
            chosen = choices[at % len(choices)]
            spaced = len(choices) == 1 and self.words.goes_on(chosen)
            self._write(chosen + " " if spaced else chosen)
            self._choices, self._spaced = choices, spaced

    def _write(self, text: str, at: int | None = None) -> None:
        changed = text != self.text
        self.text, self.at = text, len(text) if at is None else at
        self._choices, self._spaced = [], False
        if self.words is not None and (changed or self.refused):
            self.said = self.words.hint(text)
        self.refused = False
