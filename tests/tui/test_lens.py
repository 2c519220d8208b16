"""Tests of agenttop.tui.panes.lens, agenttop.tui.unpacked, agenttop.tui.screen_actions, agenttop.tui.time_cursor,
agenttop.tui.widgets.box.

A request that is chosen in the enlarged table: what panes show of it, and what they say of what they do not know of it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from agenttop.metrics.request_trends import RequestTick
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB
from agenttop.tui.panes import errors, latency, rate, requests, table
from agenttop.tui.panes.lens import Of, narrowed, through
from agenttop.tui.text import Line
from agenttop.tui.unpacked import as_tick
from agenttop.tui.view import View, key_of, named
from agenttop.tui.widgets.box import boxed, labelled, title
from tests.tui.fake import FakeFeed, FakeReplay
from tests.tui.pilot import settle, text
from tests.tui.sim import SCENARIOS, Sim

SIZES = [(80, 24), (120, 40), (200, 60)]
SEARCH = ("tools", "search")


def view(scenario: str = "storm", **choice: Any) -> View:
    sim = Sim(scenario)
    history = History(sim.info)
    for snapshot in sim.until(SCENARIOS[scenario]):
        history.add(snapshot.tick, snapshot.plan_t_s)
        history.add_requests(snapshot.table)
    return View(sim.info, snapshot, history, RGB, **choice)


@asynccontextmanager
async def showing(
    feed: FakeFeed, size: tuple[int, int] = (120, 40), *, ascii: bool = False
) -> AsyncIterator[Pilot[Any]]:
    async with AgenttopApp(feed, clock=lambda: 0.0).run_test(size=size) as pilot:
        await settle(pilot, feed)
        yield pilot


def test_its_figures_are_those_of_its_row() -> None:
    found = narrowed(view(request=SEARCH))
    row = next(row for row in found.snap.table if key_of(row) == SEARCH)
    snap = found.snap
    assert (snap.rps, snap.requests, snap.rate_limited, snap.failed) == (row.rps, row.requests, 0, row.errors)
    assert snap.ok == row.requests - row.errors
    assert snap.latency is not None
    assert (snap.latency.p50, snap.latency.p95, snap.latency.p99) == (row.p50_ms, row.p95_ms, row.p99_ms)
    assert (snap.latency.max, snap.latency.count) == (row.max_ms, row.samples)
    assert snap.ttft is None
    assert [pool.name for pool in snap.pools] == ["tools"]


def test_its_history_is_that_of_its_seconds() -> None:
    whole = view(request=SEARCH)
    found = narrowed(whole).history
    told = [row.second for row in whole.snap.table if key_of(row) == SEARCH]
    assert found.recent[-1].rps == told[0].requests  # type: ignore[union-attr]
    assert len(found.recent) == len(whole.history.recent) - 1  # nothing was answered in the first
    assert not found.streamed
    assert narrowed(replace(whole, request=("chat", "answer"))).history.streamed
    percentiles = found.percentiles(latency.TOTAL[1], 5, 1.0)
    assert percentiles[-1] is not None
    assert percentiles[-1].value == told[0].latency_p95_ms  # type: ignore[union-attr]
    assert 0 < percentiles[-1].samples < whole.history.percentiles(latency.TOTAL[1], 5, 1.0)[-1].samples  # type: ignore[union-attr]


def test_a_request_that_nothing_is_known_of_has_no_figures() -> None:
    found = narrowed(view(request=("gone", "by")))
    assert (found.snap.rps, found.snap.requests, found.snap.latency) == (0.0, 0, None)
    assert found.history.percentiles(latency.TOTAL[0], 5, 1.0) == [None] * 5


def test_all_requests_are_seen_where_none_is_chosen() -> None:
    whole = view()
    assert narrowed(whole) is whole
    for entry in table.PANES:
        assert "all requests" not in "\n".join(map(str, entry.full(whole, 100, 20)))


def test_what_is_not_known_by_request_is_left_out() -> None:
    whole = view(request=SEARCH)
    for draw, height in ((rate.full, 12), (rate.compact, 1), (rate.compact, 4)):
        lines = "\n".join(map(str, through(draw, Of.REQUEST)(whole, 110, height)))
        assert "108.2/s" in lines
        for words in ("in flight", "in-flight", "oldest", "received", "target", "! no answer"):
            assert words not in lines
    hang = view("hang", request=SEARCH)
    assert "! no answer" not in "\n".join(map(str, through(rate.full, Of.REQUEST)(hang, 110, 12)))
    open_pools = "\n".join(map(str, through(rate.full, Of.REQUEST)(view("open", request=SEARCH), 110, 12)))
    assert "target" not in open_pools


@pytest.mark.parametrize("entry", table.PANES, ids=lambda entry: entry.name)
def test_every_pane_says_of_what_it_is(entry: table.Entry) -> None:
    """One that could be of a request has its name in each box, or says that it is of all; the rest is of none."""
    whole = view(request=SEARCH)
    lines = [str(line) for line in entry.full(whole, 100, 30)]
    boxes = [line for line in lines if line.startswith("╭")]
    assert boxes
    named_in = {Of.REQUEST: "─ tools/search ─", Of.ALL: "─ all requests ─", Of.OTHER: None}[entry.of]
    for box in boxes:
        assert ("tools/search" in box, "all requests" in box) == (entry.of is Of.REQUEST, entry.of is Of.ALL)
        assert named_in is None or named_in in box
        assert len(box) == 100


def test_panes_of_a_request_and_of_all_are_these() -> None:
    of = {entry.key: entry.of for entry in table.PANES}
    assert {key for key, each in of.items() if each is Of.REQUEST} == {"2", "4", "8"}
    assert {key for key, each in of.items() if each is Of.ALL} == {"3", "7", "g", "k"}


@pytest.mark.parametrize("glyphs", [RGB.glyphs, ASCII])
def test_a_label_stands_after_the_title_as_far_as_there_is_room(glyphs: Any) -> None:
    look = replace(RGB, glyphs=glyphs)
    for width in range(16, 60):
        lines = boxed(look, width, 3, title(look, "total", "4"), Line().add("ms"), [Line().add("1 2")])
        found = [labelled(look, line, "tools/search", look.key) for line in lines]
        assert [line.width for line in found] == [width] * 3
        assert [str(line) for line in found[1:]] == [str(line) for line in lines[1:]]
        top = str(found[0])
        assert top.startswith(str(lines[0])[:9])
        assert ("tools/search" in top) == (width >= 33), (width, top)


def test_seconds_of_a_request_as_those_of_a_run() -> None:
    found = as_tick(RequestTick(9.0, 2.0, 10, 4, 2, 30, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, (1,), (2,), (3,)))
    assert (found.t_s, found.rps, found.failed_per_s, found.rate_limited_per_s) == (9.0, 5.0, 2.0, 1.0)
    assert found.output_tokens_per_s == 15.0
    assert (found.latency_p50_ms, found.latency_p95_ms, found.latency_p99_ms) == (1, 2, 3)
    assert (found.ttft_p50_ms, found.ttft_p95_ms, found.ttft_p99_ms, found.inter_chunk_p95_ms) == (4, 5, 6, 7)
    assert (found.latency_counts, found.ttft_counts, found.inter_chunk_counts) == ((1,), (2,), (3,))
    assert as_tick(RequestTick(9.0, 0.0, 10)).rps == 0.0


def test_a_second_has_the_figures_it_was_told_then() -> None:
    whole = view(at_s=269.0)
    found, tick = narrowed(whole).snap, whole.history.recent[268]
    assert tick.t_s == 269.0
    assert (found.rps, found.in_flight, found.t_s) == (tick.rps, tick.in_flight, 300.0)
    assert found.latency is not None
    assert (found.latency.p50, found.latency.p95, found.latency.p99) == (
        tick.latency_p50_ms,
        tick.latency_p95_ms,
        tick.latency_p99_ms,
    )
    window = [each for each in whole.history.recent if 259.0 < each.t_s <= 269.0]
    assert found.latency.count == sum(sum(each.latency_counts) for each in window)
    alone = narrowed(replace(whole, request=SEARCH)).snap
    assert alone.latency is not None
    assert (
        alone.latency.p95 == next(t for t in whole.history.of_request(SEARCH).recent if t.t_s == 269.0).latency_p95_ms
    )


def test_a_second_before_a_request_began_has_none_of_its_figures() -> None:
    found = narrowed(view(request=("gone", "by"), at_s=100.0)).snap
    assert (found.rps, found.latency, found.ttft, found.in_flight) == (0.0, None, None, 0)


@pytest.mark.parametrize("key", ["2", "4", "8"])
@pytest.mark.parametrize("at_s", [1.0, 150.0, 269.0, 300.0])
def test_every_chart_marks_the_second_on_its_axis(key: str, at_s: float) -> None:
    whole = view(at_s=at_s, window="5m")
    label = f"0{int(at_s) // 60}:{int(at_s) % 60:02}"
    for width in (80, 120, 200):
        lines = [str(line) for line in table.of_key(key).full(whole, width, 40)]
        axes = [line for line in lines if ("now" in line and "-" in line) or f"▲{label}" in line or f"{label}▲" in line]
        assert axes
        for line in axes:
            assert line.count(f"▲{label}") + line.count(f"{label}▲") == 1
        assert all(f"at {label}" in line for line in lines if line.startswith("╭") and "now" not in line)
        assert not [line for line in lines if "nan" in line]


def test_the_second_is_reversed_in_a_trend_of_one_row() -> None:
    whole = view(at_s=269.0, window="5m")
    (line,) = through(rate.compact, Of.REQUEST)(whole, 80, 1)
    (cell,) = [part for part in line.parts if part.style is not None and part.style.reverse]
    assert len(cell.text) == 1
    assert "432.8/s" in str(line)
    assert "oldest" not in str(line)


def test_what_was_driven_then_is_marked_on_the_plan() -> None:
    whole = view(at_s=269.0)
    ticks = [msgspec.structs.replace(tick, plan_t_s=tick.t_s) for tick in whole.history.recent]
    history = History(msgspec.structs.replace(whole.info, history=tuple(ticks)))
    lines = [str(line) for line in table.of_key("1").full(replace(whole, history=history), 120, 10)]
    (axis,) = [line for line in lines if "▲" in line]
    assert axis.count("▲") == 2
    assert "now" in axis.split("▲")[2]


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_a_spike_can_be_read_while_frozen(size: tuple[int, int], snapshot: SnapshotAssertion) -> None:
    feed = FakeFeed("storm")
    async with showing(feed, size) as pilot:
        live = text(pilot)
        await pilot.press("space", *["shift+left"] * 3, "left")
        await pilot.pause()
        assert "432.8/s" in text(pilot)
        assert text(pilot) == snapshot
        looked = text(pilot).splitlines()[2:]
        feed.advance(5)
        await settle(pilot, feed)
        assert text(pilot).splitlines()[2:] == looked
        await pilot.press("space")
        await pilot.pause()
        assert "04:29" not in text(pilot)
        await pilot.press("space")
        await pilot.pause()
        assert "▲ 0" not in text(pilot)
        assert "FROZEN" in text(pilot)
        assert "FROZEN" not in live


@pytest.mark.parametrize(
    ("keys", "at_s"),
    [
        ("left", 299),
        ("home", 1),
        ("home left", 1),
        ("home right", 2),
        ("left right right", 300),
        ("home shift+right", 11),
    ],
)
async def test_the_time_cursor_stays_on_the_charts(keys: str, at_s: int) -> None:
    async with showing(FakeFeed("storm")) as pilot:
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        await pilot.press("space", *keys.split())
        view = app.view()
        assert view is not None
        assert view.at_s == at_s


# What keys do.


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("made", [FakeFeed, FakeReplay])
async def test_enter_chooses_a_request_and_esc_gives_all_back(
    size: tuple[int, int], made: type[FakeFeed], snapshot: SnapshotAssertion
) -> None:
    async with showing(made("storm"), size) as pilot:
        before = text(pilot)
        await pilot.press("5", "down")
        await pilot.pause()
        assert re.search("→ (tools/)?search", text(pilot))
        assert "enter only this one" in text(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert "▸ tools/search   alone in 2 4 8, esc: all" in text(pilot)
        assert "▸ tools/search (http)" in text(pilot)
        assert "─ all requests ─" in text(pilot)
        assert text(pilot) == snapshot
        await pilot.press("4")
        await pilot.pause()
        assert "4 total ─ tools/search ─" in text(pilot)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert text(pilot) == before


async def test_enter_on_the_chosen_one_gives_all_back() -> None:
    async with showing(FakeFeed("storm")) as pilot:
        await pilot.press("5", "down", "enter", "5")
        await pilot.pause()
        assert "enter all requests" in text(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert "alone in" not in text(pilot)


async def test_a_replay_that_goes_back_knows_the_past_of_a_request() -> None:
    feed = FakeReplay("storm")
    async with showing(feed) as pilot:
        await pilot.press("5", "down", "enter")
        feed.back_to(134)
        await settle(pilot, feed)
        back = text(pilot)
    straight = FakeReplay("ramp")
    async with showing(straight) as pilot:
        await pilot.press("5", "down", "enter")
        await pilot.pause()
        there = text(pilot)
    boxes = [[line for line in screen.splitlines() if "⠐" in line or "⠒" in line] for screen in (back, there)]
    assert boxes[0]
    assert len(boxes[0]) == len(boxes[1])


async def test_the_cursor_stays_on_its_request_whatever_the_order() -> None:
    async with showing(FakeFeed("storm")) as pilot:
        await pilot.press("5", "down", "o", "o")
        await pilot.pause()
        (row,) = [line for line in text(pilot).splitlines() if "→ " in line and "│" in line]
        assert "tools/search" in row


async def test_the_cursor_is_never_out_of_sight() -> None:
    async with showing(FakeFeed("many"), (80, 24)) as pilot:
        app = pilot.app
        assert isinstance(app, AgenttopApp)
        await pilot.press("5")
        for key, times in (("down", 25), ("up", 12), ("pagedown", 3), ("up", 30), ("pagedown", 80), ("pageup", 2)):
            for _ in range(times):
                await pilot.press(key)
            await pilot.pause()
            assert text(pilot).count("→ case-") + text(pilot).count("→ chat/case-") == 1, (key, times)
        view = app.view()
        assert view is not None
        assert requests.at_cursor(view) == 1200 - 1 - 2 * app.main.page


async def test_frozen_figures_of_a_request_stand_still() -> None:
    feed = FakeFeed("storm")
    async with showing(feed) as pilot:
        await pilot.press("space", "5", "down", "enter", "2")
        await pilot.pause()
        before = [line for line in text(pilot).splitlines() if line.startswith("│")]
        feed.advance(5)
        await settle(pilot, feed)
        assert [line for line in text(pilot).splitlines() if line.startswith("│")] == before


def test_a_name_of_a_pool_with_one_request() -> None:
    assert named(("hit", "hit")) == "hit"
    assert named(("a\x1b[31m", "b")) == "a[31m/b"
    assert errors.says(view()) > 0


def test_lists_that_come_with_a_late_viewer_are_the_same() -> None:
    """What is told of the past, and each second after, makes the history that a viewer from the start has."""
    whole = view()
    late = History(
        msgspec.structs.replace(whole.info, history=tuple(whole.history.recent), pasts=whole.history.requests.told())
    )
    mine, theirs = (list(history.of_request(SEARCH).recent) for history in (late, whole.history))
    assert mine == theirs
    late.add_requests(whole.snap.table)  # the same second again
    assert len(late.of_request(SEARCH).recent) == len(theirs)
