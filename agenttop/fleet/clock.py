"""How far the clock of a box is from the controller's, from round trips (Cristian 1989; NTP, RFC 5905 § 8).

    t₀ asked, t₁ answered, by our clock; c read by theirs in between:
    offset = c − (t₀ + t₁) / 2,   |error| ≤ (t₁ − t₀) / 2

The quickest of the recent trips is believed. Monotonic clocks run at rates that differ by some 10⁻⁵, so an offset that
was right at the start drifts: what the times of a box are off by is its drift since then and the error of what it is
measured by.
"""

from __future__ import annotations

from collections import deque

#: Round trips that are remembered: those of some seconds, in which clocks hardly drift.
KEPT = 16


class ClockOffset:
    """The offset of one clock; all in ns."""

    def __init__(self) -> None:
        self._trips: deque[tuple[int, int]] = deque(maxlen=KEPT)
        self._agreed: int | None = None

    def add(self, asked: int, theirs: int, answered: int) -> None:
        """Take a round trip."""
        self._trips.append((answered - asked, theirs - (asked + answered) // 2))

    @property
    def trip(self) -> int:
        """Return how long the quickest recent round trip took."""
        return min(self._trips)[0]

    @property
    def offset(self) -> int:
        """Return what to add to a time of ours to get theirs."""
        return min(self._trips)[1]

    def agree(self) -> int:
        """Return the offset, and keep to it: it is the one that t = 0 was told by."""
        self._agreed = self.offset
        return self._agreed

    @property
    def error(self) -> int:
        """Return what times of theirs can be off by at most, by the offset that was agreed on."""
        drift = 0 if self._agreed is None else abs(self.offset - self._agreed)
        return drift + self.trip // 2
