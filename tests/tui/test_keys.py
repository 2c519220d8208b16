"""Every key, by what is sent and what the screen says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from agenttop.steering.commands import COMMANDS
from agenttop.tui import keys
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import table
from agenttop.tui.panes.about import ABOUT
from agenttop.tui.result import How, LiveResult
from agenttop.tui.screens.palette import Choice, PaletteScreen, matching
from agenttop.tui.view import View
from tests.tui.fake import FakeFeed
from tests.tui.pilot import left, settle, text, until


@asynccontextmanager
async def running(feed: FakeFeed, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Pilot[Any]]:
    async with AgenttopApp(feed, clock=lambda: 0.0).run_test(size=size) as pilot:
        await settle(pilot, feed)
        yield pilot


async def sent(pilot: Pilot[Any], feed: FakeFeed, *commands: str) -> None:
    await until(pilot, lambda: len(feed.commands) >= len(commands))
    assert feed.commands == list(commands)


async def test_a_rejection_says_why_and_goes_away_after_five_seconds_of_the_run() -> None:
    feed = FakeFeed("ramp")
    feed.rejections["users +1"] = "the profile caps users at \x1b[31m124"
    async with running(feed) as pilot:
        await pilot.press("plus")
        await until(pilot, lambda: "! rejected: the profile caps users at [31m124" in text(pilot))
        feed.advance(4)
        await settle(pilot, feed)
        assert "rejected" in text(pilot)
        feed.advance(1)
        await settle(pilot, feed)
        assert "rejected" not in text(pilot)
        assert "q quit" in text(pilot)


async def test_commands_go_to_the_selected_pool() -> None:
    feed = FakeFeed("ramp")
    async with running(feed, (200, 60)) as pilot:
        await pilot.press("tab")
        assert "▸ chat" in text(pilot)
        await pilot.press("plus", "tab", "r", "a", "minus")
        await sent(pilot, feed, "users +1 chat", "release tools", "users -1")
        assert "▸" not in text(pilot)


async def test_r_releases_what_is_by_hand_though_another_pool_is_selected() -> None:
    feed = FakeFeed("manual")
    last = feed.last
    assert last is not None
    async with running(feed) as pilot:
        assert "r releases" in text(pilot)
        await pilot.press("tab", "r")
        await sent(pilot, feed, "release")
        feed.put(msgspec.structs.replace(last, seq=last.seq + 1, t_s=last.t_s + 1, manual=("chat", "tools")))
        await settle(pilot, feed)
        await pilot.press("r", "tab", "tab", "r")
        await sent(pilot, feed, "release", "release chat", "release")


async def test_tab_goes_through_all_pools_and_back_to_all() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        seen = []
        for _ in range(5):
            assert app.choice is not None
            seen.append(app.choice.pool)
            await pilot.press("tab")
        assert seen == [None, "chat", "tools", "voice", None]


async def test_an_open_pool_gets_a_rate_and_quick_presses_add_up() -> None:
    feed = FakeFeed("open")
    async with running(feed) as pilot:
        assert feed.last is not None
        await pilot.press("plus", "plus", "right_square_bracket", "minus")
        base = feed.last.rate
        await sent(pilot, feed, *(f"rate {base + step:.10g}" for step in (1, 2, 12, 11)))
        assert "+ - rate" not in text(pilot)  # an answer stands there
        feed.advance(2)
        await settle(pilot, feed)
        await pilot.press("tab", "minus")
        row = feed.last.pools[0]
        await until(pilot, lambda: len(feed.commands) == 5)
        assert feed.commands[-1] == f"rate {row.target - 1:.10g} chat"


async def test_a_rate_never_goes_below_zero() -> None:
    feed = FakeFeed("open")
    async with running(feed) as pilot:
        await pilot.press(*["left_square_bracket"] * 8)
        await until(pilot, lambda: len(feed.commands) == 8)
        assert feed.commands[-1] == "rate 0"


async def test_h_resumes_what_is_held() -> None:
    feed = FakeFeed("held")
    async with running(feed) as pilot:
        assert "HELD" in text(pilot)
        await pilot.press("h")
        await sent(pilot, feed, "resume")


async def test_n_asks_first() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("n")
        assert "go on to stage hold?" in text(pilot)
        # Any other key means no, and does nothing else.
        await pilot.press("plus")
        assert "go on to stage" not in text(pilot)
        assert feed.commands == []
        await pilot.press("n", "y")
        await sent(pilot, feed, "next")


async def test_space_freezes_and_says_how_old_while_commands_go_on() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        before = text(pilot).splitlines()[2:30]
        await pilot.press("space")
        assert "FROZEN" in text(pilot)
        feed.advance(7)
        await settle(pilot, feed)
        assert "FROZEN 7s ago" in text(pilot)
        assert text(pilot).splitlines()[2:30] == before
        await pilot.press("plus")
        await sent(pilot, feed, "users +1")
        await pilot.press("space")
        assert "FROZEN" not in text(pilot)
        assert "02:21" in text(pilot)


#: Words that are on the screen while the pane of a key is enlarged.
ENLARGED = {
    "1": "planned",
    "2": "in flight",
    "3": "answer does not contain an order number",
    "4": "between chunks",
    "5": "tools/lookup",
    "6": "stage 1 warm: ",
    "7": "llm_call grew most: ",
    "8": "of each column",
    "9": "voice",
    "0": "busiest core",
    "k": "no request has ended yet",
    "v": "the profile has none",
    "b": "the profile has none",
    "l": "no target tells of its limits",
    "m": "this run is on one machine",
    "g": "the profile grades nothing",
}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_numbers_enlarge_a_pane_and_escape_goes_back(size: tuple[int, int]) -> None:
    assert set(ENLARGED) == {entry.key for entry in table.by_key()}
    feed = FakeFeed("ramp")
    async with running(feed, size) as pilot:
        before = text(pilot)
        for key, words in ENLARGED.items():
            await pilot.press(key)
            await pilot.pause()
            enlarged = text(pilot)
            assert words in enlarged, key
            assert f"{key} " in enlarged.splitlines()[2], key
            assert enlarged != before, key
            await pilot.press("escape")
            await pilot.pause()
            assert text(pilot) == before, key


@pytest.mark.parametrize("key", ["2", "4", "5", "v"])
async def test_the_digit_again_goes_back(key: str) -> None:
    feed = FakeFeed("ramp")
    async with AgenttopApp(feed).run_test(size=(80, 24)) as pilot:
        await settle(pilot, feed)
        before = text(pilot)
        await pilot.press(key)
        await pilot.pause()
        assert text(pilot) != before
        await pilot.press(key)
        await until(pilot, lambda: text(pilot) == before)


async def test_an_enlarged_list_scrolls() -> None:
    feed = FakeFeed("many")
    async with running(feed, (80, 24)) as pilot:
        await pilot.press("o", "o", "o", "o", "5")  # by name
        await pilot.pause()
        assert "→ case-0000" in text(pilot)
        await pilot.press("down", "down")
        assert "case-0000" in text(pilot)
        assert "→ case-0002" in text(pilot)
        await pilot.press("pagedown", "pagedown")
        assert "case-0002" not in text(pilot)
        await pilot.press("up", "pageup", "pageup", "pageup")
        assert "case-0000" in text(pilot)
        await pilot.press("slash", *"119", "enter", "pagedown", "pagedown", "pagedown")
        assert "case-1199" in text(pilot)


async def test_a_filter_is_live_kept_by_enter_and_cleared_by_escape() -> None:
    feed = FakeFeed("many")
    async with running(feed) as pilot:
        await pilot.press("slash", *"0042")
        await until(pilot, lambda: "1 of 1200" in text(pilot))
        assert "case-0042" in text(pilot)
        await pilot.press("enter")
        assert "filter 0042" in text(pilot)
        await pilot.press("slash")
        await pilot.press("escape")
        await until(pilot, lambda: "more:" in text(pilot))
        await pilot.press("slash", *"zz", "enter")
        await until(pilot, lambda: "no request matches 'zz'" in text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "more:" in text(pilot))


async def test_o_cycles_the_order() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        marked = []
        for _ in range(6):
            table = next(line for line in text(pilot).splitlines() if "TTFT p95" in line)
            marked.append(table.split("▾ ")[1].split("  ")[0] if "▾" in table else "name")
            await pilot.press("o")
        assert [mark.split()[0] for mark in marked] == ["rps", "p95", "429", "err", "name", "rps"]


async def test_the_prompt_sends_exact_commands_and_remembers_them() -> None:
    feed = FakeFeed("ramp")
    feed.rejections["users many"] = "'many' is not a number"
    async with running(feed) as pilot:
        await pilot.press("colon", *"users", "space", *"200", "enter")
        await sent(pilot, feed, "users 200")
        await until(pilot, lambda: "applied: users" in text(pilot))
        await pilot.press(*"users", "space", *"many", "enter")
        await until(pilot, lambda: "! rejected: 'many' is not a number" in text(pilot))
        await pilot.press("up", "up", "enter")
        await sent(pilot, feed, "users 200", "users many", "users 200")
        await pilot.press("up", "down")
        await pilot.press("escape")
        await pilot.pause()
        # Keys are keys again.
        await pilot.press("h")
        await until(pilot, lambda: feed.commands[-1] == "hold")


async def test_the_prompt_completes() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("colon", *"rel")
        await until(pilot, lambda: "release" in text(pilot).splitlines()[-1])
        await pilot.press("tab", "enter")
        await sent(pilot, feed, "release")


async def test_tab_goes_through_commands_and_pools() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("colon", "s", "tab")
        await until(pilot, lambda: text(pilot).splitlines()[-1].startswith(" : start"))
        await pilot.press("tab", "tab")
        await until(pilot, lambda: text(pilot).splitlines()[-1].startswith(" : status"))
        await pilot.press("tab", "tab", "space", "tab", "enter")
        await sent(pilot, feed, "stop now")
        await pilot.press(*"users", "space", *"+5", "space", "t", "tab", "enter")
        await sent(pilot, feed, "stop now", "users +5 tools")


async def test_the_prompt_says_the_grammar_while_one_types() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("colon", "r")
        await until(pilot, lambda: "rate release resume" in text(pilot).splitlines()[-1])
        await pilot.press(*"ate")
        await until(pilot, lambda: "rate N [POOL]: iterations per second" in text(pilot).splitlines()[-1])
        await pilot.press("x", "space")
        await until(pilot, lambda: "no command ratex" in text(pilot).splitlines()[-1])


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 24)])
async def test_help_has_every_key(size: tuple[int, int]) -> None:
    feed = FakeFeed("ramp")
    async with running(feed, size) as pilot:
        before = text(pilot)
        await pilot.press("question_mark")
        await pilot.pause()
        screens = [text(pilot)]
        for _ in range(4):
            await pilot.press("pagedown")
            screens.append(text(pilot))
        screen = "\n".join(screens)
        for group in keys.GROUPS:
            for key in group.keys:
                assert f" {key.shown} " in screen
                assert key.help in screen
        for form in COMMANDS.values():
            assert f" {form}" in screen
        assert "stop and summarise" in screen
        for name in ("oldest", "lag", "manual", "yellow", "red", "dim"):
            assert any(f" {name} " in line for line in screen.splitlines()), name
        await pilot.press("escape")
        await pilot.pause()
        assert text(pilot) == before


async def test_help_begins_with_the_enlarged_pane() -> None:
    feed = FakeFeed("ramp")
    async with running(feed, (80, 24)) as pilot:
        for entry in table.by_key():
            await pilot.press(entry.key, "question_mark")
            await pilot.pause()
            lines = text(pilot).splitlines()
            assert f"help: {entry.name}" in lines[0]
            assert ABOUT[entry.name].lines[0] in lines[1]
            assert all(len(line) < 79 for line in ABOUT[entry.name].lines)
            assert "esc all panes" in text(pilot)
            await pilot.press("escape")


async def test_t_changes_the_time_of_all_trends() -> None:
    feed = FakeFeed("storm")
    async with running(feed, (200, 60)) as pilot:
        for words in ("last 5m", "whole run", "last 1m", "last 5m"):
            # Requests per second, first token, total, and latency over time.
            assert text(pilot).count(words) == 4
            await pilot.press("t")
            await pilot.pause()


async def test_the_palette_does_what_is_chosen_by_name() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("ctrl+p", *"pane", "space", *"req")
        await until(pilot, lambda: "▸ pane: requests" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "5 requests" in text(pilot).splitlines()[2])
        await pilot.press("escape", "ctrl+p", *"hold", "enter")
        await sent(pilot, feed, "hold")
        await pilot.press("ctrl+p", *"command", "space", *"users", "enter")
        await until(pilot, lambda: " : users" in text(pilot).splitlines()[-1])
        await pilot.press("9", "enter", "escape")
        await sent(pilot, feed, "hold", "users 9")
        await pilot.press("ctrl+p", *"zzz")
        await until(pilot, lambda: "nothing is called that" in text(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: "requests per second" in text(pilot))


@pytest.mark.parametrize(
    ("typed", "pane"),
    [
        ("rps", "rate"), ("429", "errors"), ("quota", "quotas"), ("slow", "latency"), ("knee", "plan"),
        ("heatmap", "heat"), ("lag", "generator"), ("bottleneck", "phases"), ("ttft", "latency"), ("thr", "thresholds"),
        ("gnrt", "generator"), ("oldest", "rate"), ("limits", "quotas"), ("cost", "budget"), ("score", "quality"),
        ("logarithmic", "latency"),
    ],
)  # fmt: skip
async def test_the_palette_finds_what_is_on_the_screen(typed: str, pane: str) -> None:
    async with running(FakeFeed("ramp"), (80, 24)) as pilot:
        await pilot.press("ctrl+p", *typed)
        screen = pilot.app.screen
        assert isinstance(screen, PaletteScreen)
        found = [choice.text for choice in matching(screen._choices, typed)]
        assert f"pane: {pane}" in found[:3], found


def test_the_palette_puts_the_nearest_first_and_leaves_out_the_rest() -> None:
    choices = [Choice(text, "", print, also) for text, also in (
        ("pane: phases", "slow"), ("run: go slower", ""), ("x: the slow one", ""), ("load: salt owner", ""), ("a", "b")
    )]  # fmt: skip
    assert [choice.text for choice in matching(choices, "slow")] == [
        "run: go slower", "x: the slow one", "pane: phases",
    ]  # fmt: skip
    assert [choice.text for choice in matching(choices, "slwr")] == ["run: go slower"]
    assert matching(choices, "zz") == []


async def test_the_palette_has_every_pane_key_and_command() -> None:
    feed = FakeFeed("ramp")
    async with running(feed, (80, 80)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.pause()
        screen = text(pilot)
        for entry in table.by_key():
            assert f"pane: {entry.name} " in screen
        for group in keys.GROUPS:
            for key in group.keys:
                assert key.action in keys.WITH_KEY or key.help in screen
        for form in COMMANDS.values():
            assert f"command: {form}" in screen


def test_every_pane_key_is_bound_and_stands_in_its_title() -> None:
    assert keys.PANE_KEYS.split(",") == [
        entry.key
        for entry in sorted(
            table.by_key(), key=lambda e: (not e.key.isdigit(), e.key == "0", keys.PANE_KEYS.index(e.key))
        )
    ]
    feed = FakeFeed("budget")
    assert feed.last is not None
    view = View(feed.sim.info, feed.last, History(feed.sim.info), RGB)
    for entry in table.PANES:
        assert f" {entry.key} " in str(entry.full(view, 100, 20)[0])


async def test_d_detaches_and_the_run_goes_on() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("d")
        assert await left(pilot) == LiveResult(How.DETACHED)
    assert feed.commands == []
    assert feed.closed


async def test_a_feed_that_cannot_be_left_has_no_d() -> None:
    feed = FakeFeed("ramp", can_detach=False)
    async with running(feed, (200, 60)) as pilot:
        assert "d detach" not in text(pilot)
        await pilot.press("d", "q")
        assert pilot.app.return_value is None
        assert "l leave" not in text(pilot)
        assert "s stop and summarise" in text(pilot)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert "detach" not in text(pilot)


async def test_q_asks_and_stays_stops_or_leaves() -> None:
    feed = FakeFeed("ramp")
    async with running(feed) as pilot:
        await pilot.press("q")
        assert "s stop and summarise  l leave it running  esc stay" in text(pilot)
        await pilot.press("escape")
        assert "leave it running" not in text(pilot)
        await pilot.press("q", "s")
        await sent(pilot, feed, "stop")
        assert "stopping, ^C again ends at once" in text(pilot)
        await pilot.press("q", "l")
        assert await left(pilot) == LiveResult(How.DETACHED, None, True)


async def test_no_key_is_bound_twice() -> None:
    bound = [key for binding in keys.bindings() for key in binding.key.split(",")]
    assert len(bound) == len(set(bound))
