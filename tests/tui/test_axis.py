"""All trends share one time axis: what a cell is of, and where a mark stands."""

from __future__ import annotations

import dataclasses
from datetime import timedelta, timezone

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.style import Style

from agenttop.metrics.snapshot import ManualChange, Tick
from agenttop.tui.axis import WINDOWS, axis, marked, sparkline, times, words
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB, UNICODE
from agenttop.tui.panes.latency import TOTAL
from agenttop.tui.text import Line
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
    assert wanted <= along.seconds <= 1.35 * wanted
    for per_cell in (1, 2):
        assert len(along.percentiles(base.history, TOTAL[0], per_cell)) == cells * per_cell
    assert len(along.series(base.history, rps)) == cells
    assert along.column(float(t_s)) == cells - 1
    assert along.column(t_s + 10_000.0) is None


@given(st.integers(8, 200), st.integers(8, 200), st.integers(1, 5000), st.sampled_from([name for name, _ in WINDOWS]))
def test_charts_of_any_width_show_the_same_seconds(narrow: int, wide: int, t_s: int, window: str) -> None:
    base = view(1)
    shown = dataclasses.replace(base, snap=msgspec.structs.replace(base.snap, t_s=float(t_s)), window=window)
    spans = []
    for cells in (narrow, wide):
        along = axis(shown, cells)
        assert along.used * along.cell_s - along.seconds < along.cell_s + 1e-6
        spans.append(along.seconds)
        first = min(t for t in range(t_s - along.seconds, t_s + 1) if along.column(float(t)) is not None)
        assert abs(t_s - first - along.seconds) <= along.cell_s + 1
    assert spans[0] == spans[1]


def test_a_chart_moves_by_whole_cells() -> None:
    """Of the next second nothing but the newest cell is new, or all has moved by a cell."""
    for cells in (29, 45, 51, 75, 110, 200):
        before = axis(view(399, "1m"), cells).series(view(399, "1m").history, rps)
        after = axis(view(400, "1m"), cells).series(view(400, "1m").history, rps)
        moved = next(by for by in range(5) if before[by + 3 : -6] == after[3 : -6 - by])
        assert moved <= -(-cells // 60)


@pytest.mark.parametrize("cells", [8, 30, 39, 55, 150, 299, 300, 431])
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
    # A minute is 12 cells of 5 s, at noon and 400 s.
    assert line.endswith(" 12:06 now")
    assert line.index("-1m") - line.index("-2m") == 12


def test_a_mark_takes_the_place_of_the_label_it_is_in() -> None:
    found = view(400, marks=(340.0, 339.0, 100.0))
    line = str(times(found, axis(found, 60)))
    assert UNICODE.mark in line
    assert "-1m" not in line
    assert "-2m" in line
    plain = dataclasses.replace(found, look=dataclasses.replace(RGB, glyphs=ASCII))
    assert str(times(plain, axis(plain, 60))).isascii()


def test_a_mark_leaves_the_data_it_stands_at() -> None:
    found, bare = view(400, marks=(390.0,)), view(400)
    along = axis(found, 30)
    values = along.series(found.history, rps)
    line = sparkline(found, along, values, 1000.0, RGB.load)
    assert str(line) == str(sparkline(bare, along, values, 1000.0, RGB.load))
    assert [cell for cell, style in enumerate(styles(line)) if style.underline] == [along.column(390.0)]


def test_a_mark_stands_where_there_is_no_data() -> None:
    found = view(400, marks=(390.0,))
    along = axis(found, 30)
    text = str(sparkline(found, along, [None] * 30, 1000.0, RGB.load))
    assert text.strip() == UNICODE.mark
    assert text.index(UNICODE.mark) == along.column(390.0)


def styles(line: Line) -> list[Style]:
    """Of every cell."""
    return [part.style or Style.null() for part in line.strip(line.width) for _ in part.text]


@pytest.mark.parametrize(
    ("t_s", "said"),
    [
        (4, ["last 10s", "last 10s", "whole run"]),
        (57, ["last 50s", "last 50s", "whole run"]),
        (80, ["last 1m", "last 1m20", "whole run"]),
        (89, ["last 1m", "last 1m20", "whole run"]),
        (302, ["last 1m", "last 5m", "whole run"]),
    ],
)
def test_what_is_shown_is_said(t_s: int, said: list[str]) -> None:
    assert [words(dataclasses.replace(view(t_s), window=name)) for name, _ in WINDOWS] == said


def test_the_time_of_day_is_that_of_the_viewer() -> None:
    found = dataclasses.replace(view(400), zone=timezone(timedelta(hours=-3)))
    assert str(times(found, axis(found, 60))).endswith(" 09:06 now")
    unknown = dataclasses.replace(found, info=msgspec.structs.replace(found.info, started_at=""))
    assert str(times(unknown, axis(unknown, 60))).endswith("  now")


def test_a_second_may_be_several_cells() -> None:
    found = view(400, window="1m")
    along = axis(found, 120)
    assert along.cell_s == 0.5
    values = along.series(found.history, rps)
    assert values[-1] == values[-2] == found.history.recent[-1].rps
    assert along.column(399.0) == 117
