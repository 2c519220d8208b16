"""Changes what users do between tasks and about 429s while they live: ``think``, ``pacing`` and ``on_429``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agenttop.metrics.layout import PoolInfo
from agenttop.schedule.control import Control, Pauses
from agenttop.schedule.quantities import format_duration, format_span
from agenttop.steering.reading import Command

if TYPE_CHECKING:  # the model takes a second to import, and who types a command has none
    from agenttop.profile.model import Pool, Profile


class Unfit(ValueError):
    """The command does not fit these pools; the message says why."""


@dataclass(frozen=True, slots=True)
class UserPolicy:
    """The profile's pauses and policy for 429s of one pool."""

    pauses: Pauses
    on_429: str
    """Or ``by request``, where some have another."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The result of a command."""

    control: Control
    said: str
    before: str
    after: str


def policies_of(profile: Profile) -> tuple[UserPolicy, ...]:
    """Return the profile's policy of each pool."""
    return tuple(UserPolicy(Pauses(pool.think_time, pool.pacing), _on_429(profile, pool)) for pool in profile.pools)


def _on_429(profile: Profile, pool: Pool) -> str:
    policy = pool.on_429 or profile.on_429
    steps = [*pool.setup, *(step for task in pool.tasks for step in task.steps), *pool.teardown]
    return policy if all(step.on_429 in (None, policy) for step in steps) else "by request"


def change_user_policy(
    command: Command, control: Control, policies: Sequence[UserPolicy], pools: Sequence[PoolInfo], pool: int | None
) -> Changed:
    """Apply a command to one pool, or to all that it makes sense for.

    Raises:
        Unfit: for none, not for this one, or nothing would change.
    """
    refusals = command.op == "on_429"
    after, chosen = apply_user_policy(command, control, pools, pool)
    was, now = ([_words(each, policies, index, refusals) for index in chosen] for each in (control, after))
    names = [pools[index].name for index in chosen]
    before, wanted = _together(was, names), _together(now, names)
    if was == now:
        raise Unfit(f"it is so already: {wanted}")
    where = f" in {pools[pool].name}" if pool is not None else ""
    return Changed(after, f"{wanted}{where}, before: {before}", before, wanted)


def apply_user_policy(
    command: Command, control: Control, pools: Sequence[PoolInfo], pool: int | None
) -> tuple[Control, list[int]]:
    """Return the controls after a command, and the pools it changed.

    Raises:
        Unfit: it makes no sense for them.
    """
    refusals = command.op == "on_429"
    chosen = _refusing(command.word, pools, pool) if refusals else _pausing(pools, pool)
    for index in chosen:
        control = control.with_policy(command.word, index) if refusals else control.with_pauses(_pauses(command), index)
    return control, chosen


def in_force(control: Control, pools: Sequence[PoolInfo]) -> tuple[str, ...]:
    """Return what differs from the profile, in words, for the screen."""
    pauses = {index: _words_of(each) for index, each in control.pauses.items()}
    policies = {index: f"on_429 {policy}" for index, policy in control.policies.items()}
    closed = [index for index, info in enumerate(pools) if not info.open]
    return (*_grouped(pauses, closed, pools), *_grouped(policies, range(len(pools)), pools))


def _pauses(command: Command) -> Pauses | None:
    if command.span is None:
        return None
    return Pauses(command.span) if command.op == "think" else Pauses(pacing=command.span[0])


def _words(control: Control, policies: Sequence[UserPolicy], index: int, refusals: bool) -> str:
    if refusals:
        return f"on_429 {control.policies.get(index, policies[index].on_429)}"
    return _words_of(control.pauses.get(index, policies[index].pauses))


def _words_of(pauses: Pauses) -> str:
    """Return ``think 1s..3s`` or ``pacing 10s``."""
    if pauses.pacing is not None:
        return f"pacing {format_duration(pauses.pacing)}"
    return f"think {format_span(pauses.think_time)}"


def _together(words: Sequence[str], names: Sequence[str]) -> str:
    """Return one text if it is the same for all pools, else one by pool."""
    if len(set(words)) == 1:
        return words[0]
    return "; ".join(f"{each} {name}" for each, name in zip(words, names, strict=True))


def _grouped(words: Mapping[int, str], everywhere: Sequence[int], pools: Sequence[PoolInfo]) -> list[str]:
    if set(words) == set(everywhere) and len(set(words.values())) == 1:
        return [next(iter(words.values()))]
    return [f"{each} {pools[index].name}" for index, each in sorted(words.items())]


def _pausing(pools: Sequence[PoolInfo], pool: int | None) -> list[int]:
    if pool is not None:
        if pools[pool].open:
            raise Unfit(f"{pools[pool].name} is driven by arrivals: its rate says when tasks begin")
        return [pool]
    chosen = [index for index, info in enumerate(pools) if not info.open]
    if not chosen:
        raise Unfit("every pool is driven by arrivals: their rates say when tasks begin")
    return chosen


def _refusing(policy: str | None, pools: Sequence[PoolInfo], pool: int | None) -> list[int]:
    chosen = [pool] if pool is not None else list(range(len(pools)))
    sockets = [pools[index].name for index in chosen if pools[index].protocol == "ws"]
    if policy == "retry" and sockets:
        raise Unfit(f"messages of a WebSocket are not sent again ({', '.join(sockets)}); say honor, or name a pool")
    return chosen
