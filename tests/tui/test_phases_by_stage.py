"""Tests of agenttop.tui.panes.phases_by_stage.

The enlarged pane of phases: which one grew as users did.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from agenttop.metrics.snapshot import StagePhases
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import phases_by_stage
from agenttop.tui.view import View
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text
from tests.tui.sim import Sim
from tests.tui.test_layout import still


def told(stage: int, requests: int = 100, **mean_ms: float) -> StagePhases:
    whole = sum(mean_ms.values()) or 1.0
    return StagePhases(stage, requests, mean_ms, {name: mean / whole for name, mean in mean_ms.items()})


def drawn(*stages: StagePhases, width: int = 80, height: int = 20, scenario: str = "ramp") -> list[str]:
    sim = Sim(scenario)
    snap: Any = msgspec.structs.replace(sim.until(400)[-1], stage_phases=stages)
    lines = phases_by_stage.full(View(sim.info, snap, History(sim.info), RGB), width, height)
    assert [line.width for line in lines] == [width] * height
    return [str(line).strip("│").rstrip() for line in lines]


WARM, RAMP, HOLD = (told(n, llm_call=llm, tools=90.0) for n, llm in ((0, 100.0), (1, 200.0), (2, 400.0)))


def test_the_phase_that_grew_most_is_marked_and_named() -> None:
    lines = drawn(WARM, RAMP, HOLD)
    assert lines[1].split() == ["warm", "ramp", "▸", "hold"]
    assert lines[2].split() == ["0-20", "users", "20-200", "users", "200", "users", "grown"]
    assert lines[4].split() == ["!", "llm_call", "100", "52.6%", "200", "69.0%", "400", "81.6%", "×4.0"]
    assert lines[5].split() == ["tools", "90", "47.4%", "90", "31.0%", "90", "18.4%", "×1.0"]
    assert "llm_call grew most: 100ms at 0-20 users to 400ms at 200 users" in lines[7]
    bars = [line.count(RGB.glyphs.bar) for line in lines[9:12]]
    assert bars[2] == max(bars)
    assert bars[0] == pytest.approx(bars[2] / 4, abs=1)


def test_what_did_not_grow_is_not_marked() -> None:
    lines = drawn(WARM, told(2, llm_call=110.0, tools=90.0))
    assert not any("!" in line for line in lines)
    assert any("no phase grew by over 20% from 0-20 users to 200 users" in line for line in lines)


def test_what_may_be_chance_is_not_marked() -> None:
    wide = {"llm_call": 400.0, "tools": 1.0}
    few, many = (
        msgspec.structs.replace(told(n, requests=25, llm_call=mean, tools=90.0), stddev_ms=wide)
        for n, mean in ((0, 100.0), (2, 300.0))
    )
    assert not any("!" in line for line in drawn(few, many))
    surely = (msgspec.structs.replace(each, requests=2500) for each in (few, many))
    assert any("llm_call grew most" in line for line in drawn(*surely))


def test_what_takes_microseconds_is_no_bottleneck() -> None:
    lines = drawn(told(0, llm_call=100.0, queue=0.01), told(2, llm_call=110.0, queue=0.5))
    assert not any("!" in line for line in lines)


@pytest.mark.parametrize("stages", [(WARM,), (WARM, told(2, requests=19, llm_call=400.0)), (HOLD, HOLD)])
def test_without_two_loads_nothing_is_compared(stages: tuple[StagePhases, ...]) -> None:
    lines = drawn(*stages)
    assert not any("grew" in line or "grown" in line for line in lines)
    assert any("two stages of different loads" in line for line in lines)


def test_where_it_is_narrow_those_that_are_compared_stay() -> None:
    lines = drawn(WARM, RAMP, HOLD, width=60, height=10)
    assert lines[1].split() == ["warm", "▸", "hold"]
    assert "grew most" in lines[7]


def test_a_phase_that_is_not_in_every_stage() -> None:
    lines = drawn(told(0, tools=90.0), told(2, queue=50.0, tools=300.0))
    (queue,) = [line for line in lines if "queue" in line and "%" in line]
    assert queue.split() == ["queue", "-", "50", "14.3%"]


def test_there_may_be_none() -> None:
    assert "the target reports none yet" in drawn()[1]


def test_arrivals_are_loads_too() -> None:
    lines = drawn(told(0, llm_call=100.0), told(1, llm_call=400.0), scenario="open")
    assert any("100ms at 10.0/s to 400ms at 10.0-120.0/s" in line for line in lines)


@pytest.mark.parametrize("name", ["\x1b[31mevil", "a very long name of a phase indeed", ""])
def test_names_are_the_target_s(name: str) -> None:
    lines = drawn(*(StagePhases(stage, 100, {name: mean}, {name: 1.0}) for stage, mean in ((0, 1.0), (2, 1e8))))
    assert not any("\x1b" in line for line in lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_on_the_screen(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("saturated")  # three stages have begun
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press("7")
        await pilot.pause()
        assert text(pilot) == snapshot
