"""Every key and command, on one screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from agenttop.tui.keys import GROUPS, REPLAY_GROUPS, Group
from agenttop.tui.text import Line
from agenttop.tui.view import View
from agenttop.tui.widgets.box import rule
from agenttop.tui.widgets.pane import Pane

COMMANDS = (
    ("users N|+N|-N [POOL]  rate N", "users of all pools or one; iterations per second"),
    ("plan 2m 80, 5m step 80 [POOL]", "other stages from now on; first may be: rest"),
    ("think 1s..3s  on_429 honor", "pauses (also: pacing 10s); what users do about a 429"),
    ("hold resume pause next release", "the plan's clock and new work; back to the plan"),
    ("start  stop (^C)  stop now", "begin an armed run; stop and summarise; end at once"),
)


class HelpScreen(Screen[None], inherit_bindings=False):
    """Keys by what they act on, then the commands of the prompt."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q", "dismiss", show=False)]

    def __init__(self, view: View, detach: bool) -> None:
        super().__init__()
        self._view_shown = view
        self._can_detach = detach

    def compose(self) -> ComposeResult:
        yield Pane(self._draw, id="help")

    def on_mount(self) -> None:
        self.query_one(Pane).show(self._view_shown)

    def _draw(self, view: View, width: int, height: int) -> list[Line]:
        look = view.look
        close = Line().add("esc", look.key).add(" back", look.dim)
        lines = [rule(look, width, Line().add("agenttop: keys and commands", look.strong), close)]
        if view.cursor is not None:
            for group in REPLAY_GROUPS:
                lines += self._group(view, group)
            return lines
        load, run, screen = (self._group(view, group) for group in GROUPS)
        if width >= 78:
            middle = 40
            left, right = load, run
            lines += [
                (left[row] if row < len(left) else Line()).to(middle).extend(right[row] if row < len(right) else Line())
                for row in range(max(len(left), len(right)))
            ]
            lines += screen
        else:
            lines += [*load, *run, *screen]
        lines.append(Line().add(" commands", look.strong).add("  after : and for `agenttop ctl`", look.dim))
        for form, meaning in COMMANDS:
            lines.append(Line().add(f"  {form}", look.key).to(33).add(meaning, look.dim))
        return lines

    def _group(self, view: View, group: Group) -> list[Line]:
        look = view.look
        shown = [key for key in group.keys if key.action != "app.detach" or self._can_detach]
        column = max(10, *(len(key.shown) + 3 for key in shown))
        lines = [
            Line().add(f"  {key.shown.replace('← →', look.glyphs.arrows)}", look.key).to(column).add(key.help, look.dim)
            for key in shown
        ]
        return [Line().add(f" {group.name}", look.strong), *lines]
