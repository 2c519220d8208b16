"""Writes pieces of a target, each a straight line, as the stages of a profile.

Boundaries are rounded to µs. Stages of a rate are the pieces as they are; users are whole, and a line that was cut need
not end at a whole number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agenttop.schedule.quantities import format_duration

#: Rates this close (relative) are the same.
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Piece:
    """A target that goes from ``first`` to ``last`` in a straight line."""

    start_s: float
    end_s: float
    first: float
    last: float
    name: str

    def at(self, value: float) -> float:
        """Return when a line that is not level has this value."""
        share = (value - self.first) / (self.last - self.first)
        return self.start_s + share * (self.end_s - self.start_s)


class _Stages:
    """Stages one after the other. Boundaries are rounded to µs, so that their errors do not add up."""

    def __init__(self, unit: str) -> None:
        self.rows: list[dict[str, Any]] = []
        self.level = 0.0
        """The target at the end of the last stage."""
        self._unit = unit
        self._us = 0

    def jump(self, value: float) -> None:
        """Add a jump to a value, which takes no time."""
        if abs(value - self.level) > _SAME * max(abs(value), 1.0):
            self._row(0, value, "step", "")

    def level_until(self, end_s: float, value: float, name: str) -> None:
        """Add a constant value until ``end_s``."""
        duration = self._take(end_s)
        last = self.rows[-1] if self.rows else None
        if last is not None and last[self._unit] == value and last["ramp"] == "step" and last["_name"] == name:
            last["_us"] += duration
        elif duration:
            self._row(duration, value, "step", name)

    def line_until(self, end_s: float, value: float, name: str) -> None:
        """Add a straight line to a value at ``end_s``."""
        self._row(self._take(end_s), value, "linear", name)

    def done(self) -> list[dict[str, Any]]:
        """Return the stages as a profile has them. A profile takes no plan of zeros alone: then one of no duration is
        added.
        """
        rows = self.rows
        if not any(row[self._unit] for row in rows):
            rows = [{self._unit: 1, "ramp": "step", "_us": 0, "_name": ""}, *rows]
        return [
            {
                **({"name": row["_name"]} if row["_name"] else {}),
                "duration": _duration_text(row["_us"]),
                self._unit: row[self._unit],
                **({"ramp": "step"} if row["ramp"] == "step" else {}),
            }
            for row in rows
        ]

    def _take(self, end_s: float) -> int:
        before, self._us = self._us, max(self._us, round(end_s * 1e6))
        return self._us - before

    def _row(self, duration_us: int, value: float, ramp: str, name: str) -> None:
        self.rows.append({self._unit: value, "ramp": ramp, "_us": duration_us, "_name": name})
        self.level = value


def rate_stages(pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """Return the stages of a rate."""
    stages = _Stages("rate")
    for piece in pieces:
        if piece.first == piece.last:
            stages.level_until(piece.end_s, piece.last, piece.name)
        else:
            stages.jump(piece.first)
            stages.line_until(piece.end_s, piece.last, piece.name)
    return stages.done()


# A stage of users ends at a whole number, and a line that was cut need not. It is driven to whole users all the same,
# halves rounded up, so that it can be taken apart:
#
#     first … ⌈first⌉        steps, at the halves        ┐ for a line that rises; one that falls has ⌊ ⌋ and ⌈ ⌉
#     ⌈first⌉ … ⌊last⌋       a line between whole users  │ changed about
#     ⌊last⌋ … last          steps, at the halves        ┘


def users_stages(pieces: Sequence[Piece]) -> list[dict[str, Any]]:
    """Return the stages of users."""
    stages = _Stages("users")
    for piece in pieces:
        if piece.first == piece.last:
            stages.level_until(piece.end_s, math.floor(piece.last + 0.5), piece.name)
            continue
        rises = piece.last > piece.first
        begin = math.ceil(piece.first) if rises else math.floor(piece.first)
        end = math.floor(piece.last) if rises else math.ceil(piece.last)
        if (end - begin if rises else begin - end) < 1:
            _steps(stages, piece, piece.last, piece.end_s)
            continue
        if begin != piece.first:
            _steps(stages, piece, begin, piece.at(begin))
        stages.jump(begin)
        stages.line_until(piece.end_s if end == piece.last else piece.at(end), end, piece.name)
        if end != piece.last:
            rest = Piece(piece.at(end), piece.end_s, end, piece.last, piece.name)
            _steps(stages, rest, piece.last, piece.end_s)
    return stages.done()


def _steps(stages: _Stages, piece: Piece, last: float, end_s: float) -> None:
    """Add a part of a line, from its first value to ``last`` at ``end_s``, as steps at the halves."""
    low, high = sorted((piece.first, last))
    halves = [whole + 0.5 for whole in range(math.floor(low) - 1, math.ceil(high) + 1) if low < whole + 0.5 < high]
    value = piece.first
    for half in halves if last > piece.first else halves[::-1]:
        stages.level_until(piece.at(half), math.floor((value + half) / 2 + 0.5), piece.name)
        value = half
    stages.level_until(end_s, math.floor((value + last) / 2 + 0.5), piece.name)


def _duration_text(us: int) -> str:
    """Return a duration as a profile writes it, to the µs."""
    if us % 1000 == 0:
        return format_duration(us / 1e6)
    return f"{us / 1e6:.6f}".rstrip("0") + "s"
