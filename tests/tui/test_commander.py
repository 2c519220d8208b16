"""Tests of agenttop.tui.commander.

How commands reach a run that is slow to answer; what keys send is in the tests of the keys.
"""

from __future__ import annotations

import asyncio

import pytest

from agenttop.metrics.snapshot import Reply
from agenttop.tui import commander
from tests.tui.fake import FakeFeed


class LateFeed(FakeFeed):
    """Commands wait until it is open, as those of a socket do."""

    def __init__(self) -> None:
        super().__init__()
        self.ready = asyncio.Event()

    async def command(self, text: str, *, source: str = "key") -> Reply:
        await self.ready.wait()
        return await super().command(text, source=source)


async def test_a_stop_is_not_lost_where_the_run_takes_its_time_to_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commander, "ANSWER_S", 0.0)
    feed = LateFeed()
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
    sender = commander.Commander(feed, lambda text, ok, _: told.put_nowait((text, ok)))
    working = asyncio.create_task(sender.work())
    sender.send("stop")
    text, ok = await told.get()
    assert (text.startswith("stop: the run does not answer"), ok) == (True, False)
    assert feed.commands == []
    feed.ready.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert feed.commands == ["stop"]
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_what_is_under_way_ends_with_the_commander(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commander, "ANSWER_S", 0.0)
    feed = LateFeed()
    told: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
    sender = commander.Commander(feed, lambda text, ok, _: told.put_nowait((text, ok)))
    before = asyncio.all_tasks()
    working = asyncio.create_task(sender.work())
    sender.send("hold")
    sender.send("stop")
    await told.get()
    await told.get()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    for _ in range(5):
        await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
