"""One sign of trouble, steadied: it comes on when it has held for some seconds on end, and goes off in the same way."""

from __future__ import annotations

#: Seconds on end that say so.
CONFIRM = 3


class Sign:
    """A sign that holds, or not. ``since_s`` and ``load`` are of when it came on, or went off.

    Args:
        at_once: one second is enough for it to come on.
    """

    def __init__(self, *, at_once: bool = False) -> None:
        self.on = False
        self.since_s = 0.0
        self.load = 0.0
        self._at_once = at_once
        self._against = 0
        """Seconds on end that speak against what it is."""
        self._first = (0.0, 0.0)

    def look(self, begin_s: float, load: float, holds: bool | None) -> None:
        """Take what a second that began at ``begin_s`` says; None says nothing."""
        if holds is None:
            return
        if holds is self.on:
            self._against = 0
            return
        if not self._against:
            self._first = (begin_s, load)
        self._against += 1
        if self._against >= CONFIRM or (holds and self._at_once):
            self.on, self._against = holds, 0
            self.since_s, self.load = self._first
