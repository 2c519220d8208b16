"""Tests of agenttop.controller.launch, agenttop.controller.spec, agenttop.controller.__main__."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.launch import LaunchError, NoRoomError, default_workers, launch
from agenttop.controller.spec import RunSpec
from agenttop.journal.journal import FILE_NAME
from agenttop.journal.places import LOG, is_held, new_run, socket_path
from agenttop.profile.load import load_profile
from agenttop.runs.control_socket import SocketFeed
from tests.steering.plans import STAGES, TASK


def spec_of(home: Path, **changes: Any) -> RunSpec:
    file = home / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "a"\n{TASK}')
    loaded = load_profile(file, env={})
    run_id, directory = new_run("p")
    values: dict[str, Any] = {
        "run_id": run_id,
        "directory": str(directory),
        "profile": loaded.profile,
        "profile_name": "p.toml",
        "masked": loaded.masked,
        "secrets": (),
        "sha256": loaded.sha256,
    }
    return RunSpec(**(values | changes))


async def test_a_launched_run_answers_on_its_socket(home: Path) -> None:
    spec = spec_of(home)
    socket = launch(spec)
    assert stat.S_IMODE(socket.stat().st_mode) == 0o600
    feed = SocketFeed(socket)
    info = await feed.open()
    assert info.run_id == spec.run_id
    assert is_held(Path(spec.directory))
    last = [message async for message in feed.messages()][-1]
    await feed.close()
    assert last.__class__.__name__ == "Ended"  # port 1 cannot be connected to
    log = Path(spec.directory) / LOG
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert log.read_text() == ""


def test_a_controller_that_cannot_start_says_why(home: Path) -> None:
    (home / "r" / "agenttop").mkdir(mode=0o755)
    (home / "r" / "agenttop").chmod(0o755)
    with pytest.raises((LaunchError, PermissionError), match="must be a directory of yours with mode 0700"):
        launch(spec_of(home))


def test_a_controller_that_ends_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LaunchError, match=r"could not be started: no reason given \(see .*controller\.log\)"):
        launch(spec_of(home))


def test_a_journal_that_cannot_be_begun_is_said_before_the_run_is_there(home: Path) -> None:
    spec = spec_of(home)
    (Path(spec.directory) / FILE_NAME).mkdir()
    with pytest.raises(NoRoomError, match=rf"{spec.directory}: File exists"):
        launch(spec)
    assert not socket_path(spec.run_id).exists()


def test_workers_leave_a_core_to_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    for cores, workers in (({0}, 1), ({0, 1}, 1), (set(range(8)), 7)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: cores, raising=False)
        assert default_workers() == workers
