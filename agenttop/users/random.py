"""A seeded generator per user in one integer: ``random.Random`` would take 2.5 kB of each of ten thousand users."""

from __future__ import annotations

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15


class SplitMix:
    """SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014)."""

    __slots__ = ("state",)

    def __init__(self, *seeds: int) -> None:
        self.state = 0
        for seed in seeds:
            self.state = (self.bits() ^ seed) & _MASK

    def bits(self) -> int:
        """Return 64 random bits."""
        self.state = z = (self.state + _GAMMA) & _MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def fraction(self) -> float:
        """Return a number that is uniform in [0, 1)."""
        return (self.bits() >> 11) * (1.0 / (1 << 53))

    def between(self, span: tuple[float, float]) -> float:
        """Return a number that is uniform in a range."""
        low, high = span
        return low if low == high else low + (high - low) * self.fraction()
