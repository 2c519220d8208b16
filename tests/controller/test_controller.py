"""What a controller answers, and what is left of it; what it does with a run is in tests/e2e."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttop.controller.controller import Controller
from agenttop.controller.ending import End, Halted
from agenttop.controller.items import Item
from agenttop.controller.spec import RunSpec
from agenttop.journal.journal import JournalWriter, Second, read_journal
from agenttop.journal.repeat import Left, driven, rewritten
from agenttop.journal.repeat_user_policy import with_user_policy
from agenttop.journal.replayed_plan import end_of_plan
from agenttop.profile.load import load_profile
from agenttop.profile.toml import dumps
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from agenttop.worker import files
from agenttop.worker.messages import Halt
from tests.controller.test_records import no_space
from tests.journal.test_repeat import header_of
from tests.journal.test_replayed_plan import PLANS, commands, edits
from tests.steering.plans import STAGES, TASK

LIMIT = "the limit is 300: connections beyond it fail here, not at the target"


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(files, "raise_file_limit", lambda: 300)
    rate = f'[[pools]]\nname = "open"\nmax_users = 50\nstages = [{{ duration = "30s", rate = 3 }}]\n{TASK}'
    return controller_of(tmp_path, f'{STAGES}[[pools]]\nname = "chat"\n{TASK}{rate}')


def controller_of(folder: Path, text: str) -> Controller:
    """One that has begun nothing yet."""
    file = folder / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{text}')
    loaded = load_profile(file, env={})
    return Controller(RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256))


def test_users_beyond_the_open_files_are_answered_with_a_warning(controller: Controller) -> None:
    assert controller.handle("users 150", "key").message == "users 0 → 150"
    reply = controller.handle("users 151", "key")
    assert (reply.applied, reply.message) == (True, f"users 150 → 151; 201 users need 301 files, {LIMIT}")
    controller.handle("users 152", "key")
    told = [event.text for event in controller.watcher.events if event.level == "warn"]
    assert told == [f"201 users need 301 files, {LIMIT}"], "once, however long it lasts"
    assert controller.figures.aggregate.workers.warnings == [f"{told[0]} (at 0 s)"]
    assert controller.handle("users 5", "key").message == "users 152 → 5"
    assert controller.handle("hold", "key").message == "plan held at 00:00"


def test_so_are_stages_and_what_a_release_leads_to(controller: Controller) -> None:
    assert controller.handle("plan 1m 300", "key").message == (
        f"plan from 00:00 on: 1m 300; 350 users need 450 files, {LIMIT}"
    )
    assert "need" not in controller.handle("users 20", "key").message
    assert controller.handle("release", "key").message == (
        "the plan's targets again, as it was edited (plan profile gives back the profile's stages); "
        f"350 users need 450 files, {LIMIT}"
    )
    assert "need" not in controller.handle("plan profile", "key").message
    assert [control["command"] for control in controller.orders.controls] == [
        "plan 1m 300",
        "users 20",
        "release",
        "plan profile",
    ]


OTHERS = st.sampled_from(
    [
        *("think 1s..3s", "think profile", "pacing 2s own", "on_429 honor", "on_429 retry chat", "plan rest"),
        *("plan 0s 5", "plan peak: rest, 3s 5", "plan profile chat", "start", "status"),
        *("", "nonsense", "plan", "users x", "rate +3"),
    ]
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(sorted(PLANS)),
    st.lists(st.tuples(st.integers(0, 9000), commands | edits | OTHERS), max_size=12),
    st.integers(1, 30_000),
)
def test_whatever_is_said_is_answered_and_amounts_to_a_profile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sequence: list[tuple[int, str]], rest_ms: int
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = controller_of(tmp_path, PLANS[name])
    now_s = [0.0]
    monkeypatch.setattr(made, "elapsed", lambda: now_s[0])
    now_ms = 0
    for wait_ms, text in sequence:
        now_ms += wait_ms
        now_s[0] = now_ms / 1000
        if made.control.held_at is None and made.control.plan_time(now_s[0]) >= made.plan.duration_s:
            break  # it would be over
        made.spans.look(now_s[0], made.plan, made.control)
        before = len(made.orders.controls)
        reply = made.handle(text, "ctl")
        assert reply.message
        assert len(made.orders.controls) - before == (reply.applied and text != "status")
    assert all(span[0] <= span[1] for span in made.spans.all if span is not None)
    natural_s = end_of_plan(made.plan, [(0.0, made.control)])
    ended_s = min((now_ms + rest_ms) / 1000, math.inf if natural_s is None else natural_s)
    header = header_of(tmp_path, f'target = "http://127.0.0.1:1"\n{PLANS[name]}')
    left = Left(header, made.orders.controls, ended_s, completed=False)
    found, end_s = driven(left)
    table, _ = rewritten(header, found, end_s)
    with_user_policy(table, left, end_s)
    (tmp_path / "again.toml").write_text(dumps(table))
    again = load_profile(tmp_path / "again.toml", env={}).profile
    assert Plan(again, layout_of(again)).duration_s == pytest.approx(end_s, abs=1e-4)


@pytest.mark.parametrize("state", ["starting", "armed", "running"])
def test_a_stop_does_not_take_back_that_all_is_cut(
    controller: Controller, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(controller.box, "command", lambda _, message: told.append(message))
    controller.state = state
    assert controller.handle("stop now", "ctl").message == "stopping now"
    for _ in range(2):
        assert controller.handle("stop", "ctl").message == "the run is coming to its end already"
        controller._signalled()
    if state != "running":  # its workers are up only now
        assert told == []
        controller.state = "running"
        controller._look_for_end(0.0)
    assert told == [Halt("cancel")]
    assert controller.end == End("stopped_by_user", 130, "")
    assert (controller.state, controller.halted) == ("draining", Halted("cancel", 0.0, 0.0))
    assert [control["command"] for control in controller.orders.controls] == ["stop now"]


def test_a_second_stop_goes_further_and_a_third_changes_nothing(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []
    monkeypatch.setattr(controller.box, "command", lambda _, message: told.append(message))
    controller.state = "running"
    for _ in range(3):
        controller._signalled()
    assert told == [Halt("drain"), Halt("cancel")]


def test_a_worker_that_is_lost_while_the_disk_is_full_is_in_the_journal(
    tmp_path: Path, controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller.records.open()
    controller.state = "running"
    for second in range(1, 5):
        with monkeypatch.context() as full:
            if second in (2, 3):
                full.setattr(JournalWriter, "_append", no_space)
            if second == 2:
                killed = Item(1, 0, ended=True, exit="killed by SIGKILL")
                controller.intake.take(killed, 1.5, ending=False)
            controller._close_second(float(second))
    assert controller.records._journal is not None
    controller.records._journal.close()
    found = [second for second in read_journal(tmp_path) if isinstance(second, Second)]
    assert [(second.situation.t_s, second.gone) for second in found] == [(1.0, []), (4.0, [0])]
    said = [event.text for second in found for event in second.events]
    assert said == ["worker 0 killed by SIGKILL: none is left", "journal: No space left on device"]
    assert controller.box.alive == []


@pytest.mark.parametrize(("awake_s", "ended_s"), [(31.5, 30.25), (60.0, 30.25), (30.2, 30.2)])
def test_a_plan_that_ended_while_the_controller_stood_still_ended_then(
    controller: Controller, awake_s: float, ended_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent is divided by the time in which it was: workers stop at the end of the plan, a second after the
    last word at the soonest.
    """
    monkeypatch.setattr(controller.box, "command", lambda _, message: None)
    monkeypatch.setattr(controller, "_close_second", lambda t_s: None)
    controller.state = "running"
    now_s = [0.0]
    monkeypatch.setattr(controller, "elapsed", lambda: now_s[0])
    for now_s[0] in (*(step / 4 for step in range(118)), awake_s):
        controller._look()
    assert controller.halted is not None
    assert controller.halted.sending_ended_s == ended_s
    assert (controller.end.exit_code == 1) == (awake_s == 60.0)


def test_workers_that_all_stopped_by_themselves_did_not_die(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The controller has stood still for a moment less than it would have noticed."""
    controller.state = "running"
    monkeypatch.setattr(controller, "elapsed", lambda: 9.0)
    why = "heard nothing from the controller for 3 s and stopped"
    controller.intake.take(Item(1, 0, ended=True, exit=why, stopped_s=8.2), 9.0, ending=False)
    controller._nobody_left()
    assert controller.end == End("error", 1, "every worker stopped by itself: it heard nothing from the controller")
    assert controller.halted is not None
    assert controller.halted.sending_ended_s == 8.2


def test_workers_that_were_killed_died(controller: Controller) -> None:
    controller.state = "running"
    controller.intake.take(Item(1, 0, ended=True, exit="killed by SIGKILL"), 9.0, ending=False)
    controller._nobody_left()
    assert controller.end == End("error", 1, "every worker died")
