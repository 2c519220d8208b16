"""Notices that the controller itself did not run for a while: stopped, or starved of its core."""

from __future__ import annotations

from agenttop.worker.lease import LEASE_S

#: A controller looks at the clock many times a second; one that has not for so long stood still.
STILL_S = 1.0


class Standstill:
    """Compares one look at the clock with the last. Times are seconds since the run began."""

    def __init__(self) -> None:
        self._looked_s = 0.0
        self.sending_ended_s: float | None = None
        """When the workers stopped by themselves, if the last while was longer than their lease."""

    def look(self, elapsed: float) -> str:
        """Return a message about the time since the last look; empty if that was short."""
        before, self._looked_s = self._looked_s, elapsed
        still_s = elapsed - before
        self.sending_ended_s = before + LEASE_S if still_s >= LEASE_S else None
        if still_s < STILL_S:
            return ""
        text = (
            f"the controller stood still for {still_s:.0f} s from {before:.0f} s on (stopped, or starved of its core)"
        )
        ended = f": its workers stopped by themselves after {LEASE_S:g} s" if self.sending_ended_s is not None else ""
        return text + ended
