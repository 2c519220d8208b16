"""Tests of agenttop.cli.first, agenttop.tui.widgets.first: what stands there before anything is known."""

from __future__ import annotations

import argparse
import tomllib
from pathlib import Path

import pytest

from agenttop.cli import first
from agenttop.cli.first import picture
from agenttop.tui.app import AgenttopApp
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text

PROFILE = """
target = "https://user:secret@example.org/v1?key=secret"
[[stages]]
name = "warm"
users = 5
duration = "30s"
[[stages]]
users = 200
duration = "2m"
[[pools]]
name = "chat"
protocol = "sse"
"""


def test_it_says_what_the_profile_says_and_no_secret() -> None:
    assert picture("p.toml", tomllib.loads(PROFILE), {"limit": 60.0}) == [
        " agenttop  p.toml",
        " target    checking https://example.org/v1 …",
        " plan      warm 5 users 30s → 200 users 2m · 60s at most",
        " pools     chat (sse)",
    ]
    said = {"users": 7, "spawn_rate": 2.0, "target": "http://a"}
    assert picture("p.toml", tomllib.loads(PROFILE), said)[1:3] == [
        " target    checking http://a …",
        " plan      7 users, 2 a second",
    ]


@pytest.mark.parametrize("raw", [{}, {"stages": 3, "pools": {"name": 1}}, {"pools": [3, {"name": 4}], "stages": [1]}])
def test_what_is_not_as_expected_is_left_out(raw: dict[str, object]) -> None:
    assert picture("p.toml", raw, {})[0] == " agenttop  p.toml"


def test_nothing_is_printed_without_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(headless=False, ascii=False)
    first.begin(options, "p.toml", profile=tmp_path / "p.toml")
    assert (options.first, capsys.readouterr().out) == (None, "")


async def test_it_stands_on_the_screen_until_the_run_says_something() -> None:
    feed = FakeFeed("ramp")
    held, feed._queue = feed._queue, type(feed._queue)()
    async with AgenttopApp(feed, first=("agenttop p.toml", "checking http://a …")).run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "checking http://a …" in text(pilot)
        while not held.empty():
            feed._queue.put_nowait(held.get_nowait())
        await settle(pilot, feed)
        assert "checking" not in text(pilot)
        assert "RUN" in text(pilot)
