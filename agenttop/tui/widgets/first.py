"""What stands on the screen before anything is known from the run itself: lines that the viewer was given."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip
from textual.widget import Widget

from agenttop.tui.look import Look
from agenttop.tui.text import Line, clean


class First(Widget, can_focus=False):
    """Lines at the top of an empty screen."""

    def __init__(self, lines: Sequence[str], look: Look) -> None:
        super().__init__(id="first")
        self._lines = [Line().add(clean(line), look.strong if not at else look.text) for at, line in enumerate(lines)]
        self._look = look

    def render_line(self, y: int) -> Strip:
        """Return one row."""
        width, style = self.size.width, self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, style)
        return self._lines[y].strip(width).apply_style(style)
