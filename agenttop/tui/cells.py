"""Cells of a terminal: which of them differ, what to send so that they change, and what stands on the terminal now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.control import Control
from rich.style import Style
from textual.strip import Strip

#: So many unchanged cells between two changed ones are sent again: shorter than moving the cursor.
GAP = 10
#: A character and its style. The second cell of a wide character has an empty one.
Cell = tuple[str, Style | None]
#: The first cell of a stretch, and the one behind its last.
Span = tuple[int, int]
#: Codes that begin an attribute and end it alone, as far as every terminal has them; bold and dim end together.
_BEGINS = {"bold": "1", "dim": "2", "underline": "4", "reverse": "7"}
_ENDS = {"bold": "22", "dim": "22", "underline": "24", "reverse": "27"}
_ATTRIBUTES = ("bold", "dim", "italic", "underline", "reverse", "strike", "blink", "conceal")


def cells_of(strip: Strip) -> list[Cell]:
    """Return the cells of a strip."""
    cells: list[Cell] = []
    for text, style, _ in strip:
        if text.isascii():
            cells += [(char, style) for char in text]
            continue
        for char in text:
            wide = 1 if char.isascii() else cell_len(char)
            if wide:
                cells += [(char, style), ("", style)][:wide]
            elif cells:  # one of no width belongs to the character before it
                at = next((i for i in range(len(cells) - 1, -1, -1) if cells[i][0]), 0)
                cells[at] = (cells[at][0] + char, cells[at][1])
    return cells


def spans(old: Sequence[Cell | None], new: Sequence[Cell]) -> list[Span]:
    """Return where two rows differ, near stretches joined; a cell of ``old`` that is None is unknown."""
    found: list[Span] = []
    for x, (before, after) in enumerate(zip(old, new, strict=False)):
        if before != after:
            end = x + 2 if x + 1 < len(new) and not new[x + 1][0] else x + 1  # wide characters change as a whole
            if found and x - found[-1][1] <= GAP:
                found[-1] = (found[-1][0], end)
            else:
                found.append((x, end))
    return found


def change(old: Style | None, new: Style | None, colours: ColorSystem) -> str:
    """Return what to send so that text comes in ``new`` after it came in ``old``: what differs, if that is less."""
    if new is None:
        return "\x1b[0m"
    codes = new._make_ansi_codes(colours)
    whole = f"\x1b[0;{codes}m" if codes else "\x1b[0m"
    differs = None if old is None else _differs(old, new, colours)
    if differs is None:
        return whole
    return min(f"\x1b[{';'.join(differs)}m" if differs else "", whole, key=len)


def _differs(old: Style, new: Style, colours: ColorSystem) -> list[str] | None:
    """Return the codes of what differs; None if it cannot be changed without a reset everywhere."""
    before, after = ({name for name in _ATTRIBUTES if getattr(style, name)} for style in (old, new))
    plain = new.color is None and old.color is not None
    if plain or old.bgcolor != new.bgcolor or (before ^ after) - set(_BEGINS):
        return None
    ended = {_ENDS[name] for name in before - after}
    begun = [_BEGINS[name] for name in _BEGINS if name in after and (name not in before or _ENDS[name] in ended)]
    colour = new.color.downgrade(colours).get_ansi_codes() if new.color is not None and new.color != old.color else ()
    return [*sorted(ended), *begun, *colour]


class Shown:
    """What stands on a terminal, as far as it is known: nothing is sent twice that is there already.

    Whoever has reason to think that something else was written there, or that the terminal lost it, calls
    :meth:`forget`.
    """

    def __init__(self) -> None:
        self._rows: list[list[Cell | None]] = []

    def forget(self) -> None:
        """Take nothing for granted any more: the next picture is sent whole."""
        self._rows = []

    def fit(self, width: int, height: int) -> None:
        """Take the size of the terminal; of another size than before nothing is known."""
        if len(self._rows) != height or (height and len(self._rows[0]) != width):
            self._rows = [[None] * width for _ in range(height)]

    def missing(self, y: int, x: int, new: Sequence[Cell]) -> Iterator[tuple[int, Sequence[Cell]]]:
        """Yield the stretches of ``new``, which begins at column ``x`` of row ``y``, that are not there: column and
        cells.
        """
        old = self._rows[y][x : x + len(new)]
        if old != new:
            for first, end in spans(old, new):
                yield x + first, new[first:end]

    def put(self, y: int, x: int, new: Sequence[Cell]) -> None:
        """Note that ``new`` has been sent."""
        self._rows[y][x : x + len(new)] = new


def written(stretches: Sequence[tuple[int, int, Sequence[Cell]]], colours: ColorSystem) -> str:
    """Return what to send for some stretches of cells: row, column, cells. A style is sent when it changes."""
    out: list[str] = []
    style: Style | None = None
    for y, x, cells in stretches:
        out.append(Control.move_to(x, y).segment.text)
        for char, wanted in cells:
            if wanted is not style and wanted != style and not (char == " " and _same_blank(style, wanted)):
                out.append(change(style, wanted, colours))
                style = wanted
            out.append(char)
    out.append("\x1b[0m")
    return "".join(out)


def _same_blank(old: Style | None, new: Style | None) -> bool:
    """Return whether a space looks the same in both styles."""
    if old is None or new is None:
        return False
    return old.bgcolor == new.bgcolor and not any(
        style.reverse or style.underline or style.strike for style in (old, new)
    )
