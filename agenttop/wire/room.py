"""Limits memory for what is large: bodies, events and messages beyond their first MiB, of all connections together."""

from __future__ import annotations

LARGE = 1 << 20
"""Bytes of one thing that are not counted."""
MAX_ROOM = 96 << 20
"""Bytes of all that is larger together: a worker stays below 200 MB, whatever its targets send."""
MAX_HELD = 64 << 20
"""Bytes that one body, event or message may have: images are some 40 MB."""


class Room:
    """Counts how much room is taken."""

    def __init__(self) -> None:
        self.used = 0

    def change(self, before: int, now: int) -> bool:
        """Change what something takes from ``before`` bytes to ``now``; return False, and change nothing, if there is
        no room.
        """
        if now > MAX_HELD:
            return False
        more = max(now - LARGE, 0) - max(before - LARGE, 0)
        if more > 0 and self.used + more > MAX_ROOM:
            return False
        self.used += more
        return True


ROOM = Room()
"""The room of this process."""
