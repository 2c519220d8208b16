"""A feed without a run: snapshots of a simulation, and a record of the commands that were sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from msgspec import structs

from agenttop.metrics.request_trends import RequestTrends
from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot
from agenttop.view.feed import Cursor
from tests.tui.sim import SCENARIOS, Sim, played
from tests.tui.truth import SCENARIOS as TRUE
from tests.tui.truth import TrueRun, truly_played

ENDED = Ended(exit_code=0, stop_reason="completed", summary="summary.json")


class FakeFeed:
    """Plays a scenario up to the second it is looked at, then waits for :meth:`advance` or :meth:`end`."""

    def __init__(self, scenario: str = "ramp", *, can_detach: bool = True, sim: Sim | TrueRun | None = None) -> None:
        self.sim: Sim | TrueRun
        snapshots: Sequence[Snapshot] = ()
        if sim is not None:
            self.sim, snapshots = sim, sim.until(1 if isinstance(sim, TrueRun) else SCENARIOS[scenario])
        else:
            self.sim, snapshots = truly_played(scenario) if scenario in TRUE else played(scenario)
        self.can_detach = can_detach
        self.commands: list[str] = []
        self.rejections: dict[str, str] = {}
        """Commands that are rejected, and why."""
        self.broken: OSError | None = None
        """Raised instead of an answer."""
        self.silent = False
        """No command is ever answered."""
        self.attached = False
        self.opened = self.closed = self.killed = False
        self.last: Snapshot | None = None
        self._queue: asyncio.Queue[RunInfo | Snapshot | Ended | None] = asyncio.Queue()
        for snapshot in snapshots:
            self.put(snapshot)

    async def open(self) -> RunInfo:
        if self.broken:
            raise self.broken
        self.opened = True
        return self.sim.info

    async def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        while (message := await self._queue.get()) is not None:
            yield message

    async def command(self, text: str, *, source: str = "key") -> Reply:
        if self.broken:
            raise self.broken
        self.commands.append(text)
        if self.silent:
            await asyncio.Event().wait()
        if text in self.rejections:
            return Reply(len(self.commands), False, self.rejections[text])
        return Reply(len(self.commands), True, self._apply(text))

    async def kill(self) -> str:
        self.killed = True
        reply = await self.command("stop now")
        return "" if reply.applied else reply.message

    async def close(self) -> None:
        self.closed = True

    def advance(self, seconds: int = 1) -> None:
        """Play on."""
        for snapshot in self.sim.until(self.sim.t_s + seconds):
            self.put(snapshot)

    def end(self, ended: Ended = ENDED) -> None:
        """The run is over."""
        self._queue.put_nowait(ended)

    def lose(self) -> None:
        """The connection is gone."""
        self._queue.put_nowait(None)

    def put(self, snapshot: Snapshot) -> None:
        """The next message."""
        self.last = snapshot
        self._queue.put_nowait(snapshot)

    def _apply(self, text: str) -> str:
        """Steer the simulation a little, so that a demonstration answers."""
        op, *rest = text.split()
        sim = self.sim
        if op == "users" and rest:
            before = self.last.target_users if self.last and sim.by_hand is None else sim.by_hand or 0
            sim.by_hand = max(0, before + int(rest[0]) if rest[0][0] in "+-" else int(rest[0]))
            return f"users {before} → {sim.by_hand}"
        if op == "release":
            sim.by_hand = None
            return "users follow the plan again"
        if op == "pause":
            sim.paused = not sim.paused
        elif op in ("hold", "resume"):
            sim.held = op == "hold"
            sim.paused = sim.paused and op == "hold"
        elif op == "stop":
            sim.stopping = True
        return text


class FakeReplay(FakeFeed):
    """Stands where the scenario is looked at, of a run that was recorded for ten minutes."""

    def __init__(self, scenario: str = "ramp", *, note: str = "", speed: float = 1.0, playing: bool = True) -> None:
        super().__init__(scenario, can_detach=False)
        self.at = Cursor(float(self.sim.t_s), 600.0, speed, playing, note)
        self.moves: list[object] = []
        self.player = self

    @property
    def cursor(self) -> Cursor:
        return self.at

    async def command(self, text: str, *, source: str = "key") -> Reply:
        return Reply(-1, False, "this is a replay")

    def back_to(self, t_s: int) -> None:
        """Another place, before this one."""
        self.sim = Sim(self.sim.scenario)
        snapshots = self.sim.until(t_s)
        history = tuple(snapshot.tick for snapshot in snapshots)
        trends = RequestTrends.of_run(len(self.sim.shapes))
        for snapshot in snapshots:
            trends.add({(row.pool, row.name): row.second for row in snapshot.table if row.second is not None})
        self.at = replace(self.at, t_s=float(t_s))
        self._queue.put_nowait(structs.replace(self.sim.info, history=history, pasts=trends.told()))
        self.put(snapshots[-1])

    def toggle(self) -> None:
        self.at = replace(self.at, playing=not self.at.playing)

    def step(self, seconds: float) -> None:
        self.moves.append(seconds)

    def to_begin(self) -> None:
        self.moves.append("begin")

    def to_end(self) -> None:
        self.moves.append("end")

    def change_speed(self) -> None:
        self.at = replace(self.at, speed=10.0)
