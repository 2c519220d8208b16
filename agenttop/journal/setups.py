"""Finds the requests of set-ups in a journal that does not mark them: one of before they were kept apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from agenttop.metrics.layout import Layout
from agenttop.profile.normalise import Normaliser


def with_setups(layout: Layout, written: Mapping[str, Any]) -> Layout:
    """Return the layout of a journal with its set-ups marked, as the masked profile in its header names them.

    One that marks any has marked all. A request that a task sends too is none of a set-up.
    """
    if any(request.setup for request in layout.requests):
        return layout
    known: dict[str, set[str]] = {}
    pools = Normaliser().profile(dict(written), dict(written)).get("pools")
    for pool in pools if isinstance(pools, list) else ():
        if isinstance(pool, dict):
            apart = {*_names(pool.get("setup")), *_names(pool.get("teardown"))}
            tasks = [task for task in pool.get("tasks") or () if isinstance(task, dict)]
            asked = {name for task in tasks for name in _names(task.get("steps"))}
            known[str(pool.get("name"))] = apart - asked
    requests = tuple(
        replace(request, setup=request.name in known.get(layout.pools[request.pool].name, ()))
        for request in layout.requests
    )
    return replace(layout, requests=requests)


def _names(steps: Any) -> Iterator[str]:
    """Yield the rows of the steps that are answered."""
    found: Iterable[Any] = steps if isinstance(steps, list) else ()
    for step in found:
        if isinstance(step, dict) and not step.get("close") and ("send" not in step or step.get("wait", True)):
            yield str(step.get("name"))
