"""The agent of a box: the :class:`~agenttop.controller.box.BoxAgent` of its machine, behind an actor of Dask.

Dask's actors are never restarted nor called again; what makes calls safe is ours: what it is told is numbered and done
once, what it says is kept until it is acknowledged, and its workers stop by themselves when nobody asks for that
(``worker.lease``).
"""

from __future__ import annotations

import asyncio
import os
import pickle
import time
from collections.abc import Sequence
from dataclasses import replace

from agenttop.controller.box import BoxAgent, BoxError
from agenttop.controller.items import Item
from agenttop.controller.preflight import unreachable
from agenttop.fleet.messages import Granted, Kill, begin_of, pack, told_of
from agenttop.metrics.compact import gathered
from agenttop.worker.messages import Go
from agenttop.worker.priority import step_back

#: A box that nobody has asked for so long is alone: the controller may have been stopped, and gone on, before.
ALONE_S = 300.0
#: For so long the deltas of a box's workers are waited for once one of them is there.
TOGETHER_S = 0.02


class Agent:
    """Of one box and one run. Its methods are called from afar; they are coroutines, so that they run on the loop that
    the workers' sockets are on.
    """

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._box = BoxAgent()
        self._told = 0
        self._kept: list[Item] = []
        """What was said and is not acknowledged: it is said again as it was."""
        self._taken = 0
        """The last item that the box has said."""
        self._watch: asyncio.Task[None] | None = None
        self._asked_s = time.monotonic()

    async def unreachable(self, profile: bytes) -> str:
        """Return what of a profile's targets cannot be reached from here; empty if all can."""
        return await unreachable(pickle.loads(profile)) or ""

    async def start(self, data: bytes) -> str:
        """Start workers (:class:`~agenttop.fleet.messages.Begin`); return why that failed, or an empty string."""
        begin = begin_of(data)
        if begin.run_id != self._run_id:
            return f"it belongs to the run {self._run_id}"
        self._asked_s = time.monotonic()
        self._watch = asyncio.create_task(self._alone())
        profile = pickle.loads(begin.profile)
        try:
            await self._box.start(
                begin.run_id,
                profile,
                begin.secrets,
                begin.layout,
                begin.first,
                begin.count,
                begin.total,
                limit_s=begin.limit_s,
            )
        except BoxError as error:
            return str(error)
        step_back()  # the workers, which are there by now, must not inherit it
        return ""

    async def tell(self, data: bytes) -> None:
        """Do what is told (a list of :class:`~agenttop.fleet.messages.Told`), each once and in order."""
        for told in told_of(data):
            if told.seq <= self._told:
                continue
            self._told = told.seq
            what = told.what
            if isinstance(what, Go):
                self._box.go(what.epoch_ns)
            elif isinstance(what, Granted):
                self._box.grant(what.worker, what.grant)
            elif isinstance(what, Kill):
                self._box.kill()
            else:
                self._box.command(told.seq, what)

    async def poll(self, ack_seq: int, wait_s: float, told_s: float) -> bytes:
        """Return what its workers have said; see :meth:`Box.poll <agenttop.controller.box.Box.poll>`."""
        self._asked_s = time.monotonic()
        self._kept = [item for item in self._kept if item.seq > ack_seq]
        items = await self._box.poll(self._taken, 0.0 if self._kept else wait_s, told_s)
        if items and all(item.delta is not None for item in items):
            # Workers fold at the same moments: one answer for all of them, unless somebody waits for an answer.
            await asyncio.sleep(TOGETHER_S)
            items = await self._box.poll(self._taken, 0.0, told_s)
        if items:
            self._taken = items[-1].seq
            self._kept += _gathered(items)
        return pack(self._kept)

    async def stop(self, drain_s: float) -> None:
        """End every worker process."""
        if self._watch is not None:
            self._watch.cancel()
        await self._box.stop(drain_s)

    async def _alone(self) -> None:
        """End this box when nobody has asked for it for too long."""
        while True:
            asked_s = self._asked_s
            await asyncio.sleep(ALONE_S)
            if asked_s == self._asked_s:
                self._box.kill()
                os._exit(1)


def _gathered(items: Sequence[Item]) -> list[Item]:
    """Return the items, with what workers counted in one second in the first of them that tells of it."""
    deltas = iter(gathered([item.delta for item in items if item.delta is not None]))
    return [item if item.delta is None else replace(item, delta=next(deltas)) for item in items]
