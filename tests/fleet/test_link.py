"""Tests of agenttop.fleet.link, agenttop.fleet.box, agenttop.fleet.messages: what the controller makes of boxes that
answer late, twice or never. The boxes are made up; those of test_fleet are real.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from agenttop.budget.amount import Amount
from agenttop.budget.ledger import Grant
from agenttop.controller.box import BoxError
from agenttop.controller.items import Item
from agenttop.fleet.box import FleetBox
from agenttop.fleet.clock import ClockOffset
from agenttop.fleet.link import LOST_S, Link
from agenttop.fleet.messages import Granted, Hello, Told, items_of, pack, told_of
from agenttop.fleet.ssh import BoxLost
from agenttop.metrics.boxes import BoxInfo
from agenttop.metrics.delta import Delta, Health
from agenttop.profile.model import Profile
from agenttop.schedule.shares import Members
from agenttop.users.compile import layout_of
from agenttop.worker.messages import Dealt, Go, Halt
from tests.steering.plans import MIXED, profile_of


class FakeRemote:
    """The agent process of a box that is made up; its clock is ahead by a second."""

    def __init__(self) -> None:
        self.clock = ClockOffset()
        self.clock.add(0, 1_000_000_100, 200)
        self.gone = asyncio.Event()
        self.why = ""
        self.closed = 0
        self.hello = Hello("1", "3.11", "1", "h", 1, "/tmp/x", 1, 1, 1, 1, 1)

    async def measure(self) -> None: ...

    async def send_file(self, path: str, content: bytes) -> None: ...

    async def close(self, patience_s: float = 0.0) -> None:
        self.closed += 1
        self.gone.set()


class FakeAgent:
    """The actor of a box: says what it is given to say, until that is acknowledged, and keeps what it is told."""

    def __init__(self) -> None:
        self.says: list[Item] = []
        self.told: list[Told] = []
        self.asked: list[tuple[int, float]] = []
        self.failed = ""
        self.hangs = asyncio.Event()
        self.hangs.set()

    async def unreachable(self, profile: bytes) -> str:
        return self.failed

    async def start(self, data: bytes) -> str:
        return self.failed

    async def tell(self, data: bytes) -> None:
        await self.hangs.wait()
        self.told += told_of(data)

    async def poll(self, ack: int, wait_s: float, told_s: float) -> bytes:
        await self.hangs.wait()
        self.asked.append((ack, told_s))
        await asyncio.sleep(0.001)
        return pack([item for item in self.says if item.seq > ack - 1])  # the last one twice

    async def stop(self, drain_s: float) -> None: ...


class Made:
    """A box of two machines, with two workers each."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.remotes, self.agents = [FakeRemote(), FakeRemote()], [FakeAgent(), FakeAgent()]
        self.links = [
            Link(remote, agent, BoxInfo(f"b{number + 1}", 2 * number, 2, 3, "h"))  # type: ignore[arg-type]
            for number, (remote, agent) in enumerate(zip(self.remotes, self.agents, strict=True))
        ]
        self.now_ns = 5_000_000_000
        self.box = FleetBox(self.links, lambda: self.now_ns)
        self.heard: list[Item] = []

    async def start(self) -> None:
        await self.box.start("id", self.profile, (), layout_of(self.profile), 0, 4, 4)

    async def until(self, done: Callable[[], object]) -> None:
        deadline = monotonic() + 30
        while not done():
            assert monotonic() < deadline, (self.heard, [agent.told for agent in self.agents])
            ack = self.heard[-1].seq if self.heard else 0
            self.heard += await self.box.poll(ack, 0.01)


@pytest.fixture
async def made(tmp_path: Path) -> AsyncIterator[Made]:
    made = Made(profile_of(tmp_path, MIXED))
    await made.start()
    try:
        yield made
    finally:
        await made.box.stop(0.0)


def delta(worker: int) -> Delta:
    return Delta(worker, 0, 1.0, [], [], [], {}, [], 0.0, Health(None, 0.0, 0.0, 0))


async def test_what_is_said_is_heard_once_and_in_order(made: Made) -> None:
    assert made.box.alive == [0, 1, 2, 3]
    made.agents[0].says = [Item(1, 0, delta=delta(0)), Item(2, 1, delta=delta(1))]
    made.agents[1].says = [Item(1, 3, delta=delta(3))]
    await made.until(lambda: len(made.heard) == 3)
    made.agents[0].says += [Item(3, 1, ended=True)]
    await made.until(lambda: made.box.alive == [0, 2, 3])
    asked = len(made.agents[0].asked)
    await made.until(lambda: len(made.agents[0].asked) > asked + 20)
    assert [item.seq for item in made.heard] == [1, 2, 3, 4]
    assert sorted(item.worker for item in made.heard) == [0, 1, 1, 3]
    assert made.agents[0].asked[-1][0] == 3
    assert not made.box.pending(4)


async def test_what_is_told_is_told_once_in_order_and_by_the_clock_of_each(made: Made) -> None:
    made.box.go(7_000_000_000)
    made.now_ns = 7_500_000_000
    made.box.command(1, Dealt(Members(0.4, (0, 1, 2))))
    made.box.grant(3, Grant(Amount(5)))
    made.box.command(2, Halt("drain"))
    await made.until(lambda: len(made.agents[0].told) == 3 and len(made.agents[1].told) == 4)
    assert [type(told.what) for told in made.agents[1].told] == [Go, Dealt, Granted, Halt]
    assert [told.seq for told in made.agents[1].told] == [1, 2, 3, 4]
    assert made.agents[0].told[0].what == Go(8_000_000_000), "by its own clock"


async def test_a_loss_that_is_still_to_be_told_is_not_said_to_be_told(made: Made) -> None:
    made.box.go(made.now_ns)
    await made.until(lambda: made.agents[0].told)
    made.agents[0].hangs.clear()
    made.now_ns += 3_000_000_000
    made.box.command(1, Dealt(Members(2.9, (0, 1))))
    made.now_ns += 2_000_000_000
    assert made.links[0]._told_s() == 2.9
    made.agents[0].hangs.set()
    await made.until(lambda: len(made.agents[0].told) == 2)
    await made.until(lambda: made.agents[0].asked[-1][1] == 5.0)


async def test_a_box_that_is_gone_is_lost_with_all_its_workers_and_never_heard_again(made: Made) -> None:
    made.remotes[1].why = "its agent was killed by SIGKILL"
    made.remotes[1].gone.set()
    await made.until(lambda: made.heard)
    (item,) = made.heard
    assert (item.lost, item.exit) == ((2, 3), "b2 was lost: its agent was killed by SIGKILL")
    assert made.box.alive == [0, 1]
    assert [state.state for state in made.box.states()] == ["up", "lost"]
    await made.until(lambda: made.remotes[1].closed)
    made.agents[1].says = [Item(1, 2, delta=delta(2))]
    asked = len(made.agents[0].asked)
    await made.until(lambda: len(made.agents[0].asked) > asked + 20)
    assert len(made.heard) == 1


async def test_a_box_that_hangs_is_silent_then_lost(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    made.agents[1].hangs.clear()
    await made.until(lambda: made.box.states()[1].state == "silent")
    made.agents[1].hangs.set()
    await made.until(lambda: made.box.states()[1].state == "up")
    made.agents[1].hangs.clear()
    await made.until(lambda: made.heard)
    assert made.heard[0].exit == f"b2 was lost: it has not answered for {LOST_S:.1f} s"
    assert made.box.states()[0].state == "up"


async def test_a_box_is_turned_off_and_on(made: Made) -> None:
    made.box.turn("b2", on=False)
    assert made.box.off == [2, 3]
    assert made.box.states()[1].state == "off"
    assert [state.off for state in made.box.states()] == [False, True]
    made.box.turn("b2", on=True)
    assert made.box.off == []


async def test_what_fails_at_the_start_is_said_of_its_box(made: Made) -> None:
    made.agents[1].failed = "worker 2 did not start: no"
    with pytest.raises(BoxError, match="b2: worker 2 did not start: no"):
        await made.start()
    made.agents[1].failed = "cannot connect to x"
    assert await made.box.unreachable(made.profile) == "b2: cannot connect to x"
    made.remotes[0].why = "gone"
    made.remotes[0].gone.set()

    async def never(profile: bytes) -> str:
        await asyncio.Event().wait()
        return ""

    made.agents[0].unreachable = never  # type: ignore[method-assign]
    with pytest.raises(BoxError, match="b1 was lost: gone"):
        await made.box.unreachable(made.profile)


def test_items_survive_the_way() -> None:
    items = [Item(1, 0, delta=delta(0)), Item(2, 1, ended=True, exit="x", stopped_s=2.0)]
    assert items_of(pack(items)) == items


async def test_a_call_that_fails_is_a_loss(made: Made) -> None:
    async def fails(*_: Any) -> bytes:
        raise OSError("Unable to contact Actor's worker")

    with pytest.raises(BoxLost, match="Unable to contact"):
        await made.links[0]._call(fails())


async def test_what_cannot_be_understood_is_a_loss(made: Made) -> None:
    async def garbage(*_: Any) -> bytes:
        return b"\xc1"

    made.agents[1].poll = garbage  # type: ignore[assignment,method-assign]
    await made.until(lambda: made.heard)
    assert made.heard[0].exit.startswith("b2 was lost: DecodeError: ")
