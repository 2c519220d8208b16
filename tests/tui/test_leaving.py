"""Tests of agenttop.tui.result.

How the screen is left, and what is known then.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from textual.pilot import Pilot

from agenttop.metrics.snapshot import Ended
from agenttop.tui.app import AgenttopApp
from agenttop.tui.look import LIGHT_BACKGROUND, LIGHT_FOREGROUND, RGB
from agenttop.tui.result import How, LiveResult
from tests.tui.driver import CountingDriver
from tests.tui.fake import ENDED, FakeFeed
from tests.tui.pilot import left, settle, text, until


def made(feed: FakeFeed, **options: Any) -> AgenttopApp:
    return AgenttopApp(feed, clock=lambda: 0.0, **options)


async def test_the_end_is_drawn_and_then_the_screen_goes() -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        feed.advance(2)
        feed.end(Ended(99, "threshold_abort", "summary.json", "a threshold failed"))
        result = await left(pilot)
        assert "02:16" in text(pilot)
    assert result.how is How.ENDED
    assert result.ended is not None
    assert result.ended.exit_code == 99
    assert feed.closed


async def test_the_end_comes_through_a_frozen_screen_and_an_open_help() -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("space", "question_mark")
        feed.end()
        assert (await left(pilot)).ended == ENDED


async def test_control_c_stops_then_ends_at_once_then_leaves() -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: feed.commands == ["stop"])
        assert "stopping, ^C again ends at once" in text(pilot)
        assert "STOPPING" in text(pilot)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: feed.commands == ["stop", "stop now"])
        assert "ending at once" in text(pilot)
        await pilot.press("ctrl+c")
        assert await left(pilot) == LiveResult(How.LEFT, None, True)


async def test_a_signal_before_there_is_a_screen_is_done_once_there_is() -> None:
    feed = FakeFeed("ramp")
    app = made(feed)
    app.once_mounted(app.action_interrupt)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: feed.commands == ["stop"])
        app.once_mounted(app.action_interrupt)
        await until(pilot, lambda: feed.commands == ["stop", "stop now"])


async def test_control_c_asks_about_a_run_of_somebody_else_and_the_second_leaves_it_alone() -> None:
    feed = FakeFeed("ramp")
    feed.attached = True
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "quit?" in text(pilot))
        await pilot.press("ctrl+c")
        assert (await left(pilot)).how is How.DETACHED
    assert feed.commands == []


async def test_who_is_asked_may_stop_it() -> None:
    feed = FakeFeed("ramp")
    feed.attached = True
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("ctrl+c", "s")
        await until(pilot, lambda: feed.commands == ["stop"])
        await pilot.press("ctrl+c")
        await until(pilot, lambda: feed.commands == ["stop", "stop now"])


async def test_sigterm_leaves_a_run_of_somebody_else() -> None:
    feed = FakeFeed("ramp")
    feed.attached = True
    app = made(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        app.terminate()
        assert (await left(pilot)).how is How.DETACHED
    assert feed.commands == []


async def test_an_end_by_force_waits_for_no_other_command() -> None:
    feed = FakeFeed("ramp")
    feed.silent = True
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press("plus", "ctrl+c", "ctrl+c")
        await until(pilot, lambda: feed.killed)


@pytest.mark.parametrize("before", [("colon",), ("slash",), ("n",), ("question_mark",)])
async def test_control_c_works_wherever_the_focus_is(before: tuple[str, ...]) -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        await pilot.press(*before, "ctrl+c")
        await until(pilot, lambda: feed.commands == ["stop"])


async def test_sigterm_stops_and_the_second_leaves() -> None:
    feed = FakeFeed("ramp")
    app = made(feed)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        app.terminate()
        await until(pilot, lambda: feed.commands == ["stop"])
        assert app.return_value is None
        app.terminate()
        assert (await left(pilot)).how is How.LEFT


async def test_a_lost_connection_is_no_end() -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        feed.lose()
        assert await left(pilot) == LiveResult(How.LOST, None, False, "the run closed its connection")
        # The last picture stands until the screen is gone.
        assert "RUN 02:14" in text(pilot)


async def test_a_run_that_is_not_there_says_so() -> None:
    feed = FakeFeed("ramp")
    feed.broken = ConnectionRefusedError("no such run")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        assert await left(pilot) == LiveResult(How.ABSENT, None, False, "no such run")


async def test_a_command_without_an_answer_is_told() -> None:
    feed = FakeFeed("ramp")
    async with made(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        feed.broken = BrokenPipeError("gone")
        await pilot.press("plus")
        await until(pilot, lambda: "the run does not answer (gone)" in text(pilot))


async def test_a_run_gone_silent_is_told() -> None:
    feed, now = FakeFeed("ramp"), [0.0]
    app = AgenttopApp(feed, clock=lambda: now[0])
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        now[0] += 9
        app.listen()
        await pilot.pause()
        assert "no news from the run for 9s" in text(pilot)
        feed.advance()
        await settle(pilot, feed)
        assert "no news" not in text(pilot)


COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


async def draw(app: AgenttopApp, feed: FakeFeed, size: tuple[int, int], seconds: int) -> tuple[str, float]:
    """What a terminal is sent for the first picture and ``seconds`` more; the mean of the bytes a second."""
    app.driver_class = CountingDriver
    means = []

    async def work(pilot: Pilot[Any]) -> None:
        await settle(pilot, feed)
        driver = app._driver
        assert isinstance(driver, CountingDriver)
        start = driver.bytes_sent
        for _ in range(seconds):
            feed.advance()
            await settle(pilot, feed)
        means.append((driver.bytes_sent - start) / max(1, seconds))
        app.exit()

    await app.run_async(size=size, auto_pilot=work, mouse=False)
    driver = app._driver
    assert isinstance(driver, CountingDriver)
    return "".join(driver.sent), means[0]


@pytest.mark.parametrize(
    ("scenario", "size", "most"),
    [
        ("ramp", (80, 24), 2000),
        ("ramp", (120, 40), 4000),
        ("storm", (120, 40), 4000),
        ("many", (120, 40), 4000),
        ("ramp", (200, 60), 6000),
    ],
)
async def test_a_second_costs_few_bytes(scenario: str, size: tuple[int, int], most: int) -> None:
    feed = FakeFeed(scenario)
    _, mean = await draw(made(feed), feed, size, 20)
    assert 100 < mean < most


async def test_rarer_pictures_cost_less_and_keys_are_answered_at_once() -> None:
    feed = FakeFeed("ramp")
    app = made(feed, refresh_s=5.0)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, feed)
        feed.advance(4)
        await until(pilot, lambda: app.snap is feed.last)
        await pilot.pause()
        assert "02:14" in text(pilot)
        feed.advance()
        await settle(pilot, feed)
        assert "02:19" in text(pilot)
        feed.advance(2)
        await until(pilot, lambda: app.snap is feed.last)
        await pilot.press("o")
        await pilot.pause()
        assert "02:21" in text(pilot)


async def test_a_light_theme_has_dark_letters_on_light_ground() -> None:
    feed = FakeFeed("storm")
    app = made(feed, light=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        strips = app.screen._compositor.render_strips()
        assert {segment.style.bgcolor.name for segment in strips[3] if segment.style and segment.style.bgcolor} == {
            LIGHT_BACKGROUND
        }
        colours = {
            segment.style.color.name for strip in strips for segment in strip if segment.style and segment.style.color
        }
        assert LIGHT_FOREGROUND in colours
        assert not colours & {style.color.name for style in (RGB.load, RGB.text, RGB.dim) if style.color}


async def test_a_light_terminal_of_sixteen_colours_gets_no_yellow() -> None:
    feed = FakeFeed("storm")
    sent, _ = await draw(made(feed, light=True, ansi=True), feed, (120, 40), 2)
    assert COLOUR.search(sent)
    assert not re.search(r"\x1b\[(?:[0-9;]*;)?33(?:;[0-9;]*)?m", sent)


async def test_no_color_sends_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    feed = FakeFeed("storm")
    sent, _ = await draw(made(feed), feed, (120, 40), 2)
    assert "429" in sent
    assert not COLOUR.search(sent)


async def test_an_empty_no_color_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")  # https://no-color.org: present, and not an empty string
    feed = FakeFeed("storm")
    sent, _ = await draw(made(feed), feed, (120, 40), 2)
    assert COLOUR.search(sent)


async def test_sixteen_colours_are_enough() -> None:
    feed = FakeFeed("storm")
    sent, _ = await draw(made(feed, ansi=True), feed, (120, 40), 2)
    assert COLOUR.search(sent)
    assert "38;2" not in sent
    assert "38;5" not in sent
