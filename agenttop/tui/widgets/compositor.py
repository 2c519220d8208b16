"""Sends fewer bytes over SSH: of every picture only the cells that are not on the terminal already.

Textual (8.2) sends a whole screen at every change of focus or of screen, some of them several times; a line of a widget
from its left edge to the last changed cell; and each segment with its whole style and a reset. What is drawn, and when,
stays with Textual; here only the text of its updates is made differently, by what the terminal shows
(:class:`~agenttop.tui.cells.Shown`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.color import ColorSystem
from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from agenttop.tui.cells import Cell, Shown, cells_of, written

#: Row, column and cells.
_Stretch = tuple[int, int, Sequence[Cell]]


class Missing(CompositorUpdate):
    """What a terminal lacks of an update. It is false if that is nothing."""

    def __init__(self, shown: Shown, stretches: list[_Stretch]) -> None:
        self._shown = shown
        self._stretches = stretches

    def __bool__(self) -> bool:
        return bool(self._stretches)

    def render_segments(self, console: Console) -> str:
        """Return what to send, and take it for sent."""
        for y, x, cells in self._stretches:
            self._shown.put(y, x, cells)
        return written(self._stretches, getattr(console, "_color_system", None) or ColorSystem.TRUECOLOR)


class CellUpdate(ChopsUpdate):
    """A partial update that honours both ends of its spans."""

    def lacks(self, shown: Shown) -> Missing:
        """Return what the terminal does not show of it."""
        return Missing(
            shown,
            [
                (y, x, cells)
                for y, first, last in self.spans
                for end, (start, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False)
                if strip is not None and min(end, last) > max(start, first)
                for x, cells in shown.missing(
                    y, max(start, first), cells_of(strip.crop(max(start, first) - start, min(end, last) - start))
                )
            ],
        )


class WholeUpdate(LayoutUpdate):
    """An update of the whole screen."""

    def lacks(self, shown: Shown) -> Missing:
        """Return what the terminal does not show of it."""
        return Missing(
            shown,
            [
                (y, x, cells)
                for y, strips in enumerate(self.strips, self.region.y)
                for x, cells in shown.missing(y, self.region.x, cells_of(Strip.join(list(strips))))
            ],
        )


class CellCompositor(Compositor):
    """Textual's compositor with updates of which a terminal is sent what it lacks."""

    def render_partial_update(self) -> CellUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        return CellUpdate(update.chops, update.spans, update.chop_ends)

    def render_full_update(self, simplify: bool = False) -> WholeUpdate:
        update = super().render_full_update(simplify)
        return WholeUpdate(update.strips, update.region)
