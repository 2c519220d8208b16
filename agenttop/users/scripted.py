"""A virtual user whose life is written in Python: the hooks and tasks of a class instead of compiled steps.

Where it differs from :class:`~agenttop.users.user.VirtualUser` is what a session, a task and its end are; requests are
performed the same way. Nothing that a user's code raises leaves this file, which is why it is longer than most.
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from time import perf_counter_ns
from types import MappingProxyType
from typing import Any

from agenttop.metrics.outcome import USER_ERROR, Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.metrics.safe_text import SafeStream
from agenttop.metrics.scope import MAX_MESSAGE_LENGTH, OTHER, clean_text
from agenttop.schedule.quantities import MAX_NAME
from agenttop.scripting.answer import NOT_SENT, RequestFailed, SessionLost
from agenttop.scripting.answer import Answer as Given
from agenttop.scripting.place import place_of, words_of
from agenttop.scripting.user import User
from agenttop.users.adhoc import Steps
from agenttop.users.base import RETRY_S
from agenttop.users.compiled import CompiledStep
from agenttop.users.record import record_answer
from agenttop.users.script_client import ScriptClient
from agenttop.users.scripted_answer import ScriptedAnswer, handed_out
from agenttop.users.shared import PoolShared
from agenttop.users.user import VirtualUser
from agenttop.wire.transport import Connection
from agenttop.wire.websocket import WebSocket

#: Places whose traceback is written down, and names of checks that are kept apart, of one class in one worker.
MAX_PLACES = 20
#: Messages of one place that are told apart: one may hold an id that is another every time.
MAX_VARIANTS = 5
MAX_CHECKS = 200
GIVEN_UP = "given up by the user's own code"
_NONE: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CompiledScript:
    """What the users of a scripted pool have in common."""

    file: str
    instance: type[User]
    """The user's own class."""
    rows: Mapping[str, int]
    """Index in the layout, by hook and by method of a task, under which requests and exceptions are counted."""
    named: Mapping[str, str]
    """Name of that row."""
    steps: Steps
    said: dict[str, set[str]] = field(default_factory=dict)
    """Messages of exceptions so far, by what was raised where."""
    checks: dict[str, str] = field(default_factory=dict)
    """Names of checks that the code has counted, as they are shown."""


class RunOver(asyncio.CancelledError):
    """Nothing may be sent any more: ends a user's code when it asks for it."""


class ScriptedUser(VirtualUser):
    """A user of a pool with ``python``."""

    __slots__ = (
        "_asked",
        "_asked_ns",
        "_chance",
        "_gone",
        "_hook",
        "_in_task",
        "_instance",
        "_player",
        "_recorded",
        "_seed",
        "_unsent",
        "client",
        "script",
    )

    def __init__(self, script: CompiledScript, pool: PoolShared, number: int) -> None:
        super().__init__(pool, number)
        self.script = script
        self.answer: ScriptedAnswer = ScriptedAnswer(pool.quotas)
        self.client = ScriptClient(self)
        self._instance: User | None = None
        """The object of the session under way."""
        self._hook = "setup"
        """The hook or the method of a task that is running."""
        self._in_task = False
        self._player: asyncio.Task[Any] | None = None
        """The task with a request of it in flight; its code may have begun one for that."""
        self._recorded: asyncio.Future[None] | None = None
        """Done when the request is recorded that was in flight as it left."""
        self._asked = 0
        """Requests asked for so far."""
        self._asked_ns = 0
        """When the last one was asked for."""
        self._unsent: tuple[str, str] | None = None
        """Why there was no connection for the last one."""
        self._gone = False
        self._seed = 0
        self._chance: Random | None = None

    # -- life

    def leave(self) -> None:
        """End the life; see :class:`VirtualUser`. A request that its code began and did not wait for is given up; what
        began it records that, and only then the user has left: whoever waits for that may count.
        """
        self._gone = True
        if self._player is None:
            super().leave()
            return
        self._recorded = self.pool.loop.create_future()
        exchange = self.exchange
        if exchange is None:
            self._player.cancel()
        elif exchange.waiting:
            exchange.fail(self._why_given_up(), GIVEN_UP)

    async def live(self) -> None:
        """See :class:`VirtualUser`."""
        try:
            await super().live()
        finally:
            await self._all_recorded()

    async def serve(self) -> None:
        """See :class:`VirtualUser`."""
        try:
            await super().serve()
        finally:
            await self._all_recorded()

    async def _all_recorded(self) -> None:
        """Wait until a request is recorded that was in flight as it left."""
        while self._recorded is not None and not self._recorded.done():
            with suppress(asyncio.CancelledError):  # once more: that request is given up already
                await asyncio.wait([self._recorded])

    def _why_given_up(self) -> Outcome:
        return Outcome.TIMEOUT if self.pool.sending else Outcome.CANCELLED

    async def _set_up(self) -> bool:
        self._instance = None
        self.forgotten = False
        self.name_session()
        if not self.pool.sending or not await self._call("setup"):
            return False
        self.pool.tally.sessions += 1
        self._has_row = False
        return True

    async def _tear_down(self) -> None:
        if self.pool.sending:
            await self._call("teardown")

    async def _iterate(self) -> bool:
        task = self._task()
        if task is None or not self.pool.sending:
            return True
        before = self._asked
        self._in_task = True
        whole = await self._call(task.name)
        self._in_task = False
        if whole:
            self.tally.iterations += 1
        if self._asked == before:
            await asyncio.sleep(0)  # a task may wait for nothing at all, and the loop must turn
        return self.session_goes_on()

    async def _call(self, hook: str) -> bool:
        """Run a hook or a task; return False if it did not come to its end."""
        self._hook = hook
        try:
            if self._instance is None:
                self._instance = self._make_instance()
            await getattr(self._instance, hook)()
        except (RequestFailed, RunOver):
            return False
        except SessionLost:
            self.forgotten = self._in_task
            return False
        except GeneratorExit:
            raise
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            if not self.pool.sending:
                return False
            self._raised(error)
        except BaseException as error:  # sys.exit() among them: it must not end a worker
            self._raised(error)
        else:
            return True
        if self._in_task and self.pool.working and not self.retiring:
            await self.sleep(RETRY_S)
        return False

    def _make_instance(self) -> User:
        """Return the object of a session."""
        instance = self.script.instance.__new__(self.script.instance)
        instance.client = self.client
        instance._life = self
        # Drawn here, so that which tasks are chosen does not depend on whether it is used.
        self._seed, self._chance = self.random.bits(), None
        instance.__init__()  # type: ignore[misc]
        return instance

    def _raised(self, error: BaseException) -> None:
        """Count an exception; the first of each place goes to the log with its traceback."""
        script, pool, recorder = self.script, self.pool, self.pool.recorder
        place = place_of(error, script.file)
        where = f" ({place})" if place else ""
        what = f"{script.instance.__name__}.{self._hook} raised {type(error).__name__}"
        words = recorder.safe(f"{what}{words_of(error).removeprefix(type(error).__name__)}", 4 * MAX_MESSAGE_LENGTH)
        message = clean_text(words, MAX_MESSAGE_LENGTH - len(where)) + where
        said = script.said.setdefault(what + where, set())
        if message not in said and len(said) >= MAX_VARIANTS:
            message = what + where
        leaf = pool.leaves[script.rows[self._hook]]
        leaf.user_errors += 1
        recorder.error(leaf, USER_ERROR, message, pool.elapsed())
        first = not said and len(script.said) <= MAX_PLACES
        said.add(message)
        if first:
            log = SafeStream(sys.stderr, recorder.safe)
            log.write("".join(traceback.format_exception(error)))
            log.end()

    # -- scripting.user.Life

    @property
    def leaving(self) -> bool:
        """Return whether it leaves after this task."""
        return self.retiring or not self.pool.working

    @property
    def given(self) -> Mapping[str, str]:
        """Return its variables."""
        return MappingProxyType(self.variables)

    @property
    def chance(self) -> Random:
        """Return the random generator of this session; 2.5 kB, made only if used."""
        if self._chance is None:
            self._chance = Random(self._seed)
        return self._chance

    async def pause(self, seconds: float) -> None:
        """Pause within a task, as between the steps of one.

        A user who is to leave still keeps the pause, or all of them would send what is left of their tasks at once.
        """
        if self.pool.sending:
            try:
                await self.sleep(max(seconds, 0.0), within_task=True)
            finally:
                self._within_task = False  # though the code waits no longer
        if not self.pool.sending:
            raise RunOver

    def checked(self, name: str, passed: bool) -> None:
        """Count a check. Names may be made up anew each time; a bounded number is kept apart."""
        checks = self.script.checks
        shown = checks.get(name)
        if shown is None:
            shown = clean_text(str(name), MAX_NAME) if len(checks) < MAX_CHECKS else OTHER
            if shown != OTHER:
                checks[name] = shown
        self.pool.recorder.check(shown, passed)

    # -- requests

    @property
    def running(self) -> str:
        """Return the row of the hook or task that is running."""
        return self.script.named[self._hook]

    @property
    def busy(self) -> bool:
        """Return whether a request of it is in flight."""
        return self._player is not None

    @property
    def streams(self) -> bool:
        """Return whether what it sends now asks for a stream: a task (not a hook) is running in a pool of streams."""
        return self._in_task and self.pool.compiled.protocol == "sse"

    @property
    def steps(self) -> Steps:
        """Return what makes its requests."""
        return self.script.steps

    async def play(self, step: CompiledStep) -> Given:
        """Perform a step and return the answer.

        Raises:
            RunOver: the run has ended, before it or meanwhile.
            RuntimeError: another one is in flight, or the user has left.
        """
        if self._player is not None:
            raise RuntimeError("a user sends one request at a time; await the other one first")
        if self._gone:
            raise RuntimeError("this user has left; its client sends nothing any more")
        if not self.pool.sending:
            await asyncio.sleep(0)  # who does not want to hear of it must not keep the loop
            raise RunOver
        self._player = asyncio.current_task()
        self._asked += 1
        self._asked_ns = perf_counter_ns()
        self._unsent = self.answer.outcome = None
        before = self.connection
        try:
            whole = await self._perform(step)
        except asyncio.CancelledError:
            self._give_up(step, before)
            raise
        finally:
            self._player = None
            if self._recorded is not None:
                self._recorded.set_result(None)
                super().leave()
        judged = self.answer.outcome if self._unsent is None else None  # of an attempt before, where there is one
        if judged is None:
            if not whole:
                await asyncio.sleep(0)  # who tries until it is sent must not keep the loop
            return self._unjudged(step, whole)
        if judged[0] == Outcome.CANCELLED:
            raise RunOver
        return handed_out(self.answer, *judged)

    def _unjudged(self, step: CompiledStep, whole: bool) -> Given:
        """Return the answer of a step that had none to judge."""
        if whole:
            return Given(0, "ok", "", _NONE, b"")
        if self._unsent is None and not self.pool.sending:
            raise RunOver
        reservations = self.pool.reservations
        if self._unsent is not None:
            outcome, error = self._unsent
        elif reservations is not None and reservations.budget.dry and step.wait:
            outcome, error = Outcome.BUDGET_REFUSED, "the budget has no more for it"
        else:
            outcome, error = NOT_SENT, "the WebSocket is closed" if step.kind == "send" else "it was not sent"
        return Given(0, str(outcome), error, _NONE, b"")

    def _give_up(self, step: CompiledStep, before: Connection | None) -> None:
        """Record what is in flight as it stands: the code waits no longer for it, or the run ends."""
        exchange, self.retries_left, self.refusal = self.exchange, 0, None
        since, self.since_ns = self.since_ns, 0
        if exchange is None:
            self.release()
            return  # it was not sent yet, or waited to be sent again: whoever was at it has recorded that
        self.step = None
        if exchange.waiting:
            exchange.fail(self._why_given_up(), GIVEN_UP)
        exchange.sent_ns = since or exchange.sent_ns
        opened = 0
        if exchange is self.connection and exchange is not before:
            opened = self.connection.opened_ns
            if step.kind == "connect":
                opened += exchange.end_ns - exchange.sent_ns
        sent = exchange.sent if isinstance(exchange, WebSocket) else len(self.sent)
        record_answer(self, step, self.leaf, exchange, sent, opened)

    async def _unconnected(self, step: CompiledStep, connection: Connection) -> None:
        self._unsent = connection.failure
        await super()._unconnected(step, connection)

    def cut(self, step: CompiledStep, leaf: Leaf) -> None:
        if not self.pool.sending:
            super().cut(step, leaf)
            return
        self.release()
        self.since_ns = 0
        # Not the run has ended: the code did not want to wait for the connection.
        leaf.outcomes["timeout"] = leaf.outcomes.get("timeout", 0) + 1
        leaf.time_to_failure.append(perf_counter_ns() - self._asked_ns)
        self.pool.recorder.error(leaf, Outcome.TIMEOUT, GIVEN_UP, self.pool.elapsed())
