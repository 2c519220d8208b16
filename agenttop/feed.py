"""Where a view gets its run from: live over a socket, or made up in a test. Views know only this."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot

#: The commands a prompt offers to complete.
COMMANDS = (
    "start",
    "users",
    "rate",
    "hold",
    "resume",
    "pause",
    "next",
    "release",
    "plan",
    "think",
    "pacing",
    "on_429",
    "stop",
    "stop now",
    "status",
)


class Feed(Protocol):
    """A run as a view sees it."""

    async def open(self) -> RunInfo:
        """Connect and return what does not change.

        Raises:
            ConnectionError: there is no such run, or it is over.
        """

    def messages(self) -> AsyncIterator[Snapshot | Ended]:
        """Snapshots as they come, then :class:`Ended`; ends early where the connection is lost."""

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Send a command (``users +10 chat``, ``hold``, ``stop`` …, the grammar of ``run.command``) and wait for its
        answer.
        """

    async def close(self) -> None:
        """Leave; the run goes on."""


class ReadOnly:
    """A feed whose viewer looks and changes nothing."""

    can_detach = True
    read_only = True

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def open(self) -> RunInfo:
        """See :class:`Feed`."""
        return await self._feed.open()

    def messages(self) -> AsyncIterator[Snapshot | Ended]:
        """See :class:`Feed`."""
        return self._feed.messages()

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Refuse it."""
        return Reply(-1, False, "this viewer only looks")

    async def close(self) -> None:
        """See :class:`Feed`."""
        await self._feed.close()


def is_read_only(feed: Feed) -> bool:
    """Whether a feed's run cannot be changed from here: it says so with an attribute ``read_only = True``."""
    return bool(getattr(feed, "read_only", False))


def can_detach(feed: Feed) -> bool:
    """Whether the run goes on without this viewer: a feed says so with an attribute ``can_detach = True``."""
    return bool(getattr(feed, "can_detach", False))
