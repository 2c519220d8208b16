"""The table of the stages to come, without a screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agenttop.metrics.snapshot import StageInfo
from agenttop.steering.plantext import Row, parse_plan
from agenttop.tui.editing import DURATION, HOW, NAME, TARGET, Draft, draft_of
from tests.tui.sim import OPEN_STAGES, STAGES


def at(plan_t_s: float = 134.0, stages: tuple[StageInfo, ...] = STAGES) -> Draft:
    return draft_of(stages, plan_t_s, 0.0)


def write(draft: Draft, row: int, column: int, text: str) -> Draft:
    """Go to a cell and type over it."""
    draft = draft.move(-99, -9).move(row, column)
    for letter in text:
        draft = draft.typed(letter)
    return draft if text else draft.erase()


def test_what_is_left_and_what_is_to_come() -> None:
    draft = at()
    assert [(c.duration, c.target, c.step, c.name) for c in draft.rows] == [
        ("rest", "200", False, ""), ("5m30s", "200", True, ""), ("1m", "0", False, "")
    ]  # fmt: skip
    assert [draft.shown_name(number) for number in range(3)] == ["ramp", "hold", "drain"]
    assert (draft.left_s, draft.lasts_s, round(draft.now)) == (76.0, 466.0, 124)
    assert draft.problem() is None
    assert draft.command() == "plan ramp: rest, 5m30s step 200, 1m 0"


def test_cells_are_written_over_or_added_to() -> None:
    draft = write(at(), 1, DURATION, "2m")
    draft = draft.move(0, 1).typed("8").typed("0").erase().typed("5").move(0, 1).typed("l").move(0, 1)
    for letter in "peak hour":
        draft = draft.typed(letter)
    assert draft.command() == "plan ramp: rest, peak hour: 2m 85, 1m 0"
    assert write(draft, 1, NAME, "a,b").command() == 'plan ramp: rest, "a,b": 2m 85, 1m 0'


def test_the_rest_goes_elsewhere_or_becomes_a_stage_of_its_own() -> None:
    assert write(at(), 0, TARGET, "80").command() == "plan ramp: rest 80, 5m30s step 200, 1m 0"
    draft = write(write(at(), 0, DURATION, "10s"), 0, HOW, "s")
    assert draft.command() == "plan 10s step 200, 5m30s step 200, 1m 0"
    assert write(draft, 0, HOW, " ").command().startswith("plan 10s 200,")


def test_rows_come_and_go() -> None:
    draft = at().move(1, 0).add()
    assert (draft.row, draft.column) == (2, DURATION)
    assert draft.command() == "plan ramp: rest, 5m30s step 200, 1m 200, 1m 0"
    draft = draft.delete().move(-9, 0).delete()
    assert draft.command() == "plan 5m30s step 200, 1m 0"
    empty = draft.delete().delete().delete()
    assert empty.problem() is not None
    assert empty.typed("5").erase().move(3, 3) == empty.move(3, 3)
    assert empty.add().command() == "plan 1m 124"


def test_a_pool_that_is_driven_by_arrivals() -> None:
    stages = tuple(replace(stage, pool="open", name=f"open/{stage.name}") for stage in OPEN_STAGES)
    draft = write(at(70.0, stages), 2, TARGET, "12.5")
    assert draft.command() == "plan climb: rest, top: 3m step 12.5/s open"


@pytest.mark.parametrize(
    ("row", "column", "text", "why"),
    [
        (1, DURATION, "5x", "'5x' is no duration: type one such as 30s, 5m or 1h30m"),
        (1, DURATION, "", "is no duration"),
        (1, DURATION, "rest", "can only come first"),
        (2, TARGET, "-3", "'-3' is no target: type a number of users"),
        (2, TARGET, "2.5", "users are whole; 2.5 is not"),
        (1, NAME, " x", "a name neither begins nor ends with a space"),
    ],
)
def test_what_is_wrong_and_where(row: int, column: int, text: str, why: str) -> None:
    problem = write(at(), row, column, text).problem()
    assert problem is not None
    assert (problem.row, problem.column) == (row, column)
    assert why in problem.text


def test_stages_that_take_no_time() -> None:
    draft = write(at().delete().delete(), 0, DURATION, "0s")
    problem = draft.problem()
    assert problem is not None
    assert "take no time" in problem.text


def test_time_goes_on() -> None:
    draft = at().follow(STAGES, 180.0)
    assert (draft.rows, draft.left_s) == (at().rows, 30.0)
    draft = write(at(), 2, TARGET, "5").follow(STAGES, 215.0)
    assert draft.note == "a stage is over: its row is gone"
    assert (draft.row, draft.column) == (1, TARGET)
    assert draft.command() == "plan hold: rest, 1m 5"
    # What somebody wrote stays, though its stage has begun meanwhile.
    draft = write(at(), 1, TARGET, "90").follow(STAGES, 215.0)
    assert draft.command() == "plan 5m30s step 90, 1m 0"
    over = write(at(), 0, TARGET, "90").follow(STAGES, 215.0)
    problem = over.problem()
    assert problem is not None
    assert "the stage it was the rest of is over" in problem.text


def test_the_picture_of_what_will_be() -> None:
    course = at(210.0).course(39)
    assert course[:33] == [200.0] * 33
    assert course[33:] == pytest.approx([183.3, 150.0, 116.7, 83.3, 50.0, 16.7], abs=0.1)
    assert write(at(), 1, TARGET, "x").course(10)


_keys = st.lists(
    st.sampled_from(["up", "down", "left", "right", "add", "delete", "erase"])
    | st.sampled_from(list('0123456789msh.l, :"e-')),
    max_size=30,
)


@given(_keys, st.integers(0, 599), st.integers(0, 700))
def test_whatever_is_pressed_is_a_plan_or_says_why_not(keys: list[str], opened: int, later: int) -> None:
    draft = at(float(opened))
    for key in keys:
        if key in ("up", "down", "left", "right"):
            draft = draft.move((key == "down") - (key == "up"), (key == "right") - (key == "left"))
        elif key in ("add", "delete", "erase"):
            draft = getattr(draft, key)()
        else:
            draft = draft.typed(key)
    draft = draft.follow(STAGES, float(max(opened, later)))
    assert 0 <= draft.row <= max(0, len(draft.rows) - 1)
    assert len(draft.course(40)) <= 40
    if draft.problem() is None:
        rows, pool = parse_plan(draft.command().removeprefix("plan"))
        assert pool is None
        assert len(rows) == len(draft.rows)
        for row, cells in zip(rows, draft.rows, strict=True):
            assert (row.duration_s is None) == (cells.duration == "rest")
            assert row == Row(row.duration_s, row.target, row.step, row.name, False)
