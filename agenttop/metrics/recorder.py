"""Where a worker writes down what happened: plain arrays on the hot path, folded into histograms four times a second.

Appending to an ``array`` costs 30 ns and folding with numpy 0.1 µs a sample; ``HdrHistogram.record_value`` costs 1 µs.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from operator import attrgetter
from typing import NamedTuple

from agenttop.metrics.delta import MISSED, VIOLATION, ErrorDelta, LeafDelta, PoolDelta, SlowRequest
from agenttop.metrics.histogram import fold, merge
from agenttop.metrics.scope import PHASE, PHASE_SHARE, clean_text
from agenttop.metrics.slowest import Slowest

#: Durations that are folded at a time.
STEP = 2000
#: Distinct error messages a worker keeps between two deltas; the rest is counted under one.
MAX_MESSAGES = 200
#: A phase that is all of its request's latency: 1 000 µs, so that histograms of shares stay small.
_WHOLE = 1_000_000

_HISTS = (
    "latency",
    "response_time",
    "ttfb",
    "ttft",
    "ttfo",
    "tpot",
    "inter_chunk",
    "connect",
    "schedule_lag",
    "time_to_failure",
    "retry_after",
    "unattributed",
)
_SUMS = (
    "bytes_sent",
    "bytes_received",
    "connections_opened",
    "connections_reused",
    "connections_reopened",
    "attempts",
    "input_tokens",
    "output_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "token_requests",
    "token_estimates",
    "estimated_tokens",
    "llm_calls",
    "llm_requests",
    "tool_calls",
    "tool_requests",
    "good",
    "retries",
    "recovered",
    "conformant",
    "rate_limit_violations",
    "user_errors",
    "streamed",
    "one_burst",
    "stalled",
    "unterminated",
    "said_nothing",
    "input_told",
    "output_told",
    "cached_told",
    "reasoning_told",
)


#: All that a leaf may hold but its phases. With many stages most leaves hold nothing, and are looked at all the same:
#: what ends late counts under the stage it was sent in.
_held = attrgetter("late", "outcomes", "violations", "missed", *_HISTS, *_SUMS)


class Leaf:
    """The figures of one request in one stage, sent under one mark, since the last fold. Arrays hold nanoseconds, every
    ``ok`` request counts in ``latency`` and nowhere else in ``outcomes``."""

    __slots__ = (
        *("late", "mark", "missed", "outcomes", "phases", "request", "shares", "stage", "status", "violations"),
        *_HISTS,
        *_SUMS,
    )

    late: array[int]
    """Latencies of ``ok`` requests of a closed pool that were sent again after a refusal, instead of in ``latency``:
    they alone have a ``response_time`` of their own."""

    latency: array[int]
    response_time: array[int]
    ttfb: array[int]
    ttft: array[int]
    ttfo: array[int]
    tpot: array[int]
    inter_chunk: array[int]
    connect: array[int]
    schedule_lag: array[int]
    time_to_failure: array[int]
    retry_after: array[int]
    unattributed: array[int]
    bytes_sent: int
    bytes_received: int
    connections_opened: int
    connections_reused: int
    connections_reopened: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    token_requests: int
    token_estimates: int
    estimated_tokens: int
    llm_calls: int
    llm_requests: int
    tool_calls: int
    tool_requests: int
    good: int
    retries: int
    recovered: int
    conformant: int
    rate_limit_violations: int
    user_errors: int
    streamed: int
    one_burst: int
    stalled: int
    unterminated: int
    said_nothing: int
    input_told: int
    output_told: int
    cached_told: int
    reasoning_told: int

    def __init__(self, request: int, stage: int, mark: int = 0) -> None:
        self.request = request
        self.stage = stage
        self.mark = mark
        self.missed: dict[str, int] = {}
        self.status: dict[int, int] = {}
        self.late = array("q")
        self.outcomes: dict[str, int] = {}
        self.phases: dict[str, array[int]] = {}
        self.shares: dict[str, array[int]] = {}
        self.violations: dict[str, int] = {}
        for name in _HISTS:
            setattr(self, name, array("q"))
        for name in _SUMS:
            setattr(self, name, 0)

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
        """Count an ok request that did not meet these."""
        for name in objectives:
            self.missed[name] = self.missed.get(name, 0) + 1

    def take(self) -> TakenLeaf | None:
        """What is new, or None; the leaf begins again at nothing."""
        if not any(_held(self)) and not any(self.phases.values()):
            return None
        taken: dict[str, array[int]] = {}
        outcomes = self.outcomes
        if self.late:
            # All of the others waited as long as their answers took.
            self.response_time.extend(self.latency)
            self.latency.extend(self.late)
            self.late = array("q")
        if self.latency:
            outcomes["ok"] = outcomes.get("ok", 0) + len(self.latency)
        for name in _HISTS:
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
        for name in _SUMS:
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
        leaf = TakenLeaf(taken, LeafDelta(self.request, self.stage, outcomes, self.status, {}, sums, self.mark))
        self.outcomes = {}
        self.status = {}
        return leaf


class TakenLeaf(NamedTuple):
    """What one leaf held: durations that are not folded yet, by metric, and a delta that waits for them."""

    values: dict[str, array[int]]
    delta: LeafDelta


class Batch:
    """Everything that was new when it was taken. The leaves are there when :meth:`steps` has come to its end."""

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
        """Fold, some thousand durations (0.1 ms) a step: who folds may read what arrives in between."""
        for values, delta in self._taken:
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
        self._taken = []


class PoolCount:
    """Counts of one pool in one stage, under one mark."""

    __slots__ = ("dropped_iterations", "iterations", "mark", "pool", "sessions", "stage")

    def __init__(self, pool: int, stage: int, mark: int = 0) -> None:
        self.pool = pool
        self.stage = stage
        self.mark = mark
        self.sessions = self.iterations = self.dropped_iterations = 0

    def fold(self) -> PoolDelta | None:
        """What is new, or None."""
        if not (self.sessions or self.iterations or self.dropped_iterations):
            return None
        counts = (self.sessions, self.iterations, self.dropped_iterations)
        delta = PoolDelta(self.pool, self.stage, *counts, self.mark)
        self.sessions = self.iterations = self.dropped_iterations = 0
        return delta


class Recorder:
    """All leaves of one worker."""

    def __init__(self, requests: int, secrets: tuple[str, ...] = ()) -> None:
        self._requests = requests
        self._secrets = secrets
        self._rows: dict[tuple[int, int], list[Leaf]] = {}
        self._counts: dict[tuple[int, int, int], PoolCount] = {}
        self._errors: dict[tuple[int, int, str, str], list[float]] = {}
        self._checks: dict[str, list[int]] = {}
        self.slowest = Slowest()

    def row(self, stage: int, mark: int = 0) -> list[Leaf]:
        """The leaves of a stage and a mark, by request."""
        row = self._rows.get((stage, mark))
        if row is None:
            row = self._rows[stage, mark] = [Leaf(request, stage, mark) for request in range(self._requests)]
        return row

    def count(self, pool: int, stage: int, mark: int = 0) -> PoolCount:
        """The counts of a pool in a stage, under a mark."""
        count = self._counts.get((pool, stage, mark))
        if count is None:
            count = self._counts[pool, stage, mark] = PoolCount(pool, stage, mark)
        return count

    def error(self, leaf: Leaf, outcome: str, message: str, at_s: float) -> None:
        """One failure more. ``message`` is cleaned of control characters and cut to 300 characters here."""
        outcome = str(outcome)
        if self._secrets:
            message = self.masked(message)
        key = (leaf.request, leaf.stage, outcome, clean_text(message))
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

    def masked(self, text: str) -> str:
        """A text with its secrets as ``***``, on one line. Cleaned before it is searched: control characters within a
        key must not hide it.
        """
        return _mask(clean_text(text, 4 * 300), self._secrets)

    def check(self, name: str, passed: bool) -> None:
        """One check more."""
        counts = self._checks.get(name)
        if counts is None:
            counts = self._checks[name] = [0, 0]
        counts[not passed] += 1

    def take(self) -> Batch:
        """Everything new, and begin again at nothing."""
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
        """Everything new, folded."""
        batch = self.take()
        for _ in batch.steps():
            pass
        return batch


def _mask(message: str, secrets: tuple[str, ...]) -> str:
    """Without what a target says back of a key, and without the beginning of one where the message was cut."""
    for secret in secrets:
        message = message.replace(secret, "***")
    whole = message.removesuffix("…")
    for secret in secrets:
        for length in range(min(len(secret) - 1, len(whole)), 3, -1):
            if whole.endswith(secret[:length]):
                return whole[:-length] + "***" + message[len(whole) :]
    return message
