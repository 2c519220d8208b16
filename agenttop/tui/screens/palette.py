"""The palette: everything there is to do, by name. Type some letters, choose with up and down, enter does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from agenttop.tui.text import Line, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import rule
from agenttop.tui.widgets.compositor import CellCompositor
from agenttop.tui.widgets.pane import Pane


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to do."""

    text: str
    key: str
    """The key that does it as well; empty if none does."""
    do: Callable[[], object]
    also: str = ""
    """Other words that mean it: what stands on the screen."""


#: More than any words that are found whole come to.
_SCATTERED = 1000


def _farness(word: str, choice: Choice) -> int | None:
    """Return how far a choice is from a word: 0 one of its own words begins so, 1 one that means it does, 2 the word is
    inside, 3 its letters are there in their order within one word; None if it is none of these.
    """
    own, also = choice.text.casefold().split(), choice.also.casefold().split()
    if any(one.startswith(word) for one in own):
        return 0
    if any(one.startswith(word) for one in also):
        return 1
    if word in choice.text.casefold() or word in choice.also.casefold():
        return 2
    return 3 if any(_in_order(word, one) for one in (*own, *also)) else None


def _in_order(letters: str, text: str) -> bool:
    rest = iter(text)
    return text[:1] == letters[:1] and all(letter in rest for letter in letters)


def matching(choices: Sequence[Choice], typed: str) -> list[Choice]:
    """Return the choices that all the words typed stand for, the nearest first."""
    words = typed.casefold().split()
    found: list[tuple[int, Choice]] = []
    for choice in choices:
        far = [_farness(word, choice) for word in words]
        if None not in far:
            found.append((sum(_SCATTERED if one == 3 else one or 0 for one in far), choice))
    # Letters in their order are in much: they count where nothing has the words.
    whole = [pair for pair in found if pair[0] < _SCATTERED] or found
    return [choice for _, choice in sorted(whole, key=lambda pair: pair[0])]


class PaletteScreen(Screen[Choice], inherit_bindings=False):
    """A list of choices, and what is typed to narrow it down. Returns the one that was chosen, or None."""

    def __init__(self, view: View, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self._view_shown = view
        self._choices = choices
        self._typed = ""
        self._at = 0

    def compose(self) -> ComposeResult:
        yield Pane(self._draw, id="palette")

    def on_mount(self) -> None:
        self._show()

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        found = matching(self._choices, self._typed)
        page = max(1, self.size.height - 3)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "tab": 1, "shift+tab": -1}
        if event.key == "escape" or event.key == "ctrl+p":
            self.dismiss(None)
        elif event.key == "enter":
            self.dismiss(found[self._at] if found else None)
        elif event.key in steps:
            self._at = max(0, min(len(found) - 1, self._at + steps[event.key]))
        elif event.key == "backspace":
            self._typed, self._at = self._typed[:-1], 0
        elif event.is_printable and event.character:
            self._typed, self._at = self._typed + event.character, 0
        self._show()

    def _show(self) -> None:
        self.query_one(Pane).show(self._view_shown)

    def _draw(self, view: View, width: int, height: int) -> list[Line]:
        look = view.look
        found = matching(self._choices, self._typed)
        room = max(1, height - 3)
        first = max(0, min(self._at - room // 2, len(found) - room))
        close = Line().add("enter", look.key).add(" does it  ", look.dim).add("esc", look.key).add(" back", look.dim)
        lines = [rule(look, width, Line().add("go to", look.strong), close)]
        typed = Line().add(" > ", look.key).add(fit(self._typed, width - 20), look.strong)
        typed.add("_", look.key).add(f"   {len(found)} of {len(self._choices)}", look.dim)
        lines += [typed, Line()]
        for index, choice in enumerate(found[first : first + room], first):
            here = index == self._at
            line = Line().add(f" {look.glyphs.selected} " if here else "   ", look.key)
            line.add(fit(choice.text, width - 22, look.glyphs.ellipsis), look.strong if here else look.text)
            lines.append(line.to(width - 16).add(choice.key, look.key))
        if not found:
            lines.append(Line().add("   nothing is called that", look.dim))
        return lines
