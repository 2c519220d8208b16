"""Waiting for the app without sleeping, and reading its screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.pilot import Pilot

from agenttop.tui.app import AgenttopApp
from agenttop.tui.result import LiveResult
from tests.tui.fake import FakeFeed

#: More turns of the event loop than anything here takes.
TURNS = 2500


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Let the app work until ``condition`` holds."""
    for _ in range(TURNS):
        if condition():
            return
        await pilot.pause()
    raise AssertionError(f"never came true; the screen says:\n{text(pilot)}")


async def settle(pilot: Pilot[Any], feed: FakeFeed) -> None:
    """Until the last snapshot of ``feed`` is drawn."""
    app = pilot.app
    assert isinstance(app, AgenttopApp)
    await until(pilot, lambda: app.snap is feed.last and app.drawn_seq == (feed.last.seq if feed.last else -1))
    await pilot.pause()


async def left(pilot: Pilot[Any]) -> LiveResult:
    """Until the app is left, and how it was."""
    await until(pilot, lambda: pilot.app.return_value is not None)
    result = pilot.app.return_value
    assert isinstance(result, LiveResult)
    return result


def text(pilot: Pilot[Any]) -> str:
    """What stands on the screen."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())
