"""Sends fewer bytes over SSH: an update of a few cells of a line sends only those cells.

Textual (8.2) sends a line of a widget from its left edge to the last changed cell, and each segment with its whole
style and a reset. Here an update begins at the first changed cell, and a style is sent when it changes. Only the text
of a partial update is made differently; what is drawn, and when, stays with Textual.
"""

from __future__ import annotations

from rich.color import ColorSystem
from rich.console import Console
from rich.control import Control
from rich.style import Style
from textual._compositor import ChopsUpdate, Compositor


class CellUpdate(ChopsUpdate):
    """A partial update that honours both ends of its spans."""

    def render_segments(self, console: Console) -> str:
        colours = getattr(console, "_color_system", None) or ColorSystem.TRUECOLOR
        out: list[str] = []
        style: Style | None = None
        for y, first, last in self.spans:
            at: int | None = None
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, first), min(end, last)
                if strip is None or stop <= start:
                    continue
                if at != start:
                    out.append(Control.move_to(start, y).segment.text)
                at = stop
                for text, segment_style, _ in strip.crop(start - x, stop - x):
                    if segment_style != style:
                        out.append(change(style, segment_style, colours))
                        style = segment_style
                    out.append(text)
        out.append("\x1b[0m")
        return "".join(out)


def change(old: Style | None, new: Style | None, colours: ColorSystem) -> str:
    """Return what to send so that text comes in ``new`` after it came in ``old``."""
    if new is None:
        return "\x1b[0m"
    attributes = ("bold", "dim", "italic", "underline", "reverse", "strike", "blink", "conceal")
    same = (
        old is not None and old.bgcolor == new.bgcolor and all(getattr(old, a) == getattr(new, a) for a in attributes)
    )
    if same and new.color is not None:
        return f"\x1b[{';'.join(new.color.downgrade(colours).get_ansi_codes())}m"
    codes = new._make_ansi_codes(colours)
    return f"\x1b[0;{codes}m" if codes else "\x1b[0m"


class CellCompositor(Compositor):
    """Textual's compositor with :class:`CellUpdate`."""

    def render_partial_update(self) -> CellUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        return CellUpdate(update.chops, update.spans, update.chop_ends)
