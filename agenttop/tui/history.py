"""The timeline that a viewer keeps: the last minutes second by second, and the whole run along the plan."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, zip_longest
from typing import NamedTuple, Self

from agenttop.metrics.heat import percentile_ms
from agenttop.metrics.live import WINDOW_S
from agenttop.metrics.request_trends import Key, RequestTrends
from agenttop.metrics.snapshot import ManualChange, RequestRow, RunInfo, Tick
from agenttop.tui.unpacked import NOTHING, Unpacked
from agenttop.tui.whole import Whole

Field = Callable[[Tick], float | None]
#: Of a second how many took how long, by bucket (:mod:`agenttop.metrics.heat`).
ByBucket = Callable[[Tick], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Percentile:
    """A percentile (0 to 100) of something: that of the live window, and the counts by bucket of a second."""

    percent: float
    value: Field
    counts: ByBucket


class Known(NamedTuple):
    """A percentile in ms, and of how many samples it is."""

    value: float
    samples: int


#: Seconds kept second by second; the widest chart shows fewer.
RECENT_S = 900
#: The plan is kept in at most so many parts, however long the run.
PARTS = 1024
#: Manual changes that are marked.
MARKS = 500
#: Seconds that are so much too long end where they should.
NEAR_S = 0.01


@dataclass(frozen=True, slots=True)
class Past:
    """What was driven during one part of the plan."""

    users: int
    target: float
    manual: bool


def last_step(t_s: float, step_s: float) -> int:
    """Return the step, counted from the beginning, that the second which ends at ``t_s`` is in; where steps are shorter
    than a second, the last whose middle it holds.
    """
    if step_s >= 1:
        return _steps(t_s, step_s) - 1
    return math.floor(math.ceil(t_s - NEAR_S) / step_s - 0.5 + 1e-9)


def _steps(t_s: float, step_s: float) -> int:
    """Return how many steps there are up to ``t_s``, the last of which may not be over."""
    return math.ceil((t_s - NEAR_S) / step_s)


class History:
    """Ticks as they come. Memory is bounded: a run of a week costs as much as a run of an hour."""

    def __init__(self, info: RunInfo) -> None:
        self._starts = {stage.index: stage.start_s for stage in info.stages if stage.pool is None}
        self._duration_s = max(info.duration_s, 1.0)
        self.parts = max(1, min(PARTS, math.ceil(self._duration_s)))
        self._ticks: deque[Tick] = deque(maxlen=RECENT_S)
        self.recent: Sequence[Tick] = self._ticks
        self.recent_s = RECENT_S
        """Seconds that are kept second by second."""
        self.plan: list[Past | None] = [None] * self.parts
        self.plan_t_s = 0.0
        self._parts = Whole()
        self.whole: Sequence[Tick] = self._parts.ticks
        """The whole run in few parts."""
        self.requests = RequestTrends(info.pasts)
        self._of_requests: dict[Key, Self] = {}
        self.manual_changes: dict[float, ManualChange] = {}
        """Manual changes by the time they began; the newest :data:`MARKS`."""
        self.last_latency_p99_ms: float | None = None
        self.streamed = False
        """There were first tokens."""
        self._drawn: dict[object, list[float | None]] = {}
        """Series of the present second: several charts draw from the same."""
        self._known: dict[object, list[Known | None]] = {}
        self._reached: dict[object, tuple[list[float], list[int]]] = {}
        self.take_changes(info.by_hand)
        for tick in info.history:
            self.add(tick)

    def add(self, tick: Tick, plan_t_s: float | None = None) -> None:
        """Append one second. ``plan_t_s`` is the plan's clock at its end, computed from the stages if unknown."""
        if self.recent and tick.t_s <= self.recent[-1].t_s:
            return
        known = tick.plan_t_s if plan_t_s is None else plan_t_s
        self.plan_t_s = self._plan_clock(tick) if known is None else known
        self._ticks.append(tick)
        self._parts.add(tick)
        self.whole = self._parts.ticks
        self._of_requests = {}
        self._drawn = {}
        self._known = {}
        self._reached = {}
        self.streamed = self.streamed or tick.ttft_p50_ms is not None
        if tick.latency_p99_ms is not None:
            self.last_latency_p99_ms = tick.latency_p99_ms
        if 0 <= self.plan_t_s <= self._duration_s:
            parts = math.ceil(self.plan_t_s / self._duration_s * self.parts - 1e-9)  # 31 / 120 * 120 is more than 31
            part = min(self.parts - 1, max(0, parts - 1))
            self.plan[part] = Past(tick.users, tick.target, tick.manual)

    def add_requests(self, rows: Iterable[RequestRow]) -> None:
        """Append the last second of each request, after :meth:`add`."""
        newest_s = self.recent[-1].t_s if self.recent else 0.0
        ticks = {(row.pool, row.name): row.second for row in rows if row.second is not None}
        self.requests.add({key: tick for key, tick in ticks.items() if self._is_new(key, tick.t_s, newest_s)})
        self._of_requests = {}

    def _is_new(self, key: Key, t_s: float, newest_s: float) -> bool:
        past = self.requests.of.get(key)
        return abs(t_s - newest_s) < NEAR_S and (past is None or past.newest_s < t_s)

    def of_request(self, key: Key) -> Self:
        """Return the history of one request alone, as of now; the plan, and what was done by hand, are the run's."""
        found = self._of_requests.get(key)
        if found is None:
            past = self.requests.of.get(key)
            other = object.__new__(type(self))
            other.__dict__ = {
                **self.__dict__,
                "recent": Unpacked(past.recent) if past else NOTHING,
                "recent_s": self.requests.recent_s,
                "whole": Unpacked(past.whole) if past else NOTHING,
                "streamed": past is not None and any(tick.ttft_p50_ms is not None for tick in Unpacked(past.whole)),
                "_of_requests": {},
                "_drawn": {},
                "_known": {},
                "_reached": {},
            }
            found = self._of_requests[key] = other
        return found

    def at(self, t_s: float) -> Tick | None:
        """Return the second that ends at ``t_s``, or what is kept of the time around it; None if that is not known."""
        for ticks, near_s in ((self.recent, 0.5), (self.whole, NEAR_S)):
            if ticks and ticks[0].t_s - near_s <= t_s:
                at = bisect_left(ticks, t_s - near_s, key=lambda tick: tick.t_s)
                return ticks[at] if at < len(ticks) else None
        return None

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
            "recent": self._ticks.copy(),
            "plan": self.plan.copy(),
            "whole": self._parts.ticks.copy(),
            "requests": self.requests.copy(),
            "_of_requests": {},
            "manual_changes": self.manual_changes.copy(),
            "_drawn": {},
            "_known": {},
            "_reached": {},
        }
        return other

    def _plan_clock(self, tick: Tick) -> float:
        previous_t_s = self.recent[-1].t_s if self.recent else 0.0
        at = self.plan_t_s if tick.held else self.plan_t_s + tick.t_s - previous_t_s
        return max(at, self._starts.get(tick.stage, 0.0))

    def series(self, field: Field, points: int, step_s: float, align: int = 1) -> list[float | None]:
        """Return means over ``step_s`` seconds each, the last ``points`` of them; None where there was no sample. Of a
        step of less than a second, the value is that of its second.

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

    def percentiles(self, of: Percentile, points: int, step_s: float, align: int = 1) -> list[Known | None]:
        """A percentile over ``step_s`` seconds each, or the live window where that is longer; the last ``points`` of
        them; None where there was no sample.

        Of up to a live window it is the one that the newest second was told, of merged counts. Of longer it is that of
        the counts by bucket, added up, which may be off by 19 %. As those of all windows that together are the whole
        time bound it, it is seldom off by more than they differ: of steady load not at all. Bounded memory is what that
        buys: exact counts of a day are hundreds of megabytes.
        """
        key = (of, points, step_s, align)
        if key not in self._known:
            parts: list[list[Tick]] = [[] for _ in range(points)]
            for tick, point in self._points(points, step_s, align):
                parts[point].append(tick)
            if step_s > WINDOW_S:
                self._known[key] = [_of_counts(of, part, step_s) for part in parts]
            else:
                samples = self._samples(of, self.recent if self._kept(points * step_s) else self.whole)
                newest = [(part[0].t_s, of.value(part[0])) if part else (0.0, None) for part in parts]
                self._known[key] = [None if value is None else Known(value, samples(t_s)) for t_s, value in newest]
        return self._known[key]

    def counts(self, of: ByBucket, seconds: float) -> list[int]:
        """Return the counts by bucket of the last ``seconds``, added up."""
        if not self.recent:
            return []
        begin_s = self.recent[-1].t_s - seconds + NEAR_S
        found: list[int] = []
        for tick in reversed(self.recent if seconds <= self.recent_s else self.whole):
            if tick.t_s <= begin_s:
                break
            found = [a + b for a, b in zip_longest(found, of(tick), fillvalue=0)]
        return found

    def samples(self, counts: ByBucket, t_s: float) -> int:
        """Return how many samples the live window has that ends at ``t_s``."""
        recent = self.recent if self.recent and self.recent[0].t_s - 1 <= max(0.0, t_s - WINDOW_S) else self.whole
        return self._samples(Percentile(50, lambda _: None, counts), recent)(t_s)

    def _samples(self, of: Percentile, ticks: Sequence[Tick]) -> Callable[[float], int]:
        """How many samples the live window has that ends at a time."""
        key = of.counts, ticks is self.recent
        if key not in self._reached:
            both = [(tick.t_s, sum(of.counts(tick))) for tick in ticks]
            self._reached[key] = [t_s for t_s, _ in both], [0, *accumulate(count for _, count in both)]
        ends, reached = self._reached[key]

        def samples(t_s: float) -> int:
            return reached[bisect_right(ends, t_s)] - reached[bisect_right(ends, t_s - WINDOW_S)]

        return samples

    def heat(self, points: int, step_s: float, counts: ByBucket) -> list[list[int]]:
        """Return counts by bucket over ``step_s`` seconds each, the last ``points`` of them."""
        columns: list[list[int]] = [[] for _ in range(points)]
        for tick, point in self._points(points, step_s):
            if found := counts(tick):
                columns[point] = [a + b for a, b in zip_longest(columns[point], found, fillvalue=0)]
        return columns

    def _points(self, points: int, step_s: float, align: int = 1) -> Iterator[tuple[Tick, int]]:
        """Yield ticks, the newest first, with the point that each belongs to, or the points if they are shorter."""
        if not self.recent:
            return
        now_s = self.recent[-1].t_s
        end = _steps(now_s, step_s * align) * align
        for tick in reversed(self.recent if self._kept(points * step_s) else self.whole):
            last = points - end + last_step(tick.t_s, step_s)
            if last < 0:
                break
            if step_s >= 1:
                if last < points:
                    yield tick, last
                continue
            first = points - end + last_step(math.ceil(tick.t_s - NEAR_S) - 1, step_s) + 1
            for point in range(max(0, first), points if tick.t_s == now_s else min(last + 1, points)):
                yield tick, point

    def _kept(self, seconds: float) -> bool:
        """Return whether so many are there second by second."""
        return len(self.recent) < self.recent_s or seconds <= self.recent_s

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


def _of_counts(of: Percentile, newest_first: Sequence[Tick], step_s: float) -> Known | None:
    """A percentile over more than a live window."""
    counts: list[int] = []
    for tick in newest_first:
        counts = [a + b for a, b in zip_longest(counts, of.counts(tick), fillvalue=0)]
    coarse = percentile_ms(counts, of.percent)
    if coarse is None:
        return None
    exact = [value for tick in newest_first if (value := of.value(tick)) is not None]
    if exact and len(newest_first) * WINDOW_S >= step_s:
        coarse = min(max(coarse, min(exact)), max(exact))
    return Known(coarse, sum(counts))
