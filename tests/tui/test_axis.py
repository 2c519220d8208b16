"""All trends share one time axis: what a cell is of, and where a mark stands."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.snapshot import ManualChange, Tick
from agenttop.tui.axis import WINDOWS, Axis, axis, marked, sparkline, times, words
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB, UNICODE
from agenttop.tui.view import View
from tests.tui.sim import Sim


def view(t_s: int = 400, window: str = "5m", marks: tuple[float, ...] = ()) -> View:
    sim = Sim("ramp")
    info = msgspec.structs.replace(sim.info, by_hand=tuple(ManualChange(t_s, "users 1 → 2") for t_s in marks))
    history = History(info)
    for snapshot in sim.until(t_s):
        history.add(snapshot.tick, snapshot.plan_t_s)
    return View(info, snapshot, history, RGB, window=window)


def rps(tick: Tick) -> float | None:
    return tick.rps


@given(st.integers(1, 200), st.integers(1, 5000), st.sampled_from([name for name, _ in WINDOWS]))
def test_a_chart_is_of_its_window_and_hardly_more(cells: int, t_s: int, window: str) -> None:
    base = view(1)
    shown = dataclasses.replace(base, snap=msgspec.structs.replace(base.snap, t_s=float(t_s)), window=window)
    along = axis(shown, cells)
    wanted = {"1m": 60, "5m": max(60, min(300, t_s)), "all": max(60, t_s)}[window]
    assert along.seconds >= wanted or along.wide > 1
    # A cell is a whole number of seconds or a second of cells: nowhere is that more than twice as much as asked for.
    assert along.seconds <= max(2.0 * wanted, 2.0 * cells)
    for per_cell in (1, 2):
        assert len(along.series(base.history, rps, per_cell)) == cells * per_cell
    assert along.column(float(t_s)) == cells - 1
    assert along.column(t_s + 10_000.0) is None


@pytest.mark.parametrize("cells", [8, 30, 39, 55, 150, 300])
def test_a_mark_stands_where_its_second_is_drawn(cells: int) -> None:
    for second in (395, 350, 130):
        found = view(400, marks=(float(second),))
        along = axis(found, cells)
        spike = along.series(found.history, lambda tick, at=second: 1.0 if tick.t_s == at else None)  # type: ignore[misc]
        drawn = [cell for cell, value in enumerate(spike) if value is not None]
        assert marked(found, along) == drawn[-1:]


def test_the_axis_ends_now() -> None:
    found = view()
    line = str(times(found, axis(found, 60)))
    assert line.endswith("now")
    assert len(line) == 60
    # A minute is 12 cells of 5 s.
    assert line.index("-1m") - line.index("-2m") == 12


def test_a_mark_takes_the_place_of_the_label_it_is_in() -> None:
    found = view(400, marks=(340.0, 339.0, 100.0))
    line = str(times(found, axis(found, 60)))
    assert UNICODE.mark in line
    assert "-1m" not in line
    assert "-2m" in line
    plain = dataclasses.replace(found, look=dataclasses.replace(RGB, glyphs=ASCII))
    assert str(times(plain, axis(plain, 60))).isascii()


def test_a_mark_stands_in_a_sparkline() -> None:
    found = view(400, marks=(390.0,))
    along = axis(found, 30)
    values = along.series(found.history, rps)
    text = str(sparkline(found, along, values, 1000.0, RGB.load))
    assert text.index(UNICODE.mark) == along.column(390.0)


def test_the_window_is_said_in_words() -> None:
    assert [words(dataclasses.replace(view(10), window=name)) for name, _ in WINDOWS] == [
        "last 1m",
        "last 5m",
        "whole run",
    ]


def test_a_second_may_be_several_cells() -> None:
    found = view(400, window="1m")
    along = axis(found, 130)
    assert (along.step_s, along.wide) == (1, 2)
    values = along.series(found.history, rps)
    assert values[-1] == values[-2] == found.history.recent[-1].rps
    assert Axis(130, 1, 2, 400.0).column(399.0) == 127
