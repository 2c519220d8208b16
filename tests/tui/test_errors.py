"""Tests of agenttop.tui.panes.errors.

Errors by cause: when first and last, and an example, whatever the width.
"""

from __future__ import annotations

import msgspec
import pytest
from rich.cells import cell_len

from agenttop.schedule.quantities import clock
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import errors
from agenttop.tui.text import clean
from agenttop.tui.view import View
from tests.tui.sim import played


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


@pytest.mark.parametrize(("width", "height"), [(69, 12), (58, 12), (90, 11)])
def test_where_there_is_room_the_box_has_them_too(width: int, height: int) -> None:
    lines = [str(line) for line in errors.full(view("storm"), width, height)]
    assert {cell_len(line) for line in lines} == {width}
    assert sum("first 01:01  last 05:00" in line for line in lines) == 4
    assert any("503 upstream" in line for line in lines)
    assert any("left: requests" in line for line in lines)


def test_where_there_is_little_room_the_rest_is_counted() -> None:
    lines = [str(line) for line in errors.full(view("errors"), 58, 8)]
    assert "and protocol 25, truncated 25, check 23" in lines[-2]
