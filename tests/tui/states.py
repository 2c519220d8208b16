"""Every state the screen can be in: how it comes about, and the words that must stand there at every size."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace
from textual.pilot import Pilot

from agenttop.metrics.snapshot import Snapshot
from agenttop.tui.app import AgenttopApp
from agenttop.view.feed import ReadOnly
from tests.tui.fake import FakeFeed, FakeReplay
from tests.tui.pilot import settle, until
from tests.tui.sim import Sim

SIZES = [(80, 24), (120, 40), (200, 60)]
#: What :class:`FakeFeed` says to a command that is rejected here.
CAPPED = "the profile caps users at 124"


def armed() -> Snapshot:
    """Before anything has been sent."""
    first = Sim("starting").step()
    idle = replace(first.tick, t_s=0.0, users=0, in_flight=0, rps=0.0, failed_per_s=0.0, output_tokens_per_s=0.0)
    pools = tuple(replace(pool, users=0, in_flight=0, rps=0.0) for pool in first.pools)
    table = tuple(replace(row, requests=0, rps=0.0, p50_ms=None, p95_ms=None, ttft_p95_ms=None) for row in first.table)
    return replace(
        first, seq=2, t_s=0.0, plan_t_s=0.0, state="armed", users=0, in_flight=0, rps=0.0, requests=0, ok=0, tick=idle,
        ttft=None, latency=None, inter_chunk=None, pools=pools, table=table, warmup=False, oldest_s=0.0, bytes_sent=0,
        bytes_received=0, output_tokens=0, phases_ms={},
    )  # fmt: skip


@dataclass(frozen=True)
class State:
    """One state. ``words`` are patterns; ``change`` is made to the last snapshot of the ``scenario``, then ``keys`` are
    pressed, then so many seconds of the run pass, and ``silent_s`` without news.
    """

    words: tuple[str, ...]
    scenario: str = "ramp"
    keys: tuple[str, ...] = ()
    change: Callable[[Snapshot], Snapshot] | None = None
    seconds: int = 0
    silent_s: float = 0.0
    looking: bool = False
    replay: dict[str, Any] | None = None
    """Arguments of :class:`FakeReplay`; None of a live run."""
    rejects: str = ""
    """A command."""
    answered: bool = False
    """The answer to the keys is waited for."""


def _lost(snapshot: Snapshot) -> Snapshot:
    return replace(snapshot, generator=replace(snapshot.generator, alive=2))


STATES: dict[str, State] = {
    "starting": State(("START 00:01",), "starting"),
    "warm-up": State(("WARM-UP 00:18", "stage 1/4 warm"), "warmup"),
    "ramp": State(("RUN 02:14", "stage 2/4 ramp", r"gen(erator)? ok", r"users 124 → 200"), "ramp"),
    "storm": State((r"! 45% refused \(429\)", r"! 429 +13285", "retry-after", r"requests +0/500"), "storm"),
    "hang": State(("! no answer for 12s", r" 0\.0/s", r"oldest +! 14s"), "hang"),
    "failing": State(("! 16% failing", r"! 5xx +1130", r"! timeout +310"), "errors"),
    "manual": State(("MANUAL", "r releases", "users 138 MANUAL plan 200"), "manual"),
    "held": State(("HELD",), "held"),
    "paused": State(("PAUSED",), "paused"),
    "held and paused": State(("PAUSED", "held too"), "paused", change=lambda s: replace(s, held=True)),
    "changed": State(("CHANGED think 1s..3s",), change=lambda s: replace(s, changed=("think 1s..3s",))),
    "saturated": State(("! SATURATED", "! saturated: worker 2 at 94% of its core"), "saturated"),
    "late": State((r"gen(erator)? late +lag 6ms",), "late"),
    "fleet": State((r"b1 +62", r"b2 .*! lost", r"b3 .*off"), "fleet"),
    "a worker lost": State((r"! 2/3 workers",), change=_lost),
    "done": State(("DONE 10:00/10:00",), "done"),
    "draining": State(("DRAIN",), change=lambda s: replace(s, state="draining")),
    "stopping": State(("STOPPING", r"stopping, \^C again ends at once"), keys=("ctrl+c",), answered=True),
    "ending": State(("ENDING", r"ending at once, \^C again leaves"), keys=("ctrl+c", "ctrl+c"), answered=True),
    "frozen": State(("FROZEN 9s ago", "the load goes on, space goes live"), keys=("space",), seconds=9),
    "silent": State(("! no news from the run for 9s",), silent_s=9.0),
    "open": State((r"rate 49\.7/s → 120", r"target +(49\.7|50)/s"), "open"),
    "thresholds": State(("3 pass", "! 2 FAIL", "1 no data"), "thresholds"),
    "budget near its end": State(("! 97%",), "budget"),
    "budget spent": State(
        ("! budget spent, 3 not sent", "! 97%"), "budget", change=lambda s: replace(s, budget_refused=3)
    ),
    "graded": State((r"quality [─ ]*89\.\d%", r"! WORSE: 28\.3 points lost, 20 → 200 users"), "graded"),
    "graded, enlarged": State(
        (r"lost to: refused 15\.0, tool not called 13\.3", "failed cases, the newest first"), "graded", keys=("g",)
    ),
    "circuit": State(("breaker 12% of 50%",), "circuit"),
    "circuit open": State(("BREAKER OPEN", "! breaker 62% of 50% OPEN"), "breaker"),
    "search": State(("search 40 users", "measuring 8/15s", "97.1% good"), "search"),
    "searched": State(("DONE", "capacity: 32 users"), "searched"),
    "armed": State(("ARMED 00:00", "ARMED: press enter to start"), "starting", change=lambda _: armed()),
    "no stream": State((r"max .*\n Total|\n╭─ 4 total ",), "no_stream"),
    "one pool": State(("▸ chat",), keys=("tab",)),
    "filtered": State((r"(requests /|filter )lookup",), keys=("slash", *"lookup", "enter")),
    "nothing matches": State(("no request matches 'zz'",), keys=("slash", *"zz", "enter")),
    "another order": State(("▾ p95 ms",), keys=("o",)),
    "another time": State(("whole run",), keys=("t",)),
    "only looking": State(("only looking", "q quit"), looking=True),
    "quit?": State((r"quit\?", "s stop and summarise", "l leave it running", "esc stay"), keys=("q",)),
    "next?": State((r"go on to stage hold\?", "y yes", "n no"), keys=("n",)),
    "the last stage?": State((r"this is the last stage: end it\?",), "done", keys=("n",)),
    "applied": State((r"applied: users 124 → 125",), keys=("plus",), answered=True),
    "rejected": State((f"! rejected: {CAPPED}",), keys=("plus",), rejects="users +1", answered=True),
    "prompt": State((": users ", r"users N\|\+N\|-N \[POOL\]"), keys=("colon", *"us", "tab", "space")),
    "prompt applied": State(
        ("applied: users 124 → 9",), keys=("colon", *"users", "space", "9", "enter"), answered=True
    ),
    "prompt rejected": State(
        (f"! rejected: {CAPPED}",), keys=("colon", *"users", "space", "9", "enter"), rejects="users 9", answered=True
    ),
    "filter prompt": State((r"/ look", "enter keeps, esc clears"), keys=("slash", *"look")),
    "replay": State(("REPLAY 04:20/10:00 ×1", "MANUAL"), "manual", replay={}),
    "replay faster": State(("REPLAY 04:20/10:00 ×10",), "manual", replay={"speed": 10.0}),
    "replay paused": State(("REPLAY 04:20/10:00 paused", "space play"), "manual", replay={"playing": False}),
    "replay at its end": State(("REPLAY 10:00/10:00 at its end", "space play"), "done", replay={"playing": False}),
    "replay cut off": State(("! the run was cut off",), "storm", replay={"note": "the run was cut off at 10:00"}),
    "replay of an open circuit": State(("REPLAY", "! breaker 62% of 50% OPEN"), "breaker", replay={}),
    "replay rejects": State(("! rejected: this is a replay",), replay={}, keys=("plus",), answered=True),
}  # fmt: skip


@asynccontextmanager
async def shown(state: State, size: tuple[int, int], **look: Any) -> AsyncIterator[Pilot[Any]]:
    """The screen in a state."""
    feed = FakeFeed(state.scenario) if state.replay is None else FakeReplay(state.scenario, **state.replay)
    if state.change is not None and feed.last is not None:
        changed = state.change(feed.last)
        feed.put(replace(changed, seq=feed.last.seq + 1))
    if state.rejects:
        feed.rejections[state.rejects] = CAPPED
    now = [0.0]
    app = AgenttopApp(ReadOnly(feed) if state.looking else feed, clock=lambda: now[0], **look)
    async with app.run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press(*state.keys)
        if state.answered:
            commands = max(1, state.keys.count("ctrl+c"))
            await until(pilot, lambda: state.replay is not None or len(feed.commands) == commands)
        await pilot.pause()
        if state.seconds:
            feed.advance(state.seconds)
            await settle(pilot, feed)
        if state.silent_s:
            now[0] += state.silent_s
            app.listen()
        await pilot.pause()
        await pilot.pause()
        yield pilot
