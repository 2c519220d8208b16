"""Where a view gets its run from: over a socket as it goes, out of a journal, or made up in a test.

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
        """Snapshots as they come, then :class:`Ended`; ends early where the connection is lost.

        A :class:`RunInfo` among them begins the history anew: somebody went back in time.
        """

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Send a command (``users +10 chat``, ``hold``, ``stop`` …, the table of ``steering.commands``) and wait for
        its answer.
        """

    async def kill(self) -> str:
        """End the load at once, whatever its controller does: by the command ``stop now``, and by force where that is
        not answered. Return what is to be said of it; empty where nothing is.
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
    """Whether a feed's run cannot be changed from here: it says so with an attribute ``read_only = True``."""
    return bool(getattr(feed, "read_only", False))


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a replay stands; times are seconds since its run began."""

    t_s: float
    end_s: float
    """Of what was recorded."""
    speed: float
    playing: bool
    note: str = ""
    """What is to be said of the record's end: cut off, damaged, still going."""


class Player(Protocol):
    """What a feed has besides where its time is the viewer's: its attribute ``player``."""

    @property
    def cursor(self) -> Cursor:
        """Where it stands."""

    def toggle(self) -> None:
        """Pause, or play on; at the end play from the beginning."""

    def step(self, seconds: float) -> None:
        """Forward, or back below 0."""

    def to_begin(self) -> None:
        """To the first second."""

    def to_end(self) -> None:
        """To the last second."""

    def change_speed(self) -> None:
        """To the next of a few speeds, and round."""


class Events:
    """All events a viewer has been told of, :data:`KEPT_EVENTS` at most: a snapshot has the newest alone."""

    def __init__(self, so_far: Iterable[Event] = ()) -> None:
        self._kept: deque[Event] = deque(so_far, maxlen=KEPT_EVENTS)

    def complete(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with those before its own."""
        known, told = tuple(self._kept), snapshot.events
        overlap = next(n for n in range(min(len(known), len(told)), -1, -1) if known[len(known) - n :] == told[:n])
        self._kept.extend(told[overlap:])
        return replace(snapshot, events=tuple(self._kept)) if len(self._kept) > len(told) else snapshot


def can_detach(feed: Feed) -> bool:
    """Whether the run goes on without this viewer: a feed says so with an attribute ``can_detach = True``."""
    return bool(getattr(feed, "can_detach", False))


def is_attached(feed: Feed) -> bool:
    """Return whether the run was begun elsewhere, so that a Ctrl-C is no wish to end it: a feed says so with an
    attribute ``attached = True``.
    """
    return bool(getattr(feed, "attached", False))


def player_of(feed: Feed) -> Player | None:
    """The controls of a feed whose time is the viewer's; None where time is the run's."""
    return getattr(feed, "player", None)
