"""The state of a user, and the few things that every kind of request does with it.

That is its connection, cookies and variables, and the exchange in flight. How a request goes is in ``users.request``,
what a life is in ``users.user``.
"""

from __future__ import annotations

import asyncio
import uuid
from time import perf_counter_ns, time

from agenttop.budget.amount import NOTHING, Amount
from agenttop.metrics.recorder import Leaf
from agenttop.users.answer import Answer
from agenttop.users.compiled import CompiledStep
from agenttop.users.cookies import MAX_SET, Cookies
from agenttop.users.history import Conversation
from agenttop.users.random import SplitMix
from agenttop.users.refusals import Refusal
from agenttop.users.shared import PoolShared
from agenttop.users.trace import TRACEPARENT, again, new_traceparent
from agenttop.wire.http1 import CLOSED, DRAINING
from agenttop.wire.target import Target
from agenttop.wire.transport import Connection
from agenttop.wire.websocket import WebSocket

#: A user whose set-up or connection failed waits at least this long, so that a target that is down is not stormed.
RETRY_S = 0.25
#: How long the rest of an answer may take that was complete before its last byte; then the connection is opened anew.
SETTLE_S = 0.1


class UserBase:
    """A user of one pool. ``number`` is unique within the pool over all workers, from 1."""

    __slots__ = (
        "_alarm",
        "_has_row",
        "_sleep",
        "_thinking",
        "_within_task",
        "answer",
        "back_to_back",
        "began_ns",
        "connection",
        "conversation",
        "cookies",
        "forgotten",
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
        "since_ns",
        "socket",
        "step",
        "tally",
        "variables",
        "waking",
    )

    def __init__(self, pool: PoolShared, number: int) -> None:
        self.pool = pool
        self.number = number
        self.random = SplitMix(pool.seed, pool.compiled.index, number)
        self.variables = {"user": str(number), "iteration": "0"}
        self.answer = Answer(pool.quotas)
        self.connection: Connection | None = None
        self.socket: WebSocket | None = None
        self.cookies: Cookies | None = None
        """Cookies of its session; None if it was given none."""
        self.conversation: Conversation | None = None
        """Conversation of its session, or of the task under way; None if nothing was said yet."""
        self.step: CompiledStep | None = None
        """The step whose exchange is in flight."""
        self.iteration = 0
        self.forgotten = False
        """The target no longer knows its session."""
        self.retiring = False
        self.scheduled_ns = 0
        """When the plan wanted the next request; 0 in a closed pool, and once it has been used."""
        self._sleep: asyncio.Future[None] | None = None
        self.waking: asyncio.Future[None] | None = None
        """What an idle user of an open pool waits on."""
        self._within_task = False
        self._alarm: asyncio.TimerHandle | None = None
        """Timer that ends the pause under way."""
        self._thinking = False
        """The pause is one between two tasks."""
        self.back_to_back = False
        """The answer may be followed by the next request at once: see :meth:`again`."""
        self._has_row = False
        """It has the row of a session that has not begun yet."""
        self.refusal: Refusal | None = None
        """The last answer, if it was a rate limit that has to be acted on: see ``users.retries``."""
        self.retries_left = 0
        """How often the request in flight may be sent again."""
        self.began_ns = 0
        """When a request that is sent again was planned or first sent; 0 for all others."""
        self.since_ns = 0
        """When the request in flight was first sent, if it is sent again or follows a redirect; 0 for all others."""
        self.held: Amount | None = None
        """What the request in flight may use of the budget at worst; None if nothing is held."""
        # Of the exchange in flight.
        self.leaf = pool.leaves[0]
        self.sent = b""
        self.tally = pool.tally

    @property
    def exchange(self) -> Connection | WebSocket | None:
        """Return what carries the exchange in flight."""
        step = self.step
        if step is None:
            return None
        return self.socket if step.kind == "send" else self.connection

    async def sleep(self, seconds: float, *, within_task: bool = False) -> None:
        """Pause. :meth:`wake` ends it early, unless it is ``within_task`` and the task may still go on."""
        sleep = self._sleep = self.pool.loop.create_future()
        self._within_task = within_task
        alarm = self._alarm = self.pool.loop.call_later(seconds, _finish, sleep)
        await sleep
        if self._sleep is sleep:  # and no other one has begun meanwhile, as code of a user's own may have it
            alarm, self._sleep = self._alarm, None
        alarm.cancel()

    def retune(self, *, hurry: bool) -> None:
        """Take a newly compiled pool.

        With ``hurry`` its pauses are others: nobody waits longer from now on than a whole one, each for another part of
        it, so that not all begin at once. Users that wait for other reasons check whether these still hold.
        """
        self.back_to_back = False  # the answer to what is in flight is looked at as any other
        if self._sleep is None or self._sleep.done() or self._alarm is None:
            return
        if not self._thinking and not self._within_task:
            self._sleep.set_result(None)
        if not hurry or not self._thinking:
            return
        compiled, loop = self.pool.compiled, self.pool.loop
        whole = self.random.between(compiled.think_time) if compiled.pacing is None else compiled.pacing
        when = loop.time() + whole * self.random.fraction()
        if when < self._alarm.when():
            self._alarm.cancel()
            self._alarm = loop.call_at(when, _finish, self._sleep)

    def wake(self) -> None:
        """End a pause: something has changed."""
        sleep = self._sleep
        if sleep is not None and not sleep.done() and not (self._within_task and self.pool.sending):
            sleep.set_result(None)

    async def ready(self, step: CompiledStep) -> Connection | None:
        """Return a connection that can send: settled, or opened anew. None if that failed, which is recorded."""
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
        outcome, message = self.answer.outcome = connection.failure
        self.connection = None
        self.release()
        leaf.outcomes[outcome.value] = leaf.outcomes.get(outcome.value, 0) + 1
        since, self.since_ns = self.since_ns, 0
        leaf.time_to_failure.append(perf_counter_ns() - since if since else connection.opened_ns)
        self.pool.recorder.error(leaf, outcome, message, self.pool.elapsed())
        if self.pool.working and not self.retiring:
            await self.sleep(RETRY_S)

    def cut(self, step: CompiledStep, leaf: Leaf) -> None:
        """Record under a leaf that the run ended while there was no connection for a request, or no budget to go on."""
        self.release()
        self.since_ns = 0
        outcomes = leaf.outcomes
        outcomes["cancelled"] = outcomes.get("cancelled", 0) + 1

    def make(self, step: CompiledStep) -> None:
        """Fill the built-in variables that are new for each request."""
        if "uuid" in step.made:
            self.variables["uuid"] = self.new_uuid()
        if "now" in step.made:
            self.variables["now"] = f"{time():.3f}"
        if "random" in step.made:
            self.variables["random"] = str(self.random.bits() >> 33)
        if TRACEPARENT in step.made:
            self.variables[TRACEPARENT] = new_traceparent()

    def new_uuid(self) -> str:
        """A version 4 UUID (RFC 9562) of the user's own chance."""
        return str(uuid.UUID(int=self.random.bits() << 64 | self.random.bits(), version=4))

    def name_session(self) -> None:
        """Fill the built-in variables that are new for each session; its set-up is iteration 0."""
        self.variables["session_uuid"] = self.new_uuid()
        self.variables["iteration_uuid"] = self.new_uuid()

    def keep_cookies(self, data: bytes, target: Target) -> None:
        """Keep the cookies that the answer sets; ``data`` is the request as it went to the target."""
        set_cookie = self.answer.headers.get("set-cookie")
        if set_cookie is None or not self.pool.compiled.cookies:
            return
        if self.cookies is None:
            self.cookies = Cookies()
        self.cookies.keep(set_cookie, data, target)
        if set_cookie.count("\n") >= MAX_SET:
            self.pool.note(f"of answers that set more than {MAX_SET} cookies the last {MAX_SET} are kept")

    def session_goes_on(self) -> bool:
        """Return False if the session is gone: forgotten by the target, or with its WebSocket. One that was
        forgotten, or lost between two messages, is counted.
        """
        if self.forgotten:
            self.pool.leaves[self.leaf.request].sessions_lost += 1
            return False
        socket = self.socket
        if socket is None or socket.open:
            return True
        if socket.ended is not None:
            socket.ended = None
            self.pool.leaves[self.leaf.request].sessions_lost += 1
        return False

    def close(self) -> None:
        """Close the user's connection, and its WebSocket with a close frame."""
        socket, self.socket = self.socket, None
        if socket is not None:
            socket.close()
        connection, self.connection = self.connection, None
        if connection is not None and connection.state != CLOSED:
            connection.close()

    def prepare(self, step: CompiledStep) -> bytes:
        """Return the bytes of the next request, which is the one in flight from now on."""
        if step.made:
            self.make(step)
        self.step = step
        self.leaf = self.pool.leaves[step.request]
        self.sent = data = step.static or step.fill(self.variables)
        return data

    def sent_again(self, step: CompiledStep, data: bytes) -> bytes:
        """Return the bytes of a request for another attempt: the same but for its span, if it has one."""
        if TRACEPARENT not in step.made:
            return data
        data, self.variables[TRACEPARENT] = again(data, self.variables[TRACEPARENT])
        return data

    def release(self) -> None:
        """Release what it holds of the budget: there was no connection, so nothing was sent."""
        worst, self.held = self.held, None
        if worst is not None and self.pool.till is not None:
            self.pool.till.settle(worst, NOTHING)

    # -- wire.http1.Sink, for an answer that was to be lean but asks to be read

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        """Read a lean answer after all: its head tells of a stream, of phases or of a failure."""
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
        """Return the next request if it may follow a lean answer at once; None otherwise."""
        return None


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
