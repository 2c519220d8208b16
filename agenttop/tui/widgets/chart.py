"""Draws charts as text. Every scale begins at zero and ends where the caller says: noise never looks like a cliff.

Values are oldest first; None is "no sample" and draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.style import Style

from agenttop.tui.look import Glyphs, Look
from agenttop.tui.text import NONE, Line

Values = Sequence[float | None]
#: Values, the style of all or of each, mark in ASCII.
Curve = tuple[Values, Style | Sequence[Style], str]
REVERSE = Style(reverse=True)

#: Bits of the dots of a braille cell, [column][row from the top].
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


def peak(*series: Values) -> float:
    """Return the highest value of all; 0 if there is none."""
    return max((value for values in series for value in values if value is not None), default=0.0)


def spark(values: Values, top: float, glyphs: Glyphs) -> str:
    """Return one row: the lowest mark is exactly zero, the highest is ``top`` or above."""
    blocks = glyphs.blocks
    last = len(blocks) - 1
    return "".join(
        " " if value is None else blocks[max(0, min(last, math.ceil(value / top * last)))] if top > 0 else blocks[0]
        for value in values
    )


def area(values: Values, height: int, top: float, glyphs: Glyphs) -> list[str]:
    """Return ``height`` rows of filled columns, the highest first, in eighths of a cell. Values above zero always
    show.
    """
    steps = len(glyphs.area) - 1
    levels = [
        0 if value is None or value <= 0 or top <= 0 else max(1, round(min(1.0, value / top) * height * steps))
        for value in values
    ]
    return [
        "".join(glyphs.area[max(0, min(steps, level - row * steps))] for level in levels)
        for row in range(height - 1, -1, -1)
    ]


def across(char: str, look: Look) -> Style:
    """Return the style of a line through a cell of an area: cut into it if it is filled that high, else above it."""
    high = look.glyphs.area.index(char) * 2 >= len(look.glyphs.area)
    return look.load + REVERSE if high else look.strong


def curves(series: Sequence[Curve], height: int, top: float, glyphs: Glyphs) -> list[Line]:
    """Several lines in one chart: (values, style, mark in ASCII) each, two values a cell in braille, one in ASCII. The
    style is one for all or one for each value.

    Where lines meet, the later one of the series has the colour.
    """
    width = max((len(values) for values, _, _ in series), default=0)
    if glyphs.braille:
        return _braille(series, (width + 1) // 2, height, top)
    cells: list[list[tuple[str, Style]]] = [[(" ", NONE)] * width for _ in range(height)]
    for values, style, mark in series:
        for x, (value, each) in enumerate(zip(values, _each(style, values), strict=True)):
            if value is not None:
                cells[height - 1 - _level(value, top, height)][x] = (mark, each)
    return [_row(row) for row in cells]


def _braille(series: Sequence[Curve], width: int, height: int, top: float) -> list[Line]:
    dots = [[0] * width for _ in range(height)]
    styles = [[NONE] * width for _ in range(height)]
    for values, style, _ in series:
        before: int | None = None
        for x, (value, each) in enumerate(zip(values, _each(style, values), strict=True)):
            if value is None:
                before = None
                continue
            level = _level(value, top, height * 4)
            # Joined to the point before by a vertical stroke, so that a line stays one line where it is steep.
            low, high = (level, level) if before is None else (min(level, before), max(level, before))
            if high > low:
                low, high = (low + 1, high) if before == low else (low, high - 1)
            for y in range(low, high + 1):
                row = height - 1 - y // 4
                dots[row][x // 2] |= _DOTS[x % 2][3 - y % 4]
                styles[row][x // 2] = each
            before = level
    return [
        _row([(chr(0x2800 + bits) if bits else " ", style) for bits, style in zip(row, row_styles, strict=True)])
        for row, row_styles in zip(dots, styles, strict=True)
    ]


def _each(style: Style | Sequence[Style], values: Values) -> Sequence[Style]:
    return [style] * len(values) if isinstance(style, Style) else style


def _level(value: float, top: float, levels: int) -> int:
    share = value / top if top > 0 else 0.0
    return max(0, min(levels - 1, round(share * (levels - 1))))


def _row(cells: Sequence[tuple[str, Style]]) -> Line:
    line = Line()
    for text, style in cells:
        line.add(text, style)
    return line
