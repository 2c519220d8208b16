"""Memory for what is large: bodies, events and messages beyond their first MiB, of all connections of this process."""

from __future__ import annotations

LARGE = 1 << 20
"""Bytes that need no room."""
MAX_ROOM = 96 << 20
"""Bytes of all that is larger together: a worker stays below 200 MB, whatever its targets send."""
MAX_HELD = 64 << 20
"""Bytes that one body, event or message may have: images are some 40 MB."""


class Room:
    """How much is taken."""

    def __init__(self) -> None:
        self.used = 0

    def change(self, before: int, now: int) -> bool:
        """Something that took ``before`` bytes takes ``now``. False where there is no room for it: it takes what it
        took.
        """
        if now > MAX_HELD:
            return False
        more = max(now - LARGE, 0) - max(before - LARGE, 0)
        if more > 0 and self.used + more > MAX_ROOM:
            return False
        self.used += more
        return True


ROOM = Room()
"""That of this process."""
