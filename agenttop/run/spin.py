"""Telling a core that waits from one that works."""

from __future__ import annotations


class Spin:
    """CPU time that is only waiting: for an arrival less than a millisecond away the loop turns without sleeping, since
    uvloop's timers know no shorter time. It keeps the schedule, and is no sign of a busy core.
    """

    __slots__ = ("_last", "_turn_ns", "_turns")

    def __init__(self) -> None:
        self._last: tuple[int, int] = (-1, 0)
        self._turns = 0
        self._turn_ns = 0

    def note(self, pool: int, now: int, *, idle: bool) -> None:
        """An open pool looked for arrivals at ``now`` (ns) and, if ``idle``, found none."""
        if not idle:
            self._last = (-1, 0)
            return
        if self._last[0] == pool:
            # The shortest turn is one in which nothing else happened. (Two pools that wait so closely are not told
            # apart from work, and count as busy.)
            turn = now - self._last[1]
            self._turn_ns = min(self._turn_ns, turn) if self._turns else turn
            self._turns += 1
        self._last = (pool, now)

    def take(self) -> int:
        """Nanoseconds spent so since the last call, rather too few than too many."""
        spent, self._turns = self._turns * self._turn_ns, 0
        return spent
