"""The line to type a command or a filter in."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from agenttop.tui.text import clean
from agenttop.tui.widgets.bar import Bar

Kind = Literal[":", "/"]
#: What a text may become, the likeliest first; and what may be typed next, in words.
Complete = Callable[[str], list[str]]
Hint = Callable[[str], str]


class _Likeliest(Suggester):
    """Shows the first completion behind what is typed."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        return next(iter(self._complete(value)), None) if value else None


class Prompt(Horizontal):
    """``:`` for commands, ``/`` for the filter. Escape closes it.

    Of commands, tab goes through the completions, up and down through the earlier ones, and what may be typed stands
    at the right until an answer does.
    """

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, kind: Kind, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Changed(Submitted):
        """The text has changed."""

    class Closed(Message):
        """Escape was pressed."""

        def __init__(self, kind: Kind) -> None:
            super().__init__()
            self.kind = kind

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", show=False),
        Binding("up", "earlier(-1)", show=False),
        Binding("down", "earlier(1)", show=False),
        Binding("tab", "complete", show=False),
    ]

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self.kind: Kind = ":"
        self._said: list[str] = []
        self._at = 0
        self._complete: Complete | None = None
        self._hint: Hint | None = None
        self._choices: list[str] = []
        """The completions that tab goes through; empty until it is pressed."""

    def compose(self) -> ComposeResult:
        yield Static(" :", id="prompt-kind", markup=False)
        entry = Input(id="prompt-entry", compact=True, select_on_focus=False)
        entry.cursor_blink = False
        yield entry
        yield Static("", id="prompt-reply", markup=False)

    def open(self, kind: Kind, text: str, complete: Complete | None = None, hint: Hint | None = None) -> None:
        """Show it with ``text`` and take the keys."""
        self.kind = kind
        self._at = len(self._said)
        self._complete, self._hint, self._choices = complete, hint, []
        self.query_one("#prompt-kind", Static).update(Content(f" {kind}"))
        self.reply(hint(text) if hint and text else "tab completes, esc closes" if hint else "enter keeps, esc clears")
        entry = self.query_one(Input)
        entry.suggester = _Likeliest(complete) if complete else None
        with entry.prevent(Input.Changed):
            entry.value = text
        entry.cursor_position = len(text)
        self._swap(True)
        # At once, not with the next message: the keys after this one may be there already.
        self.screen.set_focus(entry)

    def close(self) -> None:
        """Hide it."""
        self._swap(False)
        self.screen.set_focus(None)

    def _swap(self, shown: bool) -> None:
        """Take the place of the bar, or give it back."""
        self.display = shown
        self.screen.query_one(Bar).display = not shown

    def reply(self, text: str) -> None:
        """Show an answer at the right."""
        self.query_one("#prompt-reply", Static).update(Content(clean(text)))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if self.kind == ":":
            if not text:
                return
            if not self._said or self._said[-1] != text:
                self._said.append(text)
            self._at = len(self._said)
            with event.input.prevent(Input.Changed):
                event.input.value = ""
            self._choices = []
        self.post_message(self.Submitted(self.kind, text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value not in self._choices:
            self._choices = []
        if self._hint is not None:
            self.reply(self._hint(event.value))
        self.post_message(self.Changed(self.kind, event.value))

    def action_close(self) -> None:
        self.close()
        self.post_message(self.Closed(self.kind))

    def action_earlier(self, step: int) -> None:
        if self.kind != ":" or not self._said:
            return
        self._at = max(0, min(len(self._said), self._at + step))
        self._write(self._said[self._at] if self._at < len(self._said) else "")

    def action_complete(self) -> None:
        """Fill in the first completion, and with every further tab the next."""
        entry = self.query_one(Input)
        if self._complete is None:
            return
        if entry.value in self._choices:
            at = self._choices.index(entry.value) + 1
        else:
            self._choices, at = self._complete(entry.value), 0
        if self._choices:
            self._write(self._choices[at % len(self._choices)])

    def _write(self, text: str) -> None:
        entry = self.query_one(Input)
        entry.value = text
        entry.cursor_position = len(text)
