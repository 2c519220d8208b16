"""Outcomes, statuses, counters and distributions of something, added up: the one place where that is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from agenttop.metrics.delta import HistDelta, LeafDelta
from agenttop.metrics.histogram import merge
from agenttop.metrics.outcome import NOT_FINISHED, Outcome


class Countable(Protocol):
    """Anything that has outcomes, statuses and counters."""

    @property
    def outcomes(self) -> Mapping[str, int]: ...
    @property
    def status(self) -> Mapping[int, int]: ...
    @property
    def sums(self) -> Mapping[str, int]: ...


class Counts:
    """What was counted of one thing: a request, a stage, a second, the whole run.

    ``outcomes``, ``status`` and ``sums`` are keyed as in :class:`~agenttop.metrics.delta.LeafDelta`; what is not there
    is 0. ``parts`` has the records of distributions as they came, to be merged when somebody asks.
    """

    __slots__ = ("outcomes", "parts", "status", "sums")

    def __init__(self, outcomes: Mapping[str, int] | None = None, sums: Mapping[str, int] | None = None) -> None:
        self.outcomes: Counter[str] = Counter(outcomes)
        self.status: Counter[int] = Counter()
        self.sums: Counter[str] = Counter(sums)
        self.parts: dict[str, list[HistDelta]] = {}

    def add(self, new: Countable) -> None:
        """Add another's outcomes, statuses and counters."""
        _add(self.outcomes, new.outcomes)
        _add(self.status, new.status)
        _add(self.sums, new.sums)

    def add_leaf(self, leaf: LeafDelta, keep: Collection[str] | None = None) -> None:
        """Add one leaf of a delta; of its distributions those in ``keep``, or all."""
        self.add(leaf)
        for metric, records in leaf.hists.items():
            if keep is None or metric in keep:
                self.take(metric, (records,))

    def add_all(self, other: Counts) -> None:
        """Add another's counts and distributions."""
        self.add(other)
        for metric, records in other.parts.items():
            self.take(metric, records)

    def take(self, metric: str, records: Sequence[HistDelta]) -> None:
        """Add new records of one distribution."""
        parts = self.parts.get(metric)
        if parts is None:
            self.parts[metric] = [*records]
        else:
            parts += records

    def subtract(self, old: Countable) -> None:
        """Subtract another's outcomes, statuses and counters, which were added before."""
        self.outcomes.subtract(old.outcomes)
        self.status.subtract(old.status)
        self.sums.subtract(old.sums)

    def records(self, metric: str) -> HistDelta | None:
        """Return all records of a distribution as one; None without any."""
        parts = self.parts.get(metric)
        return merge(parts) if parts else None

    def merged(self) -> dict[str, HistDelta]:
        """Return all records of every distribution, each as one."""
        return {metric: merge(parts) for metric, parts in self.parts.items()}

    @property
    def requests(self) -> int:
        """Return how many requests finished: neither cut by the end of the run nor refused by the budget."""
        outcomes = self.outcomes
        return sum(outcomes.values()) - sum([outcomes[outcome] for outcome in NOT_FINISHED])

    @property
    def ok(self) -> int:
        """Return how many of the finished were ok."""
        return self.outcomes[Outcome.OK]

    @property
    def failed(self) -> int:
        """Return how many of the finished were not ok; rate-limited ones among them."""
        return self.requests - self.outcomes[Outcome.OK]

    @property
    def rate_limited(self) -> int:
        """Return how many of the finished were rate-limited."""
        return self.outcomes[Outcome.RATE_LIMITED]

    @property
    def other_failed(self) -> int:
        """Return how many of the finished failed for another reason than a rate limit."""
        return self.failed - self.rate_limited


def total(parts: Iterable[Countable]) -> Counts:
    """Return the outcomes, statuses and counters of several together."""
    whole = Counts()
    for part in parts:
        whole.add(part)
    return whole


def _add(into: dict[Any, int], new: Mapping[Any, int]) -> None:
    # A plain loop: Counter.update costs several times as much for the handful of keys a leaf has.
    for key, count in new.items():
        into[key] = into.get(key, 0) + count
