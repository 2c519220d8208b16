"""Checks and completes a search for the capacity of a target, and makes one of a profile with stages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agenttop.profile.model import Pool, Profile, Stage
from agenttop.profile.overrides import OPEN_END_S
from agenttop.profile.problems import Fault
from agenttop.profile.tables import number, seconds

Table = dict[str, Any]

#: What the stage of a search is called, and that of the pools beside it.
STAGE, BACKGROUND = "search", "background"
#: Measured for at most so many times ``measure`` where ``max_measure`` is not given.
LOOKS = 4
_LOAD = ("users", "duration", "stages")


@dataclass(frozen=True, slots=True)
class Capacity:
    """The options of ``agenttop capacity`` beside the profile; None for those not given."""

    most: float | None = None
    """The highest level to try."""
    pool: str | None = None
    """The pool whose users or iterations are searched."""


# -- rules


def searched_by_rate(pool: Table, data: Table) -> bool:
    """Return whether a search sets the iterations per second of a pool."""
    search = data.get("search")
    if not isinstance(search, dict) or search.get("unit") != "rate":
        return False
    return search.get("pool", pool.get("name")) == pool.get("name")


def check_search(data: Table, raw: Table) -> Iterator[Fault]:
    """Yield the faults between a search and the rest of a normalised profile; ``raw`` is the file it came from."""
    search = data.get("search")
    if not isinstance(search, dict):
        return
    for key in _LOAD:
        if key in raw:
            text = "goes without [search], which sets the load itself: leave one of them out (agenttop capacity makes a"
            yield Fault((key,), f"{text} search of the stages)")
            break
    if data.get("thresholds"):
        text = "are not judged in a search, which drives the target beyond what it holds: leave them out"
        yield Fault(("thresholds",), f"{text}; [objectives] say what a good request is")
    if not data.get("objectives"):
        text = 'needs [objectives]: what a good request is, such as latency = "10s" (--set objectives.latency=10s)'
        yield Fault(("search",), text)
    yield from _levels(search)
    measure, most = seconds(search.get("measure", "15s")), seconds(search.get("max_measure"))
    if most < measure:
        yield Fault(("search", "max_measure"), "is shorter than measure")
    yield from _pools(search, [pool for pool in data.get("pools") or () if isinstance(pool, dict)])


def _levels(search: Table) -> Iterator[Fault]:
    lowest, highest = (_number(search.get(key)) for key in ("from", "to"))
    if "to" not in search:
        yield Fault(("search",), "needs to: the most users, or iterations per second, to try")
    if lowest > highest:
        yield Fault(("search", "from"), "is above to")
    for key, value in (("from", lowest), ("to", highest)):
        if search.get("unit") != "rate" and math.isfinite(value) and value != int(value):
            yield Fault(("search", key), "is no whole number of users")


def _pools(search: Table, pools: list[Table]) -> Iterator[Fault]:
    wanted, rate = search.get("pool"), search.get("unit") == "rate"
    names = [pool.get("name") for pool in pools]
    if wanted is not None:
        if wanted not in names:
            yield Fault(("search", "pool"), f"no pool is called so; there are: {', '.join(map(str, names))}")
            return
        searched = [names.index(wanted)]
    elif rate and len(pools) > 1:
        yield Fault(("search",), "needs pool: whose iterations per second?")
        return
    else:
        searched = [index for index, pool in enumerate(pools) if rate or not pool.get("stages")]
        if not searched and pools:
            yield Fault(("search",), "needs pool: every pool has stages of its own")
    for index, pool in enumerate(pools):
        if index in searched and pool.get("stages"):
            yield Fault(("pools", index, "stages"), "go without a search of this pool, which sets its load")
        elif index not in searched and not pool.get("stages"):
            text = f"has no load while {wanted} is searched: give it stages, and it is held at their highest"
            yield Fault(("pools", index), text)


# -- defaults


def resolved(profile: Profile) -> Profile:
    """Return a sound profile with all values of its search set.

    Its stages want nothing of what is searched, and the most they say of what is not.
    """
    search = profile.search
    if search is None:
        return profile
    rate = search.unit == "rate"
    name = profile.pools[0].name if rate and search.pool is None else search.pool
    assert search.to is not None  # the rules have seen to it
    lowest = search.from_ if search.from_ is not None else min(1.0, search.to / 8 if rate else search.to)
    search = search.model_copy(
        update={
            "from_": lowest,
            "unit": "rate" if rate else "users",
            "pool": name,
            "max_measure": search.max_measure or LOOKS * search.measure,
        }
    )
    pools = [_held(pool, searched=pool.name == name, rate=rate) for pool in profile.pools]
    stages = [] if name is not None else [_stage(STAGE, users=0)]
    return profile.model_copy(update={"search": search, "pools": pools, "stages": stages})


def _held(pool: Pool, *, searched: bool, rate: bool) -> Pool:
    if searched:
        return pool.model_copy(update={"stages": [_stage(STAGE, rate=0.0) if rate else _stage(STAGE, users=0)]})
    if not pool.stages:
        return pool
    if pool.open:
        most = max(stage.rate or 0.0 for stage in pool.stages)
        return pool.model_copy(update={"stages": [_stage(BACKGROUND, rate=most)]})
    users = max(stage.users or 0 for stage in pool.stages)
    return pool.model_copy(update={"stages": [_stage(BACKGROUND, users=users)]})


def _stage(name: str, *, users: int | None = None, rate: float | None = None) -> Stage:
    return Stage(duration=OPEN_END_S, users=users, rate=rate, ramp="step", name=name)


def targets_of(profile: Profile, pool: str | None) -> tuple[float, float] | None:
    """Return the lowest and the highest level, if the stages of a pool (None: of the run) are those of a search; else
    None.
    """
    search = profile.search
    if search is None or pool != search.pool or search.from_ is None or search.to is None:
        return None
    return search.from_, search.to


# -- a search of a profile with stages


def derive(raw: Table, masked: Table, capacity: Capacity) -> tuple[list[Fault], list[str]]:
    """Make a search of a profile (both tables are changed): its stages say how far to go, if nothing else does.

    Returns:
        Faults of the command line, named by its options, and warnings.
    """
    if not isinstance(raw.get("search", {}), dict):
        return [], []  # whoever checks it will say so
    warnings: list[str] = []
    if raw.get("thresholds"):
        warnings.append("thresholds are not judged in a search; what must be good is in [objectives]")
        for table in (raw, masked):
            del table["thresholds"]
    told = {"to": None if capacity.most is None else _plain(capacity.most), "pool": capacity.pool}
    told = {key: value for key, value in told.items() if value is not None}
    found = _search_of(raw, masked, told.get("pool") or raw.get("search", {}).get("pool"))
    if isinstance(found, Fault):
        return [found], warnings
    for table, derived in zip((raw, masked), found, strict=True):
        table["search"] = derived | table.get("search", {}) | told
    return [], warnings


def _search_of(raw: Table, masked: Table, name: Any) -> tuple[Table, Table] | Fault:
    """Return the search that a profile's stages amount to; take out what it replaces."""
    pools = [pool for pool in raw.get("pools") or () if isinstance(pool, dict)]
    names = [pool.get("name") for pool in pools]
    own = [pool for pool in pools if pool.get("stages")]
    if name is None and len(pools) == len(own) == 1:
        name = names[0]
    if name is None and own and len(own) == len(pools):
        return Fault(("--pool",), "is needed: every pool of this profile has stages of its own")
    if name is not None and name not in names:
        return Fault(("--pool",), f"no pool is called {name}; there are: {', '.join(map(str, names))}")
    index = names.index(name) if name is not None else None
    highest, unit = _highest(raw, index)
    seen, _ = _highest(masked, index)
    for table in (raw, masked):
        for key in _LOAD:
            table.pop(key, None)
        if index is not None:
            table["pools"][index].pop("stages", None)
    search: Table = {"pool": name} if name is not None else {}
    if unit == "rate":
        search["unit"] = unit
    if highest is None:
        return search, dict(search)
    return search | {"to": _plain(highest)}, search | {"to": _plain(highest) if seen == highest else "***"}


def _highest(table: Table, index: int | None) -> tuple[float | None, str]:
    """Return the most that the stages say which a search replaces (None if that cannot be read), and its unit."""
    stages = table["pools"][index].get("stages") if index is not None else None
    stages = stages or table.get("stages") or [table]
    tables = [stage for stage in stages if isinstance(stage, dict)] if isinstance(stages, list) else []
    unit = "rate" if any("rate" in stage for stage in tables) else "users"
    values = [value for stage in tables if math.isfinite(value := _number(stage.get(unit)))]
    return max(values, default=None), unit


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _number(value: Any) -> float:
    return math.nan if isinstance(value, bool) else number(value)
