"""Tells a core that only waits from one that works."""

from __future__ import annotations

_NONE = -1


class Spin:
    """Measures CPU time that is only waiting.

    For an arrival less than a millisecond away the loop turns without sleeping, since uvloop's timers know no shorter
    time. It keeps the schedule, and is no sign of a busy core. Several pools may wait so in the same turns; one of
    them, the first, counts the turns for all.
    """

    __slots__ = ("_before", "_first", "_since", "_turn_ns", "_turns")

    def __init__(self) -> None:
        self._first = _NONE
        self._before = _NONE
        self._since = 0
        self._turns = 0
        self._turn_ns = 0

    def note(self, pool: int, now: int, *, idle: bool) -> None:
        """Note that an open pool looked for arrivals at ``now`` (ns) and, if ``idle``, found none."""
        if not idle:
            self._first = self._before = _NONE
            return
        if pool == self._first:
            # The shortest turn is one in which nothing else happened.
            turn = now - self._since
            self._turn_ns = min(self._turn_ns, turn) if self._turns else turn
            self._turns += 1
            self._since = now
        elif self._first == _NONE or pool == self._before:
            # Nobody waits yet, or the first looked only once and waits for something that is further away.
            self._first, self._since = pool, now
        self._before = pool

    def take(self) -> int:
        """Return the nanoseconds of waiting since the last call, rather too few than too many."""
        spent, self._turns = self._turns * self._turn_ns, 0
        return spent
