from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic, perf_counter_ns

import msgspec
import pytest

from agenttop.agent.process import AgentProcess
from agenttop.controller import box as module
from agenttop.controller.box import BoxAgent, BoxError
from agenttop.controller.items import Item
from agenttop.profile.model import Profile
from agenttop.schedule.control import Control
from agenttop.schedule.shares import Members
from agenttop.users.compile import layout_of
from agenttop.worker.messages import Dealt, FromWorker, Halt, Report, Steer, receive_from_worker
from tests.steering.plans import profile_of

TEXT = """
users = 9
duration = "10m"
[[pools]]
name = "a"
think_time = "20ms"
  [[pools.tasks]]
  name = "t"
  post = "/api/sessions/s/messages"
  json = { content = "hours?" }
"""


class Box:
    """A box agent, and everything its workers have said."""

    def __init__(self, profile: Profile) -> None:
        self.agent = BoxAgent()
        self.profile = profile
        self.items: list[Item] = []
        self.users: dict[int, int] = {}

    async def start(self, count: int) -> None:
        layout = layout_of(self.profile)
        await self.agent.start("id", self.profile, (), layout, 0, count, count)
        self.agent.go(perf_counter_ns())

    async def until(self, done: Callable[[], bool]) -> None:
        deadline = monotonic() + 30
        while not done():
            assert monotonic() < deadline, f"nothing came of it; the last: {self.items[-1:]}"
            for item in await self.agent.poll(self.items[-1].seq if self.items else 0, 0.1):
                self.items.append(item)
                if item.delta is not None:
                    self.users[item.worker] = sum(state.users for state in item.delta.states)
                elif item.ended:
                    self.users.pop(item.worker, None)

    def ends(self) -> dict[int, str]:
        return {item.worker: item.exit for item in self.items if item.ended}

    def pids(self) -> list[int]:
        return [worker.process.pid for worker in self.agent._workers]


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Box]:
    with AgentProcess({"preset": "quiet"}) as agent:
        made = Box(profile_of(tmp_path, TEXT, agent.url))
        try:
            yield made
        finally:
            made.agent.kill()
            await made.agent.stop(10)


async def test_workers_share_the_users_and_end_when_told(box: Box) -> None:
    await box.start(2)
    await box.until(lambda: sum(box.users.values()) == 9)
    assert sorted(box.users.values()) == [4, 5]
    box.agent.command(1, Steer(0.0, Control(users=3)))
    await box.until(lambda: sum(box.users.values()) == 3)
    box.agent.command(1, Halt("cancel"))  # that number has been taken
    box.agent.command(2, Halt("drain"))
    await box.until(lambda: not box.agent.alive)
    await box.until(lambda: len(box.ends()) == 2)
    assert box.ends() == {0: "", 1: ""}
    cancelled = [leaf.outcomes.get("cancelled", 0) for i in box.items if i.delta for leaf in i.delta.leaves]
    assert sum(cancelled) == 0


async def test_what_was_not_acknowledged_comes_again(box: Box) -> None:
    await box.start(1)
    first = await box.agent.poll(0, 20)
    assert first
    again = await box.agent.poll(0, 20)
    assert again[: len(first)] == first
    later = await box.agent.poll(again[-1].seq, 20)
    assert [item.seq for item in later][:1] == [again[-1].seq + 1]
    assert box.agent.pending(0)
    assert not box.agent.pending(10_000)


async def test_a_killed_worker_is_told_and_its_users_are_dealt_to_the_others(box: Box) -> None:
    await box.start(2)
    await box.until(lambda: sum(box.users.values()) == 9)
    os.kill(box.pids()[0], signal.SIGKILL)
    await box.until(lambda: 0 in box.ends())
    assert box.ends() == {0: "killed by SIGKILL"}
    assert box.agent.alive == [1]
    box.agent.command(1, Dealt(Members(0.0, (1,))))
    await box.until(lambda: box.users == {1: 9})
    assert {item.worker for item in box.items} == {0, 1}, "a worker keeps its number"


async def test_a_worker_that_cannot_be_understood_is_no_worker(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = 0

    async def receive(reader: asyncio.StreamReader) -> FromWorker:
        nonlocal heard
        message = await receive_from_worker(reader)
        heard += isinstance(message, Report)
        if heard == 3:
            raise msgspec.DecodeError("made up")
        return message

    monkeypatch.setattr(module, "receive_from_worker", receive)
    await box.start(2)
    await box.until(lambda: bool(box.ends()))
    assert list(box.ends().values()) == ["what it says cannot be read: made up"]
    box.agent.command(1, Dealt(Members(0.0, tuple(box.agent.alive))))
    await box.until(lambda: list(box.users.values()) == [9])


async def test_a_worker_that_cannot_begin(box: Box) -> None:
    broken = box.profile.model_copy(
        update={"pools": [box.profile.pools[0].model_copy(update={"target": "https://127.0.0.1:1"})]}
    )
    box.profile = broken.model_copy(update={"tls": broken.tls.model_copy(update={"ca": "/no/such/file.pem"})})
    with pytest.raises(BoxError, match=r"worker 0 did not start: .*FileNotFoundError"):
        await box.start(1)


async def test_workers_that_do_not_end_are_killed(box: Box) -> None:
    await box.start(1)
    await box.until(lambda: bool(box.users))
    os.kill(box.pids()[0], signal.SIGSTOP)
    await box.agent.stop(0.05)
    assert box.agent._workers[0].process.returncode == -signal.SIGKILL
