"""The line to type a command or a filter in."""

from __future__ import annotations

from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from agenttop.tui.widgets.bar import Bar

Kind = Literal[":", "/"]


class Prompt(Horizontal):
    """``:`` for commands (up and down go through the earlier ones), ``/`` for the filter. Escape closes it."""

    class Submitted(Message):
        """Enter was pressed."""

        def __init__(self, kind: Kind, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Changed(Submitted):
        """The text is another one."""

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

    def compose(self) -> ComposeResult:
        yield Static(" :", id="prompt-kind", markup=False)
        entry = Input(id="prompt-entry", compact=True, select_on_focus=False)
        entry.cursor_blink = False
        yield entry
        yield Static("", id="prompt-reply", markup=False)

    def open(self, kind: Kind, text: str, words: list[str]) -> None:
        """Show it with ``text`` and take the keys; ``words`` complete what is typed."""
        self.kind = kind
        self._at = len(self._said)
        self.query_one("#prompt-kind", Static).update(Content(f" {kind}"))
        self.reply("esc closes" if kind == ":" else "enter keeps, esc clears")
        entry = self.query_one(Input)
        entry.suggester = SuggestFromList(words, case_sensitive=True) if words else None
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
        """Stand in the place of the bar, or give it back."""
        self.display = shown
        self.screen.query_one(Bar).display = not shown

    def reply(self, text: str) -> None:
        """Show an answer at the right."""
        self.query_one("#prompt-reply", Static).update(Content(text))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        text = event.value.strip()
        if self.kind == ":":
            if not text:
                return
            if not self._said or self._said[-1] != text:
                self._said.append(text)
            self._at = len(self._said)
            event.input.value = ""
        self.post_message(self.Submitted(self.kind, text))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(self.kind, event.value))

    def action_close(self) -> None:
        self.close()
        self.post_message(self.Closed(self.kind))

    def action_earlier(self, step: int) -> None:
        if self.kind != ":" or not self._said:
            return
        self._at = max(0, min(len(self._said), self._at + step))
        entry = self.query_one(Input)
        entry.value = self._said[self._at] if self._at < len(self._said) else ""
        entry.cursor_position = len(entry.value)

    def action_complete(self) -> None:
        entry = self.query_one(Input)
        entry.cursor_position = len(entry.value)
        entry.action_cursor_right()
