"""The widget of every pane: draws a function of the view and sends the terminal only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from agenttop.tui.cells import Span, cells_of, spans
from agenttop.tui.text import Line
from agenttop.tui.view import View

#: Draws a view in so many columns and rows; missing rows are blank.
Draw = Callable[[View, int, int], list[Line]]


class Pane(Widget, can_focus=False):
    """A rectangle of text. ``every`` is how many snapshots pass between two repaints."""

    def __init__(self, draw: Draw, *, id: str, every: int = 1, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self.draw = draw
        self.every = every
        self._view: View | None = None
        self._seq = 0
        """Number of the snapshot that was drawn last."""
        self._strips: list[Strip] = []

    def show(self, view: View, *, force: bool = True) -> None:
        """Draw ``view`` now, or without ``force`` only when it is this pane's turn."""
        self._view = view
        if force or self.every == 1 or not 0 <= view.snap.seq - self._seq < self.every:
            self._seq = view.snap.seq
            self._redraw()

    def prepare(self, view: View | None, draw: Draw | None = None) -> None:
        """Take what is drawn at the next layout, so that no picture of what was drawn here before comes first."""
        draw = draw or self.draw
        if view is not self._view or draw is not self.draw:
            self.draw, self._view, self._strips = draw, view, []
            self.refresh()

    def _redraw(self) -> None:
        before = self._strips
        if not self._draw_again():
            return
        if len(before) != len(self._strips) or before[0].cell_length != self._strips[0].cell_length:
            self.refresh()
            return
        dirty = [
            Region(x1, y, x2 - x1, 1)
            for y, (old, new) in enumerate(zip(before, self._strips, strict=True))
            for x1, x2 in changed(old, new)
        ]
        if dirty:
            self.refresh(*dirty)

    def _draw_again(self) -> bool:
        """Draw the lines; return whether there is something to draw, and room for it."""
        width, height = self.size
        if self._view is None or not self.display or not width or not height:
            return False
        lines = self.draw(self._view, width, height)[:height]
        lines += [Line()] * (height - len(lines))
        base = self.rich_style
        self._strips = [line.strip(width).apply_style(base) for line in lines]
        return True

    def on_resize(self, event: events.Resize) -> None:
        self._redraw()

    def on_show(self) -> None:
        self._redraw()

    def render_line(self, y: int) -> Strip:
        # Of a new size at once, and not when its message has come: else there is a picture of the old lines between.
        if len(self._strips) != self.size.height or (self._strips and self._strips[0].cell_length != self.size.width):
            self._draw_again()
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    @property
    def text(self) -> str:
        """Return its text, for tests."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)


def changed(old: Strip, new: Strip) -> list[Span]:
    """Return the spans of cells in which two strips differ, near ones joined."""
    return [] if list(old) == list(new) else spans(cells_of(old), cells_of(new))
