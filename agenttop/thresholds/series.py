"""What a threshold looks at, second by second: one distribution or some counters, of the whole run or of a window."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from agenttop.metrics.delta import HistDelta
from agenttop.metrics.figures import cost_usd, written_tokens
from agenttop.metrics.histogram import Hist, merge
from agenttop.metrics.layout import Price
from agenttop.metrics.scope import finished
from agenttop.thresholds.catalogue import COUNT, PER_S, PERCENTILE, SHARE
from agenttop.thresholds.expression import Expression

_US_PER_MS = 1000.0
#: A second that ends so close to the window's begin is before it.
_TOUCHES_S = 1e-6


class Trend:
    """A distribution. ``window_s`` is the length of the rolling window, None for the whole run."""

    def __init__(self, window_s: float | None) -> None:
        self.hist = Hist()
        self._window_s = window_s
        self._new: list[HistDelta] = []
        self._kept: deque[tuple[float, HistDelta]] = deque()

    def take(self, records: HistDelta) -> None:
        """Note new records; they are of the second that closes next."""
        self._new.append(records)

    def close(self, t_s: float) -> None:
        """End the second at ``t_s``; what the window has left behind is forgotten."""
        if self._new:
            piece = merge(self._new)
            self._new = []
            self.hist.add(piece)
            if self._window_s is not None:
                self._kept.append((t_s, piece))
        while self._window_s is not None and self._kept and self._kept[0][0] <= t_s - self._window_s + _TOUCHES_S:
            _, old = self._kept.popleft()
            low = min((piece.low for _, piece in self._kept), default=0.0)
            high = max((piece.high for _, piece in self._kept), default=0.0)
            self.hist.remove(old, low, high)

    def figure(self, expression: Expression) -> float | None:
        """What the expression asks for, in ms or as a count; None without a record."""
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
    """Outcomes and counters, likewise; ``price`` is the profile's, where it has one."""

    def __init__(self, window_s: float | None, price: Price | None = None) -> None:
        self._price = price
        self.outcomes: Counter[str] = Counter()
        self.sums: Counter[str] = Counter()
        self._window_s = window_s
        self._new: tuple[dict[str, int], dict[str, int]] = ({}, {})
        self._kept: deque[tuple[float, dict[str, int], dict[str, int]]] = deque()

    def take(self, outcomes: Mapping[str, int], sums: Mapping[str, int]) -> None:
        """Note new counts; they are of the second that closes next."""
        # Plain dicts: this comes with every delta, and a Counter costs several times as much.
        into, and_into = self._new
        for name, count in outcomes.items():
            into[name] = into.get(name, 0) + count
        for name, count in sums.items():
            and_into[name] = and_into.get(name, 0) + count

    def close(self, t_s: float) -> None:
        """End the second at ``t_s``; what the window has left behind is forgotten."""
        outcomes, sums = self._new
        self._new = ({}, {})
        self.outcomes.update(outcomes)
        self.sums.update(sums)
        if self._window_s is None:
            return
        self._kept.append((t_s, outcomes, sums))
        while self._kept[0][0] <= t_s - self._window_s + _TOUCHES_S:
            _, old_outcomes, old_sums = self._kept.popleft()
            self.outcomes.subtract(old_outcomes)
            self.sums.subtract(old_sums)

    def figure(self, expression: Expression, seconds: float) -> float | None:
        """What the expression asks for: 0 to 1, a count, or per second of ``seconds``; None where that has no sense."""
        kind, sums = expression.kind, self.sums
        if expression.metric in ("llm_calls", "tool_calls"):
            told = sums[expression.metric.replace("calls", "requests")]
            return _part(sums[expression.metric], told if kind != COUNT else bool(told))
        if expression.metric == "cost_usd":
            cost = cost_usd(sums, self._price)
            mean = expression.method == "per_request_mean"
            return cost if cost is None or not mean else cost / sums["token_requests"]
        if expression.metric == "tokens":
            return self._tokens(expression.method, seconds)
        count = self._count(expression.metric)
        if kind == SHARE:
            return _part(count, self._whole(expression.metric))
        return _part(count, seconds) if kind == PER_S else float(count)

    def _count(self, metric: str) -> int:
        if metric in ("requests", "rps"):
            return finished(self.outcomes)
        if metric in ("failed", "error_rate"):
            return finished(self.outcomes) - self.outcomes["ok"]
        if metric == "goodput":
            return self.sums["good"]
        if metric == "checks":
            return self.sums["checks_passed"]
        if metric == "output_tokens":
            return written_tokens(self.sums)[0]
        return self.outcomes[metric] if metric in self.outcomes else self.sums[metric]

    def _whole(self, metric: str) -> int:
        """What a share is of."""
        if metric == "checks":
            return self.sums["checks"]
        if metric == "goodput":
            # A request that found no connection is no attempt, and not good either.
            return max(self.sums["attempts"], finished(self.outcomes))
        if metric == "rate_limit_violations":
            # An answer whose request was sent again may be one.
            return finished(self.outcomes) + self.sums["retries"]
        return finished(self.outcomes)

    def _tokens(self, method: str, seconds: float) -> float | None:
        sums = self.sums
        written, known = written_tokens(sums)
        if method == "output_per_s":
            return _part(written, seconds) if known else None
        if method == "per_request_mean":
            return _part(written, known)
        if method == "output":
            return float(written) if known else None
        return float(sums[f"{method}_tokens"]) if sums[f"{method}_told"] else None


def _part(count: float, whole: float) -> float | None:
    return count / whole if whole > 0 else None
