"""The timeline that a viewer keeps: the last minutes second by second, and the whole run along the plan."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, zip_longest
from typing import Self

from agenttop.metrics.snapshot import ManualChange, RunInfo, Tick
from agenttop.tui.whole import Whole

Field = Callable[[Tick], float | None]
#: Of a second how many took how long, by bucket (:mod:`agenttop.metrics.heat`).
ByBucket = Callable[[Tick], tuple[int, ...]]

#: Seconds kept second by second; the widest chart shows fewer.
RECENT_S = 900
#: The plan is kept in at most so many parts, however long the run.
PARTS = 1024
#: Manual changes that are marked.
MARKS = 500


@dataclass(frozen=True, slots=True)
class Past:
    """What was driven during one part of the plan."""

    users: int
    target: float
    manual: bool


class History:
    """Ticks as they come. Memory is bounded: a run of a week costs as much as a run of an hour."""

    def __init__(self, info: RunInfo) -> None:
        self._starts = {stage.index: stage.start_s for stage in info.stages if stage.pool is None}
        self._duration_s = max(info.duration_s, 1.0)
        self.parts = max(1, min(PARTS, math.ceil(self._duration_s)))
        self.recent: deque[Tick] = deque(maxlen=RECENT_S)
        self.plan: list[Past | None] = [None] * self.parts
        self.plan_t_s = 0.0
        self.whole = Whole()
        self.manual_changes: dict[float, ManualChange] = {}
        """Manual changes by the time they began; the newest :data:`MARKS`."""
        self.last_latency_p99_ms: float | None = None
        self._drawn: dict[object, list[float | None]] = {}
        """Series of the present second: several charts draw from the same."""
        self.take_changes(info.by_hand)
        for tick in info.history:
            self.add(tick)

    def add(self, tick: Tick, plan_t_s: float | None = None) -> None:
        """Append one second. ``plan_t_s`` is the plan's clock at its end, computed from the stages if unknown."""
        if self.recent and tick.t_s <= self.recent[-1].t_s:
            return
        known = tick.plan_t_s if plan_t_s is None else plan_t_s
        self.plan_t_s = self._plan_clock(tick) if known is None else known
        self.recent.append(tick)
        self.whole.add(tick)
        self._drawn = {}
        if tick.latency_p99_ms is not None:
            self.last_latency_p99_ms = tick.latency_p99_ms
        if 0 <= self.plan_t_s <= self._duration_s:
            part = min(self.parts - 1, max(0, math.ceil(self.plan_t_s / self._duration_s * self.parts) - 1))
            self.plan[part] = Past(tick.users, tick.target, tick.manual)

    def replan(self, info: RunInfo) -> None:
        """Take an edited plan: what has been driven stays where it was, on an axis of another length."""
        self._starts = {stage.index: stage.start_s for stage in info.stages if stage.pool is None}
        old_s, old = self._duration_s, self.plan
        self._duration_s = max(info.duration_s, 1.0)
        self.parts = max(1, min(PARTS, math.ceil(self._duration_s)))
        middles = [(part + 0.5) * self._duration_s / self.parts for part in range(self.parts)]
        self.plan = [old[int(t_s / old_s * len(old))] if t_s < old_s else None for t_s in middles]

    def take_changes(self, marks: Iterable[ManualChange]) -> None:
        """Take manual changes; one that has grown is still the same."""
        self.manual_changes.update((mark.t_s, mark) for mark in marks)
        for t_s in sorted(self.manual_changes)[:-MARKS]:
            del self.manual_changes[t_s]

    def copy(self) -> Self:
        """Return a copy of what is known now, for a frozen screen."""
        other = object.__new__(type(self))
        other.__dict__ = {
            **self.__dict__,
            "recent": self.recent.copy(),
            "plan": self.plan.copy(),
            "whole": self.whole.copy(),
            "manual_changes": self.manual_changes.copy(),
            "_drawn": {},
        }
        return other

    def _plan_clock(self, tick: Tick) -> float:
        previous_t_s = self.recent[-1].t_s if self.recent else 0.0
        at = self.plan_t_s if tick.held else self.plan_t_s + tick.t_s - previous_t_s
        return max(at, self._starts.get(tick.stage, 0.0))

    def series(self, field: Field, points: int, step_s: int, align: int = 1) -> list[float | None]:
        """Return means over ``step_s`` seconds each, the last ``points`` of them; None where there was no sample.

        Steps lie on multiples of ``step_s * align``, so that a chart moves by whole cells
        and most of it stays as it was.
        """
        key = (field, points, step_s, align)
        if key not in self._drawn:
            sums = [0.0] * points
            counts = [0] * points
            for tick, point in self._points(points, step_s, align):
                value = field(tick)
                if value is not None:
                    sums[point] += value
                    counts[point] += 1
            self._drawn[key] = [total / n if n else None for total, n in zip(sums, counts, strict=True)]
        return self._drawn[key]

    def heat(self, points: int, step_s: int, counts: ByBucket) -> list[list[int]]:
        """Return counts by bucket over ``step_s`` seconds each, the last ``points`` of them."""
        columns: list[list[int]] = [[] for _ in range(points)]
        for tick, point in self._points(points, step_s):
            if found := counts(tick):
                columns[point] = [a + b for a, b in zip_longest(columns[point], found, fillvalue=0)]
        return columns

    def _points(self, points: int, step_s: int, align: int = 1) -> Iterator[tuple[Tick, int]]:
        """Yield ticks, the newest first, with the point that each belongs to."""
        if not self.recent:
            return
        newest = math.ceil(self.recent[-1].t_s / (step_s * align)) * align
        kept = len(self.recent) < RECENT_S or points * step_s <= RECENT_S
        for tick in reversed(self.recent if kept else self.whole.ticks):
            point = points - newest + math.ceil(tick.t_s / step_s) - 1
            if point < 0:
                break
            if point < points:
                yield tick, point

    def failing(self, seconds: int = 10) -> tuple[float, float]:
        """Return the shares of the last seconds' answers that were rate limits, and that failed otherwise, 0 to 1."""
        last = list(islice(reversed(self.recent), seconds))
        answers = sum(tick.rps for tick in last)
        limited = sum(tick.rate_limited_per_s for tick in last)
        failed = sum(tick.failed_per_s for tick in last)
        return (limited / answers, max(0.0, failed - limited) / answers) if answers > 0 else (0.0, 0.0)

    def quiet_s(self) -> int:
        """Return the seconds in a row without an answer although requests are in flight."""
        seconds = 0
        for tick in reversed(self.recent):
            if tick.rps > 0 or not tick.in_flight:
                break
            seconds += 1
        return seconds

    def hangs(self) -> int:
        """Return :meth:`quiet_s` if that is longer than the target's own p99 explains, else 0."""
        quiet = self.quiet_s()
        usual_s = (self.last_latency_p99_ms or 0.0) / 1000
        return quiet if quiet > max(3.0, usual_s) else 0
