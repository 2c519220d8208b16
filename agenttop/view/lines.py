"""The view without a terminal: a line a second, for pipes, logs, CI and ``TERM=dumb``."""

from __future__ import annotations

import asyncio
import math
import select
import signal
from collections import deque
from dataclasses import dataclass
from typing import TextIO

from agenttop.metrics.assessment import EVENT
from agenttop.metrics.snapshot import TRUSTED_EVENT, Ended, Event, RunInfo, Snapshot
from agenttop.report.line import render_line
from agenttop.view import held, pipes
from agenttop.view.feed import ANSWER_S, SILENT, Feed, is_attached


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a view ended: with the run (``ended``), or without it (``left``)."""

    ended: Ended | None
    left: bool = False
    failed: bool = False
    """The view itself failed, and has said so."""


#: Lines that are kept for a reader who has stopped reading; the oldest are dropped.
KEPT_LINES = 10_000
#: How long somebody who wants the end waits for the reader.
GRACE_S = 2.0
#: How long it may take to end a run by force.
KILLED_S = 10.0
#: A reader is looked after so often.
_AGAIN_S = 0.05


class Lines:
    """Lines on their way to a reader. They are kept while it takes none (a pager, a terminal on hold): a program that
    waits in ``write`` would hear no signal.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._kept: deque[str] = deque(maxlen=KEPT_LINES)

    def say(self, line: str) -> None:
        """Print a line as soon as all before it are printed."""
        self._kept.append(line)
        self.flush()

    def flush(self) -> bool:
        """Print what the reader takes; return whether that was all."""
        while self._kept and self._takes():
            pipes.say(self._kept.popleft(), self._out)
        return not self._kept

    def _takes(self) -> bool:
        try:
            return bool(select.select([], [self._out], [], 0)[1])
        except (OSError, ValueError):  # no file of the system's
            return True


#: What is told of that is no fault: the verdict, and that a fault told of is over.
_TOLD = (EVENT, TRUSTED_EVENT)


class Teller:
    """Formats second after second: first what has gone wrong since the last one, then the second itself."""

    def __init__(self, info: RunInfo) -> None:
        self._info = info
        self._told: set[Event] = set()

    def __call__(self, snapshot: Snapshot) -> list[str]:
        # The steps of a search are what one waits for.
        searching = snapshot.search is not None
        news = [
            event
            for event in snapshot.events
            if event not in self._told and (event.level != "info" or searching or event.text.startswith(_TOLD))
        ]
        self._told = set(snapshot.events)
        lines = [f"  {'!' if event.level != 'info' else '·'} {event.text}" for event in news]
        info = self._info if snapshot.edited is None else snapshot.edited.of(self._info)
        return [*lines, render_line(snapshot, info)]


async def follow(feed: Feed, out: TextIO) -> Outcome:
    """Print a line a second until the run is over.

    Ctrl-C and SIGTERM stop the run gracefully, a second one at once; SIGHUP leaves it going. A run that was begun
    elsewhere is left going by all of them.
    """
    info = await feed.open()
    loop = asyncio.get_running_loop()
    lines = Lines(out)
    say = lines.say
    left = asyncio.Event()
    asked = 0
    pending: set[asyncio.Task[object]] = set()

    def stop() -> None:
        nonlocal asked
        asked += 1
        if is_attached(feed):
            say(f"the run goes on; to stop it: agenttop ctl {info.run_id} stop")
            left.set()
            return
        if asked <= 2:
            say("stopping: requests in flight may end; once more ends at once" if asked == 1 else "stopping now")
        task: asyncio.Task[object] = loop.create_task(ask() if asked == 1 else end())
        pending.add(task)
        task.add_done_callback(pending.discard)

    async def ask() -> None:
        try:
            async with asyncio.timeout(ANSWER_S):
                await feed.command("stop", source="key")
        except TimeoutError:
            say(f"! the run does not answer: {SILENT}; once more ends its load")

    async def end() -> None:
        if said := await feed.kill():
            say(f"! {said}")

    for number in held.heard():
        loop.add_signal_handler(number, left.set if number == signal.SIGHUP else stop)
    held.release()
    seconds = f"{info.duration_s:.0f}s planned" if info.duration_s < 86_000 else "no end planned"
    workers = f"{info.workers} worker{'s' if info.workers != 1 else ''}"
    where = f" on {', '.join(box.name for box in info.boxes)}" if info.boxes else ""
    say(f"agenttop {info.profile}: {info.target}, {seconds}, {workers}{where}")

    ended: Ended | None = None

    async def read() -> None:
        nonlocal ended
        tell = Teller(info)
        armed = False
        async for message in feed.messages():
            if isinstance(message, Ended):
                ended = message
                return
            if isinstance(message, Snapshot) and message.state == "armed":
                if not armed:
                    say(f"ARMED: nothing is sent before: agenttop ctl {info.run_id} start")
                armed = True
            elif isinstance(message, Snapshot):
                for line in tell(message):
                    say(line)

    reading = loop.create_task(read())
    waiting = loop.create_task(left.wait())
    try:
        await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
        before, until_s = asked, loop.time() + (GRACE_S if asked else math.inf)
        while True:
            if lines.flush() or left.is_set() or asked > before or loop.time() > until_s:
                break
            await asyncio.sleep(_AGAIN_S)
        if ended is None and pending:
            await asyncio.wait(pending, timeout=KILLED_S)  # what was done to end it
            lines.flush()
    finally:
        waiting.cancel()
        if left.is_set():
            reading.cancel()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)
        await feed.close()
    if not left.is_set():
        reading.result()
    return Outcome(ended, left=left.is_set())
