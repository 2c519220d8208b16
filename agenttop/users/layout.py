"""Lists the rows, pools and stages of a profile, in the form in which everything is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agenttop.dialects import DIALECTS
from agenttop.dialects.json_ import OF_STREAMS
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.snapshot import StageInfo
from agenttop.profile.model import Pool, Profile, Step
from agenttop.profile.script import is_optional, rows_of
from agenttop.profile.search import targets_of
from agenttop.schedule.stages import stage_name
from agenttop.users.measured import measured_keys
from agenttop.users.terms import caps_of, price_of


def stages_of(profile: Profile) -> tuple[StageInfo, ...]:
    """Return all stages of a profile in the summary's order: those of the run, then each pool's own."""
    found: list[StageInfo] = []
    groups: list[tuple[str | None, list[Any]]] = [(None, profile.stages)]
    groups += [(pool.name, pool.stages) for pool in profile.pools if pool.stages]
    for pool_name, stages in groups:
        start, target = 0.0, 0.0
        for stage in stages:
            unit = "rate" if stage.rate is not None else "users"
            end_target = float(stage.rate if stage.rate is not None else stage.users or 0)
            step = stage.ramp == "step"
            begin = end_target if step else target
            name = stage.name or stage_name(begin, end_target)
            # A search drives what it likes between the two.
            begin, end_target = targets_of(profile, pool_name) or (begin, end_target)
            found.append(
                StageInfo(
                    index=len(found),
                    name=f"{pool_name}/{name}" if pool_name else name,
                    start_s=start,
                    end_s=start + stage.duration,
                    target_start=begin,
                    target_end=end_target,
                    unit=unit,
                    pool=pool_name,
                    step=step,
                )
            )
            start, target = start + stage.duration, end_target
    return tuple(found)


def layout_of(profile: Profile) -> Layout:
    """Return the layout of a profile."""
    pools = tuple(
        PoolInfo(
            pool.name, pool.protocol, pool.dialect or profile.dialect, pool.open, measured=expected_keys(profile, pool)
        )
        for pool in profile.pools
    )
    rows: dict[tuple[int, str], None] = {}
    for index, pool in enumerate(profile.pools):
        for step in steps_of(pool):
            if is_request(step):
                rows.setdefault((index, step.name))
        rows |= {(index, row): None for row in rows_of(pool)}
    requests = tuple(
        RequestInfo(pool, name, is_optional(profile.pools[pool], name), is_setup(profile.pools[pool], name))
        for pool, name in rows
    )
    return Layout(
        pools,
        requests,
        stages_of(profile),
        profile.warmup,
        objectives=bool(profile.objectives.limits_ns),
        rate_limit=profile.rate_limit is not None,
        retries=any(policy == "retry" for policy in _on_429(profile)),
        budget=caps_of(profile),
        price=price_of(profile),
        traceparent=profile.traceparent,
    )


def _on_429(profile: Profile) -> Iterator[str]:
    """Every policy for refusals that is somewhere in force."""
    for pool in profile.pools:
        yield pool.on_429 or profile.on_429
        yield from (step.on_429 for step in steps_of(pool) if step.on_429 is not None)


def steps_of(pool: Pool) -> list[Step]:
    """Return every step of a pool in the order of the file."""
    return [*pool.setup, *(step for task in pool.tasks for step in task.steps), *pool.teardown]


def is_setup(pool: Pool, row: str) -> bool:
    """Return whether a row is of requests that no task sends, but a set-up or the end of a user."""
    asked = {step.name for task in pool.tasks for step in task.steps if is_request(step)}
    return row not in asked and row in {step.name for step in (*pool.setup, *pool.teardown)}


def is_request(step: Step) -> bool:
    """Return whether a step is answered, and so has a row of its own."""
    return not step.close and (step.send is None or step.wait)


def expected_keys(profile: Profile, pool: Pool) -> tuple[str, ...]:
    """Return the keys of the pool's ``[measure]`` that its good answers are to match.

    ``error`` is not among them, and what is of streams alone is not where the pool asks for none and another one does:
    one table may serve both.
    """
    usual = pool.dialect or profile.dialect
    spoken = [DIALECTS[step.dialect or usual].measured for task in pool.tasks for step in task.steps]
    if not DIALECTS[usual].measured or (spoken and not any(spoken)):
        return ()
    streams = _streams(pool) or not any(_streams(other) for other in profile.pools)
    return tuple(key for key in measured_keys(profile, pool) if key != "error" and (streams or key not in OF_STREAMS))


def _streams(pool: Pool) -> bool:
    """Return whether it asks for streams."""
    return pool.protocol != "http" or any(step.stream or step.protocol == "sse" for step in steps_of(pool))
