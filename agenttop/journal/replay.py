"""Replays a journal as a feed, at the pace of a clock, from wherever the viewer goes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable

from msgspec.structs import replace

from agenttop.journal.journal import JournalError
from agenttop.journal.playback import Playback
from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot
from agenttop.view.feed import Cursor

#: The speeds a key goes through.
SPEEDS = (1.0, 10.0, 60.0)
#: A picture is due so long after the last, however fast it goes.
FRAME_S = 0.2
#: Folding stops so often to let the screen draw and keys come.
SLICE_S = 0.05
#: Seconds that are played one by one; a longer way is a jump.
JUMP = 60


class ReplayFeed:
    """Plays a journal (:class:`agenttop.view.feed.Feed` and :class:`agenttop.view.feed.Player`).

    Args:
        playback: the journal; closed with the feed.
        speed: seconds of the run in one of the viewer's.
        playing: it begins at once.
        clock: monotonic seconds.
    """

    can_detach = False

    def __init__(
        self,
        playback: Playback,
        *,
        speed: float = SPEEDS[0],
        playing: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._playback = playback
        self._speed = speed
        self._playing = playing
        self._clock = clock
        self._first_s = self._wanted_s = 0.0
        self._moved = asyncio.Event()
        self._seq = 0
        self._shown: Snapshot | None = None
        """The newest picture."""

    # -- agenttop.view.feed.Feed

    async def open(self) -> RunInfo:
        """See :class:`agenttop.view.feed.Feed`."""
        self._playback.move(1)
        self._first_s = self._wanted_s = self._playback.t_s
        return self._playback.info()

    async def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        """See :class:`agenttop.view.feed.Feed`; never comes to an end by itself."""
        before_s = self._clock()
        yield self._picture()
        while True:
            now_s = self._clock()
            if self._playing:
                self._wanted_s += (now_s - before_s) * self._speed
            before_s = now_s
            if self._wanted_s >= self._playback.end_s:
                self._wanted_s, self._playing = self._playback.end_s, False
            wanted = self._playback.count_at(self._wanted_s)
            if not 0 <= wanted - self._playback.at <= JUMP:
                there = self._playback.move(wanted, self._slice())
                yield self._playback.info()
                yield self._picture()
                if not there:
                    await asyncio.sleep(0)
                    continue
            while self._playback.at < wanted:
                self._playback.move(self._playback.at + 1)
                yield self._picture()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), self._pause_s())
            self._moved.clear()

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Refuse it: a replay has no load to steer."""
        return Reply(-1, False, "this is a replay")

    async def kill(self) -> str:
        """Refuse it: a replay has no load to end."""
        return "this is a replay"

    async def close(self) -> None:
        """See :class:`agenttop.view.feed.Feed`."""
        self._playback.close()

    # -- agenttop.view.feed.Player

    @property
    def player(self) -> ReplayFeed:
        """Return these controls."""
        return self

    @property
    def cursor(self) -> Cursor:
        """See :class:`agenttop.view.feed.Player`."""
        playback = self._playback
        return Cursor(playback.t_s, playback.end_s, self._speed, self._playing, playback.note)

    def toggle(self) -> None:
        """See :class:`agenttop.view.feed.Player`."""
        if not self._playing and self._wanted_s >= self._playback.end_s:
            self._wanted_s = self._first_s
        self._playing = not self._playing
        self._moved.set()

    def step(self, seconds: float) -> None:
        """See :class:`agenttop.view.feed.Player`."""
        self._go(self._wanted_s + seconds)

    def to_begin(self) -> None:
        """See :class:`agenttop.view.feed.Player`."""
        self._go(self._first_s)

    def to_end(self) -> None:
        """See :class:`agenttop.view.feed.Player`."""
        self._go(self._playback.end_s)

    def change_speed(self) -> None:
        """See :class:`agenttop.view.feed.Player`."""
        self._speed = next((speed for speed in SPEEDS if speed > self._speed), SPEEDS[0])
        self._moved.set()

    # -- pieces

    def _go(self, t_s: float) -> None:
        self._wanted_s = min(max(t_s, self._first_s), self._playback.end_s)
        self._moved.set()

    def _picture(self) -> Snapshot:
        self._seq += 1
        try:
            self._shown = self._playback.snapshot()
        except JournalError as error:
            if self._shown is None:
                raise
            self._playing, self._playback.note = False, str(error)  # the last that can be shown stays
        return replace(self._shown, seq=self._seq)

    def _slice(self) -> Callable[[], bool]:
        until_s = self._clock() + SLICE_S
        return lambda: self._clock() >= until_s

    def _pause_s(self) -> float | None:
        """Return the seconds until the next second is due; None while it is paused."""
        if not self._playing:
            return None
        return max(FRAME_S, 1 / self._speed - (self._wanted_s % 1) / self._speed)
