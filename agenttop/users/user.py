"""The life of one virtual user: set-up, tasks with pauses between them, tear-down, on a connection of its own.

    for each session:  set-up ──► task ──► think ──► task … ──► tear-down
                          ▲  fails: wait, again          │ gone: wait, again
                          └──────────────────────────────┘

Longer than most files, for a life is read in one piece. A user never raises for what a target does: a failed request is
recorded, ends its task, and life goes on.
"""

from __future__ import annotations

from time import perf_counter_ns

from agenttop.users.asking import ask
from agenttop.users.base import RETRY_S, UserBase
from agenttop.users.compiled import CompiledStep, CompiledTask
from agenttop.users.messages import open_socket, send_message
from agenttop.users.record import record_times
from agenttop.users.request import request
from agenttop.users.retries import pause_after_refusal, request_patiently
from agenttop.users.turns import take_turn


class VirtualUser(UserBase):
    """A user that lives as its profile's steps say."""

    __slots__ = ()

    # -- life

    async def live(self) -> None:
        """Live as a user of a closed pool, until retired."""
        pool = self.pool
        compiled = pool.compiled
        begun = False
        try:
            while not self.retiring and pool.working:
                if compiled.feed >= 0 and not self._take_row():
                    return
                if not await self._set_up():
                    await self.sleep(max(self.random.between(compiled.think_time), RETRY_S))
                    continue
                begun = True
                while not self.retiring and pool.working:
                    if pool.paused:
                        await self.sleep(pool.pause_s)
                        continue
                    began = perf_counter_ns()
                    alive = await self._iterate()
                    begun = alive
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
                        await self.sleep(rest)
                        self._thinking = False
                    if not alive:
                        await self._before_anew()
                        break
            if begun:
                await self._tear_down()
        finally:
            self.leave()

    async def serve(self) -> None:
        """Live as a user of an open pool: one iteration whenever :meth:`begin` is called, until retired."""
        pool = self.pool
        ready = False
        try:
            while True:
                if self.scheduled_ns == 0:
                    if self.retiring or not pool.working:
                        break
                    self.waking = pool.loop.create_future()
                    pool.wait_for_work(self)
                    await self.waking
                    self.waking = None
                    continue
                # Who has arrived is served, though the plan may have ended meanwhile.
                if not pool.sending:
                    pool.tally.dropped_iterations += 1
                    break
                if not ready:
                    if pool.compiled.feed >= 0 and not self._take_row():
                        pool.tally.dropped_iterations += 1
                        break
                    ready = await self._set_up()
                if ready:
                    ready = await self._iterate()
                self.scheduled_ns = 0
                if not ready:
                    await self._before_anew()
            if ready:
                await self._tear_down()
        finally:
            self.leave()

    async def _before_anew(self) -> None:
        """Wait until a session that is gone, or did not begin, may be set up again: a target that hangs up on
        everybody, or forgets everybody, is not stormed.
        """
        loop, pool = self.pool.loop, self.pool
        until = loop.time() + RETRY_S
        while pool.working and not self.retiring and (rest := until - loop.time()) > 0:
            await self.sleep(rest)  # which other things end, too

    def leave(self) -> None:
        """End the life: close the connection and leave the pool."""
        self.close()
        self.answer.give_back()
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

    def _take_row(self) -> bool:
        """Take the row of a session; one whose set-up failed keeps its row. Return False if there is none to begin
        with.
        """
        if self._has_row:
            return True
        pool = self.pool
        self._has_row = pool.feeders[pool.compiled.feed].feed(self.variables, self.random)
        if not self._has_row:
            pool.sessions_used_up()
        return self._has_row

    async def _set_up(self) -> bool:
        """Run every set-up step, in order: a session begins. Return False if one failed."""
        self.cookies = self.conversation = None
        self.forgotten = False
        if self.pool.compiled.own_ids:
            self.name_session()
        for step in self.pool.compiled.setup:
            if not self.pool.sending or not await self._perform(step):
                return False
        self.pool.tally.sessions += 1
        self._has_row = False
        return True

    async def _tear_down(self) -> None:
        for step in self.pool.compiled.teardown:
            if not self.pool.sending or not await self._perform(step):
                return

    async def _iterate(self) -> bool:
        """Run one task. Return False if the user's session is gone."""
        pool = self.pool
        task = self._task()
        if task is None:
            return True
        step = task.steps[0]
        if task.single and step.kind == "http":
            # Nearly every task: two coroutines less to wake for every answer.
            self.back_to_back = pool.compiled.back_to_back and self.cookies is None
            whole = pool.sending and await request(self, step)
            self.back_to_back = False
            if self.refusal is not None:  # what is done about one may have changed since it was sent
                await pause_after_refusal(self)
        else:
            conversation = self.conversation
            if task.apart:
                self.conversation = None
            whole = await self._run(task)
            if task.apart:
                self.conversation = conversation
        if whole:
            self.tally.iterations += 1
        return self.session_goes_on()

    def _task(self) -> CompiledTask | None:
        """Begin an iteration and return its task; None if all data has been used, so that there is none."""
        pool = self.pool
        compiled = pool.compiled
        self.iteration += 1
        if compiled.renews:
            return self._renewed()
        self.tally = pool.tally
        tasks = compiled.tasks
        return tasks[0] if len(tasks) == 1 else compiled.task(self.random.fraction())

    def _renewed(self) -> CompiledTask | None:
        """Return the task, with what it needs anew for each iteration; None if there is none."""
        pool = self.pool
        self.variables["iteration"] = str(self.iteration)
        if pool.compiled.own_ids:
            self.variables["iteration_uuid"] = self.new_uuid()
        while tasks := pool.compiled.tasks:
            task = tasks[0] if len(tasks) == 1 else pool.compiled.task(self.random.fraction())
            if task.feed < 0 or pool.feeders[task.feed].feed(self.variables, self.random):
                self.tally = pool.tally
                return task
            if not pool.task_used_up(task):
                break
        return None

    async def _run(self, task: CompiledTask) -> bool:
        pool = self.pool
        last = len(task.steps) - 1
        asked = ask(self, task) if task.questions >= 0 else None
        for index, step in enumerate(task.steps):
            if not pool.sending:
                return False
            if asked is not None:
                asked.before(index)
            whole = await self._perform(step)
            if asked is not None:
                asked.after(index, whole)
            if not whole:
                return False
            if index < last and task.pause[1] > 0:
                await self.sleep(self.random.between(task.pause), within_task=True)
                self._within_task = False
        return True

    async def _perform(self, step: CompiledStep) -> bool:
        """Perform one step. Return False if it failed, so that the task cannot go on."""
        if step.turn is not None:
            whole = await take_turn(self, step)
        elif step.kind == "http":
            whole = await (request_patiently(self, step) if self.pool.compiled.patient else request(self, step))
        elif step.kind == "close":
            self.close()
            return True
        else:
            whole = await (send_message(self, step) if step.kind == "send" else open_socket(self, step))
        if self.refusal is not None:
            await pause_after_refusal(self)
        return whole

    def again(self) -> bytes | None:
        """Return the next request if no pause follows a timed answer, and record the answer; else None.

        This does here what the coroutines from :meth:`live` to :meth:`request` would do: waking them takes as long as
        all the rest of our work on a request.
        """
        if not self.back_to_back:
            return None
        pool, step, connection = self.pool, self.step, self.connection
        if self.retiring or pool.paused or not pool.working or step is None or connection is None:
            return None
        latency = connection.end_ns - connection.sent_ns
        if latency > step.limits.total:
            return None
        tally = self.tally
        task = self._task()
        if task is None:
            return None
        record_times(self.leaf, connection, latency, len(self.sent))
        tally.iterations += 1
        return self.prepare(task.steps[0])
