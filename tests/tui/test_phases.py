"""Tests of agenttop.tui.panes.phases.

The pane of phases: how long each takes, and by how much it has grown since the first stage.
"""

from __future__ import annotations

import msgspec
import pytest

from agenttop.tui.history import History
from agenttop.tui.look import RGB
from agenttop.tui.panes import phases
from agenttop.tui.view import View
from tests.tui.sim import Sim


def drawn(first: dict[str, float], **now: float) -> list[str]:
    sim = Sim("ramp")
    snapshot = msgspec.structs.replace(sim.until(134)[-1], phases_ms=now, first_phases_ms=first)
    return [str(line) for line in phases.full(View(sim.info, snapshot, History(sim.info), RGB), 60, 6)]


def test_without_a_stage_to_compare_with_there_is_no_trend() -> None:
    lines = drawn({}, llm_call=610.0, context_load=70.0)
    assert "×" not in "".join(lines)
    assert "─ mean ms ─╮" in lines[0]


@pytest.mark.parametrize(
    ("first", "trend"), [(190.6, "×3.2"), (610.0, "×1.0"), (1220.0, "×0.5"), (1.0, "×610"), (0.001, "×99999")]
)
def test_the_trend_is_against_the_first_stage(first: float, trend: str) -> None:
    head, line, *_ = drawn({"llm_call": first}, llm_call=610.0)
    assert "mean ms, × first stage" in head
    assert line.split()[1:4] == ["llm_call", "610", trend]
    assert line.count(RGB.glyphs.bar) == 60 - 40  # the longest fills what the trend leaves


def test_what_the_first_stage_had_not_has_no_trend() -> None:
    _, first, second, third, _, _ = drawn({"llm_call": 100.0, "queue": 0.0}, llm_call=300.0, queue=200.0, tools=90.0)
    assert "×3.0" in first
    assert "×" not in second + third


@pytest.mark.parametrize("width", [40, 60])
def test_every_line_is_as_wide_as_the_pane(width: int) -> None:
    sim = Sim("ramp")
    snapshot = msgspec.structs.replace(sim.until(134)[-1], first_phases_ms={"llm_call": 0.001, "tool_execution": 3.0})
    lines = phases.full(View(sim.info, snapshot, History(sim.info), RGB), width, 6)
    assert [line.width for line in lines] == [width] * 6
    assert ("×" in str(lines[1])) == (width == 60)
