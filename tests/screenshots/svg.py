"""A terminal's cells as SVG.

Every glyph stands in its own cell, and blocks, boxes and braille are drawn as shapes: the picture is the same with any
monospace font, in a browser as in the PNG. (The usual export leaves seams and shifts where a font's width differs, and
few monospace fonts have braille.)
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from rich.cells import cell_len
from rich.color import ColorType
from rich.style import Style
from textual.strip import Strip

WIDTH, HEIGHT, SIZE, BASE = 9.0, 19.0, 14.8, 14.2
"""Of a cell; the size of the font; its base line. In pixels."""
MARGIN = 12.0
FONT = "'DejaVu Sans Mono', 'Menlo', 'Consolas', monospace"
BLOCKS = " ▁▂▃▄▅▆▇█"
#: Corners: from, bend and to, in halves of a cell.
CORNERS = {"╭": (1, 2, 2, 1), "╮": (1, 2, 0, 1), "╯": (1, 0, 0, 1), "╰": (1, 0, 2, 1)}
#: Where the dots of a braille cell are: bit by bit (column, row).
DOTS = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))


def render(strips: list[Strip], background: str, foreground: str) -> str:
    """The whole picture."""
    columns = max(strip.cell_length for strip in strips)
    width, height = columns * WIDTH + 2 * MARGIN, len(strips) * HEIGHT + 2 * MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">',
        f'<rect width="100%" height="100%" rx="8" fill="{background}"/>',
        f'<g font-family="{FONT}" font-size="{SIZE}" transform="translate({MARGIN:g} {MARGIN:g})">',
    ]
    for row, strip in enumerate(strips):
        column = 0
        for text, style, _ in strip:
            parts += _run(text, style or Style.null(), column, row, background, foreground)
            column += cell_len(text)
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _run(text: str, style: Style, column: int, row: int, background: str, foreground: str) -> Iterator[str]:
    front, back = _colour(style, foreground), background
    if style.bgcolor is not None and style.bgcolor.type is ColorType.TRUECOLOR:
        back = _hex(style, "bgcolor", background)
    if style.reverse:
        front, back = back, front
    x, y = column * WIDTH, row * HEIGHT
    if back != background:
        yield f'<rect x="{x:g}" y="{y:g}" width="{cell_len(text) * WIDTH:g}" height="{HEIGHT:g}" fill="{back}"/>'
    letters: list[tuple[float, str]] = []
    at = column
    shapes: list[str] = []
    previous = ""
    for char in text:
        if shape := _shape(char, at * WIDTH, y):
            # Neighbours of one kind are one shape: no seams, and a smaller file.
            if char == previous and char in BLOCKS + "─━":
                shapes[-1] = _shape(char, float(shapes[-1].split('x="')[1].split('"')[0]), y, at)
            else:
                shapes.append(shape)
            previous = char
        else:
            previous = ""
            if char != " ":
                letters.append((at * WIDTH, char))
        at += cell_len(char)
    if shapes:
        yield f'<g fill="{front}">{"".join(shapes).replace("FRONT", front)}</g>'
    if letters:
        xs = " ".join(f"{x:g}" for x, _ in letters)
        weight = ' font-weight="bold"' if style.bold else ""
        words = escape("".join(char for _, char in letters))
        yield f'<text x="{xs}" y="{y + BASE:g}" fill="{front}"{weight}>{words}</text>'


def _shape(char: str, x: float, y: float, last: int | None = None) -> str:
    """``char`` drawn, from ``x`` up to the end of the column ``last``; empty where it is a letter."""
    width = WIDTH if last is None else (last + 1) * WIDTH - x
    middle_x, middle_y = x + WIDTH / 2, y + HEIGHT / 2
    if char in BLOCKS[1:]:
        tall = HEIGHT * BLOCKS.index(char) / 8
        size = f'width="{width:g}" height="{tall:g}"'
        return f'<rect x="{x:g}" y="{y + HEIGHT - tall:g}" {size} shape-rendering="crispEdges"/>'
    if char in "─━":
        thick = 1 if char == "─" else 4
        return f'<rect x="{x:g}" y="{middle_y - thick / 2:g}" width="{width:g}" height="{thick}"/>'
    if char == "│":
        return f'<rect x="{middle_x - 0.5:g}" y="{y:g}" width="1" height="{HEIGHT:g}"/>'
    if char in CORNERS:
        x1, y1, x2, y2 = CORNERS[char]
        start = f"{x + x1 * WIDTH / 2:g} {y + y1 * HEIGHT / 2:g}"
        end = f"{x + x2 * WIDTH / 2:g} {y + y2 * HEIGHT / 2:g}"
        return f'<path d="M{start} Q{middle_x:g} {middle_y:g} {end}" fill="none" stroke="FRONT"/>'
    if char in "·●":
        return f'<circle cx="{middle_x:g}" cy="{middle_y:g}" r="{1 if char == "·" else 4}"/>'
    if "\u2800" <= char <= "\u28ff":
        bits = ord(char) - 0x2800
        spots = [
            (x + WIDTH * (0.25 + 0.5 * dot[0]), y + HEIGHT * (0.125 + 0.25 * dot[1]))
            for bit, dot in enumerate(DOTS)
            if bits >> bit & 1
        ]
        return "".join(f'<circle cx="{spot_x:g}" cy="{spot_y:g}" r="1.5"/>' for spot_x, spot_y in spots)
    return ""


def _colour(style: Style, default: str) -> str:
    return default if style.color is None or style.color.is_default else _hex(style, "color", default)


def _hex(style: Style, which: str, default: str) -> str:
    colour = getattr(style, which)
    return default if colour is None or colour.is_default else str(colour.get_truecolor().hex)
