"""Merges several deltas of one worker into one that says the same, for the journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec

from agenttop.metrics.catalogue import POOL_COUNTERS
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import Delta, ErrorDelta, Health, LeafDelta, PoolDelta
from agenttop.metrics.histogram import merge


def compact(deltas: Sequence[Delta]) -> list[Delta]:
    """Return one delta for each worker and second: counts added, gauges the newest, CPU the mean. Those of a worker
    are in order of time.

    Marks are not kept: what they were for is told when they are over.
    """
    same: dict[tuple[int, int | None], list[Delta]] = {}
    for delta in deltas:
        same.setdefault((delta.worker, delta.second), []).append(delta)
    return [parts[0] if len(parts) == 1 else _one(parts) for parts in same.values()]


def _one(parts: list[Delta]) -> Delta:
    newest = parts[-1]
    leaves: dict[tuple[int, int], list[LeafDelta]] = {}
    pools: dict[tuple[int, int], list[PoolDelta]] = {}
    errors: dict[tuple[int, int, str, str], list[ErrorDelta]] = {}
    checks: dict[str, tuple[int, int]] = {}
    for part in parts:
        for leaf in part.leaves:
            leaves.setdefault((leaf.request, leaf.stage), []).append(leaf)
        for pool in part.pools:
            pools.setdefault((pool.pool, pool.stage), []).append(pool)
        for error in part.errors:
            errors.setdefault((error.request, error.stage, error.outcome, error.message), []).append(error)
        for name, (passed, failed) in part.checks.items():
            before = checks.get(name, (0, 0))
            checks[name] = (before[0] + passed, before[1] + failed)
    return Delta(
        worker=newest.worker,
        seq=newest.seq,
        t_s=newest.t_s,
        leaves=[_leaf(*key, same) for key, same in leaves.items()],
        pools=[
            PoolDelta(*key, **{name: sum(getattr(part, name) for part in same) for name in POOL_COUNTERS})
            for key, same in pools.items()
        ],
        errors=[
            ErrorDelta(*key, sum(e.count for e in same), min(e.first_s for e in same), max(e.last_s for e in same))
            for key, same in errors.items()
        ],
        checks=checks,
        states=newest.states,
        oldest_s=newest.oldest_s,
        health=_health([part.health for part in parts]),
        budget=newest.budget,
        addresses=dict(sum((Counter(part.addresses) for part in parts), Counter())),
        slowest=[row for part in parts for row in part.slowest],
        from_s=parts[0].from_s,
    )


def _health(parts: list[Health]) -> Health:
    lag = [part.loop_lag for part in parts if part.loop_lag is not None]
    arrivals = [part.arrival_lag for part in parts if part.arrival_lag is not None]
    return msgspec.structs.replace(
        max(reversed(parts), key=lambda part: part.longest_turn_ms),
        **{name: getattr(parts[-1], name) for name in ("rss_mb", "open_files", "file_limit", "connections")},
        loop_lag=merge(lag) if lag else None,
        cpu_percent=sum(part.cpu_percent for part in parts) / len(parts),
        arrival_lag=merge(arrivals) if arrivals else None,
        network=next((part.network for part in reversed(parts) if part.network is not None), None),
    )


def _leaf(request: int, stage: int, parts: list[LeafDelta]) -> LeafDelta:
    whole = Counts()
    for part in parts:
        whole.add_leaf(part)
    return LeafDelta(request, stage, dict(whole.outcomes), dict(whole.status), whole.merged(), dict(whole.sums))
