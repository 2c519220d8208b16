"""The last seconds, as many as a judgement needs, and what ended in them."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.histogram import merge, percentiles_of
from agenttop.verdict.baseline import Baseline
from agenttop.verdict.second import UNANSWERED, Second

#: The shortest window, the fewest answers that it must have, and how long it may become for them.
SHORTEST_S = 6.0
MIN_ANSWERS = 20
LONGEST_S = 120.0


@dataclass(slots=True)
class Share:
    """So many of so many."""

    part: int = 0
    whole: int = 0

    def add(self, part: int, whole: int) -> None:
        """Add others."""
        self.part += part
        self.whole += whole


@dataclass(slots=True)
class Sums:
    """What ended in some seconds."""

    seconds: float = 0.0
    ok: int = 0
    refused: int = 0
    failed: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    """All but those that nobody answered."""
    late: Share = field(default_factory=Share)
    """Late answers of those that can be compared; see :mod:`~agenttop.verdict.baseline`."""
    late_ttft: Share = field(default_factory=Share)
    slower: Share = field(default_factory=Share)
    slower_ttft: Share = field(default_factory=Share)
    late_of: dict[int, Share] = field(default_factory=dict)
    refused_of: Counter[int] = field(default_factory=Counter)
    failed_of: Counter[int] = field(default_factory=Counter)

    @property
    def finished(self) -> int:
        """Return how many requests ended."""
        return self.ok + self.refused + self.failed

    def add(self, other: Sums) -> None:
        """Add what ended in other seconds."""
        self.seconds += other.seconds
        self.ok += other.ok
        self.refused += other.refused
        self.failed += other.failed
        self.answered += other.answered
        for mine, others in (
            (self.late, other.late),
            (self.late_ttft, other.late_ttft),
            (self.slower, other.slower),
            (self.slower_ttft, other.slower_ttft),
        ):
            mine.add(others.part, others.whole)
        for request, late in other.late_of.items():
            self.late_of.setdefault(request, Share()).add(late.part, late.whole)
        self.failures.update(other.failures)
        self.refused_of.update(other.refused_of)
        self.failed_of.update(other.failed_of)


def sums_of(second: Second, baseline: Baseline) -> Sums:
    """Return what ended in one second, compared with the first answers."""
    found = Sums(seconds=second.seconds)
    for request, answers in second.answers.items():
        found.ok += answers.ok
        found.refused += answers.refused
        found.failed += answers.failed
        found.failures.update(answers.failures)
        if answers.refused:
            found.refused_of[request] += answers.refused
        if answers.failed:
            found.failed_of[request] += answers.failed
        first = baseline.latency.get(request)
        if answers.latency is not None and first is not None and first.whole is not None:
            late, count = first.late(answers.latency), answers.latency.count
            found.late.add(late, count)
            found.slower.add(first.slower(answers.latency), count)
            found.late_of[request] = Share(late, count)
        first = baseline.ttft.get(request)
        if answers.ttft is not None and first is not None and first.whole is not None:
            found.late_ttft.add(first.late(answers.ttft), answers.ttft.count)
            found.slower_ttft.add(first.slower(answers.ttft), answers.ttft.count)
    found.answered = found.finished - found.failures[UNANSWERED]
    return found


class Window:
    """The newest seconds; ``sums`` is what ended in as many of them as are needed."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[Second, Sums]] = deque()
        self._used = 0
        self.sums = Sums()

    def add(self, second: Second, sums: Sums) -> None:
        """Add the newest second, and drop what is too old."""
        self._seconds.append((second, sums))
        while self._seconds[0][0].t_s <= second.t_s - LONGEST_S:
            self._seconds.popleft()
        self.sums = Sums()
        self._used = 0
        for _, older in reversed(self._seconds):
            if self.sums.seconds >= SHORTEST_S - 0.5 and self.sums.finished >= MIN_ANSWERS:
                break
            self.sums.add(older)
            self._used += 1

    @property
    def seconds(self) -> list[Second]:
        """Return the seconds of the window, the oldest first."""
        return [second for second, _ in self._seconds][-self._used :] if self._used else []

    def latency(self, request: int | None = None) -> HistDelta | None:
        """Return the latencies of one request, or of all; None without any."""
        return _merged([a.latency for s in self.seconds for r, a in s.answers.items() if request in (None, r)])

    def ttft(self) -> HistDelta | None:
        """Return the times to first token of all requests; None without any."""
        return _merged([answers.ttft for second in self.seconds for answers in second.answers.values()])

    def phase_ms(self) -> dict[str, float]:
        """Return the mean duration by phase."""
        totals: dict[str, float] = {}
        counts: Counter[str] = Counter()
        for second in self.seconds:
            for name, (total_us, count) in second.phases.items():
                totals[name] = totals.get(name, 0.0) + total_us
                counts[name] += count
        return {name: totals[name] / count / 1000 for name, count in counts.items() if count}


def p95_ms(records: HistDelta | None) -> float | None:
    """Return a 95th percentile in ms; None without records."""
    return None if records is None else percentiles_of(records, (95.0,))[0] / 1000


def _merged(parts: list[HistDelta | None]) -> HistDelta | None:
    there = [part for part in parts if part is not None]
    return merge(there) if there else None
