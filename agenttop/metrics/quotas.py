"""What remains of the limits the targets tell of, over all workers: live gauges, and rows of the summary."""

from __future__ import annotations

from typing import Any

from agenttop.metrics.delta import Delta, QuotaState
from agenttop.metrics.layout import Layout
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import QuotaGauge

#: Workers that saw a limit so shortly before the last one are believed as well: the lowest of theirs is shown.
LATELY_S = 2.0
#: A gauge that nobody has seen for so long, and whose reset is so long ago, is not shown any more.
GONE_S = 60.0
#: Limits shown and kept of one pool: their names are the target's.
MAX_QUOTAS = 16


class QuotaBoard:
    """The newest quota states of every worker, by pool and name of the limit."""

    def __init__(self, layout: Layout) -> None:
        self._pools = [pool.name for pool in layout.pools]
        self._seen: dict[tuple[int, str], dict[int, QuotaState]] = {}

    def observe(self, delta: Delta) -> None:
        """Take a worker's newest states."""
        for state in delta.states:
            for quota in state.quotas:
                key = (state.pool, clean_text(quota.name, 40))
                if key not in self._seen and sum(pool == state.pool for pool, _ in self._seen) >= MAX_QUOTAS:
                    continue
                self._seen.setdefault(key, {})[delta.worker] = quota

    def gauges(self, now_s: float) -> tuple[QuotaGauge, ...]:
        """Return the gauges to show at ``now_s`` (seconds since the run began): by pool, then by name."""
        found = []
        for (pool, name), workers in sorted(self._seen.items()):
            quota = _lowest(workers, now_s)
            reset_at_s = quota.reset_at_s
            if now_s - max(quota.seen_s, reset_at_s or 0.0) > GONE_S:
                continue
            found.append(
                QuotaGauge(
                    pool=self._pools[pool],
                    name=name,
                    limit=quota.limit,
                    remaining=quota.remaining,
                    age_s=round(max(0.0, now_s - quota.seen_s), 3),
                    reset_in_s=None if reset_at_s is None else round(max(0.0, reset_at_s - now_s), 3),
                    past=_past(quota, now_s),
                )
            )
        return tuple(found)

    def summary(self) -> list[dict[str, Any]]:
        """Return the summary's ``quotas``."""
        rows = []
        for (pool, name), workers in sorted(self._seen.items()):
            newest = max(workers.values(), key=lambda quota: quota.seen_s)
            lowest = [quota.lowest for quota in workers.values() if quota.lowest is not None]
            rows.append(
                {
                    "pool": self._pools[pool],
                    "name": name,
                    "limit": newest.limit,
                    "lowest_remaining": min(lowest, default=None),
                    "last_remaining": newest.remaining,
                    "last_seen_s": round(newest.seen_s, 3),
                }
            )
        return rows


def _lowest(workers: dict[int, QuotaState], now_s: float) -> QuotaState:
    """Return the state with the least remaining, of workers that saw it lately; states whose reset has passed are
    last.
    """
    newest = max(quota.seen_s for quota in workers.values())
    lately = [quota for quota in workers.values() if quota.seen_s >= newest - LATELY_S]
    return min(lately, key=lambda quota: (_past(quota, now_s), quota.remaining))


def _past(quota: QuotaState, now_s: float) -> bool:
    return quota.reset_at_s is not None and quota.reset_at_s < now_s
