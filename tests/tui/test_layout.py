"""Tests of agenttop.tui.panes.table, agenttop.tui.widgets.arranged, agenttop.tui.widgets.box.

What the screen says, for every state and size.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from rich.cells import cell_len
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agenttop.tui.app import AgenttopApp
from agenttop.tui.arrange import layout_of
from agenttop.tui.panes import table
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text, until
from tests.tui.sim import SCENARIOS

SIZES = [(80, 24), (120, 40), (200, 60)]
#: As pictures too, so that colours are looked at.
PICTURES = [("ramp", size) for size in SIZES] + [("storm", (80, 24)), ("hang", (80, 24)), ("manual", (120, 40))]


def still() -> float:
    """A clock that stands still."""
    return 0.0


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_every_state_at_every_size(scenario: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed(scenario)
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        screen = text(pilot)
    lines = screen.splitlines()
    assert len(lines) <= size[1]
    assert "\x1b" not in screen
    assert screen == snapshot


@pytest.mark.parametrize(
    ("scenario", "size"), PICTURES, ids=lambda value: value if isinstance(value, str) else f"{value[0]}x{value[1]}"
)
def test_pictures(scenario: str, size: tuple[int, int], snap_compare: Callable[..., bool]) -> None:
    feed = FakeFeed(scenario)

    async def ready(pilot: Pilot[Any]) -> None:
        await settle(pilot, feed)

    assert snap_compare(AgenttopApp(feed, clock=still), terminal_size=size, run_before=ready)


def _has_rows(pilot: Pilot[Any], rows: int) -> bool:
    return len(text(pilot).splitlines()) == rows


@pytest.mark.parametrize("scenario", ["storm", "manual", "many", "open", "thresholds", "search"])
async def test_ascii_is_ascii(scenario: str) -> None:
    feed = FakeFeed(scenario)
    async with AgenttopApp(feed, ascii=True, clock=still).run_test(size=SIZES[0]) as pilot:
        await settle(pilot, feed)
        for size in (*SIZES, (60, 16), (100, 30), (119, 38)):
            await pilot.resize_terminal(*size)
            await until(pilot, partial(_has_rows, pilot, size[1]))
            screen = text(pilot)
            assert len(screen.splitlines()) == size[1]
            assert screen.isascii(), [char for char in screen if not char.isascii()]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("entry", table.by_key(), ids=lambda entry: entry.name)
async def test_every_pane_enlarged(entry: table.Entry, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    scenario = {
        "thresholds": "budget", "budget": "budget", "quotas": "budget", "quality": "graded", "stages": "queues",
        "boxes": "fleet",
    }  # fmt: skip
    feed = FakeFeed(scenario.get(entry.name, "errors"))
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press(entry.key)
        await pilot.pause()
        screen = text(pilot)
    assert "\x1b" not in screen
    assert screen == snapshot


@pytest.mark.parametrize("scenario", ["long_names", "errors"])
@pytest.mark.parametrize("size", [(60, 16), (120, 40)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_text_of_a_target_moves_nothing_in_any_pane(scenario: str, size: tuple[int, int]) -> None:
    feed = FakeFeed(scenario)
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        for entry in table.by_key():
            await pilot.press(entry.key)
            await pilot.pause()
            lines = text(pilot).splitlines()
            assert not any(unicodedata.category(char) in ("Cc", "Cf") for line in lines for char in line)
            edges = {cell_len(line) for line in lines[2:-1]}
            assert edges == {size[0]}, entry.name


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_frozen(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press("space")
        feed.advance(9)
        await settle(pilot, feed)
        assert text(pilot) == snapshot


@pytest.mark.parametrize("size", [(60, 16), (110, 36), (180, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scenario", ["ramp", "budget"])
async def test_the_smallest_terminal_of_each_layout(
    scenario: str, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    feed = FakeFeed(scenario)
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        assert text(pilot) == snapshot


SCREENS = {
    "help": ("question_mark",),
    "help of a pane": ("3", "question_mark"),
    "palette": ("ctrl+p",),
    "palette typed": ("ctrl+p", *"pane", "space", *"re", "down"),
    "palette without a match": ("ctrl+p", *"zz"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", SCREENS)
async def test_what_comes_over_the_run(name: str, size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        await pilot.press(*SCREENS[name])
        await pilot.pause()
        assert text(pilot) == snapshot


@pytest.mark.parametrize("key", ["question_mark", "ctrl+p"])
async def test_help_and_palette_in_ascii(key: str, snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed, ascii=True, clock=still).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press(key)
        await pilot.pause()
        screen = text(pilot)
    assert screen.isascii()
    assert screen == snapshot


async def test_ascii_has_the_same_words(snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("manual")
    async with AgenttopApp(feed, ascii=True, clock=still).run_test(size=(120, 40)) as pilot:
        await settle(pilot, feed)
        assert text(pilot) == snapshot


@pytest.mark.parametrize("size", [(59, 24), (80, 15), (20, 5)])
async def test_a_terminal_too_small_says_the_size_needed(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed, clock=still).run_test(size=size) as pilot:
        await settle(pilot, feed)
        assert "needs 60×16"[: size[0] - 9] in text(pilot)
        assert text(pilot).rstrip() == snapshot
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "latency ms" in text(pilot)


async def test_the_layout_follows_the_size_while_running() -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed, clock=still).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        shown: dict[tuple[int, int], str] = {}
        for size in [(80, 24), (120, 40), (200, 60), (120, 40), (40, 10), (200, 60), (80, 24)]:
            await pilot.resize_terminal(*size)
            await pilot.pause()
            await pilot.pause()
            assert shown.setdefault(size, text(pilot)) == text(pilot)
        assert "latency ms" in shown[80, 24]
        assert "time to first token" in shown[120, 40]
        assert "percentiles" in shown[200, 60]
        assert "percentiles" not in shown[120, 40]


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((59, 16), "tiny"),
        ((60, 16), "compact"),
        ((109, 60), "compact"),
        ((200, 35), "compact"),
        ((110, 36), "boxed"),
        ((200, 49), "boxed"),
        ((180, 50), "large"),
    ],
)
def test_layouts_by_size(size: tuple[int, int], layout: str) -> None:
    assert layout_of(*size) == layout
