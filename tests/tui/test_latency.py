"""Tests of agenttop.tui.panes.latency."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec
import pytest
from syrupy.assertion import SnapshotAssertion

from agenttop.metrics.heat import BUCKETS, lower_ms
from agenttop.metrics.snapshot import Tick
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, LIGHT, PLAIN, RGB, Look
from agenttop.tui.panes import latency
from agenttop.tui.text import Line
from agenttop.tui.view import View
from tests.tui.pilot import text
from tests.tui.sim import Sim
from tests.tui.states import STATES, shown


def bucket(ms: float) -> int:
    return max(each for each in range(BUCKETS) if lower_ms(each) <= ms)


def tick(t_s: int, ttft_ms: float, total_ms: float, answers: int = 40, slow_ms: float | None = None) -> Tick:
    """A second of ``answers`` that took so long, and one more that was slow."""
    counts = [0] * BUCKETS
    counts[bucket(total_ms)] = answers
    if slow_ms is not None:
        counts[bucket(slow_ms)] += 1
    ttft = (*[0] * bucket(ttft_ms), answers)
    p99 = slow_ms or total_ms
    return Tick(
        float(t_s), 0, 1, 1.0, 1, float(answers), 0.0, 0.0, latency_p50_ms=total_ms, latency_p95_ms=total_ms,
        latency_p99_ms=p99, ttft_p50_ms=ttft_ms, ttft_p95_ms=ttft_ms, ttft_p99_ms=ttft_ms,
        latency_counts=tuple(counts), ttft_counts=ttft,
    )  # fmt: skip


def view(*ticks: Tick, look: Look = RGB) -> View:
    sim = Sim("ramp")
    info = msgspec.structs.replace(sim.info, history=ticks)
    return View(info, msgspec.structs.replace(sim.until(60)[-1], t_s=ticks[-1].t_s), History(info), look)


def words(lines: list[Line]) -> str:
    return "\n".join(map(str, lines))


def test_first_tokens_and_totals_have_one_scale_where_both_can_be_read_on_it() -> None:
    near = view(*(tick(t, 180.0, 950.0) for t in range(1, 61)))
    for pane in (latency.ttft, latency.total):
        text = words(pane(near, 60, 8))
        assert " 1000 " in text
        assert "own scale" not in text


def test_each_has_its_own_where_one_is_ten_times_the_other_and_the_title_says_so() -> None:
    far = view(*(tick(t, 180.0, 9500.0) for t in range(1, 61)))
    first, total = (words(pane(far, 60, 8)) for pane in (latency.ttft, latency.total))
    assert " 200 " in first
    assert "10000 " in total
    assert all("own scale, ms of 10s" in text.splitlines()[0] for text in (first, total))


def test_an_outlier_does_not_fix_the_scale() -> None:
    """Of 2 400 answers three took a minute."""
    seconds = [tick(t, 180.0, 950.0, slow_ms=60_000.0 if t in (20, 30, 40) else None) for t in range(1, 61)]
    lines = latency.total(view(*seconds), 80, 9)
    assert " 2000 " in words(lines), "the top of their bucket, made round; not 60 s"
    assert str(lines[1]).count("▲") >= 3, "where they were is seen"


def test_many_slow_ones_are_on_the_scale() -> None:
    seconds = [tick(t, 180.0, 950.0, slow_ms=60_000.0) for t in range(1, 61)]
    text = words(latency.total(view(*seconds), 80, 9))
    assert "▲" not in text
    assert " 1000 " not in text


def test_a_median_that_leaps_is_on_the_scale_at_once() -> None:
    seconds = [tick(t, 180.0, 900.0 if t < 300 else 30_000.0) for t in range(1, 301)]
    assert "30000 " in words(latency.total(view(*seconds), 80, 9)) or "40000 " in words(
        latency.total(view(*seconds), 80, 9)
    )


def test_what_is_of_few_samples_is_lighter_and_keeps_its_colour() -> None:
    for look in (RGB, LIGHT):
        few = look.lighter(look.middle)
        assert few.color != look.middle.color
        assert few.color != look.lighter(look.high).color
    assert PLAIN.lighter(PLAIN.middle).dim
    few_, many = (view(*(tick(t, 180.0, 950.0, answers) for t in range(1, 61))) for answers in (3, 40))
    drawn = [
        {part.style.color for line in latency.total(each, 80, 9)[1:-2] for part in line.strip(55)[1:] if part.style}
        for each in (few_, many)
    ]
    assert RGB.middle.color in drawn[1] - drawn[0]
    assert RGB.lighter(RGB.middle).color in drawn[0]


LETTERS = replace(PLAIN, glyphs=ASCII)


def growing(look: Look = RGB) -> View:
    """Totals that grow a thousandfold, and first tokens of a tenth of them."""
    return view(*(tick(t, 2.0 * 1.12**t, 20.0 * 1.12**t) for t in range(1, 61)), look=look)


@pytest.mark.parametrize("look", [PLAIN, LETTERS], ids=["braille", "ascii"])
def test_on_a_log_axis_both_stand_on_one_scale_with_ticks_and_what_grows_evenly_is_a_line(
    look: Look, snapshot: SnapshotAssertion
) -> None:
    from_zero, log = growing(look), replace(growing(look), log=True)
    assert "log" not in words(latency.full(from_zero, 100, 40))
    for pane in (latency.ttft, latency.total):
        lines = list(map(str, pane(log, 100, 20)))
        assert "log ms of 10s" in lines[0]
        assert "own scale" not in lines[0]
        ticks = [float(found[1]) for line in lines if (found := re.match(r"[|│] +([\d.]+) ", line))]
        assert ticks == sorted(ticks, reverse=True)
        assert {2, 10, 100, 1000, 20000} <= set(ticks)
        assert all(f"{tick:e}"[0] in "125" for tick in ticks)
    enlarged = words(latency.full(log, 100, 40))
    assert look is PLAIN or enlarged.isascii()
    assert enlarged == snapshot
    # From zero the first half minute lies on the ground.
    assert max(heights(latency.total(from_zero, 100, 20), look)[:20]) <= 1
    rising = heights(latency.total(log, 100, 20), look)
    assert rising[-1] - rising[len(rising) // 2] in range(3, 9)


def heights(lines: list[Line], look: Look) -> list[int]:
    """How many rows of the area of p50s are filled in each column that has some."""
    inner = [str(line)[10:70] for line in lines[1:-2]]
    columns = ["".join(column) for column in zip(*inner, strict=True)]
    return [sum(char not in " ^*o▲" for char in column) for column in columns if column.strip()]


@pytest.mark.parametrize("look", [PLAIN, LETTERS], ids=["braille", "ascii"])
def test_on_a_log_axis_an_outlier_has_its_place(look: Look) -> None:
    beyond = "▲" if look is PLAIN else "^"
    ticks = [tick(t, 180.0, 950.0, slow_ms=60_000.0 if t == 40 else None) for t in range(1, 61)]
    assert beyond in words(latency.total(view(*ticks, look=look), 80, 14))
    assert beyond not in words(latency.total(replace(view(*ticks, look=look), log=True), 80, 14))


@pytest.mark.parametrize("width", [60, 80, 99])
def test_without_boxes_the_title_says_log_too_and_the_trend_has_its_ticks(width: int) -> None:
    log = replace(growing(), log=True)
    titles = {words(latency.compact(each, width, 4)).splitlines()[0] for each in (log, growing())}
    assert sorted("log" in title for title in titles) == [False, True], titles
    trend = [str(line) for line in latency.trend(log, width, 8)]
    assert trend[0].split()[0] == "20000"
    assert trend[-2].split()[0] != "0"


async def test_a_replay_and_a_frozen_picture_have_it_too() -> None:
    for name in ("replay", "frozen"):
        async with shown(STATES[name], (120, 40)) as pilot:
            await pilot.press("L")
            assert text(pilot).count("log ms of") == 2
            await pilot.press("L")
            assert "log ms of" not in text(pilot)
