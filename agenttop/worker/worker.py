"""A worker: one process, one event loop, its share of every pool's users. Started as ``python -m agenttop.worker.worker
FD``.

It knows the whole schedule and its own number, so its share at any moment is a pure function of the time: the
controller tells it changes only. If the controller goes away, or says nothing for too long, it stops sending by itself.

Longer than most files: following orders, driving users and reporting read and change the same few values, on one loop.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import os
import pickle
import signal
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from time import perf_counter_ns

import uvloop

from agenttop.metrics.delta import WARMUP, Delta, PoolState
from agenttop.metrics.outgoing import outgoing
from agenttop.metrics.recorder import Recorder
from agenttop.metrics.safe_text import SafeStream, SafeText
from agenttop.profile.model import Profile
from agenttop.quality.levels import Levels
from agenttop.quality.safe import safe_answer
from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.control import Control, Pauses, wanted_users
from agenttop.schedule.dealt_arrivals import DealtArrivals
from agenttop.schedule.shares import Deal
from agenttop.steering.plan import Plan, levels_of
from agenttop.users.compile import compile_pools, makers_of
from agenttop.users.connectors import Connectors
from agenttop.users.handover import Handover
from agenttop.users.policy import policy_of
from agenttop.users.pool import PoolRuntime
from agenttop.users.reservations import Reservations
from agenttop.users.terms import terms_of
from agenttop.users.user import VirtualUser
from agenttop.wire.target import Target
from agenttop.wire.turns import TURNS
from agenttop.worker.files import raise_file_limit
from agenttop.worker.lease import LEASE_S, OVERDUE_S, Lease
from agenttop.worker.memory import return_large
from agenttop.worker.messages import (
    Answered,
    Broken,
    Dealt,
    Done,
    Drawn,
    FromWorker,
    Go,
    Granted,
    Halt,
    Ready,
    Report,
    Start,
    Steer,
    ToWorker,
    pack,
    receive_from_controller,
)
from agenttop.worker.messages import Lease as Renewed
from agenttop.worker.priority import wake_first
from agenttop.worker.vitals import Vitals

DELTA_S = 0.25
"""Seconds between two deltas."""
WATCH_S = 0.01
WATCH_NS = 10_000_000
"""Nanoseconds (and seconds) between two looks for timeouts at some of the users."""
MAX_UNREAD = 32 << 20
"""Bytes that the controller has not read yet, beyond which graded answers wait here."""
SLICE_NS = 200_000
"""Nanoseconds of folding before what has arrived meanwhile is read."""


class Worker:
    """The worker's side of a run."""

    def __init__(self, loop: asyncio.AbstractEventLoop, writer: asyncio.StreamWriter, start: Start) -> None:
        self._loop = loop
        self._writer = writer
        self._number = start.worker  # its name in deltas, for good
        self._deal = Deal(start.worker, range(start.workers))  # its share, which a death changes
        self._here = start.here or tuple(range(start.workers))
        profile: Profile = pickle.loads(start.profile)
        self._profile = profile
        self._plan = self._as_written = Plan(profile, start.layout)
        self._compiled = compile_pools(profile, start.layout)
        self._makers = makers_of(profile, start.layout, self._compiled)
        self._recorder = Recorder(start.layout.closed, start.secrets)
        self._connectors = Connectors(loop, profile)
        self._handover = Handover()
        self._levels = self._levels_of(self._plan)
        self._control = Control()
        self._pools: list[PoolRuntime] = []
        self._arrivals: dict[int, Arrivals] = {}
        self._dealt: dict[int, DealtArrivals] = {}
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._halted = ""
        self.stopped_s = 0.0
        """When it stopped sending, in seconds since the run began."""
        self._limit_s = start.limit_s
        self._lease = Lease()
        self.why = ""
        """Why it stopped by itself; empty if it was told to."""
        self._epoch_ns = self._watch_due = 0
        self._seq = 0
        terms = terms_of(profile)
        self._reservations = (
            Reservations(terms, lambda d: self.send(Drawn(d)), self._sent) if terms is not None else None
        )
        self._delta: Iterator[None] = iter(())
        self._taken_s = 0.0
        self._vitals = Vitals(perf_counter_ns())
        self.finished: asyncio.Future[None] = loop.create_future()

    # -- from the controller

    def obey(self, message: ToWorker) -> None:
        """Follow a message."""
        self._lease.renew()
        if isinstance(message, Go):
            self.go(message.epoch_ns)
        elif isinstance(message, Steer):
            self.steer(message)
        elif isinstance(message, Dealt):
            self.deal(message)
        elif isinstance(message, Renewed):
            for dealt in self._dealt.values():
                dealt.settle(message.told_s)
        elif isinstance(message, Granted):
            self.granted(message)
        elif isinstance(message, Halt):
            self.halt(message.mode)

    def go(self, epoch_ns: int) -> None:
        """Begin the run at the epoch."""
        self._epoch_ns = epoch_ns
        part, parts = self._deal.part()
        for compiled in self._compiled:
            most = compiled.max_users if compiled.open else self._plan.most_users(compiled.index)
            pool = PoolRuntime(
                compiled,
                loop=self._loop,
                recorder=self._recorder,
                transport=self._connectors.of(compiled.protocol),
                epoch_ns=epoch_ns,
                seed=self._profile.seed,
                worker=part,
                workers=parts,
                redirects=self._profile.follow_redirects,
                most_users=most,
                reservations=self._reservations,
                answers=self._handover,
                make=self._makers.get(compiled.index, VirtualUser),
            )
            pool.broken = self.broken
            self._pools.append(pool)
            ramp = self._plan.pools[compiled.index].ramp
            if compiled.open and ramp is not None:
                self._dealt[compiled.index] = DealtArrivals(self._deal)
                self._arrivals[compiled.index] = Arrivals(
                    ramp, poisson=compiled.poisson, seed=self._profile.seed * 1000 + compiled.index
                )
        self._share_out()
        wait = max((epoch_ns - perf_counter_ns()) / 1e9, 0.0)
        self._vitals.begin(epoch_ns)
        self._loop.call_later(wait, self._tick)
        self._loop.call_later(wait + WATCH_S, self._watch)
        self._watch_due = perf_counter_ns() + int((wait + WATCH_S) * 1e9)
        self._loop.call_later(wait + DELTA_S, self._report)
        for index in self._arrivals:
            self._drive(index)

    def steer(self, message: Steer) -> None:
        """Follow the controls from now on."""
        self._control = message.control
        if message.control.courses:
            self._plan = self._as_written.under(message.control)
            self._levels = self._levels_of(self._plan)
        for index, arrivals in self._arrivals.items():
            arrivals.change(message.at_s, message.control, index, self._plan.pools[index].ramp)
            self._drive(index)
        for pool in self._pools:
            self._retune(pool)
            pool.pause(message.control.paused)
        self._set_level(max(self._elapsed(), 0.0))
        self._aim()

    def _retune(self, pool: PoolRuntime) -> None:
        """Set pauses and policy to those of the controls, if they differ."""
        index, written = pool.compiled.index, self._profile.pools[pool.compiled.index]
        pauses = self._control.pauses.get(index, Pauses(written.think_time, written.pacing))
        policy = policy_of(self._profile, self._control.policies.get(index), written)
        if (pauses, policy) != (Pauses(pool.compiled.think_time, pool.compiled.pacing), pool.compiled.refusals):
            pool.retune(pauses, policy)

    def deal(self, message: Dealt) -> None:
        """Take a new share, for one was lost: of users now, of arrivals from the moment of the loss on.

        What is due of those by now is begun at once.
        """
        self._deal.change(message.members)
        self._share_out()
        self._aim()
        for index in self._arrivals if not self._halted else ():
            self._begin(index, self._dealt[index].inherited(), perf_counter_ns())

    def granted(self, message: Granted) -> None:
        """Take a grant of the budget."""
        if self._reservations is not None:
            self._reservations.take(message.grant)

    def halt(self, mode: str) -> None:
        """End the run, or end it sooner; the modes are those of :class:`~agenttop.worker.messages.Halt`."""
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
        if self._reservations is not None and mode != "finish":
            self._reservations.refuse()

    def _sent(self) -> int:
        """How many requests in flight were sent, now and not when last looked at."""
        users = (user for pool in self._pools for user in pool.tasks if user.held is not None)
        return sum(user.exchange is not None and user.exchange.waiting for user in users)

    # -- the clock

    def _elapsed(self) -> float:
        return (perf_counter_ns() - self._epoch_ns) / 1e9

    def _tick(self) -> None:
        """Every 10 ms: measure the lag of the loop, set the stage, the mark and the number of users."""
        self._loop.call_later(self._vitals.tick(perf_counter_ns()), self._tick)
        # The first tick can come a millisecond early; the run has no time before 0, and no warm-up in it.
        elapsed = max(self._elapsed(), 0.0)
        plan_time = self._control.plan_time(elapsed)
        warm = elapsed < self._profile.warmup
        mark = self._control.mark
        self._set_level(elapsed)
        for pool in self._pools:
            stage = WARMUP if warm else self._plan.stage_of(pool.compiled.index, plan_time)
            if stage != pool.stage or mark != pool.mark or not pool.leaves:
                pool.enter(stage, mark)
        self._aim()
        self._lease.look(elapsed)
        self._mind_lease(elapsed)
        if self._halted == "cancel":
            for pool in self._pools:
                pool.cancel()  # who was between two waits when it was first called
        if self._halted and not any(pool.tasks for pool in self._pools) and not self.finished.done():
            self.finished.set_result(None)

    def _levels_of(self, plan: Plan) -> Levels | None:
        """Return the levels of load that answers are counted under; None if nothing is graded."""
        return levels_of(plan) if any(pool.questions for pool in self._compiled) else None

    def _set_level(self, elapsed: float) -> None:
        if self._levels is None:
            return
        level = self._levels.level_at(elapsed, self._control, searching=self._profile.search is not None)
        for pool in self._pools:
            pool.level = level

    def _mind_lease(self, elapsed: float) -> None:
        """Halt if a silent controller does not: at the end of the plan, or of the lease.

        Requests then in flight have ``graceful_stop`` to end.
        """
        lease = self._lease
        if lease.silent_s < OVERDUE_S:
            return
        if not self._halted:
            if lease.over:
                self.why = f"heard nothing from the controller for {LEASE_S:g} s and stopped"
                self.halt("drain")
            elif elapsed >= self._plan.end_s(self._control, self._limit_s):
                self.halt("finish")
        elif lease.over and self._halted != "cancel" and elapsed >= self.stopped_s + self._profile.graceful_stop:
            self.halt("cancel")

    def _aim(self) -> None:
        if self._halted or not self._pools or not self._pools[0].leaves:
            return
        wanted = wanted_users(self._plan.pools, self._plan.ramp, self._control, self._elapsed())
        for pool, users in zip(self._pools, wanted, strict=True):
            if not pool.compiled.open:
                pool.aim(self._deal.share(users, pool.compiled.index))

    def _share_out(self) -> None:
        for pool in self._pools:
            pool.max_users = self._deal.share(pool.compiled.max_users, pool.compiled.index)

    def _drive(self, index: int) -> None:
        """Start the users of arrivals that are due, and wait for the next.

        uvloop's timers may fire a millisecond early: look at the clock.
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
            self._begin(index, self._dealt[index].take(number, arrived), now)
            self._vitals.spin.note(index, now, idle=not arrived)
        wait = arrivals.peek() - self._elapsed()
        if wait < 1e9:
            self._timers[index] = self._loop.call_later(max(wait, 0.0), self._drive, index)

    def _begin(self, index: int, times: Iterable[float], now: int) -> None:
        """Begin arrivals of a pool that are due."""
        for time in times:
            wanted = self._epoch_ns + int(time * 1e9)
            self._vitals.arrival_lags.append(max(now - wanted, 0))
            self._pools[index].arrive(wanted)

    def _watch(self) -> None:
        """Every 10 ms: end what takes too long."""
        self._loop.call_later(WATCH_S, self._watch)
        now = perf_counter_ns()
        late, self._watch_due = now - self._watch_due, now + WATCH_NS
        if late > WATCH_NS:
            # Answers may have come meanwhile that nobody has read: timers go first in a turn, so wait for the next.
            self._loop.call_soon(self._loop.call_soon, self._look)
        else:
            self._look()

    def _look(self) -> None:
        now = perf_counter_ns()
        for pool in self._pools:
            pool.watch(now)

    # -- to the controller

    def _report(self) -> None:
        """Every 250 ms: begin to fold and send what is new."""
        if self.finished.done():
            return  # the last of it has been sent, or there is none
        try:
            for _ in self._delta:
                pass  # the last one, where there was no time for it
        except Exception as error:  # as below
            self.broken(error)
            return
        self._delta = self._folding()
        TURNS.reporting = True  # it goes out before anything that waits is parsed
        self._fold()
        elapsed = self._elapsed()
        self._loop.call_later(DELTA_S - elapsed % DELTA_S + 0.001, self._report)

    def _fold(self) -> None:
        """Go on folding the delta, a little at a time: what arrives must not wait until all of it is folded."""
        began = perf_counter_ns()
        try:
            for _ in self._delta:
                if perf_counter_ns() - began > SLICE_NS:
                    self._loop.call_soon(self._fold)
                    return
            TURNS.reporting = False
        except Exception as error:  # whatever it is: without figures there is no run
            self.broken(error)

    def broken(self, error: BaseException) -> None:
        """End with an error of our own: no worker is better than one that says nothing."""
        if not self.finished.done():
            self.finished.set_exception(error)

    def report(self) -> None:
        """Send everything new at once: nothing comes after it."""
        if not self._epoch_ns:
            return
        if self._reservations is not None:
            self._reservations.close()
        for _ in (*self._delta, *self._folding(), *self._handing_over(all_of_it=True)):
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
            told = (pool.used_up, pool.over, pool.notes, quotas, pool.matched_keys)
            states.append(PoolState(index, working, flying, *told))
        age = (now - oldest) / 1e9 if oldest else 0.0
        draining = self._control.draining
        # In the same turn of the loop as what is taken: a request is in the one or in the other.
        open_marks = {draining: sum(pool.unanswered(draining) for pool in self._pools)} if draining else {}
        batch = self._recorder.take()
        before, self._taken_s = self._taken_s, elapsed
        yield
        yield from batch.steps()
        health = self._vitals.take(perf_counter_ns(), list(users.values()), network=self._deal.leads(self._here))
        yield
        self._seq += 1
        budget = self._reservations.state() if self._reservations is not None else None
        figures = (batch.leaves, batch.pools, batch.errors, batch.checks, states, age, health, budget)
        more = (batch.slowest, open_marks, self._addresses(), before)
        delta = Delta(self._number, self._seq, elapsed, *figures, *more)
        self.send(Report(delta))
        yield from self._handing_over()

    def _handing_over(self, *, all_of_it: bool = False) -> Iterator[None]:
        """Send the graded answers that wait, each made safe first; those that are not read stay here."""
        while len(self._handover):
            if not all_of_it and self._writer.transport.get_write_buffer_size() > MAX_UNREAD:
                return
            safe = []
            for answer in self._handover.take():
                safe.append(safe_answer(answer, self._recorder.safe))
                yield
            self.send(Answered(tuple(safe)))

    def _addresses(self) -> dict[str, int]:
        """Return the connections opened since the last delta, by address, and pass on the dialers' notes."""
        opened: Counter[str] = Counter()
        for dialer in self._connectors.dialers():
            opened.update(dialer.take_opened())
            for host, text in dialer.take_notes().items():
                same = [pool for pool in self._pools if pool.compiled.target.host == host]
                (same or self._pools)[0].note(text)
        return dict(opened)

    def send(self, message: FromWorker) -> None:
        """Send a message, its texts made safe; what a stuck controller does not read is bounded by what fits its socket
        and our memory.
        """
        if isinstance(message, Report):
            message = Report(outgoing(message.delta, self._recorder.safe))
        elif isinstance(message, Broken):
            message = Broken(self._recorder.safe(message.message))
        self._writer.write(pack(message))


async def obey(worker: Worker, reader: asyncio.StreamReader) -> None:
    """Follow the controller's messages as long as it is there."""
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
    safe = SafeText(start.secrets)
    # What users' own code prints goes to the log: nobody reads our output.
    sys.stdout = sys.stderr = log = SafeStream(sys.stderr, safe)
    atexit.register(log.end)
    try:
        worker = Worker(loop, writer, start)
    except Exception as error:  # whatever it is, the controller must hear of it
        writer.write(pack(Broken(safe(f"{type(error).__name__}: {error}"))))
        await writer.drain()
        return
    wake_first()
    return_large()
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
    with contextlib.suppress(ConnectionError):
        await reader.read()  # … also of who obeys no more
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


if __name__ == "__main__":
    # The controller decides when a run ends; a Ctrl-C in the terminal is its business.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise_file_limit()
    os.dup2(2, 1)  # nobody reads our output, and what is printed goes to the log
    uvloop.run(main(int(sys.argv[1])))
