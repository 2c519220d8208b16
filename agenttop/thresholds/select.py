"""Resolves the tags of a threshold in one profile: the requests, pools and stages they select."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agenttop.thresholds.expression import Expression, nearest


class UnknownTagError(ValueError):
    """A tag names what the profile does not have; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names in a profile. ``requests`` are (pool, request)."""

    pools: Sequence[str]
    requests: Sequence[tuple[str, str]]
    stages: Sequence[str]


@dataclass(frozen=True, slots=True)
class Selection:
    """Indices into :class:`Names`; None if the tags do not narrow it."""

    pools: frozenset[int] | None = None
    requests: frozenset[int] | None = None
    stages: frozenset[int] | None = None


def select(expression: Expression, names: Names) -> Selection:
    """Return the part of a run that an expression is about.

    A request goes by its name, in every pool that has one of it, or by POOL/NAME. Stages of one name go together.

    Raises:
        UnknownTagError: a pool, request or stage that is not there.
    """
    tags = dict(expression.tags)
    pool, request, stage = tags.get("pool"), tags.get("request"), tags.get("stage")
    pools = requests = None
    if pool is not None:
        pools = frozenset(index for index, name in enumerate(names.pools) if name == pool)
        if not pools:
            raise UnknownTagError(f'no pool is called "{pool}"{nearest(pool, names.pools)}')
    if pool is not None or request is not None:
        among = [item for item in enumerate(names.requests) if pool in (None, item[1][0])]
        requests = frozenset(i for i, (owner, name) in among if request in (None, name, f"{owner}/{name}"))
        if request is not None and not requests:
            known = dict.fromkeys(name for _, (_, name) in among)
            where = f' of the pool "{pool}"' if pool is not None else ""
            raise UnknownTagError(f'no request{where} is called "{request}"{nearest(request, known)}')
    stages = None
    if stage is not None:
        stages = frozenset(index for index, name in enumerate(names.stages) if name == stage)
        if not stages:
            raise UnknownTagError(f'no stage is called "{stage}"{nearest(stage, dict.fromkeys(names.stages))}')
    return Selection(pools, requests, stages)
