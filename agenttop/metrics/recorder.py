"""Records what happened on a worker: plain arrays on the hot path, folded into histograms four times a second.

Appending to an ``array`` costs 30 ns and folding with numpy 0.1 µs a sample; ``HdrHistogram.record_value`` costs 1 µs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from agenttop.metrics.catalogue import COUNTERS, DISTRIBUTIONS, PHASE, PHASE_SHARE, POOL_COUNTERS, Counted, Recorded
from agenttop.metrics.delta import MISSED, VIOLATION, ErrorDelta, HistDelta, LeafDelta, PoolDelta, SlowRequest
from agenttop.metrics.histogram import fold, merge
from agenttop.metrics.safe_text import SafeText
from agenttop.metrics.slowest import Slowest

#: Durations that are folded at a time.
STEP = 2000
#: Distinct error messages a worker keeps between two deltas; the rest is counted under one.
MAX_MESSAGES = 200
#: A phase that is all of its request's latency: 1 000 µs, so that histograms of shares stay small.
_WHOLE = 1_000_000

LATENCY, RESPONSE_TIME, LATE = "latency", "response_time", "late"
#: The arrays of a leaf but its phases'.
_ARRAYS = (*DISTRIBUTIONS, LATE)
#: All that a leaf may hold but its phases. With many stages most leaves hold nothing, and are looked at all the same:
#: what ends late counts under the stage it was sent in.
_held = attrgetter("late", "outcomes", "violations", "missed", *DISTRIBUTIONS, *COUNTERS)


class Leaf(Recorded):
    """The figures of one request in one stage, sent under one mark, since the last fold. Arrays hold nanoseconds, every
    ``ok`` request counts in ``latency`` and nowhere else in ``outcomes``.

    The users of a closed pool are its schedule: what they wait for an answer is its latency, unless the request was
    sent again. So nothing is appended to ``response_time`` there but by :meth:`resent`, and :meth:`Batch.steps` says
    the rest.
    """

    __slots__ = (
        *("closed", "late", "mark", "missed", "outcomes", "phases", "request", "shares", "stage", "status"),
        *("violations", *DISTRIBUTIONS, *COUNTERS),
    )

    def __init__(self, request: int, stage: int, mark: int = 0, *, closed: bool = False) -> None:
        self.request = request
        self.stage = stage
        self.mark = mark
        self.closed = closed
        """It belongs to a closed pool."""
        self.missed: dict[str, int] = {}
        self.status: dict[int, int] = {}
        self.late = array("q")
        """Latencies of a closed pool's requests that were sent again; these are not in ``latency``."""
        self.outcomes: dict[str, int] = {}
        self.phases: dict[str, array[int]] = {}
        self.shares: dict[str, array[int]] = {}
        self.violations: dict[str, int] = {}
        for name in DISTRIBUTIONS:
            setattr(self, name, array("q"))
        for name in COUNTERS:
            setattr(self, name, 0)

    def resent(self, response_time_ns: int, *, planned: bool) -> None:
        """Note that the ok request which was recorded last had been refused and was sent again.

        Args:
            response_time_ns: from when it was first planned or sent, in ns.
            planned: it was an arrival; in an open pool only those have a response time.
        """
        if self.closed:
            self.late.append(self.latency.pop())
        elif not planned:
            return
        self.response_time.append(response_time_ns)

    def phase(self, name: str, duration_ns: int, latency_ns: int) -> None:
        """Record the duration of one phase, and its share of the request's latency; at most 32 names are kept."""
        values = self.phases.get(name)
        if values is None:
            if len(self.phases) >= 32:
                return
            values = self.phases[name] = array("q")
            self.shares[name] = array("q")
        values.append(duration_ns)
        self.shares[name].append(min(duration_ns * _WHOLE // max(latency_ns, 1), _WHOLE))

    def violation(self, kind: str) -> None:
        """Count an answer that is not what a rate-limited one should be."""
        self.violations[kind] = self.violations.get(kind, 0) + 1
        self.rate_limit_violations += 1

    def miss(self, objectives: list[str]) -> None:
        """Count an ok request that did not meet these objectives."""
        for name in objectives:
            self.missed[name] = self.missed.get(name, 0) + 1

    def take(self) -> TakenLeaf | None:
        """Return what was recorded since the last call, and reset; None if nothing."""
        if not any(_held(self)) and not any(self.phases.values()):
            return None
        taken: dict[str, array[int]] = {}
        outcomes = self.outcomes
        if self.latency or self.late:
            outcomes["ok"] = outcomes.get("ok", 0) + len(self.latency) + len(self.late)
        for name in _ARRAYS:
            values = getattr(self, name)
            if values:
                taken[name] = values
                setattr(self, name, array("q"))
        for prefix, found in ((PHASE, self.phases), (PHASE_SHARE, self.shares)):
            for name, values in found.items():
                if values:
                    taken[prefix + name] = values
                    found[name] = array("q")
        sums = {}
        for name in COUNTERS:
            value = getattr(self, name)
            if value:
                sums[name] = value
                setattr(self, name, 0)
        if self.violations:
            sums |= {VIOLATION + kind: count for kind, count in self.violations.items()}
            self.violations = {}
        if self.missed:
            sums |= {MISSED + name: count for name, count in self.missed.items()}
            self.missed = {}
        delta = LeafDelta(self.request, self.stage, outcomes, self.status, {}, sums, self.mark)
        leaf = TakenLeaf(taken, delta, self.closed)
        self.outcomes = {}
        self.status = {}
        return leaf


class TakenLeaf(NamedTuple):
    """What one leaf held: durations by metric that are not folded yet, and the delta they will go into."""

    values: dict[str, array[int]]
    delta: LeafDelta
    closed: bool


class Batch:
    """Everything that was new when it was taken. ``leaves`` is complete when :meth:`steps` is exhausted."""

    __slots__ = ("_taken", "checks", "errors", "leaves", "pools", "slowest")

    def __init__(
        self,
        taken: list[TakenLeaf],
        pools: list[PoolDelta],
        errors: list[ErrorDelta],
        checks: dict[str, tuple[int, int]],
        slowest: list[SlowRequest],
    ) -> None:
        self._taken = taken
        self.leaves = [leaf.delta for leaf in taken]
        self.pools = pools
        self.errors = errors
        self.checks = checks
        self.slowest = slowest

    def steps(self) -> Iterator[None]:
        """Fold, some thousand durations (0.1 ms) a step, so that the caller may read what arrives in between."""
        for values, delta, closed in self._taken:
            for name, durations in values.items():
                if len(durations) <= STEP:
                    delta.hists[name] = fold(durations)
                    yield
                    continue
                parts = []
                for start in range(0, len(durations), STEP):
                    parts.append(fold(durations[start : start + STEP]))
                    yield
                delta.hists[name] = merge(parts)
                yield
            if closed:
                _say_response_times(delta.hists)
        self._taken = []


def _say_response_times(hists: dict[str, HistDelta]) -> None:
    """Set the response times of a closed pool's leaf: those of requests sent again, and the latencies of all others.

    Readers of a delta need not know of what kind a pool is.
    """
    plain, late = hists.pop(LATENCY, None), hists.pop(LATE, None)
    for name, others in ((LATENCY, late), (RESPONSE_TIME, hists.pop(RESPONSE_TIME, None))):
        if parts := [part for part in (plain, others) if part is not None]:
            hists[name] = merge(parts)


class PoolCount(Counted):
    """Counts of one pool in one stage, under one mark."""

    __slots__ = ("mark", "pool", "stage", *POOL_COUNTERS)

    def __init__(self, pool: int, stage: int, mark: int = 0) -> None:
        self.pool = pool
        self.stage = stage
        self.mark = mark
        for name in POOL_COUNTERS:
            setattr(self, name, 0)

    def fold(self) -> PoolDelta | None:
        """Return what was counted since the last call, and reset; None if nothing."""
        counts = {name: getattr(self, name) for name in POOL_COUNTERS}
        if not any(counts.values()):
            return None
        for name in POOL_COUNTERS:
            setattr(self, name, 0)
        return PoolDelta(self.pool, self.stage, mark=self.mark, **counts)


class Recorder:
    """All leaves of one worker."""

    def __init__(self, closed: Sequence[bool], secrets: tuple[str, ...] = ()) -> None:
        """Make a recorder.

        Args:
            closed: of each request, whether it is of a closed pool (``Layout.closed``).
            secrets: are what no text may hold.
        """
        self._closed = closed
        self.safe = SafeText(secrets)
        """The door for what a target or a user's own code says."""
        self._rows: dict[tuple[int, int], list[Leaf]] = {}
        self._counts: dict[tuple[int, int, int], PoolCount] = {}
        self._errors: dict[tuple[int, int, str, str], list[float]] = {}
        self._checks: dict[str, list[int]] = {}
        self.slowest = Slowest()

    def row(self, stage: int, mark: int = 0) -> list[Leaf]:
        """Return the leaves of a stage and a mark, by request."""
        row = self._rows.get((stage, mark))
        if row is None:
            row = self._rows[stage, mark] = [
                Leaf(request, stage, mark, closed=closed) for request, closed in enumerate(self._closed)
            ]
        return row

    def count(self, pool: int, stage: int, mark: int = 0) -> PoolCount:
        """Return the counts of a pool in a stage, under a mark."""
        count = self._counts.get((pool, stage, mark))
        if count is None:
            count = self._counts[pool, stage, mark] = PoolCount(pool, stage, mark)
        return count

    def error(self, leaf: Leaf, outcome: str, message: str, at_s: float) -> None:
        """Count a failure. ``message`` is made safe and cut to 300 characters here."""
        outcome = str(outcome)
        key = (leaf.request, leaf.stage, outcome, self.safe(message))
        seen = self._errors.get(key)
        if seen is None:
            if len(self._errors) >= MAX_MESSAGES:
                key = (leaf.request, leaf.stage, outcome, "(other)")
                seen = self._errors.get(key)
            if seen is None:
                self._errors[key] = [1, at_s, at_s]
                return
        seen[0] += 1
        seen[2] = at_s

    def check(self, name: str, passed: bool) -> None:
        """Count a check."""
        counts = self._checks.get(name)
        if counts is None:
            counts = self._checks[name] = [0, 0]
        counts[not passed] += 1

    def take(self) -> Batch:
        """Return everything recorded since the last call, and reset."""
        taken = [new for row in self._rows.values() for leaf in row if (new := leaf.take()) is not None]
        pools = [new_count for count in self._counts.values() if (new_count := count.fold()) is not None]
        errors = [
            ErrorDelta(request, stage, outcome, message, int(count), first, last)
            for (request, stage, outcome, message), (count, first, last) in self._errors.items()
        ]
        checks = {name: (passed, failed) for name, (passed, failed) in self._checks.items()}
        self._errors = {}
        self._checks = {}
        return Batch(taken, pools, errors, checks, self.slowest.take())

    def fold(self) -> Batch:
        """Return everything recorded since the last call, folded, and reset."""
        batch = self.take()
        for _ in batch.steps():
            pass
        return batch
