"""The screen of a run: its panes, arranged for the size of the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.layout import Layout
from textual.screen import Screen
from textual.widget import Widget

from agenttop.schedule.quantities import clock
from agenttop.tui import keys
from agenttop.tui.arrange import SMALLEST, Place, arrange, layout_of
from agenttop.tui.panes import header, plan, table
from agenttop.tui.text import Line
from agenttop.tui.view import View
from agenttop.tui.widgets.arranged import Placed
from agenttop.tui.widgets.bar import Bar
from agenttop.tui.widgets.compositor import CellCompositor
from agenttop.tui.widgets.pane import Pane

#: Rows above and below the panes.
HEAD, FOOT = 2, 1


class MainScreen(Screen[None], inherit_bindings=False):
    """All panes; those without a place in the layout are not drawn."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]

    def __init__(self, first: Widget | None = None) -> None:
        """``first`` stands there until there is a view."""
        super().__init__()
        self._first = first
        self._compositor = CellCompositor()
        self._placed = Placed(self._choose)
        self.layout_name = "tiny"
        self.enlarged: table.Entry | None = None
        self.places: Mapping[str, Place] = {}
        self._view: View | None = None
        self._says: dict[str, int] = {}
        self._foot = FOOT

    @property
    def layout(self) -> Layout:
        return self._placed

    def compose(self) -> ComposeResult:
        yield Pane(too_small, id="small")
        yield Pane(header.ruled, id="header")
        for entry in table.PANES:
            yield Pane(entry.full, id=entry.name, every=entry.every)
        yield Pane(table.PANES[0].full, id="enlarged")
        yield Bar(id="bar")
        if self._first is not None:
            yield self._first

    def on_resize(self, event: events.Resize) -> None:
        self._later()

    def show(self, view: View, *, force: bool) -> None:
        """Draw ``view``; without ``force`` each pane at its own pace."""
        self._view = view
        says = table.says(view)
        if says != self._says:
            self._says = says
            self._again()
        for name in self.places:
            pane = self.query_one(f"#{name}")
            if isinstance(pane, Pane):
                pane.show(view, force=force)

    def make_room(self) -> None:
        """Give the bottom line the lines that it needs."""
        if self.query_one(Bar).rows != self._foot:
            self._again()

    def enlarge(self, entry: table.Entry | None) -> None:
        """Show one pane alone, or with None all of them again."""
        self.enlarged = entry
        self._again()

    @property
    def page(self) -> int:
        """Return how many lines an enlarged list has room for."""
        # Of the screen: a pane that was enlarged just now has its size only after the layout.
        return max(1, self.size.height - HEAD - FOOT - 3)

    @property
    def text(self) -> str:
        """Return what stands on the screen."""
        return "\n".join(strip.text.rstrip() for strip in self._compositor.render_strips()) + "\n"

    def lines(self, view: View) -> int:
        """Return how many lines the enlarged list has in all."""
        return self.enlarged.scrolls(view, self.size.width) if self.enlarged is not None else 0

    def _choose(self, width: int, height: int) -> Mapping[str, Place]:
        """Return every widget's place, and set what each pane draws there."""
        self.layout_name = layout_of(width, height)
        if self._view is None and self._first is not None:
            return {self._first.id or "": Place(0, 0, width, height)}
        if self.layout_name == "tiny":
            self.query_one("#small", Pane).prepare(self._view)
            self.places = {"small": Place(0, 0, width, height)}
            return self.places
        room = height - HEAD - FOOT
        if self.enlarged is not None:
            self.query_one("#enlarged", Pane).prepare(self._view, self.enlarged.full)
            inner = {"enlarged": Place(0, 0, width, room)}
        else:
            inner = arrange(table.slots(self.layout_name), width, room, self._says)
            for name, place in table.shown(self.layout_name).items():
                self.query_one(f"#{name}", Pane).prepare(self._view, place.draw)
        boxes = self.enlarged is not None or self.layout_name != "compact"
        self.query_one("#header", Pane).prepare(self._view, header.bare if boxes else header.ruled)
        self._foot = self.query_one(Bar).rows
        self.places = {
            "header": Place(0, 0, width, HEAD),
            **{name: Place(at.x, at.y + HEAD, at.width, at.height) for name, at in inner.items()},
            # Of more than its line it covers what stands above.
            "bar": Place(0, height - self._foot, width, self._foot),
        }
        return self.places

    def _again(self) -> None:
        # Textual forgets the arrangement of the parents of whoever wants a new layout, not that of the widget itself.
        self.query_one(Bar).refresh(layout=True)
        self._later()

    def _later(self) -> None:
        # Panes that were hidden have their size only after the layout.
        self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        if self._view is not None:
            self.show(self._view, force=True)


def too_small(view: View, width: int, height: int) -> list[Line]:
    """Return what to do about a terminal that is too small; the load does not care."""
    look = view.look
    needed = f"{SMALLEST[0]}{look.glyphs.times}{SMALLEST[1]}"
    if view.snap.state == "armed":
        return [Line().add(header.ARMED, look.strong), Line().add("Nothing is sent before. q ends it.", look.dim)]
    word, style = header.state(view)
    sending = view.cursor is None and view.snap.state != "done"
    below = Line().add("The load goes on: " if sending else "", look.dim).add(word, style).add("  ")
    return [
        Line().add(f"agenttop needs {needed}; this is {width}{look.glyphs.times}{height}", look.strong),
        below.extend(plan.load_line(view)) if sending else below.add(clock(view.snap.t_s), look.strong),
    ]
