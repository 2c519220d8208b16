"""The interface from which a view gets its run: over a socket, from a journal, or made up in a test.

Views know only this.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from agenttop.metrics.snapshot import KEPT_EVENTS, Ended, Event, Reply, RunInfo, Snapshot

#: A controller that has not answered a command for so long does not work.
ANSWER_S = 2.0
#: What is said of it.
SILENT = "its controller is stopped, or starved of its core"


class Feed(Protocol):
    """A run as a view sees it."""

    async def open(self) -> RunInfo:
        """Connect and return what does not change.

        Raises:
            ConnectionError: there is no such run, or it is over.
        """

    def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        """Yield snapshots as they come, then :class:`Ended`; end early if the connection is lost.

        A :class:`RunInfo` among them begins the history anew: somebody went back in time.
        """

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Send a command (``users +10 chat``, ``hold``, ``stop`` …, as in ``steering.commands``) and return its
        answer.
        """

    async def kill(self) -> str:
        """End the load at once: by the command ``stop now``, or by force if that is not answered.

        Return a message for the user; empty if there is nothing to say.
        """

    async def close(self) -> None:
        """Leave; the run goes on."""


#: What who only looks is told.
LOOKS = "this viewer only looks"


class ReadOnly:
    """A feed whose viewer looks and changes nothing."""

    can_detach = True
    read_only = True

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def open(self) -> RunInfo:
        """See :class:`Feed`."""
        return await self._feed.open()

    def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        """See :class:`Feed`."""
        return self._feed.messages()

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Refuse it."""
        return Reply(-1, False, LOOKS)

    async def kill(self) -> str:
        """Refuse it."""
        return LOOKS

    async def close(self) -> None:
        """See :class:`Feed`."""
        await self._feed.close()


def is_read_only(feed: Feed) -> bool:
    """Return whether a feed's run cannot be changed from here: its attribute ``read_only`` is True."""
    return bool(getattr(feed, "read_only", False))


@dataclass(frozen=True, slots=True)
class Cursor:
    """Position of a replay; times are seconds since its run began."""

    t_s: float
    end_s: float
    """End of what was recorded."""
    speed: float
    playing: bool
    note: str = ""
    """A note about the record's end: cut off, damaged, still going."""


class Player(Protocol):
    """The controls of a replay, whose time is the viewer's: a feed's attribute ``player``."""

    @property
    def cursor(self) -> Cursor:
        """Return the position."""

    def toggle(self) -> None:
        """Pause, or play on; at the end, play from the beginning."""

    def step(self, seconds: float) -> None:
        """Go forward, or back if ``seconds`` is below 0."""

    def to_begin(self) -> None:
        """Go to the first second."""

    def to_end(self) -> None:
        """Go to the last second."""

    def change_speed(self) -> None:
        """Change to the next of a few speeds, and round."""


class Events:
    """All events a viewer has received, at most :data:`KEPT_EVENTS`: a snapshot has only the newest."""

    def __init__(self, so_far: Iterable[Event] = ()) -> None:
        self._kept: deque[Event] = deque(so_far, maxlen=KEPT_EVENTS)

    def complete(self, snapshot: Snapshot) -> Snapshot:
        """Return the snapshot with the events before its own."""
        known, told = tuple(self._kept), snapshot.events
        overlap = next(n for n in range(min(len(known), len(told)), -1, -1) if known[len(known) - n :] == told[:n])
        self._kept.extend(told[overlap:])
        return replace(snapshot, events=tuple(self._kept)) if len(self._kept) > len(told) else snapshot


def can_detach(feed: Feed) -> bool:
    """Return whether the run goes on without this viewer: the feed's attribute ``can_detach`` is True."""
    return bool(getattr(feed, "can_detach", False))


def is_attached(feed: Feed) -> bool:
    """Return whether the run was begun elsewhere, so that Ctrl-C must not end it: the feed's attribute ``attached`` is
    True.
    """
    return bool(getattr(feed, "attached", False))


def player_of(feed: Feed) -> Player | None:
    """Return the controls of a replay; None if the feed's time is the run's."""
    return getattr(feed, "player", None)
