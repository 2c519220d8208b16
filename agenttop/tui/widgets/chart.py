"""Draws charts as text. Every scale begins at zero and ends where the caller says: noise never looks like a cliff.

Values are oldest first; None is "no sample" and draws nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style

from agenttop.tui.look import Glyphs, Look
from agenttop.tui.text import NONE, Line

Values = Sequence[float | None]
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


@dataclass(frozen=True, slots=True)
class Spread:
    """Three percentiles of one thing over time, each with a style for every value."""

    low: tuple[Values, Sequence[Style]]
    middle: tuple[Values, Sequence[Style]]
    high: tuple[Values, Sequence[Style]]


#: Marks of the three in ASCII.
LETTERS = (":", "o", "*")


def spread(of: Spread, height: int, top: float, glyphs: Glyphs, beyond: Style) -> list[Line]:
    """Return the low ones as an area, the middle ones as a line and the high ones as dots; two values a cell in
    braille, one in ASCII.

    What is above ``top`` is a mark in the highest row, in the style ``beyond``.
    """
    if not glyphs.braille:
        return _letters(of, height, top, glyphs, beyond)
    width, levels = (len(of.low[0]) + 1) // 2, height * 4
    dots = [[0] * width for _ in range(height)]
    styles = [[NONE] * width for _ in range(height)]

    def put(x: int, at: int, style: Style) -> None:
        row = height - 1 - at // 4
        styles[row][x // 2] = style if not dots[row][x // 2] else styles[row][x // 2]
        dots[row][x // 2] |= _DOTS[x % 2][3 - at % 4]

    before: int | None = None
    for x, (value, style) in enumerate(zip(*of.middle, strict=True)):
        if value is None:
            before = None
            continue
        at = level(value, top, levels)
        # Joined to the point before by a vertical stroke, so that a line stays one line where it is steep.
        first, last = (at, at) if before is None else (min(at, before), max(at, before))
        if last > first:
            first, last = (first + 1, last) if before == first else (first, last - 1)
        for each in range(first, last + 1):
            put(x, each, style)
        before = at
    for x, (value, style) in enumerate(zip(*of.high, strict=True)):
        if value is not None and x % 2 and value <= top:
            put(x, level(value, top, levels), style)
    rows: list[list[tuple[str, Style]]] = [[(" ", NONE)] * width for _ in range(height)]
    for cell in range(width):
        pair = range(2 * cell, min(2 * cell + 2, len(of.low[0])))
        lows = [None if (value := of.low[0][x]) is None else level(value, top, levels) + 1 for x in pair]
        filled = max((low for low in lows if low is not None), default=0)
        for row in range(height):
            part = max(0, min(4, filled - 4 * (height - 1 - row)))
            if not dots[row][cell]:
                rows[row][cell] = (glyphs.area[2 * part], of.low[1][pair[-1]] if part else NONE)
                continue
            ground = of.low[1][pair[-1]].color
            if ground is None:
                for x, low in zip(pair, lows, strict=True):
                    for each in range(4 * (height - 1 - row), min(4 * (height - row), low or 0)):
                        dots[row][cell] |= _DOTS[x % 2][3 - each % 4]
            elif part >= 2:
                styles[row][cell] += Style(bgcolor=ground)
            rows[row][cell] = (chr(0x2800 + dots[row][cell]), styles[row][cell])
    for x, value in enumerate(of.high[0]):
        if value is not None and value > top:
            rows[0][x // 2] = (glyphs.now, beyond)
    return [_row(row) for row in rows]


def _letters(of: Spread, height: int, top: float, glyphs: Glyphs, beyond: Style) -> list[Line]:
    cells: list[list[tuple[str, Style]]] = [[(" ", NONE)] * len(of.low[0]) for _ in range(height)]
    for (values, styles), letter in zip((of.low, of.middle, of.high), LETTERS, strict=True):
        for x, (value, style) in enumerate(zip(values, styles, strict=True)):
            if value is not None:
                at = level(value, top, height)
                for each in range(0 if letter == LETTERS[0] else at, at + 1):
                    cells[height - 1 - each][x] = (letter, style)
                if value > top and letter == LETTERS[-1]:
                    cells[0][x] = (glyphs.now, beyond)
    return [_row(row) for row in cells]


def level(value: float, top: float, levels: int) -> int:
    """Return the one of so many levels, 0 the lowest, that a value stands on."""
    share = value / top if top > 0 else 0.0
    return max(0, min(levels - 1, round(share * (levels - 1))))


def _row(cells: Sequence[tuple[str, Style]]) -> Line:
    line = Line()
    for text, style in cells:
        line.add(text, style)
    return line
