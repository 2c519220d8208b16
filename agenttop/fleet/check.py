"""Looks at boxes without a run: whether each can be part of one, and what it could bear."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agenttop.controller.spec import FleetSpec
from agenttop.fleet.forming import of_each, reach, workers_of
from agenttop.fleet.messages import Hello
from agenttop.fleet.settings import set_up
from agenttop.fleet.ssh import BoxLost, Remote
from agenttop.metrics.boxes import CLOCK_ERROR_MS
from agenttop.report.figures import count
from agenttop.schedule.shares import worker_share
from agenttop.worker.files import SPARE


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found: a line a box, and what it comes to."""

    lines: tuple[str, ...]
    enough: bool
    """As many boxes are fit as there have to be, and they bear what was asked for."""


def check(spec: FleetSpec, users: int | None = None) -> Checked:
    """Look at the boxes; ``users``: whether they suffice for so many."""
    set_up()
    return asyncio.run(_check(spec, users))


async def _check(spec: FleetSpec, users: int | None) -> Checked:
    remotes = [Remote(host, spec.python, log=lambda text: None) for host in spec.hosts]
    try:
        found = await of_each(remotes, _look)
    finally:
        await asyncio.gather(*(remote.close() for remote in remotes), return_exceptions=True)
    lines, fit = [], []
    for remote, hello in found:
        if isinstance(hello, BoxLost):
            lines.append(f"{remote.host.name}: NO: {hello}")
        else:
            lines.append(told(remote, hello, spec.workers))
            fit.append((remote.host.name, hello))
    enough = len(fit) >= spec.least
    if users is not None and fit:
        short = lacks(users, fit, spec.workers)
        enough = enough and not short
        lines += short or [f"{count(users)} users: open files and ports suffice"]
    return Checked(tuple(lines), enough)


async def _look(remote: Remote) -> Hello:
    hello = await reach(remote)
    await remote.forward(hello.port)
    return hello


def told(remote: Remote, hello: Hello, workers: int | None) -> str:
    """Return what there is to say of a box that is fit, in a line."""
    trip, error = remote.clock.trip / 1e6, remote.clock.error / 1e6
    clock = f"clock known to {error:.1f} ms" + (
        f" (more than {CLOCK_ERROR_MS:g} ms: seconds of boxes blur)" if error > CLOCK_ERROR_MS else ""
    )
    ports = f", {count(hello.ports)} ports" if hello.ports else ""
    facts = (
        f"agenttop {hello.agenttop}, Python {hello.python}",
        f"{hello.cores} cores: {workers_of(hello, workers)} workers",
        f"{count(hello.file_limit)} open files{ports}",
        f"{trip:.1f} ms away",
        clock,
    )
    return f"{remote.host.name}: ok: {'; '.join(facts)}"


def lacks(users: int, fit: list[tuple[str, Hello]], workers: int | None) -> list[str]:
    """Return where open files or ports do not suffice for so many users, a line each."""
    counts = [workers_of(hello, workers) for _, hello in fit]
    total, found, first = sum(counts), [], 0
    for (name, hello), own in zip(fit, counts, strict=True):
        shares = [worker_share(users, first + index, total) for index in range(own)]
        first += own
        if max(shares) + SPARE > hello.file_limit:
            needs, allows = count(max(shares) + SPARE), count(hello.file_limit)
            found.append(f"{name}: NO: {count(users)} users need {needs} open files in each worker, it allows {allows}")
        if hello.ports and sum(shares) > hello.ports:
            needs = count(sum(shares))
            found.append(f"{name}: NO: its {needs} users need more than its {count(hello.ports)} ports to one address")
    return found
