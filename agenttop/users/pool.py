"""Runs the users of one pool on one worker: as many as wanted, or as many as arrivals need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from inspect import CORO_CREATED, getcoroutinestate
from typing import Any, cast

from agenttop.metrics.delta import WARMUP
from agenttop.metrics.outcome import Outcome
from agenttop.schedule.control import Pauses
from agenttop.users.compiled import CompiledPool, CompiledStep, CompiledTask
from agenttop.users.policy import RefusalPolicy
from agenttop.users.shared import PoolShared
from agenttop.users.streams import STALLED
from agenttop.users.tuning import tuned
from agenttop.users.user import VirtualUser
from agenttop.wire.transport import Connection
from agenttop.wire.websocket import WebSocket

#: Calls of :meth:`PoolRuntime.watch` after which every user has been looked at.
WATCH_CALLS = 5
#: Users that begin in one turn of the loop; the next turn is 10 ms later.
MAX_BEGUN_AT_ONCE = 300


class PoolRuntime(PoolShared):
    """The worker's side of a pool. Arguments are as for ``PoolShared``; ``make`` makes a user of a number."""

    def __init__(
        self,
        compiled: CompiledPool,
        *,
        worker: int,
        workers: int,
        make: Callable[[PoolShared, int], VirtualUser] = VirtualUser,
        **shared: Any,
    ) -> None:
        super().__init__(compiled, worker=worker, workers=workers, **shared)
        self.broken: Callable[[BaseException], None] = self._raise
        """Called with what a user raises, a mistake of ours: a run must not silently go on without that user."""
        self.idle: list[VirtualUser] = []
        """Users of an open pool that have nothing to do."""
        self.active: list[VirtualUser] = []
        """Users that are not leaving, the newest last."""
        self.tasks: dict[VirtualUser, asyncio.Task[None]] = {}
        """Every user there is, with its task."""
        self.max_users = compiled.max_users
        # A look at all users: whom, how far it has come, what it has seen; and what the last one saw.
        self._round: list[VirtualUser] = []
        self._next = self._flying = self._oldest = 0
        self._seen = (0, 0)
        self._make = make
        self._worker = worker
        self._workers = workers
        self._numbers: list[int] = []
        self._next_number = 0

    # -- of its users

    def wait_for_work(self, user: VirtualUser) -> None:
        self.idle.append(user)

    def task_used_up(self, task: CompiledTask) -> bool:
        """Note that every row of a task's data has been used: the task is not chosen any more.

        Return False if no task is left, so that all users leave.
        """
        self.compiled = self.compiled.without(task)
        self.used_up = (*self.used_up, self.feeders[task.feed].name)
        if self.compiled.tasks:
            return True
        self.closed = True
        self.finish(sending=True)
        return False

    @property
    def over(self) -> bool:
        """Return whether it has no users and will get none: its data is used up, or none are planned here."""
        return not self.tasks and (self.closed or not self.planned)

    def left(self, user: VirtualUser) -> None:
        """Forget a user whose life is over."""
        self.tasks.pop(user, None)
        if user in self.active:
            self.active.remove(user)
        heappush(self._numbers, user.number)

    # -- what the worker does

    def enter(self, stage: int, mark: int = 0) -> None:
        """Count requests under this stage and mark from now on."""
        self.stage, self.mark = stage, mark
        self.quotas.measured = stage != WARMUP
        self.leaves = self.recorder.row(stage, mark)
        self.tally = self.recorder.count(self.compiled.index, stage, mark)

    def unanswered(self, mark: int) -> int:
        """Return how many requests sent under a mark have not been recorded yet."""
        return sum(user.step is not None and user.leaf.mark == mark for user in self.tasks)

    def aim(self, users: int) -> None:
        """Have this number of users: begin new ones, or let the newest leave after their task.

        Of many, the next call begins the rest: ten thousand at once would stop the loop for a second, and hold each
        other's memory.
        """
        if not self.closed:
            for _ in range(min(users - len(self.active), MAX_BEGUN_AT_ONCE)):
                self._begin(closed=True)
        while len(self.active) > users:
            self.active.pop().retire()

    def arrive(self, scheduled_ns: int) -> None:
        """Start one arrival of an open pool; without a free user it is a dropped iteration.

        Once every row of its data has been used, arrivals are not expected any more.
        """
        if self.idle:
            self.idle.pop().begin(scheduled_ns)
        elif not self.working:
            return
        elif not self.closed and len(self.active) < self.max_users:
            self._begin(closed=False).begin(scheduled_ns)
        else:
            self.tally.dropped_iterations += 1

    def retune(self, pauses: Pauses, policy: RefusalPolicy | None) -> None:
        """Change the pauses between tasks, or the policy for refusals, from each user's next answer on.

        A user in a pause that is now too long does not keep it.
        """
        before, self.compiled = self.compiled, tuned(self.compiled, pauses, policy)
        paces = (before.think_time, before.pacing) != (self.compiled.think_time, self.compiled.pacing)
        for user in list(self.tasks):
            user.retune(hurry=paces)

    def pause(self, paused: bool) -> None:
        """Begin no new task (True), or begin them again (False)."""
        if paused != self.paused:
            self.paused = paused
            if not paused:
                self.wake()

    def wake(self) -> None:
        """Let every sleeping user look again."""
        for user in list(self.tasks):
            user.wake()

    def finish(self, *, sending: bool) -> None:
        """Begin no new tasks; ``sending`` lets those under way send their remaining requests."""
        self.working = False
        self.sending = self.sending and sending
        self.active.clear()
        self.idle.clear()
        for user in list(self.tasks):
            user.retire()

    def cancel(self) -> None:
        """Cut what is in flight; it is counted as cancelled. May be called again for users that are still here."""
        self.finish(sending=False)
        for user, task in list(self.tasks.items()):
            exchange = user.exchange
            if exchange is None:
                # Who has not begun yet leaves by itself; cancelled now, it would never say that it has left.
                if getcoroutinestate(cast("Coroutine[Any, Any, None]", task.get_coro())) != CORO_CREATED:
                    task.cancel()
            elif exchange.waiting:
                exchange.fail(Outcome.CANCELLED, "cut by the end of the run")
            # else: it has ended, and its user, woken already, is about to record it.

    @property
    def in_flight(self) -> tuple[int, int]:
        """Return how many requests were in flight when last looked at, and when the oldest was sent.

        Times are ``perf_counter_ns``; 0: there is none.
        """
        return self._seen if self.tasks else (0, 0)

    def watch(self, now: int) -> None:
        """End what takes longer than its timeouts.

        One call looks at a fifth of the users: all at once would keep what arrives meanwhile waiting, 0.6 ms for a
        thousand users.
        """
        if self._next >= len(self._round):
            self._seen = (self._flying, self._oldest)
            self._flying = self._oldest = self._next = 0
            self._round = list(self.tasks)
        first, self._next = self._next, self._next + len(self._round) // WATCH_CALLS + 1
        for user in self._round[first : self._next]:
            step = user.step
            if step is None:
                continue
            exchange = user.exchange
            if exchange is None or not exchange.waiting:
                continue
            self._flying += 1
            sent = user.since_ns or exchange.sent_ns
            if not self._oldest or sent < self._oldest:
                self._oldest = sent
            words = _overdue(user, step, exchange, sent, now)
            if words and (behind := exchange.behind_ns):
                # What is late is judged by when bytes came, not by when there was time to look at them.
                words = _overdue(user, step, exchange, sent, behind)
            if words:
                exchange.fail(Outcome.TIMEOUT, words)

    def _raise(self, error: BaseException) -> None:
        raise error

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.broken(error)

    def _begin(self, *, closed: bool) -> VirtualUser:
        if self._numbers:
            number = heappop(self._numbers)
        else:
            number = self._next_number * self._workers + self._worker + 1
            self._next_number += 1
        user = self._make(self, number)
        self.active.append(user)
        task = self.tasks[user] = self.loop.create_task(user.live() if closed else user.serve())
        task.add_done_callback(self._ended)
        return user


def _overdue(user: VirtualUser, step: CompiledStep, exchange: Connection | WebSocket, sent: int, now: int) -> str:
    """Return which timeout of a step has passed, in words; empty if none has."""
    limits, since = step.limits, now - sent
    if since > limits.total:
        return f"no whole answer within {limits.total / 1e9:g}s"
    if limits.first_byte and not exchange.first_ns and since > limits.first_byte:
        return f"no first byte within {limits.first_byte / 1e9:g}s"
    if (
        limits.first_token
        and since > limits.first_token
        and (step.stream or step.kind == "send" or (user.answer.step is not None and user.answer.streamed))
        and not user.answer.first_output
    ):
        return f"no first token within {limits.first_token / 1e9:g}s"
    if limits.idle and exchange.first_ns and now - exchange.last_ns > limits.idle:
        return f"{STALLED} {limits.idle / 1e9:g}s"
    return ""
