"""Decides which second of the run may be closed: what was told of it by then is what the journal and viewers get."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from agenttop.metrics.saturation import SILENT_S

SETTLE_S = 0.06
"""Seconds from the end of a second until it is closed, when the deltas of its last quarter are here."""
PATIENCE_S = SILENT_S
"""Seconds from the end of a second that a worker is waited for that has not told of it."""


class Told(Protocol):
    """Knows how far each worker has told; see :class:`~agenttop.controller.intake.Intake`."""

    def behind(self, t_s: float, alive: Iterable[int]) -> list[int]:
        """Return who has not told yet what was up to ``t_s`` and is still waited for."""

    def give_up(self, t_s: float, alive: Iterable[int]) -> None:
        """Wait no more for those that are behind."""


class Seconds:
    """The seconds of a run. Times are seconds since it began."""

    def __init__(self) -> None:
        self.closed = 0
        """How many have been closed."""

    def due(self, elapsed: float, told: Told, alive: Iterable[int], *, patient: bool) -> float | None:
        """Return the end of the second that is to be closed now; None if there is none.

        Args:
            elapsed: the time.
            told: what workers told.
            alive: the workers that are left.
            patient: wait for all of them, however long that takes: what they told is still to be read.
        """
        end_s = self.closed + 1.0
        if elapsed < end_s + SETTLE_S:
            return None
        if told.behind(end_s, alive):
            if patient or elapsed < end_s + PATIENCE_S:
                return None
            told.give_up(end_s, alive)
        self.closed += 1
        return end_s

    def rest(self, elapsed: float) -> tuple[list[float], float]:
        """Close all that is left at the end of the run: return the ends of whole seconds, and that of the piece after
        the last.
        """
        whole = [float(second) for second in range(self.closed + 1, int(elapsed) + 1)]
        self.closed += len(whole)
        return whole, max(elapsed, self.closed + 0.001)
