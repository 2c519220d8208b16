"""What answers took at the first level of load: what later ones are compared with.

Of every request its first answers count, until there are enough of them, or until there are a few and the load has
grown. An answer is *late* where it took longer than the limit for p95, and *slower* where it did than that for p50:

    limit = max(1.25 · u, u + 5 ms)        u: upper end (95 %, one-sided) of the interval of the first answers' quantile

The interval is that of an order statistic (H. A. David and H. N. Nagaraja, Order Statistics, 2003, section 7.1): of n
answers the one of rank n·q + 1.645·√(n·q·(1 − q)). Of fewer than 59 not even the slowest is above p95 that surely: then
u is, where that is more, exp(m + (1.645 + 3.6/√n)·s), the tolerance limit of a lognormal distribution with the mean m
and the deviation s of their logarithms. So less than one in twenty is late while nothing changes, and less than half
are slower, however few the first answers were.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.histogram import HIGHEST_US, counts_index, lowest_value, merge, percentiles_of
from agenttop.verdict.second import Second

#: Answers of a request that are enough, and those that are at least needed once the load has grown.
ENOUGH, FEW = 200, 20
#: Records of a phase that say something of its mean.
SOME = 5
#: The first level is over when the load is so many times what it was at the first answer …
GROWN = 1.25
#: … or after so many seconds: what creeps up at a constant load must not become what it is compared with.
LONGEST_S = 20.0
#: One second alone is no level, however many answers it has.
SHORTEST_S = 4.0
BEYOND = 1.25
LEAST_US = 5_000.0
_Z = 1.645
#: Parts of the answers that are beyond the quantiles of late and of slower ones.
LATE_SHARE, SLOWER_SHARE = 0.05, 0.5
#: With so many answers the slowest is above p95 with a probability of 95 %.
_MANY = 59


class First:
    """The first answers of one request, in one distribution."""

    __slots__ = ("_late", "_parts", "_slower", "begun_s", "count", "load", "whole")

    def __init__(self, t_s: float, load: float) -> None:
        self.begun_s = t_s
        self.load = load
        self.count = 0
        self.whole: HistDelta | None = None
        """All of them; None until there are enough."""
        self._parts: list[HistDelta] = []
        self._late = self._slower = 0

    def take(self, t_s: float, load: float, records: HistDelta) -> None:
        """Take more of them while they are not enough."""
        if self.whole is None:
            if self.count >= FEW and (load > self.load * GROWN or t_s - self.begun_s > LONGEST_S):
                self._close()
                return
            self._parts.append(records)
            self.count += records.count
            if self.count >= ENOUGH and t_s - self.begun_s >= SHORTEST_S:
                self._close()

    def late(self, records: HistDelta) -> int:
        """Return how many of these are late; see :attr:`whole`."""
        return _beyond(records, self._late)

    def slower(self, records: HistDelta) -> int:
        """Return how many of these are slower than the middle of the first ones."""
        return _beyond(records, self._slower)

    def _close(self) -> None:
        self.whole, self._parts = merge(self._parts), []
        self._late, self._slower = _limit(self.whole, LATE_SHARE), _limit(self.whole, SLOWER_SHARE)


@dataclass(slots=True)
class Baseline:
    """The first answers of every request, and the phases of the first level."""

    latency: dict[int, First] = field(default_factory=dict)
    ttft: dict[int, First] = field(default_factory=dict)
    phase_us: dict[str, float] = field(default_factory=dict)
    """By phase: sum of its durations."""
    phase_count: Counter[str] = field(default_factory=Counter)
    answers: int = 0
    """Ok answers in the same time."""
    load: float = 0.0
    """Load at the first answer."""
    _begun_s: float | None = None

    def take(self, second: Second) -> None:
        """Take a second that is measured."""
        t_s, load = second.t_s, second.load
        for request, answers in second.answers.items():
            for firsts, records in ((self.latency, answers.latency), (self.ttft, answers.ttft)):
                if records is not None:
                    if request not in firsts:
                        firsts[request] = First(t_s, load)
                    firsts[request].take(t_s, load, records)
        if not any(answers.ok for answers in second.answers.values()):
            return
        if self._begun_s is None:
            self._begun_s, self.load = t_s, load
        told = max(self.phase_count.values(), default=0)
        over = load > self.load * GROWN or t_s - self._begun_s > LONGEST_S
        if told < FEW or (told < ENOUGH and not over):
            self.answers += sum(answers.ok for answers in second.answers.values())
            for name, (total_us, count) in second.phases.items():
                self.phase_us[name] = self.phase_us.get(name, 0.0) + total_us
                self.phase_count[name] += count

    @property
    def ready(self) -> bool:
        """Return whether there is something that answers can be compared with."""
        return any(first.whole is not None for first in self.latency.values())

    @property
    def mean_us(self) -> float | None:
        """Return the mean latency of the first answers so far; None before there are any."""
        wholes = [first.whole for first in self.latency.values() if first.whole is not None]
        count = sum(whole.count for whole in wholes)
        return sum(whole.total for whole in wholes) / count if count else None

    def first_p95_ms(self, request: int | None, *, of_ttft: bool = False) -> float | None:
        """Return the 95th percentile of the first answers, of one request or of all; None before there is one."""
        firsts = self.ttft if of_ttft else self.latency
        wholes = [f.whole for r, f in firsts.items() if f.whole is not None and request in (None, r)]
        return percentiles_of(merge(wholes), (95.0,))[0] / 1000 if wholes else None

    def told(self, phase: str) -> float:
        """Return the part of the answers that told a phase, 0 to 1."""
        return self.phase_count[phase] / self.answers if self.answers else 0.0

    def phase_ms(self) -> dict[str, float]:
        """Return the mean duration by phase; only of phases with some records."""
        return {name: self.phase_us[name] / n / 1000 for name, n in self.phase_count.items() if n >= SOME}


def _beyond(records: HistDelta, limit: int) -> int:
    index = np.frombuffer(records.index, "<i4")
    return int(np.frombuffer(records.counts, "<i8")[index > limit].sum())


def _limit(records: HistDelta, share: float) -> int:
    """Return the limit (a counts index) that ``share`` of the answers are beyond while nothing changes, or less."""
    quantile = min(1.0, 1 - share + _Z * math.sqrt(share * (1 - share) / records.count))
    (upper,) = percentiles_of(records, (100 * quantile,))
    if share == LATE_SHARE and records.count < _MANY:
        upper = max(upper, _tolerance(records))
    beyond = max(BEYOND * upper, upper + LEAST_US)
    return int(counts_index(np.array([min(int(beyond), HIGHEST_US)], np.int64))[0])


def _tolerance(records: HistDelta) -> float:
    """Return the tolerance limit of few records, in µs."""
    values = np.array([max(lowest_value(int(index)), 1) for index in np.frombuffer(records.index, "<i4")])
    counts = np.frombuffer(records.counts, "<i8")
    logs = np.log(values)
    mean = float(np.average(logs, weights=counts))
    deviation = math.sqrt(float(np.average((logs - mean) ** 2, weights=counts)))
    return math.exp(mean + (_Z + 3.6 / math.sqrt(records.count)) * deviation)
