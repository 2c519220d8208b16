"""Tests of agenttop.tui.widgets.compositor, agenttop.tui.widgets.bar.

What a key costs: only what it changes is sent, and that once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rich.console import RenderableType
from textual.pilot import Pilot
from textual.screen import Screen

from agenttop.tui.app import AgenttopApp
from tests.tui.driver import CountingDriver
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, until

SIZES = [(80, 24), (120, 40)]
#: For a prompt, a question and their leaving, in bytes.
MOST = 1000
#: Of what a first picture of a screen costs.
SHARE = 1.2
#: More turns of the loop than a screen takes to be drawn.
TURNS = 8


class Counted(AgenttopApp):
    """An app that counts what its terminal is sent."""

    def __init__(self, feed: FakeFeed) -> None:
        super().__init__(feed, clock=lambda: 0.0)
        self.driver_class = CountingDriver
        self.pictures: list[int] = []
        """Of each picture that sent something its bytes."""

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        before = self.sent
        super()._display(screen, renderable)
        if self.sent > before:
            self.pictures.append(self.sent - before)

    @property
    def sent(self) -> int:
        assert isinstance(self._driver, CountingDriver)
        return self._driver.bytes_sent


async def count(size: tuple[int, int], steps: Callable[[Counted, Pilot[Any]], Any]) -> None:
    """Do something with a run of this size, once it is drawn."""
    feed = FakeFeed("ramp")
    app = Counted(feed)
    done = []

    async def work(pilot: Pilot[Any]) -> None:
        await settle(pilot, feed)
        await press(app, pilot)
        await steps(app, pilot)
        done.append(True)
        app.exit()

    await app.run_async(size=size, auto_pilot=work, mouse=False)
    assert done


async def press(app: Counted, pilot: Pilot[Any], *keys: str) -> list[int]:
    """Press keys; the bytes of each picture that followed."""
    app.pictures.clear()
    await pilot.press(*keys)
    for _ in range(TURNS):
        await pilot.pause()
    return app.pictures.copy()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["colon", "slash", "q", "n"])
async def test_a_prompt_and_a_question_cost_a_line(key: str, size: tuple[int, int]) -> None:
    async def steps(app: Counted, pilot: Pilot[Any]) -> None:
        places = app.main.places
        for pressed in (key, "escape"):
            pictures = await press(app, pilot, pressed)
            assert len(pictures) == 1
            assert 0 < pictures[0] < MOST
        assert app.main.places is places
        assert app.focused is None

    await count(size, steps)


@pytest.mark.parametrize("size", SIZES)
async def test_typing_costs_letters(size: tuple[int, int]) -> None:
    async def steps(app: Counted, pilot: Pilot[Any]) -> None:
        await press(app, pilot, "colon")
        for key in ("r", "e", "tab", "tab", "backspace", "up"):
            assert sum(await press(app, pilot, key)) < MOST

    await count(size, steps)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["question_mark", "e", "ctrl+p", "5", "8", "3"])
async def test_a_screen_and_its_leaving_are_sent_once(key: str, size: tuple[int, int]) -> None:
    async def steps(app: Counted, pilot: Pilot[Any]) -> None:
        firsts = {}
        for pressed in (key, "escape", key, "escape"):
            pictures = await press(app, pilot, pressed)
            if pressed not in firsts:
                (firsts[pressed],) = await press(app, pilot, "ctrl+l") if app.screen is app.main else [whole(app)]
            assert len(pictures) == 1, pictures
            assert pictures[0] <= SHARE * firsts[pressed]

    await count(size, steps)


def whole(app: Counted) -> int:
    """What the screen of now costs on a terminal that shows nothing of it, in bytes."""
    before = app.sent
    app._shown.forget()
    app._display(app.screen, app.screen._compositor.render_update(full=True))
    return app.sent - before


async def test_the_screen_is_sent_whole_when_that_is_asked_for() -> None:
    async def steps(app: Counted, pilot: Pilot[Any]) -> None:
        (drawn,) = await press(app, pilot, "ctrl+l")
        assert drawn > 3 * MOST
        assert await press(app, pilot, "escape") == []

    await count((80, 24), steps)


async def test_a_terminal_that_had_another_size_is_drawn_whole() -> None:
    async def steps(app: Counted, pilot: Pilot[Any]) -> None:
        (drawn,) = await press(app, pilot, "ctrl+l")
        await pilot.resize_terminal(81, 24)
        await until(pilot, lambda: app.main.size.width == 81)
        app.pictures.clear()
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: app.main.size.width == 80)
        await until(pilot, lambda: sum(app.pictures) >= drawn)

    await count((80, 24), steps)
