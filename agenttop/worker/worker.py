"""A worker: one process, one event loop, its share of every pool's users. Started as ``python -m agenttop.worker.worker
FD``.

It knows the whole schedule and its own number, so its share at any moment is a pure function of the time: the
controller tells it changes only. If the controller goes away, or says nothing for too long, it stops sending by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import pickle
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from time import perf_counter_ns

import uvloop

from agenttop.metrics.delta import WARMUP, Delta, PoolState
from agenttop.metrics.recorder import Recorder
from agenttop.profile.model import Profile
from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.control import Control, Pauses, wanted_users
from agenttop.schedule.shares import worker_share
from agenttop.steering.plan import Plan
from agenttop.users.compile import compile_pools, makers_of
from agenttop.users.connectors import Connectors
from agenttop.users.policy import policy_of
from agenttop.users.pool import PoolRuntime
from agenttop.users.reservations import Reservations
from agenttop.users.terms import terms_of
from agenttop.users.user import VirtualUser
from agenttop.wire.target import Target
from agenttop.worker.files import raise_file_limit
from agenttop.worker.lease import LEASE_S, OVERDUE_S, Lease
from agenttop.worker.messages import (
    Broken,
    Done,
    Drawn,
    FromWorker,
    Go,
    Granted,
    Halt,
    Members,
    Ready,
    Report,
    Start,
    Steer,
    ToWorker,
    pack,
    receive_from_controller,
)
from agenttop.worker.priority import wake_first
from agenttop.worker.vitals import Vitals

DELTA_S = 0.25
"""How often figures are sent."""
WATCH_S = 0.01
"""How often some of the users are looked at for timeouts."""
SLICE_NS = 200_000
"""How long figures are folded before what has arrived meanwhile is read."""


class Worker:
    """The worker's side of a run."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter, start: Start) -> None:
        self._loop = loop
        self._writer = writer
        self._number = start.worker  # its name in deltas, for good
        self._worker, self._workers = start.worker, start.workers  # its share, which a death changes
        profile: Profile = pickle.loads(start.profile)
        self._profile = profile
        self._plan = self._as_written = Plan(profile, start.layout)
        self._compiled = compile_pools(profile, start.layout)
        self._makers = makers_of(profile, start.layout, self._compiled)
        self._recorder = Recorder(start.layout.closed, start.secrets)
        self._connectors = Connectors(loop, profile)
        self._control = Control()
        self._pools: list[PoolRuntime] = []
        self._arrivals: dict[int, Arrivals] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._halted = ""
        self.stopped_s = 0.0
        """When it stopped sending, in seconds of the run."""
        self._limit_s = start.limit_s
        self._lease = Lease()
        self.why = ""
        """What made it stop by itself."""
        self._epoch_ns = 0
        self._seq = 0
        terms = terms_of(profile)
        self._till = Reservations(terms, lambda d: self.send(Drawn(d)), self._sent) if terms is not None else None
        self._delta: Iterator[None] = iter(())
        self._taken_s = 0.0
        self._vitals = Vitals(perf_counter_ns())
        self.finished: asyncio.Future[None] = loop.create_future()

    # -- from the controller

    def obey(self, message: ToWorker) -> None:
        """Do what a message says."""
        self._lease.renew()
        if isinstance(message, Go):
            self.go(message.epoch_ns)
        elif isinstance(message, Steer):
            self.steer(message)
        elif isinstance(message, Members):
            self.join(message)
        elif isinstance(message, Granted):
            self.granted(message)
        elif isinstance(message, Halt):
            self.halt(message.mode)

    def go(self, epoch_ns: int) -> None:
        """Begin at the epoch."""
        self._epoch_ns = epoch_ns
        for compiled in self._compiled:
            most = compiled.max_users if compiled.open else self._plan.most_users(compiled.index)
            pool = PoolRuntime(
                compiled,
                loop=self._loop,
                recorder=self._recorder,
                transport=self._connectors.of(compiled.protocol),
                epoch_ns=epoch_ns,
                seed=self._profile.seed,
                worker=self._worker,
                workers=self._workers,
                redirects=self._profile.follow_redirects,
                most_users=most,
                till=self._till,
                make=self._makers.get(compiled.index, VirtualUser),
            )
            pool.broken = self.broken
            self._pools.append(pool)
            ramp = self._plan.pools[compiled.index].ramp
            if compiled.open and ramp is not None:
                self._arrivals[compiled.index] = Arrivals(
                    ramp, poisson=compiled.poisson, seed=self._profile.seed * 1000 + compiled.index
                )
        self._share_out()
        wait = max((epoch_ns - perf_counter_ns()) / 1e9, 0.0)
        self._vitals.begin(epoch_ns)
        self._loop.call_later(wait, self._tick)
        self._loop.call_later(wait + WATCH_S, self._watch)
        self._loop.call_later(wait + DELTA_S, self._report)
        for index in self._arrivals:
            self._drive(index)

    def steer(self, message: Steer) -> None:
        """Follow the controls from now on."""
        self._control = message.control
        if message.control.courses:
            self._plan = self._as_written.under(message.control)
        for index, arrivals in self._arrivals.items():
            arrivals.change(message.at_s, message.control, index, self._plan.pools[index].ramp)
            self._drive(index)
        for pool in self._pools:
            self._retune(pool)
            pool.pause(message.control.paused)
        self._aim()

    def _retune(self, pool: PoolRuntime) -> None:
        """Pauses and policy as the controls say, where they are not so already."""
        index, written = pool.compiled.index, self._profile.pools[pool.compiled.index]
        pauses = self._control.pauses.get(index, Pauses(written.think_time, written.pacing))
        policy = policy_of(self._profile, self._control.policies.get(index))
        if (pauses, policy) != (Pauses(pool.compiled.think_time, pool.compiled.pacing), pool.compiled.refusals):
            pool.retune(pauses, policy)

    def join(self, message: Members) -> None:
        """Take a new share."""
        self._worker, self._workers = message.worker, message.workers
        self._share_out()
        self._aim()

    def granted(self, message: Granted) -> None:
        """Spend so much of the budget."""
        if self._till is not None:
            self._till.take(message.grant)

    def halt(self, mode: str) -> None:
        """Come to an end."""
        order = ("", "finish", "drain", "cancel")
        if order.index(mode) <= order.index(self._halted):
            return
        if not self._epoch_ns and not self.finished.done():
            self.finished.set_result(None)  # it never began
        if not self._halted:
            self.stopped_s = self._elapsed()
            # Whoever has arrived by now has arrived, however late we are; who comes while we let them in, has not.
            now = self._elapsed()
            for index in self._arrivals:
                while self._pools[index].leaves and self._arrivals[index].peek() <= now:
                    self._drive(index)
        self._halted = mode
        for timer in self._timers.values():
            timer.cancel()
        for pool in self._pools:
            if mode == "cancel":
                pool.cancel()
            else:
                pool.finish(sending=mode == "finish")
        if self._till is not None and mode != "finish":
            self._till.refuse()

    def _sent(self) -> int:
        """How many requests in flight were sent, now and not when last looked at."""
        users = (user for pool in self._pools for user in pool.tasks if user.held is not None)
        return sum(user.exchange is not None and user.exchange.waiting for user in users)

    # -- the clock

    def _elapsed(self) -> float:
        return (perf_counter_ns() - self._epoch_ns) / 1e9

    def _tick(self) -> None:
        """Every 10 ms: the lag of the loop, the stage, the number of users."""
        self._loop.call_later(self._vitals.tick(perf_counter_ns()), self._tick)
        # The first tick can come a millisecond early; the run has no time before 0, and no warm-up in it.
        elapsed = max(self._elapsed(), 0.0)
        plan_time = self._control.plan_time(elapsed)
        warm = elapsed < self._profile.warmup
        mark = self._control.mark
        for pool in self._pools:
            stage = WARMUP if warm else self._plan.stage_of(pool.compiled.index, plan_time)
            if stage != pool.stage or mark != pool.mark or not pool.leaves:
                pool.enter(stage, mark)
        self._aim()
        self._lease.look(elapsed)
        self._look(elapsed, plan_time)
        if self._halted == "cancel":
            for pool in self._pools:
                pool.cancel()  # who was between two waits when it was first called
        if self._halted and not any(pool.tasks for pool in self._pools) and not self.finished.done():
            self.finished.set_result(None)

    def _look(self, elapsed: float, plan_time: float) -> None:
        """End what a controller that says nothing does not end: at the end of the plan, or of the lease; what is in
        flight then has ``graceful_stop``.
        """
        lease = self._lease
        if lease.silent_s < OVERDUE_S:
            return
        if not self._halted:
            planned = plan_time >= self._plan.duration_s and self._control.held_at is None
            if lease.over:
                self.why = f"heard nothing from the controller for {LEASE_S:g} s and stopped"
                self.halt("drain")
            elif planned or (self._limit_s is not None and elapsed >= self._limit_s):
                self.halt("finish")
        elif lease.over and self._halted != "cancel" and elapsed >= self.stopped_s + self._profile.graceful_stop:
            self.halt("cancel")

    def _aim(self) -> None:
        if self._halted or not self._pools or not self._pools[0].leaves:
            return
        wanted = wanted_users(self._plan.pools, self._plan.ramp, self._control, self._elapsed())
        for pool, users in zip(self._pools, wanted, strict=True):
            if not pool.compiled.open:
                pool.aim(worker_share(users, self._worker, self._workers, pool.compiled.index))

    def _share_out(self) -> None:
        for pool in self._pools:
            share = worker_share(pool.compiled.max_users, self._worker, self._workers, pool.compiled.index)
            pool.max_users = share

    def _drive(self, index: int) -> None:
        """Let in whoever has arrived, and wait for the next. uvloop's timers may fire a millisecond early: look at the
        clock.
        """
        timer = self._timers.pop(index, None)
        if timer is not None:
            timer.cancel()
        if self._halted:
            return
        arrivals, pool = self._arrivals[index], self._pools[index]
        if pool.leaves:
            now = perf_counter_ns()
            number = arrivals.number
            arrived = arrivals.pop_until((now - self._epoch_ns) / 1e9, 1000)
            for offset, time in enumerate(arrived):
                if (number + offset) % self._workers == self._worker:
                    wanted = self._epoch_ns + int(time * 1e9)
                    self._vitals.arrival_lags.append(max(now - wanted, 0))
                    pool.arrive(wanted)
            self._vitals.spin.note(index, now, idle=not arrived)
        wait = arrivals.peek() - self._elapsed()
        if wait < 1e9:
            self._timers[index] = self._loop.call_later(max(wait, 0.0), self._drive, index)

    def _watch(self) -> None:
        """Every 10 ms: end what takes too long."""
        self._loop.call_later(WATCH_S, self._watch)
        now = perf_counter_ns()
        for pool in self._pools:
            pool.watch(now)

    # -- to the controller

    def _report(self) -> None:
        """Every 250 ms: everything new."""
        if self.finished.done():
            return  # the last of it has been sent, or there is none
        try:
            for _ in self._delta:
                pass  # the last one, where there was no time for it
        except Exception as error:  # as below
            self.broken(error)
            return
        self._delta = self._folding()
        self._fold()
        elapsed = self._elapsed()
        self._loop.call_later(DELTA_S - elapsed % DELTA_S + 0.001, self._report)

    def _fold(self) -> None:
        """Go on with the delta, a little at a time: what arrives must not wait until all of it is folded."""
        began = perf_counter_ns()
        try:
            for _ in self._delta:
                if perf_counter_ns() - began > SLICE_NS:
                    self._loop.call_soon(self._fold)
                    return
        except Exception as error:  # whatever it is: without figures there is no run
            self.broken(error)

    def broken(self, error: BaseException) -> None:
        """A mistake of ours: better no worker than one that says nothing."""
        if not self.finished.done():
            self.finished.set_exception(error)

    def report(self) -> None:
        """Send all there is, now: nothing comes after it."""
        if not self._epoch_ns:
            return
        if self._till is not None:
            self._till.close()
        for _ in (*self._delta, *self._folding()):
            pass

    def _folding(self) -> Iterator[None]:
        """Take everything new, fold it step by step, send it."""
        now, elapsed = perf_counter_ns(), self._elapsed()
        states, oldest, users = [], 0, Counter[Target | None]()
        for pool in self._pools:
            # Through a proxy all connections go to one address.
            users[None if self._profile.proxy is not None else pool.compiled.target] += len(pool.tasks)
            flying, sent = pool.in_flight
            oldest = min(oldest, sent) if oldest and sent else oldest or sent
            working = len(pool.tasks) - len(pool.idle)
            index, quotas = pool.compiled.index, pool.quotas.states()
            states.append(PoolState(index, working, flying, pool.used_up, pool.over, pool.notes, quotas))
        age = (now - oldest) / 1e9 if oldest else 0.0
        draining = self._control.draining
        # In the same turn of the loop as what is taken: a request is in the one or in the other.
        open_marks = {draining: sum(pool.unanswered(draining) for pool in self._pools)} if draining else {}
        batch = self._recorder.take()
        before, self._taken_s = self._taken_s, elapsed
        yield
        yield from batch.steps()
        health = self._vitals.take(perf_counter_ns(), list(users.values()), network=self._worker == 0)
        yield
        self._seq += 1
        purse = self._till.state() if self._till is not None else None
        figures = (batch.leaves, batch.pools, batch.errors, batch.checks, states, age, health, purse)
        delta = Delta(self._number, self._seq, elapsed, *figures, batch.slowest, open_marks, before)
        self.send(Report(delta))

    def send(self, message: FromWorker) -> None:
        """Send a message; what a stuck controller does not read is bounded by what fits its socket and our memory."""
        self._writer.write(pack(message))


async def obey(worker: Worker, reader: asyncio.StreamReader) -> None:
    """Do what the controller says, as long as there is one."""
    try:
        while True:
            worker.obey(await receive_from_controller(reader))
    except (asyncio.IncompleteReadError, ConnectionError):
        # The controller has read our last word; or nobody is left to stop us or to hear what we measure:
        # no load without a master.
        worker.halt("cancel")
    except Exception as error:  # whatever it is: no order is heard any more, the one to stop neither
        worker.broken(error)


async def main(fd: int) -> None:
    """Serve one run, then end."""
    loop = asyncio.get_running_loop()
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd), limit=1 << 24)
    start = await receive_from_controller(reader)
    assert isinstance(start, Start)
    try:
        worker = Worker(loop, writer, start)
    except Exception as error:  # whatever it is, the controller must hear of it
        writer.write(pack(Broken(f"{type(error).__name__}: {error}")))
        await writer.drain()
        return
    wake_first()
    # What was made so far stays: the collector need not look at it again, and rarely at the rest.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    worker.send(Ready(os.getpid()))

    obeying = asyncio.ensure_future(obey(worker, reader))
    try:
        await worker.finished
        worker.report()
        worker.send(Done(worker.why, worker.stopped_s))
    except Exception as error:
        traceback.print_exc()
        worker.halt("cancel")
        worker.send(Broken(f"{type(error).__name__}: {error}"))
    with contextlib.suppress(ConnectionError):
        await writer.drain()
    # What was said is lost where the controller writes to a socket that is closed before it has read: it closes first.
    await obeying
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


if __name__ == "__main__":
    # The controller decides when a run ends; a Ctrl-C in the terminal is its business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_file_limit()
    # What users' own code prints goes to the log: nobody reads our output.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    uvloop.run(main(int(sys.argv[1])))
