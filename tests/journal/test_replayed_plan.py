from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs

from agenttop.journal.replayed_plan import NotRepeatable, Steered, controls_of, end_of_plan, followed, steered
from agenttop.profile.toml import dumps
from agenttop.schedule.control import Control, wanted_users
from agenttop.steering.apply import Rejected, steer
from agenttop.steering.command import Command, parse_command
from agenttop.steering.effects import wanted_rate
from agenttop.steering.plan import Plan
from tests.steering.plans import MIXED, STAGES, TASK, plan_of

#: One pool that shares the run's stages.
ALONE = STAGES + f'[[pools]]\nname = "chat"\n{TASK}'
#: Slopes that end between whole milliseconds, and a jump.
ODD = (
    '[[stages]]\nduration = "7s"\nusers = 13\n[[stages]]\nduration = "0s"\nusers = 40\n'
    '[[stages]]\nduration = "11s333ms"\nusers = 3\n[[stages]]\nduration = "5s"\nusers = 3\n'
    + "".join(f'[[pools]]\nname = "{name}"\nweight = {weight}\n{TASK}' for name, weight in (("chat", 5), ("tools", 2)))
)
OWN = "".join(
    f'[[pools]]\nname = "{name}"\nstages = [{stages}]\n{TASK}'
    for name, stages in (
        ("own", '{ duration = "9s", users = 7 }, { duration = "4s", users = 1 }'),
        ("open", '{ duration = "6s", rate = 30 }, { duration = "3s", rate = 2.5, ramp = "step" }'),
    )
)
PLANS = {"mixed": MIXED, "alone": ALONE, "odd": ODD, "own": OWN}
#: Who asks within so much of a change may get either side of it: boundaries are written to the µs.
EDGE_S = 5e-6

commands = st.one_of(
    st.sampled_from(["hold", "resume", "pause", "next", "release", "release chat", "release own", "release open"]),
    st.builds("users {}".format, st.integers(0, 60)),
    st.builds("users {:+d}".format, st.integers(-30, 30)),
    st.builds("users {} {}".format, st.integers(0, 20), st.sampled_from(["chat", "tools", "own"])),
    st.builds("users {:+d} {}".format, st.integers(-9, 9), st.sampled_from(["chat", "tools", "own"])),
    st.builds("rate {} open".format, st.integers(0, 400).map(lambda tenths: tenths / 10)),
)
rows = st.builds("{}ms {}{}".format, st.integers(0, 9000), st.sampled_from(["", "step "]), st.integers(0, 60))
edits = st.builds(
    lambda rest, found, pool: f"plan {', '.join(['rest'] * rest + found)}{pool}",
    st.booleans(), st.lists(rows, min_size=1, max_size=3), st.sampled_from(["", "", " own", " open"]),
) | st.sampled_from(["plan profile", "plan profile own", "plan profile open"])  # fmt: skip
habits = st.sampled_from(["think 1s..3s", "pacing 2s", "on_429 honor", "think profile"])
sequences = st.lists(st.tuples(st.integers(1, 12_000), commands | edits | habits), max_size=8)
#: The controls from a time on, and the plan as it was edited until then.
States = list[tuple[float, Control, Plan]]


def drive(plan: Plan, sequence: list[tuple[int, str]]) -> tuple[States, list[dict[str, Any]]]:
    """The controls of a run that gets these commands, so many ms after another, and what it writes down of them."""
    control, t_ms = Control(), 0
    states: States = [(0.0, control, plan)]
    written = []
    for after_ms, text in sequence:
        t_ms += after_ms
        elapsed = t_ms / 1000
        if control.held_at is None and control.plan_time(elapsed) >= plan.duration_s:
            break  # it is over
        try:
            change = steer(parse_command(text), control, plan, elapsed)
        except Rejected:
            continue
        control = change.control
        if change.stages is not None:
            plan = plan.under(control, structs.replace(plan.layout, stages=change.stages))
        states.append((elapsed, control, plan))
        written.append(
            {"t_s": elapsed, "command": text, "pool": change.pool, "from": change.before, "to": change.after}
        )
    return states, written


def targets(states: States, t_s: float) -> list[float]:
    """Users, or iterations per second, that were driven of every pool."""
    control, plan = next((control, plan) for begin, control, plan in reversed(states) if begin <= t_s)
    users = wanted_users(plan.pools, plan.ramp, control, t_s)
    return [
        wanted_rate(index, control, plan, t_s) if pool.open else 0.0 if control.paused else float(users[index])
        for index, pool in enumerate(plan.pools)
    ]


def repeat(folder: Path, plan: Plan, text: str, found: Steered) -> Plan:
    """The plan of the profile with these stages."""
    import tomllib

    table = tomllib.loads(text)
    if found.own or found.shared is not None:
        table.pop("stages", None)
    if found.shared is not None:
        table["stages"] = found.shared
    for pool in table["pools"]:
        if pool["name"] in found.pools:
            pool["stages"] = found.pools[pool["name"]]
    return plan_of(folder, dumps(table))


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(PLANS)), sequences, st.data())
def test_the_written_plan_wants_what_the_steered_run_was_driven_to(
    tmp_path: Path, name: str, sequence: list[tuple[int, str]], data: st.DataObject
) -> None:
    plan = plan_of(tmp_path, PLANS[name])
    states, written = drive(plan, sequence)
    controls, edited = followed(plan, written)
    assert controls == [(begin, control) for begin, control, _ in states]
    assert edited.courses == states[-1][2].courses
    natural = end_of_plan(edited, controls)
    last = states[-1][0]
    end_s = data.draw(
        st.one_of(st.integers(1, 20_000).map(lambda ms: last + ms / 1000), st.just(natural or last + 5.0))
    )
    end_s = min(end_s, natural if natural is not None else end_s)
    again = repeat(tmp_path, plan, PLANS[name], steered(edited, controls, end_s))
    assert again.duration_s == pytest.approx(end_s, abs=EDGE_S)
    times = data.draw(st.lists(st.floats(0, end_s - 2 * EDGE_S), min_size=1, max_size=20))
    times += [
        (one + two) / 2 for one, two in zip([t for t, *_ in states], [*[t for t, *_ in states][1:], end_s], strict=True)
    ]
    still = [(0.0, Control(), again)]
    for t_s in (t_s for t_s in times if t_s <= end_s - 2 * EDGE_S):  # one may have come right at the end
        before, after = (targets(states, max(0.0, t_s + edge)) for edge in (-EDGE_S, EDGE_S))
        got = targets(still, t_s)
        for index, pool in enumerate(plan.pools):
            if pool.open:
                low, high = sorted((before[index], after[index]))
                assert low - 1e-3 <= got[index] <= high + 1e-3, (t_s, index)
            else:
                assert got[index] in (before[index], after[index], targets(states, t_s)[index]), (t_s, index)


def stages(text: str, folder: Path, *given_: tuple[float, str], end_s: float | None = None) -> Steered:
    plan = plan_of(folder, text)
    times = [0.0, *(t for t, _ in given_)]
    states, _ = drive(plan, [(round((t - times[i]) * 1000), text) for i, (t, text) in enumerate(given_)])
    plan = states[-1][2]
    controls = [(begin, control) for begin, control, _ in states]
    natural = end_of_plan(plan, controls)
    end = end_s if end_s is not None else natural
    assert end is not None
    return steered(plan, controls, end)


def test_a_run_that_nobody_steered_is_its_plan(tmp_path: Path) -> None:
    for text in PLANS.values():
        assert stages(text, tmp_path) == Steered(None, {}, False, False)


def test_users_by_hand_and_back(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, (5.0, "users 20"), (12.0, "release"))
    assert found.shared == [
        {"name": "ramp", "duration": "5s", "users": 5},
        {"name": "manual", "duration": "7s", "users": 20, "ramp": "step"},
        {"name": "hold", "duration": "8s", "users": 10, "ramp": "step"},
        {"name": "peak", "duration": "10s", "users": 40, "ramp": "step"},
    ]


def test_held_paused_and_on_to_the_next(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, (5.0, "hold"), (8.0, "resume"), (10.0, "pause"), (11.0, "pause"), (12.0, "next"))
    assert found.paused
    assert found.shared == [
        {"name": "ramp", "duration": "5s", "users": 5},
        {"name": "held", "duration": "3s", "users": 5, "ramp": "step"},
        {"name": "ramp", "duration": "2s", "users": 7},
        {"name": "paused", "duration": "1s", "users": 0, "ramp": "step"},
        {"duration": "0s", "users": 8, "ramp": "step"},
        {"name": "ramp", "duration": "1s", "users": 9},
        {"name": "hold", "duration": "10s", "users": 10, "ramp": "step"},
        {"name": "peak", "duration": "10s", "users": 40, "ramp": "step"},
    ]


def test_a_slope_that_was_cut_between_two_users(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, (3.7, "hold"), (5.0, "resume"), end_s=7.0)
    # 3.7 users are 4 from 3.5 on, and 5.7 are 6.
    assert found.shared == [
        {"name": "ramp", "duration": "3s", "users": 3},
        {"name": "ramp", "duration": "500ms", "users": 3, "ramp": "step"},
        {"name": "ramp", "duration": "200ms", "users": 4, "ramp": "step"},
        {"name": "held", "duration": "1s300ms", "users": 4, "ramp": "step"},
        {"name": "ramp", "duration": "300ms", "users": 4, "ramp": "step"},
        {"name": "ramp", "duration": "1s", "users": 5},
        {"name": "ramp", "duration": "500ms", "users": 5, "ramp": "step"},
        {"name": "ramp", "duration": "200ms", "users": 6, "ramp": "step"},
    ]


def test_a_pool_by_hand_gives_every_sharing_pool_stages_of_its_own(tmp_path: Path) -> None:
    found = stages(MIXED, tmp_path, (12.0, "users 3 tools"))
    assert found.own
    assert found.shared is None
    assert set(found.pools) == {"chat", "tools"}
    assert found.pools["chat"][-2:] == [
        {"duration": "10s500ms", "users": 8, "ramp": "step"},
        {"duration": "10s", "users": 30, "ramp": "step"},
    ]
    assert found.pools["tools"][-1] == {"duration": "18s", "users": 3, "ramp": "step"}


def test_a_long_ramp_that_pools_share_is_a_line_for_each(tmp_path: Path) -> None:
    long = MIXED.replace("users = 10\nramp", "users = 9000\nramp", 1).replace('duration = "10s"', 'duration = "10m"', 1)
    plan = plan_of(tmp_path, long)
    states, _ = drive(plan, [(200_000, "users 3 tools"), (100_000, "release"), (400_000, "hold")])
    controls = [(begin, control) for begin, control, _ in states]
    found = steered(plan, controls, 700.0)
    assert found.lines
    assert sum(len(rows) for rows in found.pools.values()) < 30
    again = repeat(tmp_path, plan, long, found)
    still = [(0.0, Control(), again)]
    for t_s in (0.5, 60.0, 199.9, 200.1, 250.0, 299.9, 300.1, 450.0, 599.9, 601.0, 650.0, 699.0):
        for got, driven in zip(targets(still, t_s)[:2], targets(states, t_s)[:2], strict=True):
            assert abs(got - driven) <= 2, t_s


def test_stages_that_were_edited(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, (5.0, "plan up: 5s 25, 10s step 30"), (12.0, "plan rest, 4s 0"))
    assert found.shared == [
        {"name": "ramp", "duration": "5s", "users": 5},
        {"name": "up", "duration": "5s", "users": 25},
        {"name": "hold", "duration": "10s", "users": 30, "ramp": "step"},
        {"name": "drain", "duration": "4s", "users": 0},
    ]
    found = stages(MIXED, tmp_path, (15.0, "plan 10s 60/s open"))
    assert (found.shared, found.own) == (None, False)
    assert found.pools["open"] == [
        {"name": "ramp", "duration": "15s", "rate": 15.0},
        {"name": "ramp", "duration": "10s", "rate": 60.0},
        {"name": "end", "duration": "5s", "rate": 0.0, "ramp": "step"},
    ]


def test_a_rate_by_hand_leaves_the_rest_alone(tmp_path: Path) -> None:
    found = stages(MIXED, tmp_path, (15.0, "rate 2.5 open"))
    assert (found.shared, found.own) == (None, False)
    assert found.pools == {
        "open": [
            {"name": "ramp", "duration": "15s", "rate": 15.0},
            {"name": "manual", "duration": "15s", "rate": 2.5, "ramp": "step"},
        ]
    }


def test_a_run_that_was_stopped_ends_there(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, end_s=12.5)
    assert found.shared == [
        {"name": "ramp", "duration": "10s", "users": 10},
        {"name": "hold", "duration": "2s500ms", "users": 10, "ramp": "step"},
    ]


def test_no_users_at_all_is_a_plan_all_the_same(tmp_path: Path) -> None:
    found = stages(ALONE, tmp_path, (0.001, "users 0"), (0.002, "hold"), end_s=3.0)
    plan = repeat(tmp_path, plan_of(tmp_path, ALONE), ALONE, found)
    assert plan.duration_s == 3.0
    assert wanted_users(plan.pools, plan.ramp, Control(), 1.5) == [0]


def test_what_cannot_be_repeated(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, ALONE)
    for command, to, why in (
        ("dance", None, "unknown command"),
        ("users 5 nobody", 5, "no pool"),
        ("users 5", "x", ""),
    ):
        with pytest.raises(NotRepeatable, match=f"{command} at 3.5 s: .*{why}"):
            controls_of(plan, [{"t_s": 3.5, "command": command, "to": to}])
    assert len(controls_of(plan, [{"t_s": 3.5, "command": "stop now", "to": "draining"}])) == 1
    assert parse_command("users +5") == Command("users", 5.0, True)
    assert controls_of(plan, [{"t_s": 1.0, "command": "users +5", "to": 6}])[1] == (1.0, Control(users=6))
