"""Tests of agenttop.tui.panes.stages: the table of stages, while the run goes on."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len

from agenttop.metrics.snapshot import StageRow
from agenttop.report.stages import cells
from agenttop.tui.app import AgenttopApp
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB
from agenttop.tui.panes import stages
from agenttop.tui.view import View
from tests.tui.fake import FakeFeed
from tests.tui.pilot import settle, text
from tests.tui.truth import truly_played


def view(name: str = "queues", **changes: Any) -> View:
    run, snapshots = truly_played(name)
    return View(run.info, msgspec.structs.replace(snapshots[-1], **changes), History(run.info), RGB)


def drawn(lines: list[Any], width: int) -> list[str]:
    assert all(line.width <= width for line in lines), [str(line) for line in lines]
    return [str(line).strip("│").rstrip() for line in lines]


def row(at: int, **changes: Any) -> StageRow:
    return msgspec.structs.replace(
        StageRow(at, f"stage-{at}", "users", f"{at} users", 50, 5.0, 0, 0, 90.0, 100.0 + at, samples=200), **changes
    )


def test_every_cell_is_the_report_s() -> None:
    found = view()
    titles, *rows = cells(found.snap.stage_rows)
    shown = drawn(stages.full(found, 120, 8), 120)
    assert " ".join(shown[1].split()) == " ".join(titles[1:])
    for line, expected in zip(shown[2:], rows, strict=False):
        assert " ".join(expected) in " ".join(line.lstrip("!▸ ").split())


def test_what_does_not_keep_up_has_a_sign_and_a_word_and_what_goes_on_says_so() -> None:
    _, few, some, many = drawn(stages.compact(view(), 110, 5), 110)
    assert (few[:3], some[:3], many[:3]) == ("   ", "!  ", "!▸ ")
    assert few.endswith("KEEPS UP")
    assert many.endswith("QUEUES, so far")
    assert "▸ not over yet" in drawn(stages.full(view(), 110, 8), 110)[0]


def test_few_samples_are_dim() -> None:
    found = view(stage_rows=(row(0, samples=5), row(1, samples=5000)))
    few, many = stages.compact(found, 80, 3)[1:]
    assert {str(segment.style) for segment in few.strip(80) if "100ms" in segment.text} == {str(RGB.dim)}
    assert {str(segment.style) for segment in many.strip(80) if "101ms" in segment.text} == {str(RGB.text)}


def test_one_stage_is_nothing_to_compare() -> None:
    assert stages.says(view(stage_rows=(row(0),))) == 0
    assert stages.says(view("unknown")) == 0
    assert stages.says(view()) == 3


def test_before_anything_has_ended_that_is_said() -> None:
    for draw in (stages.compact, stages.full, stages.enlarged):
        assert any("no request has ended yet" in line for line in drawn(draw(view(stage_rows=()), 80, 20), 80))


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_figures_are_never_cut(width: int) -> None:
    long = row(1, name="a-very-long-name-of-a-stage-日本語", grew="a_very_long_phase", grew_times=12345.6, times=99.9)
    found = view(stage_rows=(row(0), long, row(2, over=False)))
    for draw in (stages.compact, stages.full, stages.enlarged):
        lines = drawn(draw(found, width, 20), width)
        assert not any("ms…" in line or "0…" in line for line in lines)
        assert sum("101ms" in line for line in lines) >= 1
    assert all(cell_len(str(line)) <= width for line in stages.full(found, width, 20))


def test_the_columns_go_from_the_right_and_what_they_said_is_in_words() -> None:
    lines = drawn(stages.enlarged(view(), 60, 13), 60)
    assert "grew" not in lines[1]
    assert any("llm_call grew most: ×7.9 from 3 users to 40 users" in line for line in lines)
    told = " ".join(line.strip() for line in lines)
    assert "! QUEUES p95" in " ".join(told.split())
    assert "about 4 requests are served at a time" in told


def test_bars_are_from_zero_on_one_scale() -> None:
    lines = drawn(stages.enlarged(view(), 120, 37), 120)
    bars = [line for line in lines if "━" in line]
    assert len(bars) == 3
    rates = [line.split()[1].count("━") for line in bars]
    assert rates[2] == max(rates)
    assert rates[0] == pytest.approx(rates[2] * 2.13 / 8.66, abs=1)


def test_of_more_than_there_is_room_for_the_most_telling_are_shown_and_enlarged_all_are_reached() -> None:
    rows = tuple(row(at) for at in range(30))
    found = view(stage_rows=rows)
    shown = drawn(stages.full(found, 100, 7), 100)
    assert [line.split()[0] for line in shown[2:-1]] == ["stage-0", "stage-27", "stage-28", "stage-29"]
    assert stages.lines(found, 80) == 30
    end = drawn(stages.enlarged(dataclasses.replace(found, scroll=99), 80, 21), 80)
    assert any("stage-29" in line for line in end)
    first = drawn(stages.enlarged(found, 80, 21), 80)
    assert any("stage-0 " in line for line in first)


def test_in_ascii_it_is_ascii() -> None:
    found = dataclasses.replace(view(), look=dataclasses.replace(RGB, glyphs=ASCII))
    for draw in (stages.compact, stages.full, stages.enlarged):
        assert all(str(line).isascii() for line in draw(found, 100, 20))


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (120, 40), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}")
async def test_it_stands_on_the_screen_once_there_are_two(size: tuple[int, int]) -> None:
    feed = FakeFeed("unknown")
    async with AgenttopApp(feed, clock=lambda: 0.0).run_test(size=size) as pilot:
        await settle(pilot, feed)
        assert "k stages" not in text(pilot)
        feed.advance(40)
        await settle(pilot, feed)
        lines = text(pilot).splitlines()
    (head,) = [at for at, line in enumerate(lines) if "k stages" in line]
    assert any("some" in line and "12" in line for line in lines[head + 1 : head + 5])
