"""Merges deltas: of one worker into one that says the same, for the journal; what workers of one machine count, for the
way to a controller that has many.
"""

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


def gathered(deltas: Sequence[Delta]) -> list[Delta]:
    """Return as many deltas, in their order: of workers of one machine, what was counted in one second by all is in the
    first of them, and all that is of a worker alone (gauges, health, errors, what is slowest) stays where it was.

    Figures that are folded of them are the same, for a part of the work.
    """
    found = list(deltas)
    same: dict[int | None, list[int]] = {}
    for index, delta in enumerate(deltas):
        same.setdefault(delta.second, []).append(index)
    for places in same.values():
        if len(places) == 1:
            continue
        leaves, pools, checks = _counted([deltas[index] for index in places], marks=True)
        for index in places:
            found[index] = msgspec.structs.replace(deltas[index], leaves=[], pools=[], checks={})
        found[places[0]] = msgspec.structs.replace(found[places[0]], leaves=leaves, pools=pools, checks=checks)
    return found


def _one(parts: list[Delta]) -> Delta:
    newest = parts[-1]
    leaves, pools, checks = _counted(parts, marks=False)
    errors: dict[tuple[int, int, str, str], list[ErrorDelta]] = {}
    for part in parts:
        for error in part.errors:
            errors.setdefault((error.request, error.stage, error.outcome, error.message), []).append(error)
    return Delta(
        worker=newest.worker,
        seq=newest.seq,
        t_s=newest.t_s,
        leaves=leaves,
        pools=pools,
        errors=[
            ErrorDelta(*key, sum(e.count for e in same), min(e.first_s for e in same), max(e.last_s for e in same))
            for key, same in errors.items()
        ],
        checks=checks,
        states=newest.states,
        oldest_s=newest.oldest_s,
        health=_health(parts),
        budget=newest.budget,
        addresses=dict(sum((Counter(part.addresses) for part in parts), Counter())),
        slowest=[row for part in parts for row in part.slowest],
        from_s=parts[0].from_s,
    )


def _counted(
    parts: Sequence[Delta], *, marks: bool
) -> tuple[list[LeafDelta], list[PoolDelta], dict[str, tuple[int, int]]]:
    """Return leaves, pools and checks of several deltas, added; without ``marks`` those of all marks together."""
    leaves: dict[tuple[int, int, int], list[LeafDelta]] = {}
    pools: dict[tuple[int, int, int], list[PoolDelta]] = {}
    checks: dict[str, tuple[int, int]] = {}
    for part in parts:
        for leaf in part.leaves:
            leaves.setdefault((leaf.request, leaf.stage, leaf.mark if marks else 0), []).append(leaf)
        for pool in part.pools:
            pools.setdefault((pool.pool, pool.stage, pool.mark if marks else 0), []).append(pool)
        for name, (passed, failed) in part.checks.items():
            before = checks.get(name, (0, 0))
            checks[name] = (before[0] + passed, before[1] + failed)
    added = []
    for (index, stage, mark), told in pools.items():
        sums = {name: sum(getattr(part, name) for part in told) for name in POOL_COUNTERS}
        added.append(PoolDelta(index, stage, **sums, mark=mark))
    return [_leaf(*key, same) for key, same in leaves.items()], added, checks


def _health(deltas: list[Delta]) -> Health:
    parts = [delta.health for delta in deltas]
    lag = [part.loop_lag for part in parts if part.loop_lag is not None]
    arrivals = [part.arrival_lag for part in parts if part.arrival_lag is not None]
    return msgspec.structs.replace(
        max(reversed(parts), key=lambda part: part.longest_turn_ms),
        **{name: getattr(parts[-1], name) for name in ("rss_mb", "open_files", "file_limit", "connections")},
        loop_lag=merge(lag) if lag else None,
        cpu_percent=mean_cpu([(delta.health.cpu_percent, delta.lasted_s) for delta in deltas]),
        arrival_lag=merge(arrivals) if arrivals else None,
        network=next((part.network for part in reversed(parts) if part.network is not None), None),
    )


def mean_cpu(told: Sequence[tuple[float, float]]) -> float:
    """Return the mean of CPU percents, each with the seconds it is of: that of the whole, whatever was put together."""
    whole = sum(lasted_s for _, lasted_s in told)
    if whole <= 0:
        return sum(percent for percent, _ in told) / len(told)
    return sum(percent * lasted_s for percent, lasted_s in told) / whole


def _leaf(request: int, stage: int, mark: int, parts: list[LeafDelta]) -> LeafDelta:
    whole = Counts()
    for part in parts:
        whole.add_leaf(part)
    return LeafDelta(request, stage, dict(whole.outcomes), dict(whole.status), whole.merged(), dict(whole.sums), mark)
