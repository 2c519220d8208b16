"""The circuit breaker: judges whether the target has fallen over.

    open  ⇔  n ≥ min_requests  and  f ≥ failed · n

where n is how many requests have finished in the last ``over`` seconds, and f how many of them have failed: with any
outcome but ``ok``, as in the summary, except ``rate_limited``. A 429 is the answer of a target that works and says so;
it is in n, and in f only with ``count_429``. What was cut or refused by a budget has not finished. The warm-up counts
as well, for a fallen target is fallen. Nothing is judged before there has been a whole window.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from agenttop.metrics.delta import Delta
from agenttop.metrics.outcome import NOT_FAILED, Outcome
from agenttop.metrics.snapshot import BreakerState
from agenttop.thresholds.series import Tally


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """A profile's ``[circuit_breaker]``: ``failed`` is 0 to 1, ``over_s`` seconds."""

    failed: float
    over_s: float
    min_requests: int = 20
    count_429: bool = False


class Breaker:
    """Judges once a second; without a rule it never opens."""

    def __init__(self, rule: BreakerRule | None) -> None:
        self.rule = rule
        self.state: BreakerState | None = None
        """Its state; None without a rule."""
        self.worst = ""
        """The most frequent outcome among the failed."""
        self._begin_s = 0.0
        self._tally = Tally(rule.over_s if rule is not None else None)
        if rule is not None:
            self.state = BreakerState(0.0, rule.failed, 0, rule.over_s)

    def fold(self, delta: Delta, end_s: float | None = None) -> None:
        """Take what is new on one worker, of the second that ends at ``end_s``; by default of the one that closes
        next.
        """
        if self.rule is not None and (end_s is None or end_s > self._begin_s):
            for leaf in delta.leaves:
                self._tally.take(leaf, end_s)

    def reset(self, t_s: float) -> None:
        """Forget what finished before ``t_s``; a whole window has to pass before the next judgement."""
        if self.rule is not None:
            self._begin_s = t_s
            self._tally = Tally(self.rule.over_s)
            self.state = BreakerState(0.0, self.rule.failed, 0, self.rule.over_s)

    def second(self, t_s: float) -> bool:
        """Close the second that ends at ``t_s``; return whether the breaker opens."""
        rule = self.rule
        if rule is None:
            return False
        self._tally.close(t_s)
        counts = self._tally.counts
        failed = self._failed(counts.outcomes)
        requests, count = counts.requests, failed.total()
        share = count / requests if requests else 0.0
        self.worst = failed.most_common(1)[0][0] if count else ""
        judged = t_s - self._begin_s >= rule.over_s and requests >= rule.min_requests
        # Exactly the limit is enough, whatever 0.07 times 100 is to a float.
        opens = judged and count >= rule.failed * requests - 1e-9
        self.state = BreakerState(round(share, 6), rule.failed, requests, rule.over_s, opens)
        return opens

    def _failed(self, outcomes: Counter[str]) -> Counter[str]:
        assert self.rule is not None
        spared = NOT_FAILED if self.rule.count_429 else NOT_FAILED | {Outcome.RATE_LIMITED}
        return Counter({name: count for name, count in outcomes.items() if count > 0 and name not in spared})

    def told(self) -> str:
        """Return its state in words."""
        state = self.state
        assert state is not None
        worst = f", most of them {self.worst}" if self.worst else ""
        return (
            f"{state.share:.0%} of the {state.requests} requests of the last {state.over_s:g}s failed{worst} "
            f"(the limit is {state.limit:.0%})"
        )
