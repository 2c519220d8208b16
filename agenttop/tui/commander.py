"""Sends commands to the run, one after the other, and reports each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agenttop.metrics.snapshot import Reply, Snapshot
from agenttop.view.feed import ANSWER_S, SILENT, Feed

#: Snapshots until a rate that was sent is taken from the run again: the next one may be older than the command.
TRUST_AFTER = 2


class Commander:
    """Turns keys into commands. ``tell`` gets every answer: text, whether it was applied, and the command."""

    def __init__(self, feed: Feed, tell: Callable[[str, bool, str], None]) -> None:
        self._feed = feed
        self._tell = tell
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._rates: dict[str | None, tuple[float, int]] = {}

    def send(self, text: str) -> None:
        """Send ``text`` after what was sent before."""
        self._queue.put_nowait(text)

    async def work(self) -> None:
        """Send until cancelled. What is not answered in time stays on its way: a feed that is not open yet has not sent
        it, and a stop must not be lost for that.
        """
        under_way: set[asyncio.Task[Reply]] = set()
        try:
            while True:
                text = await self._queue.get()
                asking = asyncio.ensure_future(self._feed.command(text, source="key"))
                under_way = {task for task in under_way if not task.done()} | {asking}
                done, _ = await asyncio.wait({asking}, timeout=ANSWER_S)
                if done:
                    self._answered(text, asking)
                else:
                    asking.add_done_callback(lambda late: late.cancelled() or late.exception())
                    self._tell(f"{text}: the run does not answer: {SILENT}", False, text)
        finally:
            for asking in under_way:
                asking.cancel()

    def _answered(self, text: str, asked: asyncio.Future[Reply]) -> None:
        try:
            reply = asked.result()
        except OSError as error:
            self._tell(f"{text}: the run does not answer ({error})", False, text)
        else:
            self._tell(reply.message or text, reply.applied, text)

    async def end(self) -> None:
        """End the load at once, whatever waits for an answer."""
        said = await self._feed.kill()
        self._tell(said or "stop now", not said, "stop now")

    def more(self, step: int, snap: Snapshot, pool: str | None) -> None:
        """Send ``step`` users more in a closed pool, or ``step`` iterations per second more in an open one."""
        row = next((row for row in snap.pools if row.name == pool), None)
        open_pools = row.unit == "rate" if row else bool(snap.pools) and all(row.unit == "rate" for row in snap.pools)
        tail = f" {pool}" if row else ""
        if not open_pools:
            self.send(f"users {step:+d}{tail}")
            return
        wanted, seq = self._rates.get(pool, (0.0, -TRUST_AFTER))
        if snap.seq - seq >= TRUST_AFTER:
            wanted = row.target if row else snap.rate
        wanted = max(0.0, wanted + step)
        self._rates[pool] = (wanted, snap.seq)
        self.send(f"rate {wanted:.10g}{tail}")
