"""Places the panes: a pure function of the room there is and of which panes have something to show.

Panes stand in columns, one above the other, some of them beside the one before. In a column

1. rows are let in by rank while the least heights of all of them fit, late ones after all others,
2. each grows to its best height, by rank,
3. spare ones are let in where there is still room,
4. what is left goes to those that grow, by their weights and up to their most; then to the last that grows.

So nothing overlaps, nothing is cut, and every row of the terminal is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SMALLEST = (60, 16)
LAYOUTS = ("tiny", "compact", "boxed", "large")
#: Columns and part of the width that the right-hand column has.
RIGHT = 62
RIGHT_SHARE = 0.31
MANY = 10_000


@dataclass(frozen=True, slots=True)
class Slot:
    """What a pane needs in one layout, in rows. Panes of lower ``rank`` come first if there are few."""

    rank: int
    least: int
    best: int
    grow: int = 0
    """Weight in the sharing of the rows that are left; 0: it gets none."""
    most: int = MANY
    frame: int | None = None
    """Rows beside the pane's own lines: if given, it wants no more than both, and does not grow beyond."""
    column: int = 0
    order: int = 0
    """It stands below those of its column that have less; equal ones stand as they are given."""
    beside: bool = False
    """It stands to the right of the pane before it."""
    late: bool = False
    """It is let in only where all others have their least height; then it grows by its rank."""
    spare: bool = False
    """It is there only where all others have the height that is best for them."""


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of cells."""

    x: int
    y: int
    width: int
    height: int


@dataclass(slots=True)
class _Row:
    """Panes side by side."""

    names: list[str]
    rank: int
    least: int
    best: int
    grow: int
    most: int
    late: bool = False
    spare: bool = False
    height: int = 0


def layout_of(width: int, height: int) -> str:
    """Return the name of the layout for a terminal of so many columns and rows."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return "tiny"
    if width < 110 or height < 36:
        return "compact"
    return "large" if width >= 180 and height >= 50 else "boxed"


def arrange(slots: Mapping[str, Slot], width: int, height: int, lines: Mapping[str, int]) -> dict[str, Place]:
    """Return the place of every pane that is shown.

    Args:
        slots: the panes of the layout.
        width: columns there are.
        height: rows there are.
        lines: of each pane how many lines it has to say; one without any is not shown.
    """
    columns: dict[int, list[str]] = {}
    for name, slot in sorted(slots.items(), key=lambda item: item[1].order):
        if lines.get(name, 0) > 0:
            columns.setdefault(slot.column, []).append(name)
    right = max(RIGHT, round(width * RIGHT_SHARE)) if len(columns) > 1 else 0
    places: dict[str, Place] = {}
    for column, names in columns.items():
        x, wide = (width - right, right) if column and len(columns) > 1 else (0, width - right)
        y = 0
        for row in _stack(_rows(slots, names, lines), height):
            places |= _beside(row, x, y, wide)
            y += row.height
    return places


def _rows(slots: Mapping[str, Slot], names: Sequence[str], lines: Mapping[str, int]) -> list[_Row]:
    rows: list[_Row] = []
    before = ""
    order = list(slots)
    for name in names:
        slot = slots[name]
        whole = MANY if slot.frame is None else max(slot.least, slot.frame + lines[name])
        best, most = min(slot.best, whole), min(slot.most, whole)
        if slot.beside and rows and order.index(name) == order.index(before) + 1:
            row = rows[-1]
            row.names.append(name)
            row.rank, row.least = min(row.rank, slot.rank), max(row.least, slot.least)
            row.best, row.grow, row.most = max(row.best, best), max(row.grow, slot.grow), max(row.most, most)
        else:
            rows.append(_Row([name], slot.rank, slot.least, best, slot.grow, most, slot.late, slot.spare))
        before = name
    return rows


def _stack(rows: list[_Row], height: int) -> list[_Row]:
    """Return the rows that are shown, with their heights, which sum to ``height``."""
    ranked = sorted(rows, key=lambda row: row.rank)
    shown: list[_Row] = []
    left = height
    for spare in (False, True):
        for row in sorted(ranked, key=lambda row: row.late):
            if row.spare is spare and (row.least <= left or not shown):
                row.height = min(row.least, height)
                left -= row.height
                shown.append(row)
        for row in sorted(shown, key=lambda row: row.rank):
            more = max(0, min(row.best - row.height, left))
            row.height += more
            left -= more
    kept = [row for row in rows if row in shown]
    _share(kept, left)
    return kept


def _share(rows: list[_Row], left: int) -> None:
    """Share ``left`` rows among those that grow."""
    while left > 0:
        growing = [row for row in rows if row.grow and row.height < row.most]
        if not growing:
            break
        weights = sum(row.grow for row in growing)
        parts = [min(left * row.grow // weights, row.most - row.height) for row in growing]
        if not sum(parts):
            parts[0] = 1
        for row, part in zip(growing, parts, strict=True):
            row.height += part
            left -= part
    if left and rows:
        growing = [row for row in rows if row.grow]
        (growing or rows)[-1].height += left


def _beside(row: _Row, x: int, y: int, width: int) -> dict[str, Place]:
    """Return the panes of a row: equally wide, the first ones by one odd column if there is one."""
    places = {}
    for index, name in enumerate(row.names):
        start, stop = (-(-width * edge // len(row.names)) for edge in (index, index + 1))
        places[name] = Place(x + start, y, stop - start, row.height)
    return places
