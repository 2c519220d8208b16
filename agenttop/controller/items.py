"""What workers say to the controller, and what of it is not acknowledged yet."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

from agenttop.budget.ledger import Draw
from agenttop.metrics.delta import Delta
from agenttop.quality.answer import Answer


@dataclass(frozen=True, slots=True)
class Item:
    """A report of a worker: a delta, a draw on the budget, graded answers, or its end (``exit`` says how; empty: a
    proper one). Or the loss of a machine with all its workers.
    """

    seq: int
    worker: int
    delta: Delta | None = None
    draw: Draw | None = None
    answers: tuple[Answer, ...] = ()
    ended: bool = False
    exit: str = ""
    stopped_s: float | None = None
    """When a worker that stopped by itself had sent its last request, in seconds since the run began."""
    lost: tuple[int, ...] = ()
    """Workers that were lost together, with their machine; ``exit`` says which, and why."""


class Items:
    """Items in order, each until it is acknowledged; those that are not come again."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._news = asyncio.Event()
        self._seq = 0

    def number(self) -> int:
        """Return the number of the next item."""
        self._seq += 1
        return self._seq

    def put(self, item: Item) -> None:
        """Add an item, whose number is the newest."""
        self._items.append(item)
        self._news.set()

    def pending(self, ack_seq: int) -> bool:
        """Return whether there is something after item ``ack_seq``."""
        return bool(self._items) and self._items[-1].seq > ack_seq

    async def poll(self, ack_seq: int, wait_s: float) -> list[Item]:
        """Return everything after item ``ack_seq``, at once where there is something, else after ``wait_s`` seconds
        at most.
        """
        while self._items and self._items[0].seq <= ack_seq:
            self._items.popleft()
        if not self._items:
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
        return list(self._items)
