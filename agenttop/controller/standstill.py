"""Notices that the controller itself did not run for a while: stopped, or starved of its core."""

from __future__ import annotations

import math

from agenttop.worker.lease import LEASE_S, OVERDUE_S

#: A controller looks at the clock many times a second; one that has not for so long stood still.
STILL_S = 1.0


class Standstill:
    """Compares one look at the clock with the last. Times are seconds since the run began."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        self.over_s = 0.0
        """When the last one was over, short ones too: what workers said meanwhile is still to be read then."""
        self.sending_ended_s: float | None = None
        """When the workers stopped by themselves, where they have: with their lease, or at the end of the plan."""
        self.lost = False
        """The last while was longer than their lease: nobody was there to end the run when it should have."""

    def look(self, elapsed: float, planned_s: float = math.inf) -> str:
        """Return what is to be said of the time since the last look, empty where that was short; ``planned_s`` is when
        the plan ends.
        """
        before, self._looked_s = self._looked_s, elapsed
        still_s = elapsed - before
        if still_s >= STILL_S / 2:
            self.over_s = elapsed
        by_plan_s, by_lease_s = max(planned_s, before + OVERDUE_S), before + LEASE_S
        ended_s = min(by_plan_s, by_lease_s)
        self.sending_ended_s = ended_s if ended_s <= elapsed else None
        self.lost = by_lease_s <= elapsed
        if still_s < STILL_S:
            return ""
        text = (
            f"the controller stood still for {still_s:.0f} s from {before:.0f} s on (stopped, or starved of its core)"
        )
        if not self.lost:
            return text
        when = "with the plan" if by_plan_s < by_lease_s else f"after {LEASE_S:g} s"
        return f"{text}: its workers stopped by themselves {when}"
