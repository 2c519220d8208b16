"""Keeps the arrivals of a pool that were dealt and that a loss may yet deal anew.

A worker hears of a loss some time after it: after milliseconds, or as its own loop goes on that stood still. By then it
has looked at arrivals that are its own from the loss on. Whatever the controller says carries the moment at which it
was said, and all losses before that were told before it: so nothing is kept for longer than word is on its way.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Sequence

from agenttop.schedule.shares import Deal


class DealtArrivals:
    """The arrivals of one pool that one worker has looked at."""

    __slots__ = ("_deal", "_seen")

    def __init__(self, deal: Deal) -> None:
        self._deal = deal
        self._seen: deque[tuple[int, array[float]]] = deque()
        """Numbers of the first, and the times, of arrivals that were looked at together."""

    def take(self, number: int, times: Sequence[float]) -> list[float]:
        """Return those of consecutive arrivals that are this worker's, and keep all in mind; as :meth:`Deal.own`."""
        if times and self._deal.part()[1] > 1:
            self._seen.append((number, array("d", times)))
        return self._deal.own(number, times)

    def inherited(self) -> list[float]:
        """Return the times of those that the last change of the deal has made this worker's: they are due."""
        return [time for number, times in self._seen for time in self._deal.inherited(number, times)]

    def settle(self, told_s: float) -> None:
        """Forget what no loss can deal anew: every loss up to ``told_s`` seconds of the run has been told."""
        while self._seen and self._seen[0][1][-1] <= told_s:
            self._seen.popleft()

    def __len__(self) -> int:
        return sum(len(times) for _, times in self._seen)
