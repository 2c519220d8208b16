"""What a threshold is judged on, second by second: one distribution or some counters, of the run or of a window."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

from agenttop.metrics import formulas
from agenttop.metrics.counts import Countable, Counts
from agenttop.metrics.delta import HistDelta
from agenttop.metrics.formulas import Part, per
from agenttop.metrics.histogram import Hist, merge
from agenttop.metrics.layout import Price
from agenttop.thresholds.catalogue import PER_S, PERCENTILE, SHARE
from agenttop.thresholds.expression import Expression

_US_PER_MS = 1000.0
#: A second that ends so close to the window's begin is before it.
_TOUCHES_S = 1e-6


T = TypeVar("T")


def _keep(kept: deque[tuple[float, T]], piece: tuple[float, T]) -> None:
    """Put a piece in its place in time: a second may get more after later ones have come."""
    place = len(kept)
    while place and kept[place - 1][0] > piece[0]:
        place -= 1
    kept.insert(place, piece)


class Trend:
    """A distribution. ``window_s`` is the length of the rolling window, None for the whole run."""

    def __init__(self, window_s: float | None) -> None:
        self.hist = Hist()
        self._window_s = window_s
        self._new: dict[float | None, list[HistDelta]] = {}
        self._kept: deque[tuple[float, HistDelta]] = deque()

    def take(self, records: HistDelta, end_s: float | None = None) -> None:
        """Note new records, of the second that ends at ``end_s``; by default of the one that closes next."""
        self._new.setdefault(end_s, []).append(records)

    def close(self, t_s: float) -> None:
        """End the second at ``t_s``; what the window has left behind is forgotten."""
        new, self._new = self._new, {}
        for end_s, parts in new.items():
            piece = merge(parts)
            self.hist.add(piece)
            if self._window_s is not None:
                _keep(self._kept, (t_s if end_s is None else end_s, piece))
        while self._window_s is not None and self._kept and self._kept[0][0] <= t_s - self._window_s + _TOUCHES_S:
            _, old = self._kept.popleft()
            low = min((piece.low for _, piece in self._kept), default=0.0)
            high = max((piece.high for _, piece in self._kept), default=0.0)
            self.hist.remove(old, low, high)

    def figure(self, expression: Expression) -> float | None:
        """Return what the expression asks for, in ms or as a count; None without records."""
        hist, method = self.hist, expression.method
        if method == "count":
            return float(hist.count)
        if not hist.count:
            return None
        if method in (PERCENTILE, "med"):
            percent = 50.0 if expression.percent is None else expression.percent
            return hist.percentiles((percent,))[0] / _US_PER_MS
        value = {"avg": hist.total / hist.count, "min": hist.low, "max": hist.high}[method]
        return value / _US_PER_MS


class Tally:
    """Outcomes and counters of a window, as in :class:`Trend`; ``price`` is the profile's, if it has one."""

    def __init__(self, window_s: float | None, price: Price | None = None) -> None:
        self._price = price
        self.counts = Counts()
        self._window_s = window_s
        self._new: dict[float | None, Counts] = {}
        self._kept: deque[tuple[float, Counts]] = deque()

    def take(self, new: Countable, end_s: float | None = None) -> None:
        """Note new counts, of the second that ends at ``end_s``; by default of the one that closes next."""
        self._new.setdefault(end_s, Counts()).add(new)

    def close(self, t_s: float) -> None:
        """End the second at ``t_s``; what the window has left behind is forgotten."""
        new, self._new = self._new, {}
        for end_s, counts in new.items():
            self.counts.add(counts)
            if self._window_s is not None:
                _keep(self._kept, (t_s if end_s is None else end_s, counts))
        if self._window_s is None:
            return
        while self._kept and self._kept[0][0] <= t_s - self._window_s + _TOUCHES_S:
            _, old = self._kept.popleft()
            self.counts.subtract(old)

    def figure(self, expression: Expression, seconds: float) -> float | None:
        """Return what the expression asks for: 0 to 1, a count, or per second of ``seconds``; None if that has no
        meaning.
        """
        kind, counts, method = expression.kind, self.counts, expression.method
        if expression.metric in ("llm_calls", "tool_calls"):
            calls = formulas.calls(counts.sums, expression.metric)
            return calls.total if method == "count" else calls.per_request_mean
        if expression.metric == "cost_usd":
            cost = formulas.cost_usd(counts.sums, self._price)
            return cost if cost is None or method == "total" else cost / counts.sums["token_requests"]
        if expression.metric == "tokens":
            return getattr(formulas.tokens(counts.sums, seconds), method)  # type: ignore[no-any-return]
        found = _PARTS.get(expression.metric, _of_requests)(counts, expression.metric)
        if kind == SHARE:
            return found.share
        return per(found.part, seconds) if kind == PER_S else float(found.part)


def _of_requests(counts: Counts, metric: str) -> Part:
    """Return an outcome or a counter, and the requests."""
    return Part(counts.outcomes[metric] if metric in counts.outcomes else counts.sums[metric], counts.requests)


#: What is counted, and what a share of it is of; of all others :func:`_of_requests`.
_PARTS: dict[str, Callable[[Counts, str], Part]] = {
    "requests": lambda counts, _: Part(counts.requests, counts.requests),
    "rps": lambda counts, _: Part(counts.requests, counts.requests),
    "failed": lambda counts, _: Part(counts.failed, counts.requests),
    "error_rate": lambda counts, _: Part(counts.failed, counts.requests),
    "output_tokens": lambda counts, _: Part(formulas.written_tokens(counts.sums)[0], counts.requests),
    "goodput": lambda counts, _: formulas.goodput(counts),
    "rate_limit_violations": lambda counts, _: formulas.violations(counts),
    "checks": lambda counts, _: Part(counts.sums["checks_passed"], counts.sums["checks"]),
}
