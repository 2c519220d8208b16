from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.controller.spans import Spans, stage_words
from agenttop.schedule.control import Control
from agenttop.steering.apply import steer
from agenttop.steering.command import parse_command
from agenttop.steering.plan import Plan
from tests.steering.plans import MIXED, plan_of

#: MIXED: three stages of 10 s, the own of a closed pool of 20 s, a rate of 30 s.
RAMP, HOLD, PEAK, OWN, OPEN = range(5)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, MIXED)


def test_a_stage_is_told_with_its_number_and_where_it_goes(plan: Plan) -> None:
    told = [stage_words(index, plan.layout.stages) for index in (RAMP, HOLD, PEAK)]
    ramp, hold, *_ = plan.layout.stages
    assert told[RAMP] == f"stage 1 {ramp.name}: 0 → {ramp.target_end:g} users"
    assert told[HOLD] == f"stage 2 {hold.name}: {hold.target_end:g} users", "it stays where it is"
    assert told[PEAK].startswith("stage 3 ")


def look(spans: Spans, plan: Plan, control: Control, *times: float) -> list[int]:
    return [stage for t_s in times for stage in spans.look(t_s, plan, control)]


def test_a_stage_ends_where_the_next_begins_whenever_somebody_looks(plan: Plan) -> None:
    spans = Spans(5)
    assert look(spans, plan, Control(), 0.07) == [RAMP, OWN, OPEN]
    assert look(spans, plan, Control(), 5.0, 9.98, 10.03, 12.0, 20.04, 29.9) == [HOLD, PEAK]
    # Users stay when their stages are over, and count under the last.
    assert spans.all == [(0.0, 10.0), (10.0, 20.0), (20.0, 29.9), (0.0, 29.9), (0.0, 29.9)]
    assert spans.begun == {RAMP, HOLD, PEAK, OWN, OPEN}


def test_a_clock_that_was_held_and_jumped(plan: Plan) -> None:
    spans, control = Spans(5), Control()
    look(spans, plan, control, 0.0, 5.0)
    control = steer(parse_command("hold"), control, plan, 5.02).control
    look(spans, plan, control, 5.05, 8.0)
    control = steer(parse_command("resume"), control, plan, 8.01).control
    look(spans, plan, control, 8.05, 9.0)
    control = steer(parse_command("next"), control, plan, 9.01).control
    look(spans, plan, control, 9.05, 12.0)
    assert spans.all[:3] == [(0.0, 9.01), (9.01, 12.0), None]
    control = steer(parse_command("next"), control.hold(12.02), plan, 13.0).control
    look(spans, plan, control, 13.01)
    assert spans.all[1:3] == [(9.01, 13.01), (13.01, 13.01)]


def test_a_rate_is_over_with_its_stages_unless_it_is_set_by_hand(plan: Plan) -> None:
    spans, control = Spans(5), Control(shift=25.0)
    look(spans, plan, control, 0.0, 4.9, 5.1, 9.0)
    assert spans.all[OPEN] == (0.0, 5.0)
    look(spans, plan, control.with_rate(3.0, 3), 9.05, 12.0)
    assert spans.all[OPEN] == (0.0, 12.0)


def test_what_is_new_is_told_once(plan: Plan) -> None:
    spans = Spans(5)
    look(spans, plan, Control(), 0.0, 9.9)
    assert spans.take() == {RAMP: (0.0, 9.9), OWN: (0.0, 9.9), OPEN: (0.0, 9.9)}
    assert spans.take() == {}
    look(spans, plan, Control(), 10.5)
    assert spans.take() == {RAMP: (0.0, 10.0), HOLD: (10.0, 10.5), OWN: (0.0, 10.5), OPEN: (0.0, 10.5)}


def test_stages_that_an_edit_makes(plan: Plan) -> None:
    spans, control = Spans(5), Control()
    look(spans, plan, control, 0.0, 4.0)
    change = steer(parse_command("plan 3s 20, 2s 0"), control, plan, 4.01, begun=spans.begun)
    assert change.stages is not None
    edited = plan.under(change.control, plan.layout.__class__(plan.layout.pools, plan.layout.requests, change.stages))
    spans.grow(len(change.stages))
    assert look(spans, edited, change.control, 4.05, 7.0, 7.05) == [5, 6]
    assert spans.all[RAMP] == (0.0, 4.01)
    assert spans.all[5:] == [(4.01, pytest.approx(7.01)), (pytest.approx(7.01), 7.05)]
