"""The widget of every pane: draws a function of the view and sends the terminal only the cells that changed."""

from __future__ import annotations

from collections.abc import Callable

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from agenttop.tui.text import Line
from agenttop.tui.view import View

#: Draws a view in so many columns and rows; missing rows are blank.
Draw = Callable[[View, int, int], list[Line]]

#: So many unchanged cells between two changed ones are sent again: shorter than moving the cursor.
GAP = 10


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

    def _redraw(self) -> None:
        width, height = self.size
        if self._view is None or not self.display or not width or not height:
            return
        lines = self.draw(self._view, width, height)[:height]
        lines += [Line()] * (height - len(lines))
        base = self.rich_style
        before, self._strips = self._strips, [line.strip(width).apply_style(base) for line in lines]
        if len(before) != height or before[0].cell_length != width:
            self.refresh()
            return
        dirty = [
            Region(x1, y, x2 - x1, 1)
            for y, (old, new) in enumerate(zip(before, self._strips, strict=True))
            for x1, x2 in changed(old, new)
        ]
        if dirty:
            self.refresh(*dirty)

    def on_resize(self, event: events.Resize) -> None:
        self._redraw()

    def on_show(self) -> None:
        self._redraw()

    def render_line(self, y: int) -> Strip:
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width, self.rich_style)

    @property
    def text(self) -> str:
        """Return its text, for tests."""
        return "\n".join(strip.text.rstrip() for strip in self._strips)


def changed(old: Strip, new: Strip) -> list[tuple[int, int]]:
    """Return the spans of cells in which two strips differ, near ones joined."""
    if list(old) == list(new):
        return []
    before, after = _cells(old), _cells(new)
    spans: list[tuple[int, int]] = []
    for x, (a, b) in enumerate(zip(before, after, strict=False)):
        if a != b:
            if spans and x - spans[-1][1] <= GAP:
                spans[-1] = (spans[-1][0], x + 1)
            else:
                spans.append((x, x + 1))
    return spans


def _cells(strip: Strip) -> list[tuple[str, Style | None]]:
    cells: list[tuple[str, Style | None]] = []
    for segment in strip:
        for char in segment.text:
            # A wide character is two cells that change together; one of no width belongs to the cell before it.
            wide = 1 if char.isascii() else cell_len(char)
            if wide:
                cells.extend([(char, segment.style)] * wide)
            elif cells:
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
    return cells
