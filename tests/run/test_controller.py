"""What a controller answers; what it does with a run is in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.profile.load import load_profile
from agenttop.run import files
from agenttop.run.controller import Controller
from agenttop.run.spec import RunSpec
from tests.run.plans import STAGES, TASK

LIMIT = "the limit is 300: connections beyond it fail here, not at the target"


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Controller:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(files, "raise_file_limit", lambda: 300)
    file = tmp_path / "p.toml"
    rate = f'[[pools]]\nname = "open"\nmax_users = 50\nstages = [{{ duration = "30s", rate = 3 }}]\n{TASK}'
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "chat"\n{TASK}{rate}')
    loaded = load_profile(file, env={})
    return Controller(RunSpec("id", str(tmp_path), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256))


def test_users_beyond_the_open_files_are_answered_with_a_warning(controller: Controller) -> None:
    assert controller.handle("users 150", "key").message == "users 0 → 150"
    reply = controller.handle("users 151", "key")
    assert (reply.applied, reply.message) == (True, f"users 150 → 151; 201 users need 301 files, {LIMIT}")
    controller.handle("users 152", "key")
    told = [event.text for event in controller.watcher.events if event.level == "warn"]
    assert told == [f"201 users need 301 files, {LIMIT}"], "once, however long it lasts"
    assert controller.aggregate.workers.warnings == [f"{told[0]} (at 0 s)"]
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
    assert [control["command"] for control in controller.controls] == [
        "plan 1m 300",
        "users 20",
        "release",
        "plan profile",
    ]
