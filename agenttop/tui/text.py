"""Lines of styled text, and numbers as text. Whatever came from a target passes through :func:`clean` first."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from typing import Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from agenttop.tui.look import Glyphs

#: Categories that move the cursor, turn the writing direction or show nothing.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
NONE = Style.null()


def clean(text: str) -> str:
    """Return one line of plain text: control and format characters are gone, white space is single."""
    if text.isascii() and text.isprintable():
        return text
    spaced = " ".join(text.split())
    return "".join(c for c in spaced if unicodedata.category(c) not in _UNPRINTABLE)


def fit(text: str, width: int, ellipsis: str = "…") -> str:
    """Return ``text`` in at most ``width`` cells."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - len(ellipsis)).rstrip() + ellipsis


def in_glyphs(text: str, glyphs: Glyphs) -> str:
    """Return a sentence that was made elsewhere with the signs of this screen."""
    signs = {"→": glyphs.arrow, "×": glyphs.times, "…": glyphs.ellipsis}
    if not glyphs.braille:
        signs |= {"·": "-", "–": "-", "µ": "u"}
    return "".join(signs.get(char, char) for char in text)


def cut(text: str, width: int, ellipsis: str = "…") -> str:
    """Return ``text`` in at most ``width`` cells, without its middle: names differ at both ends."""
    if cell_len(text) <= width or width < 4:
        return fit(text, width, ellipsis)
    end = set_cell_size(text[::-1], (width - len(ellipsis)) // 2)[::-1]
    return set_cell_size(text, width - len(ellipsis) - cell_len(end)).rstrip() + ellipsis + end.lstrip()


def wrap(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, broken at spaces if there are any."""
    lines: list[str] = []
    while cell_len(text) > width > 1:
        cut = len(set_cell_size(text, width).rstrip(" "))
        # A wide character at the edge becomes a space.
        while cell_len(text[:cut]) > width:
            cut -= 1
        space = text.rfind(" ", 0, cut + 1)
        stop = space if space > 0 else max(1, cut)
        lines.append(text[:stop])
        text = text[stop:].lstrip(" ")
    return [*lines, text] if text else lines


class Line:
    """One line being written, left to right; widths are in terminal cells."""

    __slots__ = ("_parts", "width")

    def __init__(self) -> None:
        self._parts: list[Segment] = []
        self.width = 0

    def add(self, text: str, style: Style = NONE) -> Self:
        if text:
            self._parts.append(Segment(text, style))
            self.width += len(text) if text.isascii() else cell_len(text)
        return self

    def to(self, column: int) -> Self:
        """Fill with spaces up to ``column``."""
        return self.add(" " * (column - self.width))

    def right(self, text: str, width: int, style: Style = NONE) -> Self:
        """Add ``text`` at the right of a field of ``width``."""
        return self.to(self.width + width - cell_len(text)).add(text, style)

    def extend(self, other: Line) -> Self:
        self._parts += other._parts
        self.width += other.width
        return self

    def clear(self) -> None:
        """Take away what was written."""
        self._parts, self.width = [], 0

    @property
    def parts(self) -> Sequence[Segment]:
        """Return what was added, piece by piece."""
        return self._parts

    def strip(self, width: int) -> Strip:
        """Return exactly ``width`` cells of it."""
        return Strip(Segment.simplify(self._parts), self.width).adjust_cell_length(width)

    def __str__(self) -> str:
        return "".join(part.text for part in self._parts)


def join(left: Line, right: Line, width: int) -> Line:
    """Return ``left`` and ``right`` at the two ends of a line; if both do not fit, the left one is cut."""
    if left.width + right.width >= width:
        strip = left.strip(max(0, width - right.width - 1))
        cut = Line()
        for segment in strip:
            cut.add(segment.text, segment.style or NONE)
        left = cut
    return left.to(width - right.width).extend(right)


def ms(value: float | None) -> str:
    """Return milliseconds, without the unit; ``-`` for None."""
    if value is None or not math.isfinite(value):
        return "-"
    if value >= 999_950:
        return f"{value / 1e6:.1f}M" if value >= 1e7 else f"{value / 1000:.0f}k"
    return f"{value:.1f}" if 0 < value < 9.95 else f"{value:.0f}"


def rate(value: float) -> str:
    """Return a number per second."""
    return f"{value:.1f}" if value < 9999.95 else count(value)


def count(value: float) -> str:
    """Return a count in at most five cells."""
    if value < 100_000:
        return f"{value:.0f}"
    for unit, size in (("k", 1e3), ("M", 1e6), ("G", 1e9)):
        scaled = value / size
        if scaled < 999.5:
            return f"{scaled:.1f}{unit}" if scaled < 99.95 else f"{scaled:.0f}{unit}"
    return f"{value:.0e}"


def age(seconds: float) -> str:
    """Return an age: ``12ms``, ``4.1s``, ``12s``, ``3m05s``."""
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 120:
        return f"{seconds:.0f}s"
    return f"{int(seconds) // 60}m{int(seconds) % 60:02}s"


def size(value: float) -> str:
    """Return bytes with their unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 99.5 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
