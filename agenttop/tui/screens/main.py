"""The screen of a run: which panes there are in a terminal of this size."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from agenttop.tui import keys
from agenttop.tui.panes import (
    budget,
    errors,
    generator,
    header,
    latency,
    phases,
    phases_by_stage,
    plan,
    pools,
    quotas,
    rate,
    requests,
    thresholds,
)
from agenttop.tui.panes import events as happened
from agenttop.tui.text import Line
from agenttop.tui.view import View
from agenttop.tui.widgets.bar import Bar
from agenttop.tui.widgets.compositor import CellCompositor
from agenttop.tui.widgets.pane import Draw, Pane
from agenttop.tui.widgets.prompt import Prompt

SMALLEST = (60, 16)
#: Seconds between two repaints of the requests table: it is the dearest pane on a slow line.
TABLE_EVERY = 2

#: What the keys 1 to 7 enlarge.
ENLARGED: dict[int, Draw] = {
    1: plan.full,
    2: rate.full,
    3: errors.full,
    4: latency.full,
    5: requests.full,
    6: happened.full,
    7: phases_by_stage.full,
}
LAYOUTS = ("tiny", "compact", "boxed", "large")


def layout_of(width: int, height: int) -> str:
    """The name of the layout for a terminal of so many columns and rows."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return "tiny"
    if width < 110 or height < 36:
        return "compact"
    return "large" if width >= 180 and height >= 50 else "boxed"


class MainScreen(Screen[None], inherit_bindings=False):
    """All panes; those of the other layouts are not displayed and not drawn."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings()]

    def __init__(self) -> None:
        super().__init__()
        self._compositor = CellCompositor()
        self.layout_name = ""
        self.enlarged: int | None = None
        self._view: View | None = None

    def compose(self) -> ComposeResult:
        yield Pane(too_small, id="small")
        yield Pane(header.ruled, id="header")
        with Vertical(id="compact"):
            yield Pane(plan.compact, id="c-plan")
            yield Pane(rate.compact, id="c-rate")
            yield Pane(latency.compact, id="c-latency")
            yield Pane(errors.compact, id="c-errors")
            yield Pane(thresholds.compact, id="c-thresholds")
            yield Pane(budget.compact, id="c-budget")
            yield Pane(requests.compact, id="c-requests", every=TABLE_EVERY)
            yield Pane(happened.compact, id="c-events")
        with Horizontal(id="boxed"):
            with Vertical(id="left"):
                yield Pane(plan.full, id="plan")
                with Horizontal(id="row-rate"):
                    yield Pane(rate.full, id="rate", classes="half")
                    yield Pane(errors.full, id="errors", classes="half")
                with Horizontal(id="row-latency"):
                    yield Pane(latency.ttft, id="ttft", classes="half")
                    yield Pane(latency.total, id="total", classes="half")
                yield Pane(requests.full, id="requests", every=TABLE_EVERY)
                yield Pane(happened.full, id="events")
                yield Pane(thresholds.compact, id="line-thresholds")
                yield Pane(budget.compact, id="line-budget")
            with Vertical(id="right"):
                yield Pane(pools.full, id="pools")
                yield Pane(thresholds.full, id="thresholds")
                yield Pane(budget.full, id="budget")
                yield Pane(latency.distribution, id="distribution")
                yield Pane(phases.full, id="phases")
                yield Pane(quotas.full, id="quotas")
                yield Pane(generator.full, id="generator")
        yield Pane(requests.full, id="enlarged")
        yield Bar(id="bar")
        yield Prompt(id="prompt")

    def on_mount(self) -> None:
        self.query_one(Prompt).display = False
        self._choose(self.size.width, self.size.height)

    def on_resize(self, event: events.Resize) -> None:
        self._choose(event.size.width, event.size.height)

    def show(self, view: View, *, force: bool) -> None:
        """Draw ``view``; without ``force`` each pane at its own pace."""
        self._view = view
        snap = view.snap
        there = {
            "-thresholds": bool(snap.thresholds or snap.breaker),
            "-budget": bool(snap.budget),
            "-quotas": bool(snap.quotas),
        }
        changed = [name for name, shown in there.items() if self.has_class(name) != shown]
        if changed:
            self.toggle_class(*changed)
            self.set_class(not view.snap.thresholds, "-breaker")
            self._arrange()
        for pane in self._shown():
            pane.show(view, force=force)

    def enlarge(self, number: int | None) -> None:
        """Show one pane alone, or all of them again."""
        self.enlarged = number
        if number is not None:
            self.query_one("#enlarged", Pane).draw = ENLARGED[number]
        self._arrange()

    @property
    def page(self) -> int:
        """Lines an enlarged list has room for."""
        return max(1, self.query_one("#enlarged", Pane).size.height - 3)

    def lines(self, view: View) -> int:
        """Lines the enlarged list has in all."""
        lists = {3: len(view.snap.causes), 5: len(requests.rows(view)), 6: len(view.snap.events)}
        return lists.get(self.enlarged or 0, 0)

    def _choose(self, width: int, height: int) -> None:
        self.layout_name = layout_of(width, height)
        self.set_class(height < 20, "-short")
        self._arrange()

    def _arrange(self) -> None:
        tiny = self.layout_name == "tiny"
        for name in LAYOUTS:
            self.set_class(name == self.layout_name, f"-{name}")
        self.set_class(self.enlarged is not None and not tiny, "-enlarged")
        boxes = self.enlarged is not None or self.layout_name != "compact"
        self.query_one("#header", Pane).draw = header.bare if boxes else header.ruled
        if self._view is not None:
            # Panes that were hidden have their size only after the layout.
            self.call_after_refresh(self._redraw)

    def _redraw(self) -> None:
        if self._view is not None:
            self.show(self._view, force=True)

    def _shown(self) -> list[Pane]:
        if self.layout_name == "tiny":
            return [self.query_one("#small", Pane)]
        always = [self.query_one("#header", Pane), self.query_one(Bar)]
        if self.enlarged is not None:
            return [*always, self.query_one("#enlarged", Pane)]
        if self.layout_name == "compact":
            return [*always, *self.query("#compact Pane").results(Pane)]
        panes = self.query("#boxed Pane" if self.layout_name == "large" else "#left Pane").results(Pane)
        return [*always, *panes]


def too_small(view: View, width: int, height: int) -> list[Line]:
    """What to do about it; the load does not care."""
    look = view.look
    needed = f"{SMALLEST[0]}{look.glyphs.times}{SMALLEST[1]}"
    if view.snap.state == "armed":
        return [Line().add(header.ARMED, look.strong), Line().add("Nothing is sent before. q ends it.", look.dim)]
    word, style = header.state(view)
    return [
        Line().add(f"agenttop needs {needed}; this is {width}{look.glyphs.times}{height}", look.strong),
        Line().add("The load goes on: ", look.dim).add(word, style).add(f", {view.snap.users} users", look.text),
    ]
