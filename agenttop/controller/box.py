"""Workers behind an interface (:class:`Box`), and those of this machine.

The controller pulls: ``poll`` hands out what workers said since the last acknowledged item, and items that were not
acknowledged come again. Commands carry a sequence number and are taken once. So a box can as well be on another machine
(``agenttop.fleet``); who gets which user and which arrival is dealt over all of them, by the controller.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from agenttop.budget.ledger import Grant
from agenttop.controller.items import Item, Items
from agenttop.controller.preflight import unreachable
from agenttop.metrics.boxes import BoxState
from agenttop.metrics.layout import Layout
from agenttop.profile.model import Profile
from agenttop.worker.lease import RENEW_S
from agenttop.worker.messages import (
    Answered,
    Broken,
    Dealt,
    Done,
    Drawn,
    Go,
    Granted,
    Halt,
    Lease,
    Ready,
    Report,
    Start,
    Steer,
    ToWorker,
    pack,
    receive_from_worker,
)


class Box(Protocol):
    """Some of a run's workers, wherever they are."""

    @property
    def lead_ns(self) -> int:
        """Return how long before the run begins it has to be told when, ns."""

    async def unreachable(self, profile: Profile) -> str | None:
        """Return what of a profile's targets cannot be reached from where the workers are; None if all can."""

    def states(self) -> tuple[BoxState, ...]:
        """Return how each machine stands; nothing where there is only this one."""

    def turn(self, name: str, *, on: bool) -> None:
        """Note that a machine is to have a part in the load, or none."""

    @property
    def off(self) -> list[int]:
        """Return the numbers of running workers that are to have no part in the load."""

    async def start(
        self,
        run_id: str,
        profile: Profile,
        secrets: tuple[str, ...],
        layout: Layout,
        first: int,
        count: int,
        total: int,
        limit_s: float | None = None,
    ) -> None:
        """Start ``count`` workers, numbers ``first`` … of ``total``, and wait until all are ready.

        They end by themselves after ``limit_s`` seconds, or with the plan.

        Raises:
            BoxError: one of them did not start.
        """

    def go(self, epoch_ns: int) -> None:
        """Begin at this moment of the machine's monotonic clock, in ns."""

    def command(self, seq: int, message: Steer | Dealt | Halt) -> None:
        """Pass a command on to every worker; one that was passed on already is not repeated."""

    def grant(self, number: int, grant: Grant) -> None:
        """Tell one worker what it may spend."""

    async def poll(self, ack_seq: int, wait_s: float) -> list[Item]:
        """Return everything after item ``ack_seq``, at once where there is something, else after ``wait_s`` seconds
        at most. Every call renews the workers' lease.
        """

    def pending(self, ack_seq: int) -> bool:
        """Return whether there is something after item ``ack_seq``."""

    def kill(self) -> None:
        """End the workers that are still there, now."""

    @property
    def alive(self) -> list[int]:
        """Return the numbers of the workers that are running."""

    async def stop(self, drain_s: float) -> None:
        """End every worker process: those still there after ``drain_s`` seconds are killed."""


@dataclass(slots=True)
class _Worker:
    number: int
    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    alive: bool = True
    done: bool = False
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None
    why: str = ""
    stopped_s: float | None = None
    dismissed: bool = False


class BoxError(Exception):
    """Workers could not be started; the message says why."""


class BoxAgent:
    """The worker processes of this machine (a :class:`Box`)."""

    lead_ns = 20_000_000

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers: list[_Worker] = []
        self._items = Items()
        self._command_seq = 0
        self._clock = clock
        self._going = False
        self._epoch_ns = 0
        self._renewed_s = clock()

    def turn(self, name: str, *, on: bool) -> None:
        """See :class:`Box`: there is no other machine."""

    @property
    def off(self) -> list[int]:
        """See :class:`Box`."""
        return []

    async def unreachable(self, profile: Profile) -> str | None:
        """See :class:`Box`."""
        return await unreachable(profile)

    def states(self) -> tuple[BoxState, ...]:
        """See :class:`Box`."""
        return ()

    async def start(
        self,
        run_id: str,
        profile: Profile,
        secrets: tuple[str, ...],
        layout: Layout,
        first: int,
        count: int,
        total: int,
        limit_s: float | None = None,
    ) -> None:
        """See :class:`Box`."""
        pickled = pickle.dumps(profile)
        here = tuple(range(first, first + count))
        for number in here:
            await self._spawn(Start(run_id, pickled, secrets, layout, number, total, limit_s, here))
        for worker in self._workers:
            waiting = asyncio.ensure_future(worker.ready.wait())
            assert worker.task is not None
            await asyncio.wait({waiting, worker.task}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if not worker.ready.is_set():
                raise BoxError(f"worker {worker.number} did not start: {worker.why or 'no answer within 30s'}")

    def go(self, epoch_ns: int) -> None:
        """See :class:`Box`."""
        self._epoch_ns = epoch_ns
        self._broadcast(Go(epoch_ns))
        self._going = True

    def command(self, seq: int, message: Steer | Dealt | Halt) -> None:
        """See :class:`Box`."""
        if seq > self._command_seq:
            self._command_seq = seq
            self._broadcast(message)

    def grant(self, number: int, grant: Grant) -> None:
        """See :class:`Box`."""
        for worker in self._workers:
            if worker.number == number and worker.alive and not worker.dismissed and not worker.writer.is_closing():
                worker.writer.write(pack(Granted(grant)))

    async def poll(self, ack_seq: int, wait_s: float, told_s: float | None = None) -> list[Item]:
        """See :class:`Box`. ``told_s``: whoever was lost before that has been told here; None for now."""
        self._renew(told_s)
        return await self._items.poll(ack_seq, wait_s)

    def _renew(self, told_s: float | None) -> None:
        now = self._clock()
        if self._going and now - self._renewed_s >= RENEW_S:
            self._renewed_s = now
            # A loss is told as it is heard of, so at a later moment than this.
            self._broadcast(Lease((time.perf_counter_ns() - self._epoch_ns) / 1e9 if told_s is None else told_s))

    def pending(self, ack_seq: int) -> bool:
        """See :class:`Box`."""
        return self._items.pending(ack_seq)

    def kill(self) -> None:
        """See :class:`Box`."""
        for worker in self._workers:
            if worker.alive and worker.process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    worker.process.kill()

    @property
    def alive(self) -> list[int]:
        """See :class:`Box`."""
        return [worker.number for worker in self._workers if worker.alive]

    async def stop(self, drain_s: float) -> None:
        """See :class:`Box`."""
        for worker in self._workers:
            if worker.process.returncode is None:
                try:
                    async with asyncio.timeout(drain_s):
                        await worker.process.wait()
                except TimeoutError:
                    with contextlib.suppress(ProcessLookupError):
                        worker.process.kill()
                    await worker.process.wait()
            if worker.task is not None:
                worker.task.cancel()
            worker.writer.close()

    async def _spawn(self, start: Start) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "agenttop.worker.worker", str(theirs.fileno()), pass_fds=[theirs.fileno()]
            )
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 24)
        worker = _Worker(start.worker, process, writer)
        self._workers.append(worker)
        worker.task = asyncio.create_task(self._listen(worker, reader))
        writer.write(pack(start))

    async def _listen(self, worker: _Worker, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                message = await receive_from_worker(reader)
                if isinstance(message, Report):
                    self._items.put(Item(self._items.number(), worker.number, delta=message.delta))
                elif isinstance(message, Drawn):
                    self._items.put(Item(self._items.number(), worker.number, draw=message.draw))
                elif isinstance(message, Answered):
                    self._items.put(Item(self._items.number(), worker.number, answers=message.answers))
                elif isinstance(message, Ready):
                    worker.ready.set()
                elif isinstance(message, Broken):
                    worker.why = message.message
                    self._dismiss(worker)
                elif isinstance(message, Done):
                    worker.done = True
                    worker.why, worker.stopped_s = message.why, message.stopped_s if message.why else None
                    self._dismiss(worker)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except msgspec.DecodeError as error:
            # Whatever it measures from now on would not be heard: better no load than one that nobody counts.
            worker.why = f"what it says cannot be read: {error}"
            with contextlib.suppress(ProcessLookupError):
                worker.process.kill()
        code = await worker.process.wait()
        worker.alive = False
        how = worker.why if worker.done and code == 0 else worker.why or _exit(code)
        self._items.put(Item(self._items.number(), worker.number, ended=True, exit=how, stopped_s=worker.stopped_s))

    @staticmethod
    def _dismiss(worker: _Worker) -> None:
        """Close our side to a worker that has sent its last message: it waits for that, so that no message is lost."""
        worker.dismissed = True
        with contextlib.suppress(OSError):
            worker.writer.write_eof()

    def _broadcast(self, message: ToWorker) -> None:
        for worker in self._workers:
            if worker.alive and not worker.dismissed and not worker.writer.is_closing():
                worker.writer.write(pack(message))


def _exit(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"
