"""Tests of agenttop.tui.panes.errors.

Errors by cause: when first and last, and an example, whatever the width.
"""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from agenttop.schedule.quantities import clock
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import errors
from agenttop.tui.text import clean
from agenttop.tui.view import View
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text, until
from tests.tui.sim import Sim, played


def view(scenario: str, later_s: float = 0.0) -> View:
    sim, (*_, snap) = played(scenario)
    causes = tuple(
        msgspec.structs.replace(c, first_s=c.first_s + later_s, last_s=c.last_s + later_s) for c in snap.causes
    )
    return View(sim.info, msgspec.structs.replace(snap, causes=causes), History(sim.info), RGB, enlarged=True)


@pytest.mark.parametrize("later_s", [0.0, 86_400.0])
@pytest.mark.parametrize("width", [60, 69, 80, 120, 200])
@pytest.mark.parametrize("scenario", ["storm", "errors"])
def test_enlarged_every_cause_has_its_times_and_its_whole_example(scenario: str, width: int, later_s: float) -> None:
    shown = view(scenario, later_s)
    lines = [str(line) for line in errors.enlarged(shown, width, 40)]
    assert {cell_len(line) for line in lines} == {width}
    words = " ".join(" ".join(line[1:-1].split()) for line in lines)
    for cause in shown.snap.causes:
        (line,) = [line for line in lines if f"! {errors.name(cause)} " in line]
        assert f"first {clock(cause.first_s)}  last {clock(cause.last_s)} " in line
        assert clean(cause.example) in words
    assert words.count("retry-after 2.0s") == 1


@pytest.mark.parametrize(("width", "height"), [(69, 11), (58, 11), (90, 10)])
def test_where_there_is_room_the_box_has_them_too(width: int, height: int) -> None:
    lines = [str(line) for line in errors.full(view("storm"), width, height)]
    assert {cell_len(line) for line in lines} == {width}
    assert sum("first 01:01  last 05:00" in line for line in lines) == 4
    assert any("503 upstream" in line for line in lines)


def test_where_there_is_little_room_the_rest_is_counted() -> None:
    lines = [str(line) for line in errors.full(view("errors"), 58, 8)]
    assert "and protocol 25, truncated 25, check 23" in lines[-2]


@pytest.mark.parametrize(("size", "shown"), [((80, 24), "3 errors"), ((120, 40), "─ 3 errors")])
async def test_until_something_fails_the_chart_of_requests_has_its_place(size: tuple[int, int], shown: str) -> None:
    well = Sim("starting")
    feed = FakeFeed("starting", sim=well)
    async with AgenttopApp(feed, clock=lambda: 0.0).run_test(size=size) as pilot:
        feed.put(well.until(2)[-1])
        await settle(pilot, feed)
        assert shown not in text(pilot)
        assert "429 0" in text(pilot)
        for key in ("5", "8", "escape"):
            await pilot.press(key)
            await pilot.pause()
            assert "429 0" in text(pilot).splitlines()[0]
        feed.put(msgspec.structs.replace(well.step(), failed=2, rate_limited=1, error_rate=0.1))
        await settle(pilot, feed)
        await until(pilot, lambda: shown in text(pilot))
        assert "429 1" in text(pilot).splitlines()[0]
