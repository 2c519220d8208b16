"""Remembers the heads of answers that were parsed before: equal bytes mean the same.

Most targets send the same head again and again, but for the second in its ``Date``. An answer that came in one read
behind a head that is known needs no parser. Without the system calls ``send`` and ``data_received`` then take 1.2 µs
instead of 2.3 for an answer that is only timed, 1.4 instead of 3.5 for one that is read.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*(?=\r\n|$)")


class KnownHead(NamedTuple):
    """What a head means, for an answer whose body has a length and whose connection is kept."""

    status: int
    length: int
    """Bytes of the body."""
    lean: bool
    """See :func:`is_lean`."""
    headers: dict[str, str] | None
    """Names in lower case; None if they have not been read."""


class Heads:
    """A bounded memory of heads, from the status line to the byte before the empty line."""

    __slots__ = ("_known", "_misses", "find")

    MAX_KNOWN = 64
    MAX_LENGTH = 4096

    def __init__(self) -> None:
        self._known: dict[bytes, KnownHead] = {}
        self._misses = 0
        self.find = self._known.get
        """Returns what is known of a head, or None."""

    def learn(self, head: bytes, status: int, length: int, headers: dict[str, str] | None) -> None:
        """Remember the head of an answer that was whole in one read, and kept its connection."""
        self._misses += 1
        if len(head) > self.MAX_LENGTH or (len(self._known) >= self.MAX_KNOWN and self._misses % 16):
            # A target that makes every head anew is hardly worth remembering.
            return
        lower = head.lower()
        # What came first may have been an interim answer; chunks and compression say themselves where a body ends.
        if lower[9:10] == b"1" or b"transfer-encoding" in lower or b"content-encoding" in lower:
            return
        said = _LENGTH.search(lower)
        if length != (int(said[1]) if said is not None else 0):
            # Something followed the body (an empty line, perhaps) that is not part of it; or there was no body to send.
            return
        if len(self._known) >= self.MAX_KNOWN:
            self._known.clear()
        self._known[head] = KnownHead(status, length, is_lean(lower), headers)


HEADS = Heads()
"""The heads of this process: what a head means does not depend on who sent it."""


def is_lean(head: bytes) -> bool:
    """Return whether a head, in lower case, says that only status, size and times of its answer matter.

    Such a head begins no stream, sets no cookie, and tells neither phases nor what remains of a limit.
    """
    return (
        head[9:10] == b"2"
        and b"event-stream" not in head
        and b"server-timing" not in head
        and b"set-cookie" not in head
        and b"ratelimit" not in head
    )
