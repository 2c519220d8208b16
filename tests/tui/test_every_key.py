"""Tests of agenttop.tui.app, agenttop.tui.commander, agenttop.tui.screens.main, agenttop.tui.screens.help,
agenttop.tui.screens.palette, agenttop.tui.widgets.bar.

Every key of the tables in keys.py does what it is for: no key is without a line here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from textual.pilot import Pilot

from agenttop.tui import keys
from agenttop.tui.app import AgenttopApp
from agenttop.tui.panes import table
from agenttop.tui.result import How
from agenttop.tui.screens.edit import _MOVES, EditScreen
from agenttop.tui.screens.help import HelpScreen
from agenttop.tui.screens.palette import PaletteScreen
from agenttop.view.feed import ReadOnly
from tests.tui.fake import FakeFeed, FakeReplay
from tests.tui.pilot import left, settle, text, until
from tests.tui.states import armed

SIZE = (80, 24)


@dataclass(frozen=True)
class Does:
    """What a key changes, of a run that plays ``scenario``, once the keys of ``before`` have been pressed."""

    sends: str = ""
    """A command to the run."""
    says: str = ""
    """Words that come onto the screen."""
    takes: str = ""
    """Words that go from it."""
    moves: object = None
    """Where a replay goes."""
    leaves: bool = False
    """The screen; the run goes on."""
    draws: bool = False
    """All anew."""
    scrolls: tuple[int, int] | None = None
    """The first line of the enlarged list, before and after."""
    before: tuple[str, ...] = ()
    scenario: str = "ramp"


PANES = {entry.key: Does(says=f"╭─ {entry.key} ") for entry in table.by_key()}
ON_THE_SCREEN = {
    **PANES,
    "escape": Does(takes="╭─ 5 ", before=("5",)),
    "down": Does(scrolls=(0, 1), before=("5", *["down"] * 16), scenario="many"),
    "up": Does(scrolls=(2, 1), before=("5", *["down"] * 18, *["up"] * 16), scenario="many"),
    "pagedown": Does(scrolls=(0, 2), before=("5",), scenario="many"),
    "pageup": Does(scrolls=(2, 0), before=("5", "pagedown"), scenario="many"),
    "enter": Does(says="alone in 2 4 8", before=("5",)),
    "y": Does(says="copied: 24 lines, to the terminal's clipboard (OSC 52)"),
    "t": Does(says="whole run"),
    "slash": Does(says="enter keeps, esc clears"),
    "o": Does(says="▾ p95 ms"),
    "L": Does(says="log p95 of 10s, "),
    "f": Does(says="first token, last ", before=("8",)),
    "ctrl+p": Does(says=" go to "),
    "ctrl+l": Does(draws=True),
    "question_mark": Does(says="agenttop: keys and commands"),
}
#: Of a live run.
KEYS = {
    **ON_THE_SCREEN,
    **dict.fromkeys(("plus", "w"), Does(sends="users +1", says="applied: users 124 → 125")),
    **dict.fromkeys(("minus", "s"), Does(sends="users -1", says="applied: users 124 → 123")),
    **dict.fromkeys(("right_square_bracket", "W"), Does(sends="users +10", says="applied: users 124 → 134")),
    **dict.fromkeys(("left_square_bracket", "S"), Does(sends="users -10", says="applied: users 124 → 114")),
    "tab": Does(says="▸ chat"),
    "a": Does(takes="▸ chat", before=("tab",)),
    "r": Does(sends="release", says="applied: users follow the plan again"),
    "enter": Does(sends="start", scenario="armed"),
    "h": Does(sends="hold", says="applied: hold"),
    "n": Does(says="go on to stage hold?"),
    "e": Does(says="edit the plan: what is to come"),
    "p": Does(sends="pause", says="applied: pause"),
    "colon": Does(says="tab completes, esc closes"),
    "d": Does(leaves=True),
    "q": Does(says="quit?"),
    "space": Does(says="FROZEN"),
    "left": Does(says="▲ 02:13", before=("space",)),
    "right": Does(says="▲ 02:13", before=("space", "left", "left")),
    "shift+left": Does(says="▲ 02:04", before=("space",)),
    "shift+right": Does(says="▲ 02:14", before=("space", "shift+left")),
    "home": Does(says="▲ 00:01", before=("space",)),
    "end": Does(says="▲ 02:14", before=("space", "home")),
}
#: Of a replay.
OF_A_REPLAY = {
    **ON_THE_SCREEN,
    "space": Does(says="paused"),
    "left": Does(moves=-1.0),
    "right": Does(moves=1.0),
    "shift+left": Does(moves=-10.0),
    "shift+right": Does(moves=10.0),
    "home": Does(moves="begin"),
    "end": Does(moves="end"),
    "x": Does(says="×10"),
    "tab": Does(says="▸ chat"),
    "q": Does(leaves=True),
}
REFUSED = "rejected: this viewer only looks"
#: Of a viewer that only looks: what would change the run says why it does not.
OF_A_LOOKER = {
    key: replace(does, sends="", says=REFUSED) if does.sends or key in ("n", "e") else does
    for key, does in KEYS.items()
} | {"q": Does(leaves=True)}


def every(groups: tuple[keys.Group, ...]) -> list[str]:
    """All keys of some groups, one by one."""
    return list(dict.fromkeys(one for group in groups for key in group.keys for one in key.keys.split(",")))


@asynccontextmanager
async def playing(feed: FakeFeed, *, looking: bool = False) -> AsyncIterator[Pilot[Any]]:
    app = AgenttopApp(ReadOnly(feed) if looking else feed, clock=lambda: 0.0)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot, feed)
        yield pilot


async def check(key: str, does: Does, made: Callable[[str], FakeFeed], *, looking: bool = False) -> None:
    feed = made("starting" if does.scenario == "armed" else does.scenario)
    if does.scenario == "armed":
        feed.put(armed())
    async with playing(feed, looking=looking) as pilot:
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        await pilot.press(*does.before)
        await pilot.pause()
        scrolled, screen, sent = app.choice.scroll if app.choice else 0, text(pilot), len(feed.commands)
        assert not does.says or does.says not in screen
        assert does.takes in screen
        app._shown.fit(1, 1)
        await pilot.press(key)
        assert does.draws == (not app._shown._rows)
        if does.leaves:
            assert (await left(pilot)).how is How.DETACHED
        else:
            await until(pilot, lambda: does.says in text(pilot) and len(feed.commands) >= sent + bool(does.sends))
            if does.takes:
                await until(pilot, lambda: does.takes not in text(pilot))
        assert feed.commands[sent:] == ([does.sends] if does.sends else [])
        if isinstance(feed, FakeReplay):
            assert feed.moves == ([does.moves] if does.moves is not None else [])
        if does.scrolls is not None:
            assert app.choice is not None
            assert (scrolled, app.choice.scroll) == does.scrolls


@pytest.mark.parametrize("key", every(keys.GROUPS))
async def test_of_a_live_run(key: str) -> None:
    await check(key, KEYS[key], FakeFeed)


@pytest.mark.parametrize("key", every(keys.REPLAY_GROUPS))
async def test_of_a_replay(key: str) -> None:
    await check(key, OF_A_REPLAY[key], FakeReplay)


@pytest.mark.parametrize("key", every(keys.GROUPS))
async def test_of_a_viewer_that_only_looks(key: str) -> None:
    await check(key, OF_A_LOOKER[key], FakeFeed, looking=True)


def test_each_changes_something_and_none_is_for_a_key_that_is_gone() -> None:
    for told, groups in ((KEYS, keys.GROUPS), (OF_A_REPLAY, keys.REPLAY_GROUPS), (OF_A_LOOKER, keys.GROUPS)):
        assert set(told) == set(every(groups))
        assert all(replace(does, before=(), scenario="ramp") != Does() for does in told.values())


def test_every_key_of_the_bottom_line_is_in_the_tables() -> None:
    for line, groups in ((keys.FOOTER, keys.GROUPS), (keys.FOOTER_REPLAY, keys.REPLAY_GROUPS)):
        shown = " ".join(key.shown for group in groups for key in group.keys)
        for key, _, _ in line:
            assert all(part in shown for part in key.split()), key


@pytest.mark.parametrize(
    ("asks", "key", "sends", "leaves"),
    [
        ("q", "s", "stop", False),
        ("q", "l", "", True),
        ("q", "escape", "", False),
        ("q", "x", "", False),
        ("n", "y", "next", False),
        ("n", "n", "", False),
        ("n", "escape", "", False),
        ("n", "enter", "", False),
    ],
)
async def test_of_a_question(asks: str, key: str, sends: str, leaves: bool) -> None:
    feed = FakeFeed("ramp")
    async with playing(feed) as pilot:
        await pilot.press(asks, key)
        if leaves:
            assert (await left(pilot)).how is How.DETACHED
        else:
            await until(pilot, lambda: feed.commands == ([sends] if sends else []))
            assert "?" not in text(pilot).splitlines()[-1].replace("? help", "")


#: Of the prompt: keys, and what stands in it then.
OF_THE_PROMPT = {
    "tab": (("u", "tab"), "users "),
    "tab again": (("r", "tab", "tab"), "release"),
    "up": (("h", "o", "l", "d", "enter", "up"), "hold"),
    "down": (("h", "o", "l", "d", "enter", "up", "down"), ""),
    "backspace": (("u", "s", "backspace"), "u"),
    "enter": (("h", "o", "l", "d", "enter"), ""),
}


@pytest.mark.parametrize("name", OF_THE_PROMPT)
async def test_of_the_prompt(name: str) -> None:
    typed, stands = OF_THE_PROMPT[name]
    async with playing(FakeFeed("ramp")) as pilot:
        await pilot.press("colon", *typed)
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        await until(pilot, lambda: app.bar.prompt.text == stands)
        assert app.bar.listens
        await pilot.press("escape")
        assert not app.bar.listens


#: Of the table of stages: from the cell (1, 1), to which cell; or how many rows there are then, of 3.
OF_THE_TABLE: dict[str, tuple[int, int] | int] = {
    "up": (0, 1), "down": (2, 1), "left": (1, 0), "right": (1, 2), "tab": (1, 2), "shift+tab": (1, 0),
    "pageup": (0, 1), "pagedown": (2, 1), "home": (1, 0), "end": (1, 3),
    "ctrl+n": 4, "insert": 4, "ctrl+d": 2, "delete": 2,
}  # fmt: skip


@pytest.mark.parametrize("key", [*_MOVES, "ctrl+n", "insert", "ctrl+d", "delete"])
async def test_of_the_table_of_stages(key: str) -> None:
    async with playing(FakeFeed("ramp")) as pilot:
        await pilot.press("e", "down", "right")
        screen = pilot.app.screen
        assert isinstance(screen, EditScreen)
        assert (screen.draft.row, screen.draft.column, len(screen.draft.rows)) == (1, 1, 3)
        await pilot.press(key)
        wanted = OF_THE_TABLE[key]
        if isinstance(wanted, int):
            assert len(screen.draft.rows) == wanted
        else:
            assert (screen.draft.row, screen.draft.column) == wanted


@pytest.mark.parametrize("key", ["escape", "question_mark", "q"])
async def test_help_is_closed_by(key: str) -> None:
    async with playing(FakeFeed("ramp")) as pilot:
        await pilot.press("question_mark")
        assert isinstance(pilot.app.screen, HelpScreen)
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(pilot.app.screen, HelpScreen))


@pytest.mark.parametrize(
    ("key", "at"), [("down", 3), ("up", 1), ("tab", 3), ("shift+tab", 1), ("pagedown", 23), ("pageup", 0)]
)
async def test_the_palette_is_gone_through_by(key: str, at: int) -> None:
    async with playing(FakeFeed("ramp")) as pilot:
        await pilot.press("ctrl+p", "down", "down", key)
        screen = pilot.app.screen
        assert isinstance(screen, PaletteScreen)
        assert screen._at == at


@pytest.mark.parametrize("key", ["escape", "ctrl+p"])
async def test_the_palette_is_closed_by(key: str) -> None:
    async with playing(FakeFeed("ramp")) as pilot:
        await pilot.press("ctrl+p")
        assert isinstance(pilot.app.screen, PaletteScreen)
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(pilot.app.screen, PaletteScreen))
