"""Closes a second of the run: judges its figures, and hands it to watcher, journal and viewers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from agenttop.controller.ending import End
from agenttop.controller.grading import STOPPED, Grading
from agenttop.controller.intake import Intake
from agenttop.controller.orders import Now, Orders
from agenttop.controller.records import Records
from agenttop.controller.searching import Searching
from agenttop.controller.spans import Spans
from agenttop.controller.spec import RunSpec
from agenttop.controller.until_decided import Look, look_at
from agenttop.controller.watcher import Watcher
from agenttop.journal.figures import Closed, Figures
from agenttop.journal.targets import situation
from agenttop.journal.verdicts import told
from agenttop.metrics.assessment import RECOVERS, Assessment
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import Snapshot
from agenttop.schedule.quantities import format_duration

#: Seconds after the load in which what is left is graded without a word.
SOON_S = 1.0


class Closing:
    """Closes the seconds of one run; all but ``spec`` are told of them, or have something to tell."""

    def __init__(
        self,
        spec: RunSpec,
        figures: Figures,
        records: Records,
        watcher: Watcher,
        intake: Intake,
        orders: Orders,
        spans: Spans,
        search: Searching | None,
        grading: Grading | None = None,
    ) -> None:
        self._spec = spec
        self._figures = figures
        self._records = records
        self._watcher = watcher
        self._intake = intake
        self._orders = orders
        self._spans = spans
        self._search = search
        self._grading = grading
        self._given_up = False
        """It has been said that the judge is not asked any more."""

    def second(self, t_s: float, now: Callable[[], Now], judge: Callable[[float, Closed], None]) -> Snapshot:
        """Close the second that ends ``t_s`` seconds after the run began, and return what is published of it.

        Args:
            t_s: likewise.
            now: returns the run as it is; asked again, for something may happen meanwhile.
            judge: does what thresholds and circuit breaker ask for.
        """
        figures, watcher, search = self._figures, self._watcher, self._search
        for event in self._orders.changes.rested(t_s, now=now().state == "done"):
            watcher.say(*event)
        state = self._state(t_s, now())
        news = search.news() if search is not None else None
        self.graded(t_s)
        closed = figures.second(state, self._spans.all, sending_ended_s=now().sending_ended_s, search=news)
        watcher.silent(t_s, figures.aggregate.saturation.silent, figures.aggregate.boxes.worker)
        for verdict in closed.failed:
            if not verdict.aborted_run:
                watcher.say(t_s, f"threshold failed: {told(verdict)}", "warn")
        if closed.verdict is not None:
            self._changed(t_s, closed.verdict)
        judge(t_s, closed)
        for text in self._intake.budget.news():
            watcher.say(t_s, text, "warn")
        snapshot = self._snapshot(state)
        watcher.look(snapshot)
        if watcher.events and watcher.events[-1] not in state.events:
            snapshot = self.snapshot(t_s, now())
        if search is not None:
            news = search.news() or news
        why = self._records.second(
            state,
            controls=self._orders.controls,
            events=watcher.take(),
            search=news,
            spans=self._spans.take(),
            sending_ended_s=now().sending_ended_s,
        )
        if why:  # a full disk must not end a run that goes well; the summary may yet find room
            watcher.say(t_s, f"journal: {why}", "error")
        return snapshot

    def _changed(self, t_s: float, verdict: Assessment) -> None:
        """Report another state of the target: an event, and a mark unless it does well from the beginning."""
        self._watcher.say(t_s, verdict.event, "warn" if verdict.bad else "info")
        if verdict.bad or verdict.state == RECOVERS:
            for event in self._orders.changes.rested(t_s, now=True):
                self._watcher.say(*event)
            self._orders.changes.mark(t_s, verdict.word)

    def graded(self, t_s: float) -> None:
        """Take what is new about grading, ``t_s`` seconds after the run began."""
        if self._grading is not None:
            told = self._grading.news()
            if told.judge is not None and told.judge.given_up and not self._given_up:
                self._given_up = True
                self._watcher.say(t_s, f"the judge is not asked any more: {told.judge.given_up}", "warn")
            self._figures.graded(told.answers, told.scores, told.judge)
            self._records.graded(told.answers, told.scores, told.judge)

    async def rest(self, elapsed: float, shown: Callable[[], object], asked: Callable[[], str]) -> None:
        """Let the answers be graded that wait, with the run's clock at ``elapsed``; ``shown`` is called with each news.

        Who asks for a stop does not want to wait: ``asked`` returns how somebody does, and what that ends is said.
        """
        grading, quality = self._grading, self._spec.profile.quality
        if grading is None or quality is None:
            return
        before, wait = asked(), format_duration(quality.max_wait)
        wait_s, why = quality.max_wait, f"not graded within {wait} of the load's end ([quality] max_wait)"
        if before == "cancel":
            wait_s, why = 0.0, STOPPED

        def news() -> None:
            self.graded(elapsed)
            shown()

        grading.finish(wait_s, why)
        if not await grading.soon(SOON_S) and grading.waiting:
            how = f"{wait} at most; {'stop now' if before else 'stop'} ends that"
            self._watcher.say(elapsed, f"{grading.waiting} answers are still to be graded: {how}", "warn")
            news()
        await grading.rest(news, lambda: asked() == before)

    def summary(self, elapsed: float, end: End, sending_ended_s: float | None = None) -> dict[str, Any]:
        """Return the summary of the run as things stand; what was sent ended just now, unless it is known when."""
        return self._records.summary(
            duration_s=elapsed,
            sending_ended_s=elapsed if sending_ended_s is None else sending_ended_s,
            end=end,
            stage_spans=self._spans.all,
            controls=self._orders.controls,
            search=self._search.summary() if self._search is not None else None,
        )

    def begin_look(self, elapsed: float) -> asyncio.Future[Look]:
        """Begin to look at the gate, beside the run, which goes on."""
        look = partial(look_at, self._spec.profile, self._spec.bases, self.summary(elapsed, End()))
        return asyncio.get_running_loop().run_in_executor(None, look)

    def snapshot(self, t_s: float, now: Now) -> Snapshot:
        """Return what viewers see of the run as it is."""
        return self._snapshot(self._state(t_s, now))

    def _snapshot(self, state: RunState) -> Snapshot:
        return self._figures.snapshot(state, self._search.state() if self._search is not None else None)

    def _state(self, t_s: float, now: Now) -> RunState:
        spec = self._spec
        return situation(
            t_s,
            now.plan,
            now.control,
            state=now.state,
            ending=bool(now.ending),
            warmup_s=spec.profile.warmup,
            events=self._watcher.events,
            workers=spec.workers,
            alive=spec.workers - self._intake.lost,
            searching=now.searching,
            marks=self._orders.changes.newest,
            boxes=now.boxes,
        )
