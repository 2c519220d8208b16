"""Scales that charts of the screen and of a page share: where an axis ends, and which times stand under it."""

from __future__ import annotations

import math

#: Seconds between two labels of a time axis, the least that leave room.
TIME_STEPS = (10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400)


def nice(value: float) -> float:
    """Return the next round number above, for the top of a scale: 1, 2, 2.5, 4, 5, 6 or 8 times a power of ten."""
    if value <= 0 or not math.isfinite(value):
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(value))
    for step in (1, 2, 2.5, 4, 5, 6, 8):
        if value <= step * power * (1 + 1e-9):
            return step * power
    return 10 * power
