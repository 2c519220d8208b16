"""Shares each turn of the loop among connections with much to parse, so that one that floods holds up nobody.

libuv reads up to 8 MB of one connection in a turn; of the smallest chunks or frames there are that is a second of
parsing. A connection with more than a few bytes therefore has its share of a turn, measured by the clock. What does not
fit waits, with the time it came at; nothing more is read of that connection, and all that wait go on in turn:

    read ──► share of the turn is left? ──yes──► parse a piece ──► and again
                                    └──no──► held, reading paused ──► next turn ──► all is parsed: reading resumed
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

CONNECTION_NS = 500_000
"""Nanoseconds that one connection may take of a turn before others have their share."""
TURN_NS = 2_000_000
"""Nanoseconds that all connections with more than a few bytes may take of a turn: others wait no longer than this."""
SLACK_NS = 50_000_000
"""After a stall, how long reading what came meanwhile may take."""
STALLS = 16
"""Stalls that are remembered: reading what came in one makes the next turns late as well, which are some of their own.
"""


class Waiting(Protocol):
    """A connection that holds bytes."""

    def go_on(self) -> bool:
        """Parse as much as the turn has room for; return whether something is left."""


class Turns:
    """The turns of the loop of this process."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: deque[Waiting] = deque()
        self._used = 0
        self._marked = False
        self._spent: dict[str, int] = {}
        self._stalls: deque[tuple[int, int]] = deque(maxlen=STALLS)
        self.reporting = False
        """A report is on its way: nothing that is held is parsed before it has gone out."""

    def room(self, loop: asyncio.AbstractEventLoop) -> int:
        """Return how long, in ns, a connection may parse now; 0 or less: not in this turn."""
        if loop is not self._loop:
            # Of another loop, which is over; there is one at a time.
            self._loop, self._marked = loop, False
            self._waiting.clear()
        if not self._marked:
            self._marked, self._used = True, 0
            loop.call_soon(self._next)
        return 0 if self.reporting else min(CONNECTION_NS, TURN_NS - self._used)

    def took(self, whose: str, ns: int) -> None:
        """Note what the bytes of a pool have taken."""
        self._used += ns
        self._spent[whose] = self._spent.get(whose, 0) + ns

    def wait(self, connection: Waiting) -> None:
        """Let a connection go on in the next turn."""
        self._waiting.append(connection)

    def busiest(self) -> tuple[str, int]:
        """Return the pool whose bytes took most since the last call, and how long (ns)."""
        spent, self._spent = self._spent, {}
        return max(spent.items(), key=lambda item: item[1], default=("", 0))

    def stalled(self, began_ns: int, ended_ns: int) -> None:
        """The loop looked at nothing from then to then."""
        self._stalls.append((began_ns, ended_ns))

    def excuses(self, deadline_ns: int, read_ns: int) -> bool:
        """Return whether bytes read after their deadline may have come before it.

        So it is if the deadline fell into a stall of ours, and they were read as that was over.
        """
        return any(
            began <= deadline_ns <= ended and read_ns <= ended + SLACK_NS for began, ended in reversed(self._stalls)
        )

    def _next(self) -> None:
        """Begin a turn: the connections that wait each have a share of it."""
        self._used = 0
        waiting = self._waiting
        try:
            for _ in range(len(waiting)):
                if self.reporting or self._used >= TURN_NS:
                    break
                connection = waiting.popleft()
                if connection.go_on():
                    waiting.append(connection)
        finally:  # whatever one of them raises, the others have their turns
            self._marked = bool(waiting)
            if waiting and self._loop is not None:
                self._loop.call_soon(self._next)


TURNS = Turns()
"""The turns of this process: a worker has one loop."""
