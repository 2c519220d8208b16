"""Plays a journal back as of any of its seconds.

A second is made by folding all before it, at less than a millisecond each. So that going back stays quick, copies of
what was folded are kept on the way, compressed, :data:`COPIES` at most: the longer the journal the further apart, and
what it takes is bounded but for its timeline (14 MB a day).
"""

from __future__ import annotations

import pickle
import zlib
from array import array
from collections.abc import Callable
from pathlib import Path

import msgspec

from agenttop.journal.journal import BROKEN, FILE_NAME, MAGIC, JournalError, as_journal, next_payload, put_back
from agenttop.journal.refold import Refold, Second
from agenttop.journal.summarize import RunHeader
from agenttop.metrics.snapshot import RunInfo, Snapshot
from agenttop.metrics.timeline import Timeline
from agenttop.schedule.quantities import clock

#: Copies that are kept, and seconds between two of them in a short journal.
COPIES = 64
APART_S = 15


class _Time(msgspec.Struct):
    t_s: float


class _When(msgspec.Struct):
    """When a second ended, and nothing else of it: skipping is much quicker than decoding."""

    situation: _Time


class Playback:
    """The playback of one journal. ``at`` is how many of its seconds are folded; a context manager.

    Args:
        directory: of the run.
        live: the run goes on; what it writes from now on is not seen.

    Raises:
        OSError: there is no journal that can be read.
        JournalError: it is none, or holds no second.
    """

    def __init__(self, directory: Path, *, live: bool = False) -> None:
        self._file = (directory / FILE_NAME).open("rb")
        try:
            with as_journal(self._file.name):
                self._header = self._read_header()
                self._begins = array("q")
                damaged = self._index()
                if not self._begins:
                    raise JournalError(f"{directory / FILE_NAME}: the journal holds no second yet")
                last = self._second(len(self) - 1)
                self._fold = Refold(self._header, live_only=True)
        except BaseException:
            self._file.close()
            raise
        self.end_s = last.situation.t_s
        """When its last second ended, in seconds since the run began."""
        self.note = ""
        """A note about its end; empty if the journal is whole."""
        if damaged:
            self.note = f"the journal is damaged after {clock(self.end_s)}"
        elif live:
            self.note = f"the run goes on after {clock(self.end_s)}"
        elif last.situation.state != "done":
            self.note = f"the run was cut off at {clock(self.end_s)}"
        self._timeline = Timeline()
        """Ticks of all seconds that were ever folded; the copies have none."""
        self._copies: dict[int, bytes] = {}
        self._apart = APART_S
        self.at = 0

    def __len__(self) -> int:
        return len(self._begins)

    def __enter__(self) -> Playback:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def info(self) -> RunInfo:
        """Return the run, with its timeline up to the present position."""
        history = self._timeline.overview(length=self.at)
        fold, edited = self._fold, self._fold.figures.aggregate.edited
        info = self._header.info if edited is None else edited.of(self._header.info)
        told = {"events": tuple(fold.events), "by_hand": tuple(fold.manual_changes.values())}
        pasts = fold.figures.aggregate.trends.told()
        return msgspec.structs.replace(info, history=history, pasts=pasts, **told)

    def snapshot(self) -> Snapshot:
        """The picture where this stands."""
        with as_journal(self._file.name):
            return self._fold.snapshot()

    @property
    def t_s(self) -> float:
        """Return the present position in seconds since the run began."""
        return self._fold.end_s

    def count_at(self, t_s: float) -> int:
        """Return how many seconds had ended at ``t_s``; at least 1. A journal written to a full disk may have gaps."""
        low, high = 1, len(self)
        while low < high:
            middle = (low + high + 1) // 2
            try:
                before = self._when(middle - 1) <= t_s
            except BROKEN:
                before = False
            if before:
                low = middle
            else:
                high = middle - 1
        return low

    def move(self, count: int, out_of_time: Callable[[], bool] = lambda: False) -> bool:
        """Fold up to ``count`` seconds, from the nearest copy on.

        Returns:
            False where ``out_of_time`` said so before it was there; call again to go on.

        Raises:
            JournalError: no second can be folded. Where another than the first cannot be, the journal ends before it.
        """
        try:
            return self._move(count, out_of_time)
        except BROKEN:
            self._end_here()
            return self._move(min(count, len(self)), out_of_time)

    def _end_here(self) -> None:
        """What follows is no second: leave it out."""
        if not self.at:
            raise JournalError(f"{self._file.name}: not a journal of this version, or damaged in its first second")
        del self._begins[self.at :]
        self._copies = {at: copy for at, copy in self._copies.items() if at <= self.at}
        self._restore(max((at for at in self._copies if at <= self.at), default=0))
        self.end_s = self._when(len(self) - 1)
        self.note = f"the journal is damaged after {clock(self.end_s)}"

    def _move(self, count: int, out_of_time: Callable[[], bool]) -> bool:
        count = max(1, min(count, len(self)))
        nearest = max((copy for copy in self._copies if copy <= count), default=0)
        if count < self.at or nearest > self.at:
            self._restore(nearest)
        while self.at < count:
            tick = self._fold.add(self._second(self.at))
            self._fold.figures.aggregate.timeline.forget()
            self.at += 1
            if self.at > len(self._timeline):
                self._timeline.append(tick)
            if self.at % self._apart == 0 and self.at not in self._copies:
                self._keep()
            if self.at < count and out_of_time():
                return False
        return True

    def _restore(self, count: int) -> None:
        # Our own bytes: they have never been anywhere but in this process.
        self._fold = (
            pickle.loads(zlib.decompress(self._copies[count])) if count else Refold(self._header, live_only=True)
        )
        self.at = count

    def _keep(self) -> None:
        self._copies[self.at] = zlib.compress(pickle.dumps(self._fold, pickle.HIGHEST_PROTOCOL), 1)
        if len(self._copies) > COPIES:
            self._apart *= 2
            self._copies = {at: copy for at, copy in self._copies.items() if at % self._apart == 0}

    def _read_header(self) -> RunHeader:
        name = self._file.name
        if self._file.read(len(MAGIC)) != MAGIC:
            raise JournalError(f"{name}: not a journal of this version")
        payload = next_payload(self._file.read)
        if payload is None:
            raise JournalError(f"{name}: the journal ends before its header")
        return msgspec.msgpack.decode(payload, type=RunHeader)

    def _index(self) -> bool:
        """Note where every second begins; return whether the journal is damaged behind the last."""
        begin = self._file.tell()
        while next_payload(self._file.read, unpack=False) is not None:
            self._begins.append(begin)
            begin = self._file.tell()
        self._file.seek(0, 2)
        damaged = self._file.tell() > begin
        while self._begins:
            try:
                self._second(len(self) - 1)
            except BROKEN:
                self._begins.pop()
                damaged = True
            else:
                break
        return damaged

    def _payload(self, index: int) -> bytes:
        self._file.seek(self._begins[index])
        payload = next_payload(self._file.read)
        if payload is None:
            raise JournalError(f"{self._file.name}: the journal has changed")
        return payload

    def _second(self, index: int) -> Second:
        second = msgspec.msgpack.decode(self._payload(index), type=Second)
        return put_back(second, self._header.layout.closed)

    def _when(self, index: int) -> float:
        return msgspec.msgpack.decode(self._payload(index), type=_When).situation.t_s
