"""A run that waits to be started, as the screen has it."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from agenttop.tui.app import AgenttopApp
from agenttop.tui.result import How
from agenttop.view.feed import ReadOnly
from tests.tui.fake import FakeFeed
from tests.tui.pilot import left, settle, text, until
from tests.tui.states import SIZES, armed

WORDS = "ARMED: press enter to start"


def app_of(feed: FakeFeed) -> AgenttopApp:
    feed.put(armed())
    return AgenttopApp(feed, clock=lambda: 0.0)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_what_it_says(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("starting")
    async with app_of(feed).run_test(size=size) as pilot:
        await settle(pilot, feed)
        assert WORDS in text(pilot)
        assert text(pilot) == snapshot


@pytest.mark.parametrize("size", [(27, 3), (59, 24), (60, 16), (80, 15), (100, 30)])
async def test_it_says_so_at_every_size(size: tuple[int, int]) -> None:
    feed = FakeFeed("starting")
    async with app_of(feed).run_test(size=size) as pilot:
        await settle(pilot, feed)
        assert WORDS in text(pilot)


async def test_enter_starts_it_and_nothing_but_it() -> None:
    feed = FakeFeed("starting")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press(":", "h", "o", "l", "d", "enter", "escape")  # that enter is the prompt's
        await until(pilot, lambda: feed.commands == ["hold"])
        await pilot.press("enter")
        await until(pilot, lambda: feed.commands == ["hold", "start"])
        feed.advance()
        await settle(pilot, feed)
        assert WORDS not in text(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert feed.commands == ["hold", "start"]


async def test_q_ends_it_without_a_question() -> None:
    feed = FakeFeed("starting")
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("q")
        await until(pilot, lambda: feed.commands == ["stop"])
        feed.end()
        result = await left(pilot)
    assert result.stop_requested


async def test_what_else_enter_is_for_does_not_start_it() -> None:
    feed = FakeFeed("starting")
    feed.put(armed())
    async with app_of(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("ctrl+p", *"this request")
        await until(pilot, lambda: "screen: 5: this request alone" in text(pilot))
        await pilot.press("enter", "ctrl+p", *"start an armed")
        await until(pilot, lambda: "run: start an armed run" in text(pilot))
        assert feed.commands == []
        await pilot.press("enter")
        await until(pilot, lambda: feed.commands == ["start"])


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_who_only_looks_leaves_it_waiting(key: str) -> None:
    feed = FakeFeed("starting")
    feed.put(armed())
    async with AgenttopApp(ReadOnly(feed), clock=lambda: 0.0).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        assert "ARMED: nothing is sent yet" in text(pilot)
        assert "press enter" not in text(pilot)
        await pilot.press(key)
        result = await left(pilot)
    assert (result.how, result.stop_requested, feed.commands) == (How.DETACHED, False, [])
