"""A Textual layout that places widgets by a function (:mod:`agenttop.tui.arrange`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.geometry import NULL_SPACING, Offset, Region, Size
from textual.layout import ArrangeResult, Layout, WidgetPlacement
from textual.widget import Widget

from agenttop.tui.arrange import Place


class Placed(Layout):
    """Children stand where ``choose(width, height)`` says, by their ids; those it does not name are not shown."""

    name = "placed"

    def __init__(self, choose: Callable[[int, int], Mapping[str, Place]]) -> None:
        self._choose = choose

    def arrange(self, parent: Widget, children: list[Widget], size: Size, greedy: bool = True) -> ArrangeResult:
        places = self._choose(size.width, size.height)
        return [
            WidgetPlacement(Region(at.x, at.y, at.width, at.height), Offset(), NULL_SPACING, child)
            for child in children
            if (at := places.get(child.id or "")) is not None
        ]
