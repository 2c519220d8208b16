"""The unit of a budget: requests, tokens and money as whole numbers, so that sums are exact.

Money is in pico-dollars (10⁻¹² USD): a price of 0.15 USD per million tokens is 150 000 of them a token.
"""

from __future__ import annotations

from typing import NamedTuple

PICO_PER_USD = 10**12


class Amount(NamedTuple):
    """A number of requests, their tokens, and their cost in pico-dollars."""

    requests: int = 0
    tokens: int = 0
    cost: int = 0

    def plus(self, other: Amount) -> Amount:
        """Return both together."""
        return Amount(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def minus(self, other: Amount) -> Amount:
        """Return this without the other; below zero if there is not so much."""
        return Amount(self[0] - other[0], self[1] - other[1], self[2] - other[2])

    def times(self, factor: int) -> Amount:
        """Return this ``factor`` times."""
        return Amount(self[0] * factor, self[1] * factor, self[2] * factor)

    def part(self, of: int) -> Amount:
        """Return one of so many equal parts, rounded down."""
        return Amount(self[0] // of, self[1] // of, self[2] // of)

    def covers(self, other: Amount) -> bool:
        """Return whether this has at least as much of everything as the other."""
        return self[0] >= other[0] and self[1] >= other[1] and self[2] >= other[2]

    def low(self, other: Amount) -> Amount:
        """Return the lesser of each number."""
        return Amount(min(self[0], other[0]), min(self[1], other[1]), min(self[2], other[2]))

    def high(self, other: Amount) -> Amount:
        """Return the greater of each number."""
        return Amount(max(self[0], other[0]), max(self[1], other[1]), max(self[2], other[2]))


NOTHING = Amount()
