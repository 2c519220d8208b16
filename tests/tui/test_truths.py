"""The eight states of a verdict, of runs whose figures are true, at the sizes that people have.

What is on the screen is what the verdict says of them: a state is looked at with its word, its evidence, and stages.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agenttop.tui.app import AgenttopApp
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text, until
from tests.tui.truth import STATES

SIZES = [(60, 16), (80, 24), (100, 30), (120, 40), (200, 60), (300, 80)]


def _is(pilot: Pilot[Any], size: tuple[int, int]) -> bool:
    lines = text(pilot).splitlines()
    return len(lines) == size[1] and pilot.app.size.width == size[0]


@pytest.mark.parametrize("state", STATES)
async def test_a_state_says_its_name_at_every_size(state: str, snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed(state)
    async with AgenttopApp(feed, clock=lambda: 0.0).run_test(size=SIZES[0]) as pilot:
        await settle(pilot, feed)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            await until(pilot, partial(_is, pilot, size))
            await pilot.pause()
            screen = text(pilot)
            lines = screen.splitlines()
            assert f" {state.upper()}  " in lines[1], lines[:2]
            assert " 429 " in lines[0]
            assert max(map(len, lines)) <= size[0]
            assert screen == snapshot(name=f"{size[0]}x{size[1]}")
