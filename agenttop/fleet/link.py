"""One box of a run as the controller sees it: what it is told, what it says, and whether it is there.

up ──1 s without an answer──► silent ──the lease of its workers is over──► lost (for good: its agent is ended)
 ▲◄────────── an answer ────────┘
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from agenttop.controller.items import Item
from agenttop.fleet.files import carried
from agenttop.fleet.messages import Begin, Granted, Kill, Told, items_of, pack
from agenttop.fleet.ssh import BoxLost, Remote
from agenttop.metrics.boxes import LOST, OFF, SILENT, UP, BoxInfo, BoxState
from agenttop.metrics.layout import Layout
from agenttop.profile.model import Profile
from agenttop.worker.lease import LEASE_S, Lease
from agenttop.worker.messages import Dealt, Go, Halt, Steer

#: A box that has nothing to say answers after so long.
WAIT_S = 0.2
SILENT_S = 1.0
#: By then its workers have stopped, where they ran at all; a call takes its time besides.
LOST_S = LEASE_S + 2 * WAIT_S
#: Seconds between two measurements of its clock.
CLOCK_S = 2.0


class Link:
    """The controller's end of one box.

    Args:
        remote: its agent process.
        actor: the actor of Dask that its agent is (:class:`~agenttop.fleet.agent.Agent`).
        info: what is known of it.
    """

    put: Callable[[Item], object]
    """Takes what its workers say, and its loss; numbers are anew."""
    elapsed: Callable[[], float]
    """The run's clock."""

    def __init__(self, remote: Remote, actor: Any, info: BoxInfo) -> None:
        self.remote = remote
        self.info = info
        self.alive: set[int] = set()
        self.off = False
        self.why = ""
        """Why it is lost; empty as long as it is not."""
        self._actor = actor
        self._lease = Lease()
        self._outbox: deque[tuple[Told, float]] = deque()
        self._news = asyncio.Event()
        self._seq = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def state(self) -> BoxState:
        """Return how it stands."""
        silent = self._lease.silent_s >= SILENT_S
        state = LOST if self.why else SILENT if silent else OFF if self.off else UP
        clock = self.remote.clock
        return BoxState(self.info.name, state, clock.trip / 1e6, clock.error / 1e6, clock.offset / 1e6, self.off)

    async def unreachable(self, profile: Profile) -> str:
        """Return what of a profile's targets cannot be reached from there; empty if all can.

        Raises:
            BoxLost: it cannot be asked.
        """
        return str(await self._call(self._actor.unreachable(pickle.dumps(profile))))

    async def start(
        self, run_id: str, profile: Profile, secrets: tuple[str, ...], layout: Layout, total: int, limit_s: float | None
    ) -> None:
        """Start its workers.

        Raises:
            BoxLost: one of them did not start.
        """
        there, files = carried(profile, self.remote.hello.folder)
        for path, content in files.items():
            await self.remote.send_file(path, content)
        first, count = self.info.first, self.info.count
        begin = Begin(run_id, pickle.dumps(there), secrets, layout, first, count, total, limit_s)
        if why := await self._call(self._actor.start(pack(begin))):
            raise BoxLost(str(why))
        self.alive = set(range(first, first + count))
        self._tasks = [
            asyncio.create_task(self._guarded(each))
            for each in (self._poll(), self._tell(), self._measure(), self._mind())
        ]

    def tell(self, what: Steer | Dealt | Halt | Granted | Kill) -> None:
        """Tell it something, after all that was told before."""
        if self.why:
            return
        self._seq += 1
        # A loss is dated a moment before we hear of it here.
        at_s = min(self.elapsed(), what.members.from_s) if isinstance(what, Dealt) else self.elapsed()
        self._outbox.append((Told(self._seq, what), at_s))
        self._news.set()

    def go(self, epoch_ns: int) -> None:
        """Tell it when the run begins, by our clock; it hears it by its own."""
        self._seq += 1
        self._outbox.append((Told(self._seq, Go(epoch_ns + self.remote.clock.agree())), 0.0))
        self._news.set()

    async def stop(self, drain_s: float) -> None:
        """End its workers, its agent, and what may be left of them."""
        for task in self._tasks:
            task.cancel()
        if not self.why and not self.remote.gone.is_set():
            with contextlib.suppress(BoxLost, TimeoutError):
                async with asyncio.timeout(drain_s + 1.0):
                    await self._call(self._actor.stop(drain_s))
        await self.remote.close()

    # -- inside

    async def _call(self, call: Any) -> Any:
        """Return what a call of the actor returns.

        Raises:
            BoxLost: the box is gone meanwhile, or the call failed.
        """
        calling = asyncio.ensure_future(call)
        gone = asyncio.ensure_future(self.remote.gone.wait())
        try:
            await asyncio.wait({calling, gone}, return_when=asyncio.FIRST_COMPLETED)
            if calling.done() and calling.exception() is None:
                return calling.result()
            # Dask notices that a connection is closed before we hear how the process ended.
            await asyncio.wait({gone}, timeout=1.0)
            if gone.done():
                raise BoxLost(self.remote.why)
            error = calling.exception() if calling.done() else None
            raise BoxLost(f"{type(error).__name__}: {error}")
        finally:
            calling.cancel()
            gone.cancel()

    def _told_s(self) -> float:
        """Return until when everything has been told to it: a loss that it knows nothing of is later."""
        return min((at_s for _, at_s in self._outbox), default=self.elapsed())

    async def _guarded(self, doing: Coroutine[Any, Any, None]) -> None:
        """Lose the box where something fails that is done with it all the time."""
        try:
            await doing
        except BoxLost as error:
            self._lose(str(error))
        except Exception as error:  # whatever it says cannot be understood, or not be told
            self._lose(f"{type(error).__name__}: {error}")

    async def _poll(self) -> None:
        ack = 0
        while True:
            data = await self._call(self._actor.poll(ack, WAIT_S, self._told_s()))
            self._lease.renew()
            for item in items_of(data):
                if item.seq <= ack:
                    continue
                ack = item.seq
                if item.ended:
                    self.alive.discard(item.worker)
                self.put(item)

    async def _tell(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._outbox:
                batch = [told for told, _ in self._outbox]
                await self._call(self._actor.tell(pack(batch)))
                while self._outbox and self._outbox[0][0].seq <= batch[-1].seq:
                    self._outbox.popleft()

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            await self.remote.measure()
            await self.remote.measure()

    async def _mind(self) -> None:
        """Lose it when it has not answered for too long, in time that we listened."""
        loop = asyncio.get_running_loop()
        while self._lease.silent_s < LOST_S:
            await asyncio.sleep(0.05)
            self._lease.look(loop.time())
        self._lose(f"it has not answered for {LOST_S:.1f} s")

    def _lose(self, why: str) -> None:
        """Give it up: its agent is ended, so that it never comes back."""
        if self.why:
            return
        self.why = why
        lost, self.alive = tuple(sorted(self.alive)), set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()
        self._outbox.clear()
        if lost:
            self.put(Item(0, -1, lost=lost, exit=f"{self.info.name} was lost: {why}"))
        self._tasks.append(asyncio.create_task(self.remote.close(0.0)))
