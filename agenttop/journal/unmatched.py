"""Says which paths of ``[measure]`` matched in no answer of a run: what they were to tell is in no figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.metrics.aggregate import Aggregate

#: Paths of one pool that are told one by one.
MAX_TOLD = 12


def unmatched(aggregate: Aggregate, profile: Mapping[str, Any]) -> list[str]:
    """Return a line for each path that never matched, with its pool and key.

    A pool that had no good answer says nothing about its paths. ``profile`` is as it is shown, without secrets.
    """
    found: list[str] = []
    for index, pool in enumerate(aggregate.layout.pools):
        missing = [key for key in pool.measured if key not in aggregate.workers.matched[index]]
        if not missing or not (answers := aggregate.pool(index).outcomes["ok"]):
            continue
        for key in missing[:MAX_TOLD]:
            path = _path(profile, index, key)
            found.append(f'{pool.name}: [measure] {key} = "{path}" never matched in {answers} good answers')
        if (more := len(missing) - MAX_TOLD) > 0:
            found.append(f"{pool.name}: {more} more paths of [measure] never matched")
    return found


def _path(profile: Mapping[str, Any], pool: int, key: str) -> str:
    """Return the path as the profile shows it: a pool's own goes before the profile's."""
    for table in _tables(profile, pool):
        value: Any = table
        for name in key.split(".", 1):
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str):
            return value
    return "?"


def _tables(profile: Mapping[str, Any], pool: int) -> Iterator[Any]:
    pools = profile.get("pools")
    if isinstance(pools, list) and pool < len(pools) and isinstance(pools[pool], Mapping):
        yield pools[pool].get("measure")
    yield profile.get("measure")
