"""Limits how long a worker goes on without a word from its controller.

A controller that is there need not be one that works: it may be stopped, or starved of its core. So a worker does not
look at its socket alone: what it may do is lent to it for :data:`LEASE_S`, and lent again by every message.
"""

from __future__ import annotations

#: Seconds without a word after which a worker stops sending.
LEASE_S = 3.0
#: The controller says something this often, though there be nothing to say.
RENEW_S = 0.5
#: At the end of the plan a worker waits so long for the controller to say that it is the end.
OVERDUE_S = 1.0
#: One look counts for this much at most: a worker that was itself stopped or starved has not listened meanwhile.
_MAX_LOOK_S = 0.1


class Lease:
    """Counts the seconds in which the worker listened and heard nothing."""

    __slots__ = ("_looked_s", "silent_s")

    def __init__(self) -> None:
        self.silent_s = 0.0
        """Seconds in which nothing was heard."""
        self._looked_s: float | None = None

    def renew(self) -> None:
        """Note that the controller said something."""
        self.silent_s = 0.0

    def look(self, elapsed: float) -> None:
        """Note that the worker runs, at ``elapsed`` seconds of its clock; to be called often."""
        before = elapsed if self._looked_s is None else self._looked_s
        self.silent_s += min(max(elapsed - before, 0.0), _MAX_LOOK_S)
        self._looked_s = elapsed

    @property
    def over(self) -> bool:
        """Return whether the worker has to stop by itself."""
        return self.silent_s >= LEASE_S
