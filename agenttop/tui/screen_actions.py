"""The keys that change what is seen of a run, and nothing of the run itself: keys.py names them."""

from __future__ import annotations

import dataclasses
import math

from textual.app import App

from agenttop.metrics.snapshot import Snapshot
from agenttop.tui.axis import WINDOWS, span_s
from agenttop.tui.copying import cut, text_of
from agenttop.tui.panes import requests, table
from agenttop.tui.panes.heat import MEASURES
from agenttop.tui.result import LiveResult
from agenttop.tui.screens.main import MainScreen
from agenttop.tui.time_cursor import TimeCursor, move
from agenttop.tui.view import ORDERS, View, key_of
from agenttop.tui.widgets.bar import Bar
from agenttop.view.feed import Player

#: The pane whose rows a cursor goes through.
TABLE = table.of_key("5")


class ScreenActions(App[LiveResult], inherit_bindings=False):
    """What these keys do to an app that draws a :class:`~agenttop.tui.view.View`."""

    main: MainScreen
    player: Player | None
    snap: Snapshot | None
    frozen: View | None
    choice: View | None
    """The user's choices, kept from view to view."""

    def view(self) -> View | None:
        """Return what there is to draw; None before the first snapshot."""
        raise NotImplementedError

    def draw(self, *, force: bool = True) -> None:
        """Bring the screen up to date; ``force`` also draws what has a slower pace."""
        raise NotImplementedError

    @property
    def bar(self) -> Bar:
        """Return the bottom line."""
        return self.main.query_one(Bar)

    def choose(self, **changes: object) -> None:
        """Change the user's choices."""
        if self.choice is not None:
            self.choice = dataclasses.replace(self.choice, **changes)  # type: ignore[arg-type]
            self.draw()

    def action_seek(self, key: str) -> None:
        if self.player is not None:
            self.bar.expire(math.inf)
            move(self.player, key)
            self.draw()
        elif self.frozen is not None and (view := self.view()) is not None:
            last_s = view.snap.t_s
            cursor = TimeCursor(max(1.0, last_s - span_s(view) + 1), last_s)
            if view.at_s is not None:
                cursor.at_s = view.at_s
            move(cursor, key)
            self.choose(at_s=cursor.at_s)

    def action_speed(self) -> None:
        if self.player is not None:
            self.player.change_speed()
            self.draw()

    def action_freeze(self) -> None:
        if self.player is not None:
            self.player.toggle()
            self.draw()
            return
        view = self.view()
        if view is not None:
            self.frozen = None if self.frozen else dataclasses.replace(view, history=view.history.copy())
            self.choose(at_s=None)

    def action_enlarge(self, key: str) -> None:
        """Enlarge the pane of a key; the one that is enlarged goes back."""
        pane = table.of_key(key)
        self.main.enlarge(None if self.main.enlarged is pane else pane)
        row = self.choice.row if self.choice is not None else None
        view = self.view()
        if view is not None and self.main.enlarged is TABLE:
            row, _ = requests.moved(view, 0, self.main.page)
        self.choose(scroll=0, row=row)

    async def action_back(self) -> None:
        if self.main.enlarged is not None:
            self.main.enlarge(None)
            self.choose(scroll=0)
        elif self.choice is not None and self.choice.request is not None:
            self.choose(request=None)
        elif self.choice is not None and self.choice.filter:
            self.choose(filter="")

    def action_scroll(self, key: str) -> None:
        view = self.view()
        if view is None or self.main.enlarged is None:
            return
        page = self.main.page
        step = {"up": -1, "down": 1, "pageup": -page, "pagedown": page}[key]
        if self.main.enlarged is TABLE:
            row, scroll = requests.moved(view, step, page)
            self.choose(row=row, scroll=scroll)
        else:
            self.choose(scroll=max(0, min(view.scroll + step, self.main.lines(view) - page)))

    def action_choose_request(self) -> None:
        """Have all panes be of the request that the cursor is on; or again of all, if they are of it already."""
        view = self.view()
        if view is None or self.main.enlarged is not TABLE or not (rows := requests.rows(view)):
            return
        chosen = key_of(rows[requests.at_cursor(view)])
        self.main.enlarge(None)
        self.choose(request=None if chosen == view.request else chosen, scroll=0)

    def action_copy(self) -> None:
        """Copy the enlarged pane as text, or the whole screen of the run."""
        view = self.view()
        if view is None or self.snap is None:
            return
        entry, size = self.main.enlarged, self.main.query_one("#enlarged").size
        text = self.main.text if entry is None else text_of(entry, view, size.width, size.height)
        copied, said = cut(text)
        self.copy_to_clipboard(copied)
        self.bar.say("copied", said, self.snap.t_s)

    def action_order(self) -> None:
        if self.choice is not None:
            self.choose(order=ORDERS[(ORDERS.index(self.choice.order) + 1) % len(ORDERS)], scroll=0)

    def action_window(self) -> None:
        if self.choice is not None:
            names = [name for name, _ in WINDOWS]
            self.choose(window=names[(names.index(self.choice.window) + 1) % len(names)])

    def action_scale(self) -> None:
        if self.choice is not None:
            self.choose(log=not self.choice.log)

    def action_measure(self) -> None:
        if self.choice is not None:
            names = [measure.name for measure in MEASURES]
            self.choose(measure=names[(names.index(self.choice.measure) + 1) % len(names)])

    def action_filter(self) -> None:
        if self.choice is not None:
            self.bar.type("/", self.choice.filter)
