"""The live window: the last seconds of a run, anchored at now, and what is shown of the run as it goes.

Warm-up requests are in all of this. When nothing finishes, rates fall to 0 and percentiles become None.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agenttop.metrics.delta import ErrorDelta, HistDelta
from agenttop.metrics.histogram import Hist, merge, percentiles_of
from agenttop.metrics.outcome import NOT_FAILED, USER_ERROR, Outcome
from agenttop.metrics.scope import PHASE, clean_text, finished
from agenttop.metrics.snapshot import Cause, Percentiles

#: Seconds of history behind every cause of failure.
RECENT_SECONDS = 60
_US_PER_MS = 1000.0
#: The name the workers' loop lag goes by here, beside the metrics of requests.
LOOP_LAG = "loop_lag"


#: Metrics shown of the window; of these :data:`BY_REQUEST` also by request.
SHOWN = frozenset({"latency", "ttft", "inter_chunk", "schedule_lag"})
BY_REQUEST = frozenset({"latency", "ttft"})


@dataclass(slots=True)
class Slice:
    """What finished between ``start_s`` and ``end_s``. ``whole`` is by metric, ``by_request`` by both."""

    start_s: float
    end_s: float = 0.0
    outcomes: dict[int, Counter[str]] = field(default_factory=dict)
    sums: Counter[str] = field(default_factory=Counter)
    whole: dict[str, list[HistDelta]] = field(default_factory=dict)
    by_request: dict[tuple[str, int], list[HistDelta]] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Its length."""
        return max(0.0, self.end_s - self.start_s)

    def add(self, request: int, metric: str, records: HistDelta) -> None:
        """Take new records of one request, where the metric is one that is shown."""
        if metric in SHOWN or metric.startswith(PHASE):
            self.whole.setdefault(metric, []).append(records)
            if metric in BY_REQUEST:
                self.by_request.setdefault((metric, request), []).append(records)

    def close(self, end_s: float) -> None:
        """End it, and merge what came in pieces."""
        self.end_s = end_s
        for pieces in (*self.whole.values(), *self.by_request.values()):
            pieces[:] = [merge(pieces)]

    def records(self, metric: str) -> HistDelta | None:
        """All requests' records of a metric; None without any."""
        pieces = self.whole.get(metric)
        return merge(pieces) if pieces else None

    def all_outcomes(self) -> Counter[str]:
        """Outcomes of all requests together."""
        return together(self.outcomes.values())


@dataclass(slots=True)
class _Failure:
    first_s: float
    last_s: float
    example: str = ""


class Live:
    """The open slice, the closed ones of the window, and counts since the run began (by request)."""

    def __init__(self, requests: int, window_s: float) -> None:
        self.window_s = window_s
        self.open = Slice(0.0)
        self.outcomes: list[Counter[str]] = [Counter() for _ in range(requests)]
        self.sums: Counter[str] = Counter()
        self.streamed = [0] * requests
        self.one_burst = [0] * requests
        self.retry_after = Hist()
        self._slices: deque[Slice] = deque()
        self._recent: deque[Counter[str]] = deque(maxlen=RECENT_SECONDS)
        self._failures: dict[str, _Failure] = {}

    def add(
        self, request: int, outcomes: Mapping[str, int], sums: Mapping[str, int], hists: Mapping[str, HistDelta]
    ) -> None:
        """Put what is new about one request into the open slice."""
        self.open.outcomes.setdefault(request, Counter()).update(outcomes)
        self.outcomes[request].update(outcomes)
        self.open.sums.update(sums)
        self.sums.update(sums)
        self.streamed[request] += sums.get("streamed", 0)
        self.one_burst[request] += sums.get("one_burst", 0)
        for metric, records in hists.items():
            self.open.add(request, metric, records)
        if "retry_after" in hists:
            self.retry_after.add(hists["retry_after"])

    def loop_lag(self, records: HistDelta) -> None:
        """Take a worker's loop lag."""
        self.open.whole.setdefault(LOOP_LAG, []).append(records)

    def error(self, error: ErrorDelta) -> None:
        """Remember when a way of failing was seen, and its newest example."""
        message = clean_text(error.message)
        found = self._failures.setdefault(error.outcome, _Failure(error.first_s, error.last_s, message))
        found.first_s = min(found.first_s, error.first_s)
        if error.last_s >= found.last_s:
            found.last_s, found.example = error.last_s, message

    def close(self, t_s: float) -> Slice:
        """End the open slice at ``t_s`` seconds and open the next; slices before the window are dropped."""
        closed, self.open = self.open, Slice(t_s)
        closed.close(t_s)
        outcomes = _with_exceptions(closed.all_outcomes(), closed.sums)
        for outcome, count in outcomes.items():
            if count and outcome not in NOT_FAILED:
                failure = self._failures.setdefault(outcome, _Failure(closed.start_s, t_s))
                failure.last_s = max(failure.last_s, closed.start_s)
        self._slices.append(closed)
        self._recent.append(outcomes)
        # Half a tick of tolerance, or jitter of the timer would make the window one second shorter or longer.
        begin_s = t_s - self.window_s + min(0.5, 0.5 * closed.seconds)
        while len(self._slices) > 1 and self._slices[0].end_s <= begin_s:
            self._slices.popleft()
        return closed

    @property
    def seconds(self) -> float:
        """How much of the window there is yet."""
        return self._slices[-1].end_s - self._slices[0].start_s if self._slices else 0.0

    def rps(self, requests: Iterable[int]) -> float:
        """Finished requests per second."""
        wanted = tuple(requests)
        count = sum(
            finished(piece.outcomes[request])
            for piece in self._slices
            for request in wanted
            if request in piece.outcomes
        )
        return count / self.seconds if self.seconds > 0 else 0.0

    def records(self, metric: str, request: int | None = None) -> HistDelta | None:
        """The window's records of a metric, of one request or of all; None without any."""
        parts: list[HistDelta] = []
        for piece in self._slices:
            found = piece.whole.get(metric) if request is None else piece.by_request.get((metric, request))
            parts.extend(found or ())
        return merge(parts) if parts else None

    def phases_ms(self) -> dict[str, float]:
        """Mean duration by phase."""
        names = sorted({name for piece in self._slices for name in piece.whole if name.startswith(PHASE)})
        found = {name.removeprefix(PHASE): self.records(name) for name in names}
        return {name: part.total / part.count / _US_PER_MS for name, part in found.items() if part is not None}

    def causes(self) -> tuple[Cause, ...]:
        """Every way of failing so far, the most frequent first."""
        counts = _with_exceptions(together(self.outcomes), self.sums)
        return tuple(
            Cause(
                outcome,
                count,
                tuple(second[outcome] for second in self._recent),
                failure.first_s,
                failure.last_s,
                failure.example,
            )
            for outcome, count in counts.most_common()
            if count and outcome not in NOT_FAILED and (failure := self._failures.get(outcome))
        )


def together(parts: Iterable[Counter[str]]) -> Counter[str]:
    """The sum of several counters."""
    whole: Counter[str] = Counter()
    for part in parts:
        whole.update(part)
    return whole


def _with_exceptions(outcomes: Counter[str], sums: Counter[str]) -> Counter[str]:
    """Exceptions in users' own code are causes of failure too, though no outcomes of requests."""
    if sums["user_errors"]:
        outcomes[USER_ERROR] = sums["user_errors"]
    return outcomes


def failures(outcomes: Counter[str]) -> tuple[int, int]:
    """(rate-limited, otherwise failed) of these outcomes."""
    limited = outcomes[Outcome.RATE_LIMITED]
    return limited, finished(outcomes) - outcomes[Outcome.OK] - limited


def percentile_ms(found: HistDelta | None, *percents: float) -> list[float] | list[None]:
    """Percentiles in ms; None for each without records."""
    if found is None:
        return [None] * len(percents)
    return [value / _US_PER_MS for value in percentiles_of(found, percents)]


def percentiles(found: HistDelta | None) -> Percentiles | None:
    """The percentiles a viewer is shown, in ms; None without records."""
    if found is None:
        return None
    values = percentiles_of(found, (50, 90, 95, 99))
    return Percentiles(found.count, *(value / _US_PER_MS for value in (*values, found.high)))
