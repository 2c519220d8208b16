"""Searches for capacity in a run: takes what workers report, returns the controls of the next level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.controller.ending import End, failure, gate
from agenttop.controller.move import Move
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta
from agenttop.metrics.exhaustion import Reason
from agenttop.metrics.layout import Layout
from agenttop.metrics.marks import Count, Marks
from agenttop.metrics.saturation import LAGS
from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.profile.model import Profile, Search
from agenttop.profile.percent import parse_percent
from agenttop.report.search import level as level_words
from agenttop.report.search import sentence, step_words
from agenttop.schedule.control import Control
from agenttop.search.judgement import Judgement, judge
from agenttop.search.levels import BELOW_MIN, Levels, Span
from agenttop.search.step import FINISHING, MEASURING, SETTLING, Pace, Step
from agenttop.users.compile import steps_of

#: Why a command that would move what the search moves is not followed.
BUSY = "a search for capacity sets the load itself; stop ends it"
#: A generator that was saturated for a larger part of what was measured did not drive the level it says.
SATURATED_SHARE = 0.2
#: Being late at p99 for less than this part of the tightest objective changes no judgement.
LAG_SHARE = 0.1
#: Users that are not there so long after every request of those before them must have ended, do not come.
ARRIVE_S = 30.0
#: After the longest that a good request may take, for what is on its way to the controller.
REPORT_S = 0.6


class Searching:
    """The search of one run."""

    def __init__(self, profile: Profile, search: Search, layout: Layout) -> None:
        """Make the search of a resolved profile, in which every value is set."""
        assert search.from_ is not None
        assert search.to is not None
        self.search = search
        names = [pool.name for pool in layout.pools]
        self.pool = names.index(search.pool) if search.pool is not None else None
        self.rate = search.unit == "rate"
        self._of = [self.pool] if self.pool is not None else shared(profile)
        absolute = search.resolution if isinstance(search.resolution, float) else None
        part = parse_percent(search.resolution) if isinstance(search.resolution, str) else 0.0
        self._levels = Levels(Span(search.from_, search.to, not self.rate, part, absolute))
        self._pace = pace_of(profile, search)
        self._looks = max(1, math.ceil(self._pace.max_measure_s / self._pace.measure_s - 1e-9))
        self._warmup_s = profile.warmup
        self._lag_us = LAG_SHARE * min(profile.objectives.limits_ns.values()) / 1000
        self._marks = Marks()
        self._step: Step | None = None
        self._next_mark = 1
        self._t_s = 0.0
        self._saturated_s = 0.0
        self._reported_steps = -1
        self.steps: list[SearchStep] = []
        self.stopped = ""

    def fold(self, delta: Delta) -> None:
        """Take what is new on one worker."""
        self._marks.fold(delta)

    def forget(self, worker: int) -> None:
        """Forget a lost worker."""
        self._marks.forget(worker)

    def doubts(self, reasons: Sequence[Reason]) -> bool:
        """Return whether these reasons make the generator doubtful for this search: a lag small against the objectives
        does not.
        """
        return any(reason.kind not in LAGS or reason.value > self._lag_us for reason in reasons)

    def look_at(self, t_s: float, control: Control, aggregate: Aggregate) -> Move:
        """Move on with the time, by what workers told; see :meth:`look`."""
        users, in_flight = aggregate.workers.by_pool()
        doubtful = self.doubts(aggregate.saturation.current)
        return self.look(t_s, control, users, in_flight, saturated=doubtful)

    def look(
        self, t_s: float, control: Control, users: Sequence[int], in_flight: Sequence[int], *, saturated: bool
    ) -> Move:
        """Move on with the time: return the controls to set and what to say.

        Args:
            t_s: seconds since the run began.
            control: the controls as they are.
            users: that there are, by pool.
            in_flight: requests, by pool.
            saturated: the load generator is, see :meth:`doubts`.
        """
        if self.stopped:
            return Move(control.marked(0, 0), [self.words], over=True)
        said: list[str] = []
        if self._step is None:
            level = self._levels.next
            assert level is not None  # where there is none, the search was ended with the step before
            queued = self.rate and bool(self.steps) and not self.steps[-1].holds
            self._step = Step(level, t_s, self._pace, self._next_mark, not_before_s=self._warmup_s, clear=queued)
            self._saturated_s = 0.0
            said.append(f"search: {level_words(level, self.unit)}")
        step = self._step
        if saturated and step.phase in (MEASURING, FINISHING):
            self._saturated_s += t_s - self._t_s
        self._t_s = t_s
        there = self.rate or sum(users[index] for index in self._of) == step.level
        drained = bool(step.draining) and self._marks.drained(step.draining)
        ready = step.look(t_s, there=there, drained=drained, empty=not any(in_flight[index] for index in self._of))
        if ready:
            self._judge(step, t_s)
        elif step.lost(t_s):
            self._end(step, t_s, "cut", why="users")
            self.stopped = "users"
        if self._step is None:
            said.append(f"search: {step_words(msgspec.to_builtins(self.steps[-1]), self.unit)}")
        if self.stopped:
            said.append(self.words)
        return Move(self._controls(control), said, bool(self.stopped))

    def fail(self, t_s: float) -> str:
        """Fail the level at once, since the circuit breaker would open; return what to say."""
        if self._step is None:
            return ""
        self._settle(self._step, t_s, "fail", holds=False, why="circuit_breaker")
        return f"search: {step_words(msgspec.to_builtins(self.steps[-1]), self.unit)}"

    def end(self, t_s: float, reason: str) -> list[str]:
        """End the search with the run, whose ``stop_reason`` is ``reason``, if it goes on; return what to say."""
        if self.stopped:
            return []
        if self._step is not None:
            self._end(self._step, t_s, "cut", why="the end of the run")
        self.stopped = "time" if reason == "completed" else reason
        return [self.words]

    @property
    def unit(self) -> str:
        """Return ``users`` or ``rate``."""
        return "rate" if self.rate else "users"

    @property
    def outcome(self) -> End:
        """Return how the search ends the run.

        If not even the first level holds, that is a failed gate; if nothing at all is known, the run has failed.
        """
        if self.stopped == BELOW_MIN:
            return gate("completed", self.words)
        if self._levels.best is None or self.stopped in ("users", "no_requests"):
            return failure(self.words)
        return End()

    def news(self) -> dict[str, Any] | None:
        """Return the summary's ``search`` if a step has ended since the last call, for the journal; else None."""
        if len(self.steps) == self._reported_steps:
            return None
        self._reported_steps = len(self.steps)
        return self.summary()

    @property
    def words(self) -> str:
        """Return what it found, in a sentence."""
        return sentence(self.summary())

    def state(self) -> SearchState:
        """Return the state for viewers."""
        step, t_s = self._step, self._t_s
        best, known = self._levels.best, [step for step in self.steps if step.verdict == "pass"]
        failed = [step.level for step in self.steps if step.verdict == "fail"]
        worst = next((s for s in reversed(self.steps) if s.level == self._levels.worst and not s.holds), None)
        state = SearchState(
            unit=self.unit,
            pool=self.search.pool,
            good=self.search.good,
            confidence=self.search.confidence,
            capacity=best,
            lower=max((step.level for step in known), default=None),
            upper=min(failed, default=None),
            stopped=self.stopped,
            limited_by=next(iter(worst.missed), None) if worst is not None else None,
            steps=tuple(self.steps),
        )
        if step is None:
            return state
        measured_s = step.measured_s(t_s, shown=True)
        spans = {
            SETTLING: (t_s - step.since_s, self._pace.settle_s),
            MEASURING: (measured_s, self._pace.max_measure_s if step.closed else self._pace.measure_s),
        }
        phase_s, of_s = spans.get(step.phase, (t_s - step.since_s, 0.0))
        if step.phase == MEASURING and measured_s > of_s:
            of_s = self._pace.max_measure_s
        now = self._told(step, self._marks.of(step.shown), t_s, measured_s, "")
        return msgspec.structs.replace(state, now=now, phase=step.phase, phase_s=round(phase_s, 3), phase_of_s=of_s)

    def summary(self) -> dict[str, Any]:
        """Return the summary's ``search``."""
        found: dict[str, Any] = msgspec.to_builtins(self.state())
        kept = {key: value for key, value in found.items() if key not in ("now", "phase", "phase_s", "phase_of_s")}
        return kept | {"steps": list(found["steps"])}

    # -- steps

    def _judge(self, step: Step, t_s: float) -> None:
        assert step.waiting is not None
        if not self._marks.drained(step.waiting.mark):
            self._marks.close(step.waiting.mark)
        if self._saturated_s > SATURATED_SHARE * max(step.measured_s(t_s), 1.0):
            self._end(step, t_s, "cut", why="generator")
            self.stopped = "generator"
            return
        count = self._marks.of(step.counted)
        found = self._found(count)
        if found.verdict == "undecided" and step.extend(t_s):
            return
        if not count.requests:
            self._end(step, t_s, "cut", why="no_requests")
            self.stopped = "no_requests"
            return
        self._settle(step, t_s, found.verdict, holds=found.holds)

    def _settle(self, step: Step, t_s: float, verdict: str, *, holds: bool, why: str = "") -> None:
        """End a step with its judgement, and choose the next level."""
        self._end(step, t_s, verdict, holds=holds, why=why)
        self._levels = self._levels.after(step.level, holds=holds)
        self.stopped = self._levels.ended

    def _end(self, step: Step, t_s: float, verdict: str, *, holds: bool = False, why: str = "") -> None:
        marks, measured_s = (step.counted, step.measured_s(t_s))
        if verdict == "cut" or why:  # it has not come to its end: whatever was counted
            marks, measured_s = step.shown, step.measured_s(t_s, shown=True)
        self.steps.append(self._told(step, self._marks.of(marks), t_s, measured_s, verdict, holds=holds, why=why))
        self._next_mark = step.next_mark
        self._step = None

    def _told(
        self,
        step: Step,
        count: Count,
        t_s: float,
        measured_s: float,
        verdict: str,
        *,
        holds: bool = False,
        why: str = "",
    ) -> SearchStep:
        found = self._found(count)
        return SearchStep(
            level=step.level,
            start_s=round(step.begin_s, 3),
            end_s=round(t_s, 3),
            measured_s=round(measured_s, 3),
            requests=count.requests,
            good=count.good,
            share=round(found.share, 6),
            low=round(found.low, 6),
            high=round(found.high, 6),
            verdict=verdict,
            holds=holds,
            confidence=round(found.confidence, 6),
            latency_p95_ms=count.p95_ms("latency"),
            ttft_p95_ms=count.p95_ms("ttft"),
            rps=round((count.requests - count.dropped) / measured_s, 3) if measured_s > 0 else 0.0,
            rate_limited=count.rate_limited,
            missed=count.missed,
            why=why,
        )

    def _found(self, count: Count) -> Judgement:
        return judge(count.good, count.requests, self.search.good, self.search.confidence, self._looks)

    def _controls(self, control: Control) -> Control:
        step = self._step
        if step is None:
            return control.marked(0, 0)
        if self.rate:
            assert self.pool is not None
            control = control.with_rate(step.wanted, self.pool)
        else:
            control = control.with_users(int(step.level), self.pool)
        return control.marked(step.mark, step.draining)


def searching_of(profile: Profile, layout: Layout) -> Searching | None:
    """Return the search of a profile; None if it has none."""
    return Searching(profile, profile.search, layout) if profile.search is not None else None


def shared(profile: Profile) -> list[int]:
    """Return the pools that share the users of the run."""
    return [index for index, pool in enumerate(profile.pools) if not pool.stages and pool.weight > 0]


def pace_of(profile: Profile, search: Search) -> Pace:
    """Return the pace of a level. Objectives for the whole answer say when a request can no longer be good."""
    timeouts = [step.timeout for pool in profile.pools for step in steps_of(pool) if step.timeout is not None]
    timeout = max([profile.timeout, *timeouts])
    longest = [timeout]
    longest += [limit for limit in (profile.objectives.latency, profile.objectives.response_time) if limit is not None]
    return Pace(
        settle_s=search.settle,
        measure_s=search.measure,
        max_measure_s=max(search.max_measure or 0.0, search.measure),
        patience_s=min(longest) + REPORT_S,
        arrive_s=timeout + ARRIVE_S,
    )
