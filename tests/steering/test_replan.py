"""Plans that are edited mid-run; and any row of commands at any times, for what must hold whatever is done."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.control import Control, wanted_users
from agenttop.schedule.course import RUN
from agenttop.schedule.shares import worker_share
from agenttop.steering.apply import Change, Rejected, steer
from agenttop.steering.command import parse_command
from agenttop.steering.plan import Plan
from agenttop.steering.replan import MAX_STAGES
from tests.steering.plans import MIXED, TASK, plan_of


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(tmp_path, MIXED)


def give(plan: Plan, text: str, elapsed: float, control: Control | None = None) -> tuple[Change, Plan]:
    """A command at a time, and the plan after it."""
    begun = {s.index for s in plan.layout.stages if s.start_s <= elapsed}
    change = steer(parse_command(text), control or Control(), plan, elapsed, begun=begun)
    stages = plan.layout.stages if change.stages is None else change.stages
    return change, plan.under(change.control, replace(plan.layout, stages=stages))


def stages_of(plan: Plan, pool: str | None = None) -> list[tuple[int, str, float, float, float]]:
    return [
        (s.index, s.name, s.start_s, s.end_s, s.target_end)
        for s in plan.layout.stages
        if s.pool == pool and not s.dropped
    ]


def test_the_run_goes_from_where_it_is_through_the_stages_to_their_end(plan: Plan) -> None:
    change, after = give(plan, "plan 10s 25, top: 20s step 80, 5s 0", 5.0)
    assert [after.ramp.users_at(t) for t in (0, 5, 10, 15, 16, 34, 35, 40)] == [0, 5, 15, 80, 80, 80, 80, 0]  # type: ignore[union-attr]
    assert after.duration_s == 40.0
    assert stages_of(after) == [
        (0, "ramp", 0, 5, 5), (5, "ramp", 5, 15, 25), (6, "top", 15, 35, 80), (7, "drain", 35, 40, 0)
    ]  # fmt: skip
    assert change.said == "plan from 00:05 on: 10s 25, top: 20s step 80, 5s 0"
    assert change.before == "5s 10, 10s 10, peak: 10s step 40"
    assert change.after == "10s 25, top: 20s step 80, 5s 0"
    assert [after.stage_of(0, t) for t in (4.9, 5.1, 16, 36, 99)] == [0, 5, 6, 7, 7]
    assert after.next_boundary(5.0) == 15.0


def test_the_rest_goes_on_as_it_is(plan: Plan) -> None:
    _, after = give(plan, "plan rest, 5s 0", 5.0)
    assert stages_of(after) == [(0, "ramp", 0, 10, 10), (5, "drain", 10, 15, 0)]
    assert after.courses[RUN][0] == plan.courses[RUN][0]
    _, after = give(plan, "plan peak: rest", 25.0)
    assert stages_of(after)[-1] == (2, "peak", 20, 30, 40)
    change, after = give(plan, "plan rest 80", 25.0)
    assert stages_of(after)[2:] == [(2, "peak", 20, 25, 40), (5, "peak", 25, 30, 80)]
    assert change.after == "peak: 5s 80"


def test_a_pool_with_stages_of_its_own(plan: Plan) -> None:
    change, after = give(plan, "plan 10s step 6, 10s 0 own", 15.0)
    assert change.pool == "own"
    assert stages_of(after, "own") == [
        (3, "own/hold", 0, 15, 4), (5, "own/hold", 15, 25, 6), (6, "own/drain", 25, 35, 0)
    ]  # fmt: skip
    assert after.courses[RUN] == plan.courses[RUN]
    change, after = give(after, "plan 10s 50/s open", 15.0, change.control)
    assert change.said.startswith("plan of open from 00:15 on: 10s 50/s")
    assert after.planned_rate(3, 15.0) == pytest.approx(15.0)
    assert after.planned_rate(3, 24.999) == pytest.approx(50.0, abs=0.01)
    assert after.duration_s == 35.0
    assert change.before == "15s 30/s"


def test_what_has_ended_begins_again(plan: Plan) -> None:
    _, after = give(plan, "plan 10s step 3 own", 28.0)
    assert after.pools[2].ramp is not None
    assert [after.pools[2].ramp.users_at(t) for t in (19, 25, 29)] == [4, 4, 3]
    _, after = give(plan, "plan 5s 60/s open", 29.0)
    assert after.planned_rate(3, 29.0) == pytest.approx(29.0)


def test_held_plans_and_manual_users(plan: Plan) -> None:
    held = Control().hold(20.0)
    change, after = give(plan, "plan 10s 80", 45.0, held.with_users(7))
    assert change.control.held_at == 20.0
    assert after.ramp is not None
    # The step had been taken already: from 40, not from the 10 before it.
    assert [after.ramp.at(t) for t in (20.0, 25.0, 30.0)] == [40, 60, 80]
    assert change.said.endswith("(what is set by hand stays until released)")


@pytest.mark.parametrize(
    ("text", "elapsed", "why"),
    [
        ("plan 5s 80 chat", 5, "chat shares the run's stages; say: plan STAGES"),
        ("plan 5s 80 nope", 5, "there is no pool nope"),
        ("plan 5s 80/s", 5, "these stages are of users; write 80 without /s"),
        ("plan 5s 2.5", 5, "users are whole; 2.5 is not"),
        ("plan rest, 5s 0", 31, "no stage is under way; begin with a duration instead of rest"),
        ("plan peak: rest, 5s 0", 5, "peak is not under way, but ramp; look at the plan again"),
        ("plan profile", 5, "it is so already: no stages were edited"),
        ("plan profile own", 5, "it is so already: 15s step 4"),
        (
            "plan profile own",
            21,
            "the stages of own in the profile were over at 00:20 of the plan; say: plan STAGES, or stop",
        ),
        ("plan profile chat", 5, "chat shares the run's stages"),
        ("plan 0s 5", 5, "these stages take no time; write durations above 0s, or say: stop"),
    ],
)
def test_rejected(plan: Plan, text: str, elapsed: float, why: str) -> None:
    with pytest.raises(Rejected, match=why):
        give(plan, text, elapsed)


def test_rejected_where_it_is_not_clear_whose_plan(tmp_path: Path) -> None:
    own = "".join(f'[[pools]]\nname = "{n}"\nstages = [{{ duration = "5s", users = 4 }}]\n{TASK}' for n in "ab")
    with pytest.raises(Rejected, match="every pool has stages of its own; name one of: a, b"):
        give(plan_of(tmp_path, own), "plan 5s 3", 1.0)
    one = f'[[pools]]\nname = "a"\nstages = [{{ duration = "5s", users = 4 }}]\n{TASK}'
    assert give(plan_of(tmp_path, one), "plan 5s 3", 1.0)[0].pool == "a"


def test_back_to_the_profile_from_where_it_would_be_now(plan: Plan) -> None:
    change, after = give(plan, "plan 10s 25, 1h step 80", 5.0)
    change, after = give(after, "plan profile", 8.0, change.control)
    # At 8 s the profile has 8 users, and the edited plan 11.
    assert after.ramp is not None
    assert [after.ramp.users_at(t) for t in (0, 5, 7.9, 8, 9, 10, 15, 20, 29)] == [0, 5, 11, 8, 9, 10, 10, 40, 40]
    assert after.duration_s == 30.0
    assert change.said == "plan from 00:08 on: 2s 10, 10s 10, peak: 10s step 40"
    assert (change.before, change.after) == ("7s 25, 1h step 80", "2s 10, 10s 10, peak: 10s step 40")
    assert stages_of(after) == [
        (0, "ramp", 0, 5, 5), (5, "ramp", 5, 8, 11), (7, "ramp", 8, 10, 10), (8, "hold", 10, 20, 10),
        (9, "peak", 20, 30, 40),
    ]  # fmt: skip
    with pytest.raises(Rejected, match="it is so already"):
        give(after, "plan profile", 9.0, change.control)


def test_every_plan_that_was_edited_is_the_profiles_again(plan: Plan) -> None:
    change, after = give(plan, "plan 1h 50", 5.0)
    change, after = give(after, "plan 1h 9 own", 6.0, change.control)
    assert after.duration_s == 3606.0
    change, after = give(after, "plan profile", 7.0, change.control)
    assert (after.duration_s, change.pool) == (30.0, None)
    # Where one of them is so already, the others are changed all the same.
    again, edited = give(after, "plan 1h 50", 8.0, change.control)
    again, _ = give(edited, "plan profile", 9.0, again.control)
    assert (again.pool, again.after) == (None, "1s 10, 10s 10, peak: 10s step 40")
    assert change.said == "plan from 00:07 on: 3s 10, 10s 10, peak: 10s step 40; plan of own from 00:07 on: 13s step 4"
    for t_s in (7.0, 12.0, 25.0):
        assert wanted_users(after.pools, after.ramp, Control(), t_s) == wanted_users(
            plan.pools, plan.ramp, Control(), t_s
        )


def test_a_rate_is_the_profiles_again(plan: Plan) -> None:
    change, after = give(plan, "plan 1h 80/s open", 10.0)
    change, after = give(after, "plan profile open", 20.0, change.control)
    assert [after.planned_rate(3, t_s) for t_s in (20.0, 25.0, 30.0)] == [pytest.approx(20), pytest.approx(25), 0.0]
    assert change.pool == "open"


def test_there_is_an_end_to_editing(plan: Plan) -> None:
    control, five = Control(), "plan 1m 5, 1m 6, 1m 7, 1m 8, 1m 9"
    for number in range(MAX_STAGES // 5 - 1):
        change, plan = give(plan, five, number / 100, control)
        control = change.control
    assert len(plan.layout.stages) == MAX_STAGES
    with pytest.raises(Rejected, match=f"a run has {MAX_STAGES} stages at most"):
        give(plan, five, 10.0, control)


with tempfile.TemporaryDirectory() as folder:
    PLAN = plan_of(Path(folder))

_targets = st.integers(0, 60)
_rows = st.lists(
    st.builds("{}ms {}{}".format, st.integers(0, 9000), st.sampled_from(["", "step "]), _targets), max_size=3
)
_plans = st.builds(
    lambda rows, pool: f"plan {', '.join(rows or ['rest'])}{pool}", _rows, st.sampled_from(["", " own", " open"])
) | st.builds(lambda rows: f"plan {', '.join(['rest', *rows])}", _rows)
_others = st.sampled_from(
    [
        "hold",
        "plan profile",
        "plan profile own",
        "resume",
        "pause",
        "next",
        "release",
        "release own",
        "rate 12",
        "on_429 honor",
    ]
) | (st.sampled_from(["users 25", "users +3", "users 4 tools", "users 9 own", "think 1s..3s"]))
_commands = st.lists(st.tuples(st.integers(0, 8000), _plans | _others), max_size=8)


@given(_commands, st.lists(st.integers(0, 60_000), max_size=6), st.booleans(), st.integers(1, 3))
def test_any_commands_at_any_times(
    commands: list[tuple[int, str]], looks: list[int], poisson: bool, workers: int
) -> None:
    plan, control, elapsed = PLAN, Control(), 0.0
    assert plan.pools[3].ramp is not None
    arrivals = Arrivals(plan.pools[3].ramp, poisson=poisson, seed=1)
    times: list[float] = []
    for wait, text in commands:
        elapsed += wait / 1000
        times += arrivals.pop_until(elapsed)
        now = control.plan_time(elapsed)
        before = plan
        try:
            change, plan = give(plan, text, elapsed, control)
        except Rejected:
            continue
        control = change.control
        arrivals.change(elapsed, control, 3, plan.pools[3].ramp)
        if text.startswith("plan") and not any(word in text for word in ("step", " 0ms", "profile")):
            for ramp, old in ((plan.ramp, before.ramp), (plan.pools[2].ramp, before.pools[2].ramp)):
                assert ramp is not None
                assert old is not None
                assert ramp.at(now) == pytest.approx(old.at(now), abs=1e-6)
        for look in looks:
            at = elapsed + look / 1000
            wanted = wanted_users(plan.pools, plan.ramp, control, at)
            assert plan.ramp is not None
            total = plan.ramp.users_at(control.plan_time(at)) if control.users is None else control.users
            if 1 not in control.pool_users:
                assert wanted[0] + wanted[1] == total
            for index, users in enumerate(wanted):
                assert sum(worker_share(users, worker, workers, index) for worker in range(workers)) == users
            info = plan.layout.stages[plan.stage_of(2, control.plan_time(at))]
            assert info.pool == "own"
            assert not info.dropped
        assert [info.index for info in plan.layout.stages] == list(range(len(plan.layout.stages)))
    end = elapsed + 200
    times += arrivals.pop_until(end, 20_000)
    assert times == sorted(times)
    if not poisson and len(times) < 20_000:
        count = arrivals.expected(end)
        assert math.floor(count - 1e-6) <= len(times) <= math.floor(count + 1e-6)
