"""The screen of a replay: where it stands, its keys, and no load to change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agenttop.tui import keys
from agenttop.tui.app import AgenttopApp
from agenttop.tui.result import How, LiveResult
from tests.tui.fake import FakeFeed, FakeReplay
from tests.tui.pilot import left, settle, text, until

SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def showing(feed: FakeFeed, size: tuple[int, int] = (120, 40), **look: Any) -> AsyncIterator[Pilot[Any]]:
    async with AgenttopApp(feed, clock=lambda: 0.0, **look).run_test(size=size) as pilot:
        await settle(pilot, feed)
        yield pilot


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_says_in_words_where_it_stands(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    async with showing(FakeReplay("manual", speed=10.0, note="the run was cut off at 10:00"), size) as pilot:
        assert "REPLAY 04:20/10:00 ×10" in text(pilot)
        assert "the run was cut off at 10:00" in text(pilot)
        assert "r releases" not in text(pilot)
        assert text(pilot) == snapshot


@pytest.mark.parametrize("size", [*SIZES, (60, 16)])
async def test_ascii_is_ascii(size: tuple[int, int]) -> None:
    async with showing(FakeReplay("manual", speed=10.0), size, ascii=True) as pilot:
        assert text(pilot).replace("→", "->").isascii()
        await pilot.press("question_mark")
        await pilot.pause()
        assert text(pilot).isascii()


async def test_space_pauses_and_plays() -> None:
    async with showing(FakeReplay()) as pilot:
        assert "space pause" in text(pilot)
        await pilot.press("space")
        assert "REPLAY 02:14/10:00 paused" in text(pilot)
        assert "space play" in text(pilot)
        assert "FROZEN" not in text(pilot)
        await pilot.press("space", "x")
        assert "REPLAY 02:14/10:00 ×10" in text(pilot)


async def test_arrows_step_and_home_and_end_jump() -> None:
    feed = FakeReplay()
    async with showing(feed) as pilot:
        await pilot.press("left", "right", "shift+left", "shift+right", "home", "end")
        assert feed.moves == [-1.0, 1.0, -10.0, 10.0, "begin", "end"]


@pytest.mark.parametrize("size", SIZES)
async def test_what_was_after_is_forgotten_on_the_way_back(size: tuple[int, int]) -> None:
    feed = FakeReplay("storm")
    async with showing(feed, size) as pilot:
        feed.back_to(134)
        await settle(pilot, feed)
        back = text(pilot)
    there = FakeReplay("storm")
    there.back_to(134)
    async with showing(there, size) as pilot:
        assert text(pilot) == back
        assert "02:14" in back


async def test_the_load_is_over() -> None:
    async with showing(FakeReplay()) as pilot:
        for key in ("plus", "h", "p", "r"):
            await pilot.press(key)
            await until(pilot, lambda: "rejected: this is a replay" in text(pilot))
            await pilot.press("left")
            assert "rejected" not in text(pilot)
            await pilot.press("space")


async def test_silence_is_no_news_of_a_replay() -> None:
    now = [0.0]
    app = AgenttopApp(feed := FakeReplay(playing=False), clock=lambda: now[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        now[0] += 60
        app.listen()
        await pilot.pause()
        assert "no news" not in text(pilot)


@pytest.mark.parametrize("key", ["q", "ctrl+c"])
async def test_it_is_left_without_a_question(key: str) -> None:
    async with showing(FakeReplay()) as pilot:
        await pilot.press(key)
        assert await left(pilot) == LiveResult(How.DETACHED)


async def test_sigterm_leaves() -> None:
    async with showing(FakeReplay()) as pilot:
        assert isinstance(pilot.app, AgenttopApp)
        pilot.app.terminate()
        assert (await left(pilot)).how is How.LEFT


@pytest.mark.parametrize("size", [(80, 24), (60, 24)])
async def test_help_has_its_keys_and_no_others(size: tuple[int, int]) -> None:
    async with showing(FakeReplay(), size) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        for group in keys.REPLAY_GROUPS:
            for key in group.keys:
                assert f" {key.shown} " in text(pilot)
                assert key.help[:30] in text(pilot)
        assert "users" not in text(pilot)


async def test_a_live_run_has_no_such_keys() -> None:
    feed = FakeFeed("ramp")
    async with showing(feed) as pilot:
        before = text(pilot)
        await pilot.press("left", "shift+right", "home", "end", "x")
        await pilot.pause()
        assert text(pilot) == before
        assert feed.commands == []
