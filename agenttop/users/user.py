"""One virtual user's life: set-up, tasks with pauses between them, tear-down, on a connection of its own.

    for each session:  set-up ──► task ──► think ──► task … ──► tear-down
                          ▲  fails: wait, again          │ WebSocket lost
                          └──────────────────────────────┘

Longer than most files, for a life is read in one piece. A user never raises for what a target does: a failed request is
recorded, ends its task, and life goes on.
"""

from __future__ import annotations

import asyncio
import uuid
from time import perf_counter_ns, time
from typing import TYPE_CHECKING

from agenttop.budget.amount import Amount
from agenttop.metrics.recorder import Leaf
from agenttop.users.answer import Answer
from agenttop.users.compiled import CompiledStep, CompiledTask
from agenttop.users.history import Conversation
from agenttop.users.messages import open_socket, send_message
from agenttop.users.patience import pause_after_refusal, request_patiently
from agenttop.users.random import SplitMix
from agenttop.users.record import record_answer, record_times
from agenttop.users.redirects import REDIRECTS, follow_redirects
from agenttop.users.refusals import Refusal
from agenttop.users.spending import afford, hold_again, release
from agenttop.users.trace import TRACEPARENT, new_traceparent, sent_again
from agenttop.users.turns import take_turn
from agenttop.wire.http1 import CLOSED, DRAINING, IDLE
from agenttop.wire.target import Target
from agenttop.wire.transport import Connection
from agenttop.wire.websocket import WebSocket

if TYPE_CHECKING:
    from agenttop.users.cookies import Cookies
    from agenttop.users.pool import PoolRuntime

#: A user whose set-up or connection failed waits at least this long, so that a target that is down is not stormed.
RETRY_S = 0.25
#: How long the rest of an answer may take that was complete before its last byte; then the connection is opened anew.
SETTLE_S = 0.1


class VirtualUser:
    """A user of one pool. ``number`` is unique within the pool over all workers, from 1."""

    __slots__ = (
        "_alarm",
        "_breathless",
        "_nap",
        "_seated",
        "_tally",
        "_thinking",
        "_within_task",
        "answer",
        "began_ns",
        "connection",
        "cookies",
        "held",
        "iteration",
        "leaf",
        "number",
        "pool",
        "random",
        "refusal",
        "retiring",
        "retries_left",
        "scheduled_ns",
        "sent",
        "socket",
        "step",
        "talk",
        "variables",
        "waking",
    )

    def __init__(self, pool: PoolRuntime, number: int) -> None:
        self.pool = pool
        self.number = number
        self.random = SplitMix(pool.seed, pool.compiled.index, number)
        self.variables = {"user": str(number), "iteration": "0"}
        self.answer = Answer(pool.quotas)
        self.connection: Connection | None = None
        self.socket: WebSocket | None = None
        self.cookies: Cookies | None = None
        """Those of its session; None where it was given none."""
        self.talk: Conversation | None = None
        """That of its session, or of the task under way; None where nothing was said yet."""
        self.step: CompiledStep | None = None
        """The step whose exchange is in flight."""
        self.iteration = 0
        self.retiring = False
        self.scheduled_ns = 0
        """When the plan wanted the next request; 0 in a closed pool, and once it has been used."""
        self._nap: asyncio.Future[None] | None = None
        self.waking: asyncio.Future[None] | None = None
        """What an idle user of an open pool waits on."""
        self._within_task = False
        self._alarm: asyncio.TimerHandle | None = None
        """Ends the pause under way."""
        self._thinking = False
        """That pause is one between two tasks."""
        self._breathless = False
        """The answer may be followed by the next request at once: see :meth:`again`."""
        self._seated = False
        """It has the row of a session that has not begun yet."""
        self.refusal: Refusal | None = None
        """The last answer, where it was a rate limit and something follows from that: see ``users.patience``."""
        self.retries_left = 0
        """How often the request in flight may be sent again."""
        self.began_ns = 0
        """When a request that is sent again was planned or first sent; 0 of all others."""
        self.held: Amount | None = None
        """What the request in flight may use of the budget at worst."""
        # Of the exchange in flight.
        self.leaf = pool.leaves[0]
        self.sent = b""
        self._tally = pool.tally

    @property
    def exchange(self) -> Connection | WebSocket | None:
        """What carries the exchange in flight."""
        step = self.step
        if step is None:
            return None
        return self.socket if step.kind == "send" else self.connection

    # -- life

    async def live(self) -> None:
        """A user of a closed pool, until retired."""
        pool = self.pool
        compiled = pool.compiled
        begun = False
        try:
            while not self.retiring and pool.working:
                if compiled.feed >= 0 and not self._seat():
                    return
                if not await self._set_up():
                    await self.nap(max(self.random.between(compiled.think_time), RETRY_S))
                    continue
                begun = True
                while not self.retiring and pool.working:
                    if pool.paused:
                        await self.nap(pool.pause_s)
                        continue
                    began = perf_counter_ns()
                    alive = await self._iterate()
                    if self.retiring or not pool.working:
                        break
                    compiled = pool.compiled  # which may be another one now
                    rest = 0.0
                    if compiled.pacing is not None:
                        rest = compiled.pacing - (perf_counter_ns() - began) / 1e9
                    elif compiled.think_time[1] > 0:
                        rest = self.random.between(compiled.think_time)
                    if rest > 0:
                        self._thinking = True
                        await self.nap(rest)
                        self._thinking = False
                    if not alive:
                        # The session is gone with its WebSocket: set up again, but do not storm a target that
                        # hangs up on everybody.
                        await self.nap(RETRY_S)
                        break
            if begun:
                await self._tear_down()
        finally:
            self.leave()

    async def serve(self) -> None:
        """A user of an open pool: one iteration whenever :meth:`begin` is called, until retired."""
        pool = self.pool
        ready = False
        try:
            while True:
                if self.scheduled_ns == 0:
                    if self.retiring or not pool.working:
                        break
                    self.waking = pool.loop.create_future()
                    pool.idle.append(self)
                    await self.waking
                    self.waking = None
                    continue
                # Who has arrived is served, though the plan may have ended meanwhile.
                if not pool.sending:
                    pool.tally.dropped_iterations += 1
                    break
                if not ready:
                    if pool.compiled.feed >= 0 and not self._seat():
                        pool.tally.dropped_iterations += 1
                        break
                    ready = await self._set_up()
                if ready:
                    ready = await self._iterate()
                self.scheduled_ns = 0
            if ready:
                await self._tear_down()
        finally:
            self.leave()

    def leave(self) -> None:
        """Its life is over."""
        self.close()
        self.pool.left(self)

    def begin(self, scheduled_ns: int) -> None:
        """Start an iteration that the plan wanted at ``scheduled_ns``."""
        self.scheduled_ns = scheduled_ns
        if self.waking is not None and not self.waking.done():
            self.waking.set_result(None)

    def retire(self) -> None:
        """Leave after the task under way."""
        self.retiring = True
        self.wake()
        if self.waking is not None and not self.waking.done():
            self.waking.set_result(None)

    async def nap(self, seconds: float, *, within_task: bool = False) -> None:
        """Pause. :meth:`wake` ends it early, unless it is ``within_task`` and the task may still go on."""
        nap = self._nap = self.pool.loop.create_future()
        self._within_task = within_task
        alarm = self._alarm = self.pool.loop.call_later(seconds, _finish, nap)
        await nap
        if self._nap is nap:  # and no other one has begun meanwhile, as code of a user's own may have it
            alarm, self._nap = self._alarm, None
        alarm.cancel()

    def retune(self, *, hurry: bool) -> None:
        """The pool has been compiled anew. With ``hurry`` its pauses are others: nobody waits longer from now on than a
        whole one, each for another part of it, so that not all begin at once. Whoever waits for other reasons finds out
        whether they still hold.
        """
        self._breathless = False  # the answer to what is in flight is looked at as any other
        if self._nap is None or self._nap.done() or self._alarm is None:
            return
        if not self._thinking and not self._within_task:
            self._nap.set_result(None)
        if not hurry or not self._thinking:
            return
        compiled, loop = self.pool.compiled, self.pool.loop
        whole = self.random.between(compiled.think_time) if compiled.pacing is None else compiled.pacing
        when = loop.time() + whole * self.random.fraction()
        if when < self._alarm.when():
            self._alarm.cancel()
            self._alarm = loop.call_at(when, _finish, self._nap)

    def wake(self) -> None:
        """End a pause: there is something to find out."""
        nap = self._nap
        if nap is not None and not nap.done() and not (self._within_task and self.pool.sending):
            nap.set_result(None)

    def _seat(self) -> bool:
        """Take the row of a session; one whose set-up failed keeps its row. False where there is none, so that the user
        has nothing to begin.
        """
        if self._seated:
            return True
        pool = self.pool
        self._seated = pool.feeders[pool.compiled.feed].feed(self.variables, self.random)
        if not self._seated:
            pool.sessions_used_up()
        return self._seated

    async def _set_up(self) -> bool:
        """Every set-up step, in order: a session begins. False where one failed."""
        self.cookies = self.talk = None
        for step in self.pool.compiled.setup:
            if not self.pool.sending or not await self._perform(step):
                return False
        self.pool.tally.sessions += 1
        self._seated = False
        return True

    async def _tear_down(self) -> None:
        for step in self.pool.compiled.teardown:
            if not self.pool.sending or not await self._perform(step):
                return

    async def _iterate(self) -> bool:
        """One task. False where the user's session is gone with its WebSocket."""
        pool = self.pool
        task = self._task()
        if task is None:
            return True
        step = task.steps[0]
        if task.single and step.kind == "http":
            # Nearly every task: two coroutines less to wake for every answer.
            self._breathless = pool.compiled.breathless and self.cookies is None
            whole = pool.sending and await self.request(step)
            self._breathless = False
            if self.refusal is not None:  # what is done about one may have changed since it was sent
                await pause_after_refusal(self)
        else:
            talk = self.talk
            if task.apart:
                self.talk = None
            whole = await self._run(task)
            if task.apart:
                self.talk = talk
        if whole:
            self._tally.iterations += 1
        return self.socket is None or self.socket.open

    def _task(self) -> CompiledTask | None:
        """Begin an iteration: its task. None where all data has been used, so that there is none."""
        pool = self.pool
        compiled = pool.compiled
        self.iteration += 1
        if compiled.renews:
            return self._renewed()
        self._tally = pool.tally
        tasks = compiled.tasks
        return tasks[0] if len(tasks) == 1 else compiled.task(self.random.fraction())

    def _renewed(self) -> CompiledTask | None:
        """The task, with what it needs anew for each iteration."""
        pool = self.pool
        self.variables["iteration"] = str(self.iteration)
        while tasks := pool.compiled.tasks:
            task = tasks[0] if len(tasks) == 1 else pool.compiled.task(self.random.fraction())
            if task.feed < 0 or pool.feeders[task.feed].feed(self.variables, self.random):
                self._tally = pool.tally
                return task
            if not pool.task_used_up(task):
                break
        return None

    async def _run(self, task: CompiledTask) -> bool:
        pool = self.pool
        last = len(task.steps) - 1
        for index, step in enumerate(task.steps):
            if not pool.sending:
                return False
            if not await self._perform(step):
                return False
            if index < last and task.pause[1] > 0:
                await self.nap(self.random.between(task.pause), within_task=True)
                self._within_task = False
        return True

    async def _perform(self, step: CompiledStep) -> bool:
        """One step. False where it failed, so that the task cannot go on."""
        if step.turn is not None:
            whole = await take_turn(self, step)
        elif step.kind == "http":
            whole = await (request_patiently(self, step) if self.pool.compiled.patient else self.request(step))
        elif step.kind == "close":
            self.close()
            return True
        else:
            whole = await (send_message(self, step) if step.kind == "send" else open_socket(self, step))
        if self.refusal is not None:
            await pause_after_refusal(self)
        return whole

    # -- HTTP

    async def request(self, step: CompiledStep) -> bool:
        """Send a request and record what became of it."""
        pool = self.pool
        if pool.till is not None and not await afford(self, step):
            return False
        connection = self.connection
        opened = 0
        if connection is None or connection.state != IDLE:
            connection = await self.ready(step)
            if connection is None:
                return False
            opened = connection.opened_ns
            self._breathless = False  # what opened the connection is recorded with what that took
        data = self._prepare(step)
        if self.cookies is not None and step.cookies:
            data = self.cookies.add(data, step.target)
        answer = self.answer
        if not step.lean:
            answer.begin(step)
        else:
            answer.step = None
        breathless = self._breathless
        await connection.send(data, self if step.lean else answer, step.lean)
        if breathless:
            # Others may have followed the one that was sent here.
            step = self.step or step
            data = self.sent
        leaf = self.leaf
        self.step = None
        if connection.lean and connection.failure is None:
            # The hot path: nothing to read, nothing to check but the time.
            latency = connection.end_ns - connection.sent_ns
            if latency <= step.limits.total and not step.checks and not opened and not self.scheduled_ns:
                record_times(leaf, connection, latency, len(data))
                return True
        if connection.unanswered and not opened and (pool.till is None or await hold_again(self, step)):
            # A kept connection that the target closed while we wrote: not an error of the target (RFC 9112, 9.3.1).
            leaf.connections_reopened += 1
            leaf.attempts += 1
            connection = await self.ready(step)
            if connection is None:
                return False
            opened = connection.opened_ns
            answer.begin(step)
            self.step = step
            data = sent_again(self, step, data)
            await connection.send(data, answer, False)
            self.step = None
        if answer.step is None:
            answer.begin(step)
            answer.status = connection.status
        elif "set-cookie" in answer.headers:
            self.keep_cookies(data, step.target)
        if pool.redirects and connection.failure is None and answer.status in REDIRECTS:
            connection = await follow_redirects(self, step, leaf, connection)
        whole = record_answer(self, step, leaf, connection, len(data), opened)
        if pool.compiled.per_request:
            self.close()
        return whole

    def _prepare(self, step: CompiledStep) -> bytes:
        """The bytes of the next request; from now on it is the one in flight."""
        if step.made:
            self.make(step)
        self.step = step
        self.leaf = self.pool.leaves[step.request]
        self.sent = data = step.static or step.fill(self.variables)
        return data

    async def ready(self, step: CompiledStep) -> Connection | None:
        """A connection that can send: settled, or opened anew. None where that failed, which is recorded."""
        connection = self.connection
        try:
            if connection is not None and connection.state == DRAINING and await connection.settle(SETTLE_S):
                connection.opened_ns = 0
                return connection
            if connection is not None:
                if connection.dropped:
                    self.pool.leaves[step.request].connections_reopened += 1
                connection.close()
            connection = self.connection = await self.pool.connect(step.target)
        except asyncio.CancelledError:
            self.cut(step, self.pool.leaves[step.request])
            raise
        if connection.failure is None:
            return connection
        await self._unconnected(step, connection)
        return None

    async def _unconnected(self, step: CompiledStep, connection: Connection) -> None:
        """Record that there was no connection, and wait a little."""
        leaf = self.pool.leaves[step.request]
        assert connection.failure is not None
        outcome, message = connection.failure
        self.connection = None
        release(self)
        leaf.outcomes[outcome.value] = leaf.outcomes.get(outcome.value, 0) + 1
        leaf.time_to_failure.append(connection.opened_ns)
        self.pool.recorder.error(leaf, outcome, message, self.pool.elapsed())
        if self.pool.working and not self.retiring:
            await self.nap(RETRY_S)

    def cut(self, step: CompiledStep, leaf: Leaf) -> None:
        """Record under a leaf that the run ended while there was no connection for a request, or no budget to go on."""
        release(self)
        outcomes = leaf.outcomes
        outcomes["cancelled"] = outcomes.get("cancelled", 0) + 1

    # -- the rest

    def make(self, step: CompiledStep) -> None:
        """Fill the built-in variables that are new for each request."""
        if "uuid" in step.made:
            bits = self.random.bits() << 64 | self.random.bits()
            self.variables["uuid"] = str(uuid.UUID(int=bits, version=4))
        if "now" in step.made:
            self.variables["now"] = f"{time():.3f}"
        if "random" in step.made:
            self.variables["random"] = str(self.random.bits() >> 33)
        if TRACEPARENT in step.made:
            self.variables[TRACEPARENT] = new_traceparent()

    def keep_cookies(self, data: bytes, target: Target) -> None:
        """Keep the cookies that the answer sets, to a request as it went to the target."""
        set_cookie = self.answer.headers.get("set-cookie")
        if set_cookie is None or not self.pool.compiled.cookies:
            return
        if self.cookies is None:
            from agenttop.users.cookies import Cookies

            self.cookies = Cookies()
        self.cookies.keep(set_cookie, data, target)

    def close(self) -> None:
        """Close the user's connection, and its WebSocket with a goodbye."""
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.close()
        connection, self.connection = self.connection, None
        if connection is not None and connection.state != CLOSED:
            connection.close()

    # -- wire.http1.Sink, for an answer that was to be lean but asks to be read

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        """The head tells of a stream, of phases or of a failure: read it after all."""
        assert self.step is not None
        self.answer.begin(self.step)
        return self.answer.head(status, headers, now)

    def data(self, data: bytes, now: int) -> bool:
        """See :class:`Answer`."""
        return self.answer.data(data, now)

    def trailers(self, headers: dict[str, str]) -> None:
        """See :class:`Answer`."""
        self.answer.trailers(headers)

    def again(self) -> bytes | None:
        """Where no pause follows a timed answer, do here what the coroutines from :meth:`live` to :meth:`request`
        would do: waking them takes as long as all the rest of our work on a request.
        """
        if not self._breathless:
            return None
        pool, step, connection = self.pool, self.step, self.connection
        if self.retiring or pool.paused or not pool.working or step is None or connection is None:
            return None
        latency = connection.end_ns - connection.sent_ns
        if latency > step.limits.total:
            return None
        tally = self._tally
        task = self._task()
        if task is None:
            return None
        record_times(self.leaf, connection, latency, len(self.sent))
        tally.iterations += 1
        return self._prepare(task.steps[0])


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
