"""The workers of many machines as one :class:`~agenttop.controller.box.Box`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter_ns

from agenttop.budget.ledger import Grant
from agenttop.controller.box import BoxError
from agenttop.controller.items import Item, Items
from agenttop.fleet.link import Link
from agenttop.fleet.messages import Granted, Kill
from agenttop.fleet.ssh import BoxLost
from agenttop.metrics.boxes import BoxState
from agenttop.metrics.layout import Layout
from agenttop.profile.model import Profile
from agenttop.worker.messages import Dealt, Halt, Steer

#: Ahead of the run's beginning, besides some round trips: what a busy box may take to hear of it.
LEAD_NS = 250_000_000


class FleetBox:
    """The boxes of one run.

    Args:
        links: to each of them.
        clock: ns.
    """

    def __init__(self, links: Sequence[Link], clock: Callable[[], int] = perf_counter_ns) -> None:
        self._links = tuple(links)
        self._clock = clock
        self._items = Items()
        self._epoch_ns = 0
        for link in links:
            link.put, link.elapsed = self._put, self._elapsed

    @property
    def lead_ns(self) -> int:
        """See :class:`~agenttop.controller.box.Box`."""
        return LEAD_NS + 4 * max(link.remote.clock.trip for link in self._links)

    async def unreachable(self, profile: Profile) -> str | None:
        """See :class:`~agenttop.controller.box.Box`."""
        found = await asyncio.gather(*(link.unreachable(profile) for link in self._links), return_exceptions=True)
        for link, problem in zip(self._links, found, strict=True):
            if isinstance(problem, BoxLost):
                raise BoxError(f"{link.info.name} was lost: {problem}")
            if isinstance(problem, BaseException):
                raise problem
            if problem:
                return f"{link.info.name}: {problem}"
        return None

    def states(self) -> tuple[BoxState, ...]:
        """See :class:`~agenttop.controller.box.Box`."""
        return tuple(link.state for link in self._links)

    def turn(self, name: str, *, on: bool) -> None:
        """See :class:`~agenttop.controller.box.Box`."""
        for link in self._links:
            if link.info.name == name:
                link.off = not on

    @property
    def off(self) -> list[int]:
        """See :class:`~agenttop.controller.box.Box`."""
        return sorted(number for link in self._links if link.off for number in link.alive)

    async def start(
        self,
        run_id: str,
        profile: Profile,
        secrets: tuple[str, ...],
        layout: Layout,
        first: int,
        count: int,
        total: int,
        limit_s: float | None = None,
    ) -> None:
        """See :class:`~agenttop.controller.box.Box`; ``first`` is 0, and they are all of ``total``."""
        assert (first, count) == (0, sum(link.info.count for link in self._links))
        starting = (link.start(run_id, profile, secrets, layout, total, limit_s) for link in self._links)
        for link, failed in zip(self._links, await asyncio.gather(*starting, return_exceptions=True), strict=True):
            if isinstance(failed, BoxLost | OSError):
                raise BoxError(f"{link.info.name}: {failed}")
            if failed is not None:
                raise failed

    def go(self, epoch_ns: int) -> None:
        """See :class:`~agenttop.controller.box.Box`."""
        self._epoch_ns = epoch_ns
        for link in self._links:
            link.go(epoch_ns)

    def command(self, seq: int, message: Steer | Dealt | Halt) -> None:
        """See :class:`~agenttop.controller.box.Box`. What is told is told once: ``seq`` is not needed."""
        for link in self._links:
            link.tell(message)

    def grant(self, number: int, grant: Grant) -> None:
        """See :class:`~agenttop.controller.box.Box`."""
        for link in self._links:
            if number in link.alive:
                link.tell(Granted(number, grant))

    async def poll(self, ack_seq: int, wait_s: float) -> list[Item]:
        """See :class:`~agenttop.controller.box.Box`. Leases are renewed by the links."""
        return await self._items.poll(ack_seq, wait_s)

    def pending(self, ack_seq: int) -> bool:
        """See :class:`~agenttop.controller.box.Box`."""
        return self._items.pending(ack_seq)

    def kill(self) -> None:
        """See :class:`~agenttop.controller.box.Box`."""
        for link in self._links:
            if link.alive:
                link.tell(Kill())

    @property
    def alive(self) -> list[int]:
        """See :class:`~agenttop.controller.box.Box`."""
        return sorted(number for link in self._links for number in link.alive)

    async def stop(self, drain_s: float) -> None:
        """See :class:`~agenttop.controller.box.Box`. The agents end, too."""
        await asyncio.gather(*(link.stop(drain_s) for link in self._links))

    def _elapsed(self) -> float:
        return (self._clock() - self._epoch_ns) / 1e9 if self._epoch_ns else 0.0

    def _put(self, item: Item) -> None:
        self._items.put(replace(item, seq=self._items.number()))
