"""What is counted under a mark: a stretch of a run that somebody looks at on its own, whatever stage it is in.

A request counts under the mark that holds when it is sent, however long its answer takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agenttop.metrics.delta import MISSED, Delta, HistDelta
from agenttop.metrics.histogram import merge, percentiles_of
from agenttop.metrics.outcome import NOT_FAILED, Outcome
from agenttop.metrics.scope import finished

#: Distributions that are kept.
_HISTS = ("latency", "ttft")
_US_PER_MS = 1000.0


@dataclass(slots=True)
class Count:
    """Counts of one mark, or of several."""

    outcomes: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    hists: dict[str, list[HistDelta]] = field(default_factory=dict)
    dropped: int = 0
    """Arrivals that found no free user."""
    unanswered: int = 0
    """Requests that were in flight for too long to be good."""

    @property
    def good(self) -> int:
        """Requests that met every objective."""
        return self.sums["good"]

    @property
    def requests(self) -> int:
        """What :attr:`good` is a part of: goodput's attempts, and besides what was dropped and what is not answered."""
        return max(self.sums["attempts"], finished(self.outcomes)) + self.dropped + self.unanswered

    @property
    def rate_limited(self) -> int:
        """Refusals, those whose request was sent again among them."""
        return self.outcomes[Outcome.RATE_LIMITED] + self.sums["retries"]

    @property
    def missed(self) -> dict[str, int]:
        """Why requests were not good, the most frequent first: objectives that were missed, outcomes, ``dropped`` and
        ``unanswered``. One request may have missed several objectives.
        """
        found = Counter({name.removeprefix(MISSED): n for name, n in self.sums.items() if name.startswith(MISSED)})
        found.update({name: count for name, count in self.outcomes.items() if name not in NOT_FAILED})
        found["rate_limited"] += self.sums["retries"]
        found.update(dropped=self.dropped, unanswered=self.unanswered)
        return {name: count for name, count in found.most_common() if count > 0}

    def p95_ms(self, metric: str) -> float | None:
        """The 95th percentile of ``latency`` or ``ttft`` of ok requests; None without any."""
        parts = self.hists.get(metric)
        return round(percentiles_of(merge(parts), (95,))[0] / _US_PER_MS, 3) if parts else None

    def add(self, other: Count) -> None:
        """Count another's as well."""
        self.outcomes.update(other.outcomes)
        self.sums.update(other.sums)
        self.dropped += other.dropped
        self.unanswered += other.unanswered
        for metric, parts in other.hists.items():
            self.hists.setdefault(metric, []).extend(parts)


class Marks:
    """Counts by mark, of all workers."""

    def __init__(self) -> None:
        self._counts: dict[int, Count] = {}
        self._open: dict[int, dict[int, int]] = {}
        """Requests in flight by mark, by worker: the newest that each has told."""
        self._closed: set[int] = set()

    def fold(self, delta: Delta) -> None:
        """Take what is new on one worker."""
        for leaf in delta.leaves:
            if leaf.mark and leaf.mark not in self._closed:
                count = self._count(leaf.mark)
                count.outcomes.update(leaf.outcomes)
                count.sums.update(leaf.sums)
                for metric in _HISTS:
                    if metric in leaf.hists:
                        count.hists.setdefault(metric, []).append(leaf.hists[metric])
        for pool in delta.pools:
            if pool.mark and pool.mark not in self._closed:
                self._count(pool.mark).dropped += pool.dropped_iterations
        self._open[delta.worker] = delta.open_marks

    def forget(self, worker: int) -> None:
        """The worker is gone, and what it had in flight with it."""
        self._open.pop(worker, None)

    def drained(self, mark: int) -> bool:
        """Every worker has told that it has no request of this mark in flight."""
        return all(told.get(mark) == 0 for told in self._open.values())

    def unanswered(self, mark: int) -> int:
        """Requests of this mark in flight, as far as has been told."""
        return sum(told.get(mark, 0) for told in self._open.values())

    def close(self, mark: int) -> None:
        """What is in flight under this mark comes too late: it is counted as unanswered, and its end not any more."""
        self._count(mark).unanswered = self.unanswered(mark)
        self._closed.add(mark)

    def of(self, marks: Iterable[int]) -> Count:
        """The counts of some marks together."""
        whole = Count()
        for mark in marks:
            if mark in self._counts:
                whole.add(self._counts[mark])
        return whole

    def _count(self, mark: int) -> Count:
        return self._counts.setdefault(mark, Count())
