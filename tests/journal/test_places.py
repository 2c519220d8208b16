from __future__ import annotations

import os
import secrets
import socket
import tempfile
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from agenttop.journal import places


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_run_is_its_owners_alone(home: Path) -> None:
    run_id, directory = places.new_run("peak")
    assert directory == home / "s" / "agenttop" / "runs" / run_id
    assert mode(directory) == 0o700
    assert "-peak-" in run_id
    assert places.new_run("peak")[0] != run_id


def test_runs_of_one_name_and_one_second_draw_until_they_differ(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Noon(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2030, 1, 1, 12, tzinfo=tz)

    monkeypatch.setattr(places, "datetime", Noon)
    drawn = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr(secrets, "token_hex", lambda _: next(drawn))
    found = [places.new_run("peak")[0] for _ in range(2)]
    assert found == ["20300101-120000-peak-aaaa", "20300101-120000-peak-bbbb"]


@pytest.mark.parametrize(
    ("name", "part"),
    [("../../etc", "-etc-"), ("a b/c", "-a-b-c-"), ("", "-run-"), ("...", "-run-"), ("é" * 99, "é" * 20)],
)
def test_names_are_no_paths(home: Path, name: str, part: str) -> None:
    run_id, directory = places.new_run(name)
    assert part in run_id
    assert directory.parent == places.runs_directory()


def test_a_relative_state_home_is_not_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.runs_directory() == tmp_path / ".local" / "state" / "agenttop" / "runs"


def test_the_socket_directory(home: Path) -> None:
    assert places.socket_directory() == home / "r" / "agenttop"
    assert mode(home / "r" / "agenttop") == 0o700
    for name in ("x" * 200, "é" * 200, "測" * 200):
        # The path of a Unix socket holds 107 bytes, and /run/user/1000/agenttop/ takes 24.
        assert len(os.fsencode(places.socket_path(places.new_run(name)[0]).name)) <= 80


def test_without_a_runtime_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "missing"))
    monkeypatch.setattr(tempfile, "tempdir", str(home))
    assert places.socket_directory() == home / f"agenttop-{os.getuid()}"


def test_a_directory_others_may_enter_is_refused(home: Path) -> None:
    (home / "r" / "agenttop").mkdir()
    (home / "r" / "agenttop").chmod(0o755)
    with pytest.raises(PermissionError, match="must be a directory of yours with mode 0700"):
        places.socket_directory()


def test_a_link_to_somewhere_else_is_refused(home: Path) -> None:
    (home / "elsewhere").mkdir(mode=0o700)
    (home / "r" / "agenttop").symlink_to(home / "elsewhere")
    with pytest.raises(PermissionError, match="0700"):
        places.socket_directory()


def test_somebody_elses_directory_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places.socket_directory()
    monkeypatch.setattr(os, "getuid", lambda: os.stat(home).st_uid + 1)
    with pytest.raises(PermissionError, match="of yours"):
        places.socket_directory()


def test_live_runs_are_those_that_listen(home: Path) -> None:
    assert places.live_runs() == []
    with socket.socket(socket.AF_UNIX) as alive, socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(places.socket_path("a")))
        alive.bind(str(places.socket_path("b")))
        alive.listen(1)
        places.socket_path("c").write_text("no socket")
        assert places.live_runs() == ["b"]
        # Its callers' queue is full: it is busy, and there.
        assert [places.live_runs() for _ in range(5)] == [["b"]] * 5


def test_sockets_of_the_dead_are_swept(home: Path) -> None:
    run, directory = places.new_run("p")
    path, stranger = places.socket_path(run), places.socket_path("stranger")
    for each in (path, stranger):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(each))
    with (directory / places.LOG).open("wb") as log:
        places.hold(log)
        assert places.live_runs() == []
        assert path.exists(), "its controller is there, and about to listen"
    assert places.live_runs() == []
    assert not path.exists()
    assert stranger.exists(), "of a run that nobody knows, it may be about to"
    os.utime(stranger, (0, 0))
    assert places.live_runs() == []
    assert not stranger.exists()
