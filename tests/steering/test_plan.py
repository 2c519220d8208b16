from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from agenttop.profile.load import load_profile
from agenttop.schedule.control import Control, wanted_users
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.steering.plans import STAGES, TASK, plan_of


def test_stages_of_a_mixed_plan(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert plan.duration_s == 30.0
    names = [(stage.name, stage.pool) for stage in plan.layout.stages]
    assert [pool for _, pool in names] == [None, None, None, "own", "open"]
    assert [plan.stage_of(0, t) for t in (0.0, 9.99, 10.0, 20.0, 29.9)] == [0, 0, 1, 2, 2]
    assert plan.stage_of(0, 30.0) == 2, "what is sent after the end counts under the last stage"
    assert [plan.stage_of(2, t) for t in (0.0, 25.0)] == [3, 3]
    assert plan.stage_of(3, 5.0) == 4
    assert [plan.stage_at(t) for t in (0.0, 15.0, 29.0, 30.0)] == [0, 1, 2, -1]


def test_the_end_moves_with_the_plans_clock(tmp_path: Path) -> None:
    plan, control = plan_of(tmp_path), Control()
    assert plan.end_s(control) == 30.0
    assert plan.end_s(replace(control, shift=12.0)) == 18.0, "a part of it was skipped"
    held = control.hold(5.0)
    assert plan.end_s(held) == math.inf
    assert plan.end_s(held.resume(9.0)) == 34.0
    assert [plan.end_s(each, 20.0) for each in (control, held)] == [20.0, 20.0]
    assert plan.end_s(replace(control, shift=12.0), 20.0) == 18.0


def test_boundaries_are_of_the_runs_stages(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert [plan.next_boundary(t) for t in (0.0, 9.9, 10.0, 19.0, 25.0)] == [10.0, 10.0, 20.0, 20.0, 30.0]
    assert plan.next_boundary(30.0) is None


def test_the_rate_of_an_open_pool(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert plan.planned_rate(3, 15.0) == pytest.approx(15.0)
    assert plan.planned_rate(3, 30.0) == 0.0, "after its stages nobody arrives"
    assert plan.planned_rate(0, 15.0) == 0.0, "a closed pool has none"


def test_pools_that_all_have_stages_of_their_own(tmp_path: Path) -> None:
    text = "".join(
        f'[[pools]]\nname = "{name}"\n'
        f'stages = [{{ duration = "{s}s", users = 2 }}, {{ duration = "{s}s", users = 4 }}]\n{TASK}'
        for name, s in (("a", 5), ("b", 8))
    )
    plan = plan_of(tmp_path, text)
    assert plan.ramp is None
    assert plan.duration_s == 16.0
    assert [plan.stage_of(0, 6.0), plan.stage_of(1, 6.0), plan.stage_of(1, 9.0)] == [1, 2, 3]
    assert [plan.next_boundary(t) for t in (0.0, 5.0, 8.0, 10.0)] == [5.0, 8.0, 10.0, 16.0]


def test_one_pool_and_the_runs_stages(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, f'{STAGES}[[pools]]\nname = "only"\n{TASK}')
    assert plan.ramp is not None
    assert [plan.ramp.users_at(t) for t in (0.0, 5.0, 10.0, 19.9, 20.0, 29.9)] == [0, 5, 10, 10, 40, 40]


def test_the_most_users_that_are_still_to_come(tmp_path: Path) -> None:
    plan = plan_of(tmp_path)
    assert [plan.most_to_come(Control(), t) for t in (0.0, 12.0, 25.0, 99.0)] == [44, 44, 44, 44]
    falling = plan_of(tmp_path, STAGES.replace("users = 40", "users = 1") + f'[[pools]]\nname = "only"\n{TASK}')
    assert [falling.most_to_come(Control(), t) for t in (0.0, 12.0, 25.0)] == [10, 10, 1]
    assert falling.most_to_come(Control(users=70), 25.0) == 70
    # Who holds the plan will let it go on.
    assert plan_of(tmp_path).most_to_come(Control(held_at=5.0), 50.0) == 44


def test_a_search_wants_nobody_before_it_says_how_many(tmp_path: Path) -> None:
    path = tmp_path / "search.toml"
    path.write_text(
        'target = "http://h"\nsearch = { to = 32 }\nobjectives = { latency = "1s" }\n'
        '[[pools]]\nname = "a"\n[[pools.tasks]]\nget = "/"\n'
    )
    profile = load_profile(path, env={}).profile
    plan = Plan(profile, layout_of(profile))
    assert wanted_users(plan.pools, plan.ramp, Control(), 1.0) == [0]
