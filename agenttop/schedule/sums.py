"""Sums floats exactly and rounds only where the sum is read, so that a thousand stages end where the profile puts
them.
"""

from __future__ import annotations

import math


class ExactSum:
    """Returns what ``math.fsum`` would for all terms so far, at the price of the last one.

    Terms are finite, and so is their sum. What is kept are floats that do not overlap and whose exact sum is that of
    the terms: Shewchuk, Adaptive Precision Floating-Point Arithmetic (1997), GROW-EXPANSION.
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[float] = []

    def add(self, term: float) -> float:
        """Add a term and return the sum, rounded once."""
        kept = []
        for part in self._parts:
            if abs(term) < abs(part):
                term, part = part, term
            high = term + part
            low = part - (high - term)
            if low:
                kept.append(low)
            term = high
        self._parts = [*kept, term]
        return math.fsum(self._parts)
