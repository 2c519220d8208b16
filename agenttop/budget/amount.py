"""What a budget is counted in: requests, tokens and money, as whole numbers, so that sums are exact.

Money is in pico-dollars (10⁻¹² USD): a price of 0.15 USD per million tokens is 150 000 of them a token.
"""

from __future__ import annotations

from typing import NamedTuple

PICO_PER_USD = 10**12


class Amount(NamedTuple):
    """Some requests, their tokens, and what they cost in pico-dollars."""

    requests: int = 0
    tokens: int = 0
    cost: int = 0

    def plus(self, other: Amount) -> Amount:
        """Both together."""
        return Amount(self[0] + other[0], self[1] + other[1], self[2] + other[2])

    def minus(self, other: Amount) -> Amount:
        """What is left of this without the other; below zero where there is not so much."""
        return Amount(self[0] - other[0], self[1] - other[1], self[2] - other[2])

    def times(self, factor: int) -> Amount:
        """So many of it."""
        return Amount(self[0] * factor, self[1] * factor, self[2] * factor)

    def part(self, of: int) -> Amount:
        """One of so many equal parts, rounded down."""
        return Amount(self[0] // of, self[1] // of, self[2] // of)

    def covers(self, other: Amount) -> bool:
        """There is as much of everything as the other wants."""
        return self[0] >= other[0] and self[1] >= other[1] and self[2] >= other[2]

    def low(self, other: Amount) -> Amount:
        """The lesser of each."""
        return Amount(min(self[0], other[0]), min(self[1], other[1]), min(self[2], other[2]))

    def high(self, other: Amount) -> Amount:
        """The greater of each."""
        return Amount(max(self[0], other[0]), max(self[1], other[1]), max(self[2], other[2]))


NOTHING = Amount()
