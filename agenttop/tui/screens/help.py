"""Shows what the enlarged pane shows and its keys, then every key and command."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from agenttop.steering.commands import COMMANDS
from agenttop.tui.keys import GROUPS, REPLAY_GROUPS, Group
from agenttop.tui.panes.about import ABOUT
from agenttop.tui.panes.table import Entry
from agenttop.tui.text import Line, fit
from agenttop.tui.view import View
from agenttop.tui.widgets.box import rule
from agenttop.tui.widgets.compositor import CellCompositor
from agenttop.tui.widgets.pane import Pane

_COLUMN = 40


class HelpScreen(Screen[None], inherit_bindings=False):
    """The help; scrolls if it does not fit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "dismiss", show=False),
        *(Binding(key, f"scroll('{key}')", show=False) for key in ("up", "down", "pageup", "pagedown")),
    ]

    def __init__(self, view: View, detach: bool, entry: Entry | None = None) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self._view_shown = view
        self._can_detach = detach
        self._entry = entry
        self._first = 0

    def compose(self) -> ComposeResult:
        yield Pane(self._draw, id="help")

    def on_mount(self) -> None:
        self.query_one(Pane).show(self._view_shown)

    def action_scroll(self, key: str) -> None:
        page = max(1, self.size.height - 2)
        step = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}[key]
        hidden = len(self._lines(self._view_shown, self.size.width)) - self.size.height + 1
        self._first = max(0, min(self._first + step, hidden))
        self.query_one(Pane).show(self._view_shown)

    def _draw(self, view: View, width: int, height: int) -> list[Line]:
        look = view.look
        lines = self._lines(view, width)
        shown = lines[self._first : self._first + height - 1]
        right = Line()
        if len(lines) > height - 1:
            right.add("up down", look.key).add(" scroll  ", look.dim)
        right.add("esc", look.key).add(" back", look.dim)
        name = f"help: {self._entry.name}" if self._entry is not None else "agenttop: keys and commands"
        return [rule(look, width, Line().add(name, look.strong), right), *shown]

    def _lines(self, view: View, width: int) -> list[Line]:
        if view.cursor is not None:
            return [*self._pane(view, width), *(line for group in REPLAY_GROUPS for line in self._group(view, group))]
        load, run, screen = (self._group(view, group) for group in GROUPS)
        left, right = [*load, *self._commands(view)], [*run, *screen, *self._meanings(view)]
        lines = self._pane(view, width)
        if width < 2 * _COLUMN - 2:
            return [*lines, *left, *right]
        column = max(_COLUMN, *(line.width + 1 for line in left))
        for row in range(max(len(left), len(right))):
            line = Line().extend(left[row] if row < len(left) else Line()).to(column)
            lines.append(line.extend(right[row] if row < len(right) else Line()))
        return lines

    def _pane(self, view: View, width: int) -> list[Line]:
        """Return the lines about the enlarged pane."""
        about = ABOUT.get(self._entry.name) if self._entry is not None else None
        if about is None:
            return []
        look = view.look
        lines = [Line().add(f" {fit(text, width - 2, look.glyphs.ellipsis)}", look.text) for text in about.lines]
        keys = Line().add("  ")
        for key, does in (*about.keys, ("esc", "all panes")):
            keys.add(key, look.key).add(f" {does}   ", look.dim)
        return [*lines, keys, Line()]

    def _group(self, view: View, group: Group) -> list[Line]:
        look = view.look
        shown = [key for key in group.keys if key.action != "app.detach" or self._can_detach]
        column = max(10, *(len(key.shown) + 3 for key in shown))
        lines = [
            Line().add(f"  {key.shown.replace('← →', look.glyphs.arrows)}", look.key).to(column).add(key.help, look.dim)
            for key in shown
        ]
        return [Line().add(f" {group.name}", look.strong), *lines]

    def _meanings(self, view: View) -> list[Line]:
        """Return what words, marks and colours on the screen mean."""
        look, glyphs = view.look, view.look.glyphs
        lines = [Line().add(" what it means", look.strong)]
        for name, style, meaning in (
            ("oldest", look.text, "age of the oldest request"),
            ("", look.text, "that is not answered yet"),
            ("lag", look.text, "how late our own timer is:"),
            ("", look.text, "p99; times err by so much"),
            (glyphs.mark, look.warn, "in a trend: done by hand"),
            (f"{glyphs.manual} manual", look.warn, "in the plan: users by hand"),
            (glyphs.now, look.text, "where the plan is now"),
            ("green", look.good, "as it should be"),
            ("! yellow", look.warn, "a warning"),
            ("! red", look.bad, "broken; not to be trusted"),
            ("dim", look.dim, "few samples, or a label"),
        ):
            lines.append(Line().add(f"  {name}", style).to(12).add(meaning, look.dim))
        return lines

    def _commands(self, view: View) -> list[Line]:
        look = view.look
        lines = [Line().add(" commands", look.strong).add(", after : and for ctl", look.dim)]
        for form in COMMANDS.values():
            lines.append(Line().add(f"  {form}", look.key))
            if len(str(form)) <= 10:
                lines[-1].to(14).add(form.help, look.dim)
        lines.append(Line().add("  ^C", look.key).to(14).add("stop and summarise;", look.dim))
        lines.append(Line().to(14).add("again: end at once", look.dim))
        return [*lines, Line().add("  ^Z", look.key).to(14).add("to the shell; fg: back", look.dim)]
