"""Tests of agenttop.tui.look, agenttop.tui.themes, agenttop.tui.panes.about, agenttop.tui.panes.budget,
agenttop.tui.panes.events, agenttop.tui.panes.generator, agenttop.tui.panes.header, agenttop.tui.panes.latency,
agenttop.tui.panes.plan, agenttop.tui.panes.pools, agenttop.tui.panes.rate, agenttop.tui.panes.thresholds.

Every state is told in words, at every size and without a colour.
"""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace
from rich.style import Style
from syrupy.assertion import SnapshotAssertion

from agenttop.tui.app import AgenttopApp
from tests.tui.pilot import text, until
from tests.tui.sim import SCENARIOS
from tests.tui.states import SIZES, STATES, State, shown

by_size = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
by_name = pytest.mark.parametrize("name", STATES)
#: Scenarios that are no states of a run, but runs of another kind.
KINDS = {"long_names", "many", "search_rate"}


def colourless(style: Style | None) -> bool:
    """Neither its letters nor its ground have a colour of their own."""
    return style is None or all(colour is None or colour.is_default for colour in (style.color, style.bgcolor))


@by_size
@by_name
async def test_it_is_told_in_words_without_a_colour(
    name: str, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """The snapshot is of the first lines and the last, where states differ from each other, whatever the panes say."""
    monkeypatch.setenv("NO_COLOR", "1")
    async with shown(STATES[name], size) as pilot:
        screen = text(pilot)
        styles = [segment.style for strip in pilot.app.screen._compositor.render_strips() for segment in strip]
    missing = [words for words in STATES[name].words if not re.search(words, screen)]
    assert not missing, f"{missing} not on the screen:\n{screen}"
    assert all(map(colourless, styles))
    lines = screen.splitlines()
    assert "\n".join((*lines[:2], *lines[size[1] - 1 :])) == snapshot


@by_name
async def test_its_words_are_ascii_where_that_is_wanted(name: str) -> None:
    async with shown(STATES[name], (80, 24), ascii=True) as pilot:
        assert text(pilot).isascii()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_thresholds_that_leave_refused_answers_out_say_so(size: tuple[int, int]) -> None:
    async with shown(STATES["thresholds"], size) as pilot:
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        assert "not refused" not in text(pilot)
        assert app.snap is not None
        at = {"latency p95 < 15s": 318, "ttft{pool:chat, request:answer} p(99.9) < 800": 7}
        verdicts = tuple(replace(each, refused=at.get(each.expression, 0)) for each in app.snap.thresholds)
        app.snap = replace(app.snap, thresholds=verdicts)
        app.draw()
        await pilot.pause()
        screen = text(pilot)
        assert ("2 only of answers not refused" if size[0] < 200 else "1 no data  * not refused ") in screen
        await pilot.press("v")
        await until(pilot, lambda: "* of answers not refused" in text(pilot))
        screen = text(pilot)
        assert "3.121s*" in screen
        assert "1.904% " in screen


def test_every_scenario_is_a_state() -> None:
    assert {state.scenario for state in STATES.values()} == set(SCENARIOS) - KINDS


async def test_the_words_of_a_state_are_not_on_the_screen_of_a_quiet_run() -> None:
    async with shown(State(()), (200, 60)) as pilot:
        screen = text(pilot)
    for name, state in STATES.items():
        assert name == "ramp" or not all(re.search(words, screen) for words in state.words), name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ramp", "The load goes on: RUN  users 124 → 200"),
        ("open", "The load goes on: RUN  rate 49.7/s → 120"),
        ("manual", "The load goes on: RUN  users 138 MANUAL plan 200"),
        ("paused", "The load goes on: PAUSED  users 200"),
        ("stopping", "The load goes on: STOPPING  users 124"),
        ("armed", "ARMED: press enter to start"),
        ("done", "DONE  10:00"),
        ("replay", "REPLAY  04:20"),
    ],
)
async def test_a_terminal_too_small_says_how_the_run_is(name: str, words: str) -> None:
    async with shown(STATES[name], (58, 12)) as pilot:
        lines = text(pilot).splitlines()
    assert any(line.startswith(words) for line in lines), lines
    assert words.startswith("The load") or not any("load goes on" in line for line in lines)
