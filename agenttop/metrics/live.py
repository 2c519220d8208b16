"""The live window: the last seconds of a run, anchored at now, and what is shown of the run as it goes.

Warm-up requests are in all of this. When nothing finishes, rates fall to 0 and percentiles become None.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agenttop.metrics.catalogue import LIVE, PHASE
from agenttop.metrics.counts import Counts, total
from agenttop.metrics.delta import ErrorDelta, HistDelta
from agenttop.metrics.formulas import written_tokens
from agenttop.metrics.histogram import Hist, merge, percentiles_of
from agenttop.metrics.outcome import NOT_FAILED, USER_ERROR
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import Cause, Percentiles

#: Seconds that the live picture is of, and every percentile of the timeline: of one second there are too few samples.
WINDOW_S = 10.0
#: Seconds of history behind every cause of failure.
RECENT_SECONDS = 60
_US_PER_MS = 1000.0
#: The name the workers' loop lag goes by here, beside the metrics of requests.
LOOP_LAG = "loop_lag"
#: Seconds whose end and begin are so close follow each other.
_TOUCHES_S = 1e-6

#: Of the distributions that the window keeps, those that it keeps by request too.
BY_REQUEST = frozenset({"latency", "ttft", "inter_chunk"})
#: Of what a request of a set-up takes, what is not among the times of all requests together: a burst of them as users
#: come would be the percentiles.
NOT_OF_SETUP = frozenset({"latency", "ttft", "inter_chunk"})


@dataclass(slots=True)
class Slice:
    """What finished between ``start_s`` and ``end_s``: of all requests together, and by request."""

    start_s: float
    end_s: float = 0.0
    whole: Counts = field(default_factory=Counts)
    by_request: dict[int, Counts] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Return its length in seconds."""
        return max(0.0, self.end_s - self.start_s)

    def add(self, request: int, new: Counts, hists: Mapping[str, HistDelta], *, setup: bool = False) -> None:
        """Add what is new of one request; of its distributions ``hists`` those that the window keeps. ``setup`` says
        that it is one of a set-up.
        """
        of_request = self.by_request.get(request)
        if of_request is None:
            of_request = self.by_request[request] = Counts()
        for counts in (self.whole, of_request):
            counts.add(new)
        for metric, records in hists.items():
            if (metric in LIVE and not (setup and metric in NOT_OF_SETUP)) or metric.startswith(PHASE):
                self.whole.take(metric, (records,))
            if metric in BY_REQUEST:
                of_request.take(metric, (records,))

    def absorb(self, other: Slice) -> None:
        """Count another's as well."""
        self.whole.add_all(other.whole)
        for request, counts in other.by_request.items():
            self.by_request.setdefault(request, Counts()).add_all(counts)

    def close(self, end_s: float) -> None:
        """End the slice, and merge distributions that came in pieces."""
        self.end_s = end_s
        self.merge()

    def merge(self) -> None:
        """Make one piece of what came in several."""
        for counts in (self.whole, *self.by_request.values()):
            for pieces in counts.parts.values():
                pieces[:] = [merge(pieces)]


@dataclass(slots=True)
class _Failure:
    first_s: float
    last_s: float
    example: str = ""


class Live:
    """The open slice, the closed slices of the window, and counts since the run began (by request).

    ``setup`` are the requests of set-ups, by index.
    """

    def __init__(self, requests: int, window_s: float, setup: Collection[int] = ()) -> None:
        self.window_s = window_s
        self._setup = frozenset(setup)
        self.open = Slice(0.0)
        self.counts = [Counts() for _ in range(requests)]
        self.retry_after = Hist()
        self._slices: deque[Slice] = deque()
        self._older: deque[Slice] = deque()
        """Slices of the window before, for percentiles of seconds that get more after they were closed."""
        self._ahead: dict[int, Slice] = {}
        """Seconds that come after the open one: workers need not wait for each other."""
        self._late: dict[int, Slice] = {}
        """What is new in seconds that are closed."""
        self._recent: deque[tuple[float, Counter[str]]] = deque(maxlen=RECENT_SECONDS)
        self._failures: dict[str, _Failure] = {}
        self._merged: dict[tuple[str, int | None], HistDelta | None] = {}
        """Records of the window by metric and request, as they were asked for since it changed."""

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_merged": {}}

    def add(self, second: int | None, request: int, new: Counts, hists: Mapping[str, HistDelta]) -> None:
        """Put what is new about one request into the slice of its second, or where that is not known into the open one;
        ``hists`` are its distributions, each in one piece.
        """
        self._slice(second).add(request, new, hists, setup=request in self._setup)
        self.counts[request].add(new)
        if "retry_after" in hists:
            self.retry_after.add(hists["retry_after"])

    def loop_lag(self, second: int | None, records: HistDelta) -> None:
        """Take a worker's loop lag."""
        self._slice(second).whole.take(LOOP_LAG, (records,))

    def _slice(self, second: int | None) -> Slice:
        """Where what ended in a second is to be put."""
        if second is None:
            return self.open
        of = self._late if second + 1 <= self.open.start_s + _TOUCHES_S else self._ahead
        return of.setdefault(second, Slice(float(second)))

    def late(self) -> list[tuple[float, Slice]]:
        """Begin of each second that was closed before and has got more since the last call, with what that is. What the
        window still holds of it has it from now on.
        """
        found, self._late = sorted(self._late.items()), {}
        if found:
            self._merged = {}
        for second, new in found:
            new.merge()
            for piece in (*self._older, *self._slices):
                if piece.start_s <= second + _TOUCHES_S < piece.end_s:
                    piece.absorb(new)
                    piece.merge()
            for start_s, outcomes in self._recent:
                if abs(start_s - second) < 0.5:
                    outcomes.update(_with_exceptions(new.whole))
        return [(float(second), new) for second, new in found]

    def error(self, error: ErrorDelta) -> None:
        """Remember when a kind of failure was seen, and its newest example."""
        message = clean_text(error.message)
        found = self._failures.setdefault(error.outcome, _Failure(error.first_s, error.last_s, message))
        found.first_s = min(found.first_s, error.first_s)
        if error.last_s >= found.last_s:
            found.last_s, found.example = error.last_s, message

    def close(self, t_s: float) -> Slice:
        """End the open slice at ``t_s`` seconds, open the next, drop those before the window, and return the ended
        one.
        """
        closed, self.open = self.open, Slice(t_s)
        self._merged = {}
        for second in sorted(second for second in self._ahead if second < t_s - _TOUCHES_S):
            closed.absorb(self._ahead.pop(second))
        closed.close(t_s)
        outcomes = _with_exceptions(closed.whole)
        for outcome, count in outcomes.items():
            if count and outcome not in NOT_FAILED:
                failure = self._failures.setdefault(outcome, _Failure(closed.start_s, t_s))
                failure.last_s = max(failure.last_s, closed.start_s)
        self._slices.append(closed)
        self._recent.append((closed.start_s, outcomes))
        begin_s = self._begin_s(closed)
        while len(self._slices) > 1 and self._slices[0].end_s <= begin_s:
            self._older.append(self._slices.popleft())
        while self._older and self._older[0].end_s <= begin_s - self.window_s:
            self._older.popleft()
        return closed

    @property
    def seconds(self) -> float:
        """Return how much of the window there is yet, in seconds."""
        return self._slices[-1].end_s - self._slices[0].start_s if self._slices else 0.0

    def rps(self, requests: Iterable[int]) -> float:
        """Return the finished requests per second."""
        wanted = tuple(requests)
        count = sum(
            piece.by_request[request].requests
            for piece in self._slices
            for request in wanted
            if request in piece.by_request
        )
        return count / self.seconds if self.seconds > 0 else 0.0

    def tokens_per_s(self, request: int) -> float:
        """Return the output tokens per second of a request."""
        found = sum(
            written_tokens(piece.by_request[request].sums)[0] for piece in self._slices if request in piece.by_request
        )
        return found / self.seconds if self.seconds > 0 else 0.0

    def amended(self, start_s: float) -> list[tuple[float, list[Slice]]]:
        """Return the ends of windows that hold the second which begins at ``start_s``, each with the window's slices;
        without those of which slices are gone.
        """
        kept = [*self._older, *self._slices]
        found = []
        for last, piece in enumerate(kept):
            begin_s = self._begin_s(piece)
            if piece.end_s <= start_s + _TOUCHES_S or begin_s >= start_s + 1 or kept[0].start_s > max(0.0, begin_s):
                continue
            found.append((piece.end_s, [each for each in kept[: last + 1] if each.end_s > begin_s]))
        return found

    def _begin_s(self, closed: Slice) -> float:
        """Return when the window begins that ends with a slice."""
        # Half a tick of tolerance, or jitter of the timer would make the window one second shorter or longer.
        return closed.end_s - self.window_s + min(0.5, 0.5 * closed.seconds)

    def records(
        self, metric: str, request: int | None = None, slices: Iterable[Slice] | None = None
    ) -> HistDelta | None:
        """Return the window's records of a metric, of one request or of all; None without any. ``slices`` are those of
        another window.
        """
        key = (metric, request)
        if slices is None and key in self._merged:
            return self._merged[key]
        parts: list[HistDelta] = []
        for piece in self._slices if slices is None else slices:
            counts = piece.whole if request is None else piece.by_request.get(request)
            if counts is not None:
                parts += counts.parts.get(metric, ())
        found = merge(parts) if parts else None
        if slices is None:
            self._merged[key] = found
        return found

    def phases_ms(self) -> dict[str, float]:
        """Return the mean duration in ms by phase."""
        names = sorted({name for piece in self._slices for name in piece.whole.parts if name.startswith(PHASE)})
        found = {name.removeprefix(PHASE): self.records(name) for name in names}
        return {name: part.total / part.count / _US_PER_MS for name, part in found.items() if part is not None}

    def causes(self) -> tuple[Cause, ...]:
        """Return every cause of failure so far, the most frequent first."""
        counts = _with_exceptions(total(self.counts))
        return tuple(
            Cause(
                outcome,
                count,
                tuple(second[outcome] for _, second in self._recent),
                failure.first_s,
                failure.last_s,
                failure.example,
            )
            for outcome, count in counts.most_common()
            if count and outcome not in NOT_FAILED and (failure := self._failures.get(outcome))
        )


def _with_exceptions(counts: Counts) -> Counter[str]:
    """Return outcomes and exceptions in users' own code, which are causes of failure though no outcomes."""
    found = counts.outcomes.copy()
    if counts.sums["user_errors"]:
        found[USER_ERROR] = counts.sums["user_errors"]
    return found


def percentile_ms(found: HistDelta | None, *percents: float) -> list[float] | list[None]:
    """Return percentiles in ms; None for each if there are no records."""
    if found is None:
        return [None] * len(percents)
    return [value / _US_PER_MS for value in percentiles_of(found, percents)]


def percentiles(found: HistDelta | None) -> Percentiles | None:
    """Return the percentiles that viewers show, in ms; None without records."""
    if found is None:
        return None
    values = percentiles_of(found, (50, 90, 95, 99))
    return Percentiles(found.count, *(value / _US_PER_MS for value in (*values, found.high)))
