"""Tests of agenttop.steering.apply, agenttop.steering.effects."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from agenttop.schedule.control import Control, wanted_users
from agenttop.schedule.quantities import clock
from agenttop.steering.apply import Change, Rejected, steer
from agenttop.steering.command import parse_command
from agenttop.steering.effects import wanted_rate
from agenttop.steering.plan import Plan
from tests.steering.plans import MIXED, TASK, plan_of

#: Users of the pools of MIXED at 15 s, by plan: ten shared 3:1, and the own of the third.
CHAT, TOOLS, OWN = 8, 2, 4


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, MIXED)


def give(plan: Plan, text: str, control: Control | None = None, elapsed: float = 15.0) -> Change:
    return steer(parse_command(text), control or Control(), plan, elapsed)


def users(plan: Plan, control: Control, elapsed: float = 15.0) -> list[int]:
    return wanted_users(plan.pools, plan.ramp, control, elapsed)


@pytest.mark.parametrize(
    ("text", "wanted", "said", "before", "after"),
    [
        ("users 20", [15, 5, 4, 0], "users 10 → 20", 10, 20),
        ("users +6", [12, 4, 4, 0], "users 10 → 16", 10, 16),
        ("users -4", [5, 1, 4, 0], "users 10 → 6", 10, 6),
        ("users -99", [0, 0, 4, 0], "users 10 → 0", 10, 0),
        ("users 3 tools", [8, 3, 4, 0], "users in tools 2 → 3", 2, 3),
        ("users +2 own", [8, 2, 6, 0], "users in own 4 → 6", 4, 6),
        ("users 20 all", [15, 5, 4, 0], "users in all 10 → 20", 10, 20),
    ],
)
def test_users(plan: Plan, text: str, wanted: list[int], said: str, before: int, after: int) -> None:
    change = give(plan, text)
    assert users(plan, change.control) == wanted
    assert (change.said, change.before, change.after) == (said, before, after)


def test_a_manual_target_is_sticky_until_it_is_released(plan: Plan) -> None:
    control = give(plan, "users 20").control
    assert users(plan, control, 25.0) == [
        15,
        5,
        0 if plan.pools[2].ramp is None else users(plan, Control(), 25.0)[2],
        0,
    ]
    change = give(plan, "release", control)
    assert change.control == Control()
    assert (change.said, change.before, change.after) == ("the plan's targets again", "manual", "plan")


def test_release_of_one_pool(plan: Plan) -> None:
    control = give(plan, "users 7 own", give(plan, "users 1 chat").control).control
    change = give(plan, "release own", control)
    assert change.control.pool_users == {0: 1}
    assert change.said == "own: the plan's target again"


def test_a_total_that_pools_set_by_hand_do_not_allow_is_told(plan: Plan) -> None:
    control = give(plan, "users 8 chat", give(plan, "users 20").control).control
    change = give(plan, "users 5", control)
    assert users(plan, change.control) == [8, 0, 4, 0]
    assert change.said == "users 20 → 5 (there are 8, for what is set by hand stays until released: chat)"
    assert give(plan, "users -1", change.control).said.startswith("users 8 → 7 (there are 8, ")
    both = give(plan, "users 3 tools", control).control
    assert give(plan, "users 50", both).said.endswith("until released: chat, tools)")


def test_users_of_a_pool_without_weight(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MIXED.replace("weight = 1", "weight = 0"))
    control = give(plan, "users 5 tools").control
    assert users(plan, control) == [10, 5, 4, 0]
    change = give(plan, "users +1", control)
    assert (change.said, users(plan, change.control)) == ("users 15 → 16", [11, 5, 4, 0])


def test_a_release_does_not_undo_an_edit_and_says_what_does(plan: Plan) -> None:
    change = give(plan, "plan 1h 50", give(plan, "users 20").control)
    assert change.stages is not None
    edited = plan.under(change.control, replace(plan.layout, stages=change.stages))
    released = give(edited, "release", change.control)
    hint = "plan profile gives back the profile's stages"
    assert released.said == f"the plan's targets again, as it was edited ({hint})"
    with pytest.raises(Rejected, match=f"^nothing is set by hand; {hint}$"):
        give(edited, "release", released.control)
    with pytest.raises(Rejected, match=r"^nothing of own is set by hand$"):
        give(edited, "release own", released.control)
    back = give(edited, "plan profile", change.control)
    assert back.stages is not None
    written = edited.under(back.control, replace(plan.layout, stages=back.stages))
    assert give(written, "release", back.control).said == "the plan's targets again"


def test_rate(plan: Plan) -> None:
    for text in ("rate 50", "rate 50 open"):
        change = give(plan, text)
        assert change.control.pool_rates == {3: 50.0}
        assert (change.said, change.before, change.after) == ("rate of open 15 → 50/s", 15.0, 50.0)
        assert wanted_rate(3, change.control, plan, 15.0) == 50.0
        assert wanted_rate(3, change.control.pause(True), plan, 15.0) == 0.0
    assert give(plan, "release open", change.control).control == Control()


def test_hold_and_resume(plan: Plan) -> None:
    held = give(plan, "hold", elapsed=12.0)
    assert (held.said, held.before, held.after) == ("plan held at 00:12", "running", "held")
    assert held.control.plan_time(99.0) == 12.0
    resumed = give(plan, "resume", held.control, 20.0)
    assert resumed.control.plan_time(21.0) == 13.0
    assert (resumed.before, resumed.after) == ("held", "running")


def test_pause_toggles_and_resume_ends_it(plan: Plan) -> None:
    paused = give(plan, "pause")
    assert paused.control.paused
    assert (paused.before, paused.after) == ("running", "paused")
    again = give(plan, "pause", paused.control)
    assert not again.control.paused
    assert (again.before, again.after) == ("paused", "running")
    both = give(plan, "hold", paused.control).control
    assert give(plan, "resume", both).control == Control(shift=0.0)
    assert give(plan, "resume", paused.control).before == "paused"


def test_next(plan: Plan) -> None:
    change = give(plan, "next", elapsed=3.0)
    assert change.control.plan_time(3.0) == 10.0
    assert change.said == "on to hold"
    assert (change.before, change.after) == (3.0, 10.0)
    held = give(plan, "next", Control().hold(3.0), 5.0)
    assert held.control.held_at == 10.0
    assert give(plan, "next", elapsed=25.0).said == "on to the end of the plan"


def test_next_names_the_stage_that_begins(tmp_path: Path) -> None:
    text = "".join(
        f'[[pools]]\nname = "{name}"\nstages = [{stages}]\n{TASK}'
        for name, stages in (
            ("a", '{ duration = "10s", users = 4 }'),
            ("b", '{ duration = "5s", users = 4 }, { name = "late", duration = "15s", users = 4 }'),
        )
    )
    plan = plan_of(tmp_path, text)
    assert give(plan, "next", elapsed=1.0).said == "on to b/late"
    assert give(plan, "next", elapsed=6.0).said == "on to 00:10 of the plan"
    assert give(plan, "next", elapsed=11.0).said == "on to the end of the plan"


def test_the_stages_of_the_run_end_before_those_of_a_pool(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, MIXED.replace("30s", "90s"))
    assert give(plan, "next", elapsed=25.0).said == "on to 00:30 of the plan"


@pytest.mark.parametrize(
    ("text", "control", "why"),
    [
        ("users 5 nope", Control(), "there is no pool nope; there are: chat, tools, own, open"),
        ("users 5 open", Control(), "open is driven by arrivals; say: rate N open"),
        ("users -1", Control(users=0), "there are no fewer than 0 users"),
        ("users +0", Control(), "there are 10 users already"),
        ("users +1000000", Control(users=5), "more than 1 000 000 users"),
        ("rate 5 chat", Control(), "chat is driven by users; say: users N chat"),
        ("rate 5 nope", Control(), "there is no pool nope"),
        ("rate 2000000", Control(), "a rate is 0 to 1 000 000"),
        ("hold", Control(held_at=3.0), "held already"),
        ("resume", Control(), "nothing is held or paused"),
        ("next", Control(shift=60.0), "past the last stage"),
        ("release", Control(), "nothing is set by hand"),
        ("release chat", Control(users=5), "nothing of chat is set by hand"),
        ("release nope", Control(users=5), "there is no pool nope"),
    ],
)
def test_rejected(plan: Plan, text: str, control: Control, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        give(plan, text, control)


def test_rejected_for_want_of_pools(tmp_path: Path) -> None:
    own = plan_of(tmp_path, f'[[pools]]\nname = "own"\nstages = [{{ duration = "5s", users = 4 }}]\n{TASK}')
    with pytest.raises(Rejected, match="every pool has stages of its own; name one of: own"):
        give(own, "users 5")
    with pytest.raises(Rejected, match="no pool is driven by arrivals"):
        give(own, "rate 5")
    rates = "".join(f'[[pools]]\nname = "{n}"\nstages = [{{ duration = "5s", rate = 4 }}]\n{TASK}' for n in "ab")
    two = plan_of(tmp_path, rates)
    with pytest.raises(Rejected, match="which pool"):
        give(two, "rate 5")


def test_clock() -> None:
    assert [clock(s) for s in (0.0, 59.9, 61.0, 3599.0, 3600.0, 90_061.0)] == [
        "00:00", "00:59", "01:01", "59:59", "1:00:00", "25:01:01",
    ]  # fmt: skip
