"""Tests of agenttop.tui.screens.edit.

Editing the stages to come on the screen.
"""

from __future__ import annotations

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agenttop.tui.app import AgenttopApp
from agenttop.tui.screens.edit import EditScreen
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text, until

SIZES = [(80, 24), (120, 40), (200, 60)]


def app_of(feed: FakeFeed, *, ascii: bool = False) -> AgenttopApp:
    return AgenttopApp(feed, ascii=ascii, clock=lambda: 0.0)


async def type_in(pilot: Pilot[Any], *words: str) -> None:
    """Names of keys, and texts to type after ``=``."""
    for word in words:
        keys = [{" ": "space"}.get(letter, letter) for letter in word[1:]] if word.startswith("=") else [word]
        await pilot.press(*keys)
    await pilot.pause()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_the_table(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "down", "right", "=80", "right", "space", "right", "=peak", "ctrl+n", "=5x")
        assert text(pilot) == snapshot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_asks(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("manual")
    async with app_of(feed).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "right", "=250", "enter")
        assert text(pilot) == snapshot


async def test_nothing_is_applied_before_it_is_confirmed() -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "right", "=80", "enter")
        assert "apply this from now on?" in text(pilot)
        await type_in(pilot, "n")
        assert "apply this" not in text(pilot)
        await type_in(pilot, "escape")
        assert not isinstance(pilot.app.screen, EditScreen)
        assert feed.commands == []
        await type_in(pilot, "e")
        assert "80" not in text(pilot).split("how")[1].split("2 ")[0]  # all is as it was
        await type_in(pilot, "right", "=80", "enter", "enter")
        await until(pilot, lambda: feed.commands == ["plan ramp: rest 80, 5m30s step 200, 1m 0"])
        await until(pilot, lambda: not isinstance(pilot.app.screen, EditScreen))
        assert "applied" in text(pilot)


async def test_what_is_wrong_is_said_at_once_and_not_applied() -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "down", "=5x")
        assert "! row 2: '5x' is no duration: type one such as 30s, 5m or 1h30m" in text(pilot)
        await type_in(pilot, "enter")
        assert "apply this" not in text(pilot)
        await type_in(pilot, "backspace", "=m")
        assert "ends at " in text(pilot)


async def test_what_the_run_rejects_stays_on_the_screen() -> None:
    feed = FakeFeed("ramp")
    command = "plan ramp: rest, 5m30s step 200"
    feed.rejections[command] = "a run has 1000 stages at most"
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "down", "down", "ctrl+d", "enter", "y")
        await until(pilot, lambda: "! rejected: a run has 1000 stages at most" in text(pilot))
        assert feed.commands == [command]
        await type_in(pilot, "escape")
        assert not isinstance(pilot.app.screen, EditScreen)


async def test_it_follows_the_run_though_the_screen_is_frozen() -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "space", "e")
        assert "rest (01:16)" in text(pilot)
        feed.advance(6)
        await settle(pilot, feed)
        assert "rest (01:10)" in text(pilot)
        feed.advance(80)
        await settle(pilot, feed)
        assert "its row is gone" in text(pilot)
        assert "hold" in text(pilot).split("how")[1].splitlines()[1]


async def test_many_rows_scroll() -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", *["ctrl+n"] * 40)
        assert "▸ 41" in text(pilot).replace("▸  41", "▸ 41")
        await type_in(pilot, *["pageup"] * 5)
        assert "rest (" in text(pilot)


async def test_letters_are_no_commands_in_there() -> None:
    feed = FakeFeed("ramp")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e", "end", "=hold +now", "escape")
        assert feed.commands == []


async def test_a_run_that_drains_has_nothing_to_edit() -> None:
    feed = FakeFeed("done")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e")
        assert not isinstance(pilot.app.screen, EditScreen)


async def test_a_search_has_nothing_to_edit() -> None:
    feed = FakeFeed("search")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e")
        assert not isinstance(pilot.app.screen, EditScreen)
        assert "a search for capacity sets the load itself" in text(pilot)


async def test_ascii_is_ascii() -> None:
    feed = FakeFeed("open")
    async with app_of(feed, ascii=True).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await type_in(pilot, "e")
        assert text(pilot).isascii()
        assert "rate /s" in text(pilot)
