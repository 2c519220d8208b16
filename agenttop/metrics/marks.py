"""Counts under marks: a mark is a stretch of a run that is judged on its own, whatever stage it is in.

A request counts under the mark that holds when it is sent, however long its answer takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from agenttop.metrics import formulas
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import MISSED, Delta
from agenttop.metrics.histogram import percentiles_of
from agenttop.metrics.outcome import NOT_FAILED

#: Distributions that are kept.
_HISTS = ("latency", "ttft")
_US_PER_MS = 1000.0


class Count:
    """Counts of one mark, or of several together."""

    __slots__ = ("counts", "dropped", "unanswered")

    def __init__(self) -> None:
        self.counts = Counts()
        self.dropped = 0
        """Arrivals that found no free user."""
        self.unanswered = 0
        """Requests that were in flight for too long to be good."""

    @property
    def good(self) -> int:
        """Return how many requests met every objective."""
        return formulas.goodput(self.counts).part

    @property
    def requests(self) -> int:
        """Return how many requests :attr:`good` is a part of: goodput's attempts, plus those dropped and those
        unanswered.
        """
        return formulas.goodput(self.counts).whole + self.dropped + self.unanswered

    @property
    def rate_limited(self) -> int:
        """Return the refusals, those whose request was sent again among them."""
        return formulas.refusals(self.counts).part

    @property
    def missed(self) -> dict[str, int]:
        """Return why requests were not good, the most frequent first: missed objectives, outcomes, ``dropped`` and
        ``unanswered``. One request may have missed several objectives.
        """
        sums, outcomes = self.counts.sums, self.counts.outcomes
        found = Counter({name.removeprefix(MISSED): n for name, n in sums.items() if name.startswith(MISSED)})
        found.update({name: count for name, count in outcomes.items() if name not in NOT_FAILED})
        found["rate_limited"] += sums["retries"]
        found.update(dropped=self.dropped, unanswered=self.unanswered)
        return {name: count for name, count in found.most_common() if count > 0}

    def p95_ms(self, metric: str) -> float | None:
        """Return the 95th percentile of ``latency`` or ``ttft`` of ok requests, in ms; None without any."""
        found = self.counts.records(metric)
        return None if found is None else round(percentiles_of(found, (95,))[0] / _US_PER_MS, 3)

    def add(self, other: Count) -> None:
        """Add another's counts."""
        self.counts.add_all(other.counts)
        self.dropped += other.dropped
        self.unanswered += other.unanswered


class Marks:
    """Counts by mark, of all workers."""

    def __init__(self) -> None:
        self._counts: dict[int, Count] = {}
        self._open: dict[int, dict[int, int]] = {}
        """Requests in flight by mark, by worker: the newest that each worker reported."""
        self._closed: set[int] = set()

    def fold(self, delta: Delta) -> None:
        """Add what is new on one worker."""
        for leaf in delta.leaves:
            if leaf.mark and leaf.mark not in self._closed:
                self._count(leaf.mark).counts.add_leaf(leaf, _HISTS)
        for pool in delta.pools:
            if pool.mark and pool.mark not in self._closed:
                self._count(pool.mark).dropped += pool.dropped_iterations
        self._open[delta.worker] = delta.open_marks

    def forget(self, worker: int) -> None:
        """Forget a lost worker and what it had in flight."""
        self._open.pop(worker, None)

    def drained(self, mark: int) -> bool:
        """Return whether every worker has reported that no request of this mark is in flight."""
        return all(told.get(mark) == 0 for told in self._open.values())

    def unanswered(self, mark: int) -> int:
        """Return how many requests of this mark are in flight, as far as reported."""
        return sum(told.get(mark, 0) for told in self._open.values())

    def close(self, mark: int) -> None:
        """Close a mark: requests still in flight count as unanswered, and their ends are ignored."""
        self._count(mark).unanswered = self.unanswered(mark)
        self._closed.add(mark)

    def of(self, marks: Iterable[int]) -> Count:
        """Return the counts of some marks together."""
        whole = Count()
        for mark in marks:
            if mark in self._counts:
                whole.add(self._counts[mark])
        return whole

    def _count(self, mark: int) -> Count:
        return self._counts.setdefault(mark, Count())
