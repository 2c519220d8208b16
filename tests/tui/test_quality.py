"""Tests of agenttop.tui.panes.quality.

The pane in every size, and what gives way where it is narrow.
"""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from agenttop.metrics.graded import GraderSaid, QualityState
from agenttop.tui.history import History
from agenttop.tui.look import ASCII, RGB
from agenttop.tui.panes import quality
from agenttop.tui.view import View
from tests.tui.sim import GRADED, Sim


def view(state: QualityState | None, **rest: object) -> View:
    sim = Sim("ramp")
    snap = msgspec.structs.replace(sim.until(40)[-1], quality=state)
    return View(sim.info, snap, History(sim.info), RGB, **rest)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize("width", [58, 80, 120, 200])
@pytest.mark.parametrize("height", [5, 9, 20])
def test_no_line_is_wider_than_the_pane_and_there_are_as_many_as_it_has(width: int, height: int) -> None:
    for draw in (quality.full, quality.enlarged):
        lines = draw(view(GRADED), width, height)
        assert [line.width for line in lines] == [width] * height
    assert all(line.width <= width for line in quality.compact(view(GRADED), width, 1))


def test_the_line_says_first_what_matters_most() -> None:
    (wide,) = quality.compact(view(GRADED), 200, 1)
    (narrow,) = quality.compact(view(GRADED), 80, 1)
    assert "! WORSE: 28.3 points lost, 20 → 200 users (16.6 to 40.1)   6 to grade  ! 1 ungraded   last" in str(wide)
    assert str(narrow) == "g quality 89.0% (83.6–94.4%)   ! WORSE: 28.3 points lost, 20 → 200 users"


def test_a_low_pane_keeps_the_newest_levels_and_the_verdict() -> None:
    text = "\n".join(map(str, quality.full(view(GRADED), 80, 6)))
    assert "hold" in text or "drain" in text
    assert "warm" not in text
    assert "WORSE" in text


def test_before_the_first_score_it_says_so() -> None:
    nothing = QualityState(None, 0.0, 1.0, 0, 60, 3, 0, 0)
    (line,) = quality.compact(view(nothing), 80, 1)
    assert str(line) == "g quality no answer graded yet  3 to grade"
    assert "no case has failed" in "\n".join(map(str, quality.enlarged(view(nothing), 80, 20)))
    assert quality.says(view(None)) == 0


def test_every_line_of_the_enlarged_pane_can_be_scrolled_to() -> None:
    whole = quality.lines(view(GRADED), 80)
    shown = quality.enlarged(view(GRADED, scroll=whole - 1), 80, 5)
    assert str(shown[1]).strip("│ ") != ""
    assert str(shown[2]).strip("│ ") == ""


def test_a_failed_case_of_the_enlarged_pane_has_its_graders_one_by_one() -> None:
    said = (GraderSaid("tool-called", 0.0, "lookup_order was not called"), GraderSaid("contains", 1.0))
    (first, *rest) = GRADED.failed
    state = msgspec.structs.replace(GRADED, failed=(msgspec.structs.replace(first, graders=said), *rest))
    lines = [str(line) for line in quality.enlarged(view(state), 80, quality.lines(view(state), 80))]
    (at,) = (index for index, line in enumerate(lines) if "graded" in line and "tool-called" in line)
    assert "  graded    tool-called 0%: lookup_order was not called" in lines[at]
    assert "            contains 100%" in lines[at + 1]
    assert max(map(len, lines)) <= 80
    assert not any("tool-called 0%" in str(line) for line in quality.full(view(state), 80, 30)), "no room for it there"


def test_ascii_is_ascii() -> None:
    plain = msgspec.structs.replace(GRADED)
    sim = Sim("ramp")
    snap = msgspec.structs.replace(sim.until(40)[-1], quality=plain)
    made = View(sim.info, snap, History(sim.info), dataclasses.replace(RGB, glyphs=ASCII))
    for draw in (quality.compact, quality.full, quality.enlarged):
        assert all(str(line).isascii() for line in draw(made, 120, 30))
