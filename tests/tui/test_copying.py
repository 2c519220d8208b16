"""Tests of agenttop.tui.copying, agenttop.tui.screen_actions.

What y copies, as the terminal gets it.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from textual.pilot import Pilot

from agenttop.tui.copying import cut
from tests.tui.fake import FakeFeed, FakeReplay
from tests.tui.pilot import settle, text
from tests.tui.test_cost import Counted


def clipboard(app: Counted) -> list[str]:
    """What was sent to it."""
    sent = "".join(app._driver.sent)  # type: ignore[union-attr]
    return [base64.b64decode(found).decode() for found in re.findall("\x1b]52;c;([A-Za-z0-9+/=]*)\x07", sent)]


async def pressed(feed: FakeFeed, *keys: str) -> tuple[list[str], str]:
    """The clipboard, and the screen before the last key."""
    app, found = Counted(feed), []

    async def work(pilot: Pilot[Any]) -> None:
        await settle(pilot, feed)
        await pilot.press(*keys[:-1])
        await pilot.pause()
        found.append(text(pilot))
        await pilot.press(keys[-1])
        await pilot.pause()
        found.append(text(pilot))
        app.exit()

    await app.run_async(size=(80, 24), auto_pilot=work, mouse=False)
    assert "copied: " in found[1].splitlines()[-1]
    return clipboard(app), found[0]


@pytest.mark.parametrize("made", [FakeFeed, FakeReplay])
async def test_the_screen_is_copied_as_it_stands(made: type[FakeFeed]) -> None:
    copied, screen = await pressed(made("storm"), "y")
    assert copied == [screen + "\n"]


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5", "8", "0"])
async def test_an_enlarged_pane_is_copied_without_what_stands_around_it(key: str) -> None:
    (copied,), screen = await pressed(FakeFeed("storm"), key, "y")
    assert copied.splitlines() == screen.splitlines()[2:-1]
    assert "\x1b" not in copied


async def test_of_a_list_all_is_copied() -> None:
    (copied,), screen = await pressed(FakeFeed("many"), "5", "y")
    assert screen.count("case-") < 20
    assert copied.count("case-") > 400
    assert "more:" not in copied
    assert len(copied.encode()) <= 56_000


def test_what_is_too_long_is_cut_at_a_line_and_said() -> None:
    assert cut("ab\nä\n", 6) == ("ab\nä\n", "2 lines, to the terminal's clipboard (OSC 52)")
    assert cut("ab\nä\n", 5) == ("ab\n", "the first 1 of 2 lines, to the terminal's clipboard (OSC 52)")
