"""Says what the client repaired without a failure."""

from __future__ import annotations

from collections.abc import Mapping


def repairs(sums: Mapping[str, int]) -> list[str]:
    """Return a line for each kind, from ``sent_again`` and ``sessions_lost``; none if both are 0."""
    again, lost = sums.get("sent_again", 0), sums.get("sessions_lost", 0)
    found = []
    if again:
        found.append(f"sent again: {again} (the target closed a kept connection just as a request was sent on it)")
    if lost:
        found.append(f"sessions lost: {lost} (the target closed a WebSocket between two messages, or forgot a session)")
    return found
