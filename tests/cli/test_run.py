"""Tests of agenttop.cli.run, agenttop.cli.viewing, agenttop.cli.attach: what a command hands on to the screen."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from agenttop.cli import run, viewing
from agenttop.cli.main import main
from agenttop.journal.places import runs_directory
from agenttop.tui import app
from agenttop.tui.result import How, LiveResult

PROFILE = """
target = "http://127.0.0.1:9"
users = 1
duration = "1s"
[[pools]]
name = "a"
  [[pools.tasks]]
  name = "t"
  get = "/"
"""


@pytest.mark.parametrize(
    ("file", "variable", "option", "light"),
    [
        ("", None, None, False),
        ("AGENTTOP_THEME=light\n", None, None, True),
        ("AGENTTOP_THEME=light\n", "dark", None, False),
        ("", "light", None, True),
        ("AGENTTOP_THEME=light\n", "light", "dark", False),
    ],
)
def test_the_theme_is_an_option_over_the_environment_over_env_beside_the_profile(
    file: str, variable: str | None, option: str | None, light: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def run_live(feed: object, **look: Any) -> LiveResult:
        seen.append(look["light"])
        return LiveResult(How.DETACHED)

    monkeypatch.setattr(run, "launch", lambda spec: tmp_path / "socket")
    monkeypatch.setattr(viewing, "on_terminal", lambda: True)
    monkeypatch.setattr(viewing, "step_back", lambda: None)
    monkeypatch.setattr(app, "run_live", run_live)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("AGENTTOP_THEME", raising=False)
    if variable:
        monkeypatch.setenv("AGENTTOP_THEME", variable)
    (tmp_path / ".env").write_text(file)
    (tmp_path / "p.toml").write_text(PROFILE)
    options = ["--theme", option] if option else []
    assert main(["--profile", str(tmp_path / "p.toml"), *options]) == 0
    assert seen == [light]


def test_a_run_that_is_refused_for_its_port_leaves_no_directory(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "launch", lambda spec: pytest.fail("begun all the same"))
    (home / "p.toml").write_text(PROFILE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--profile", str(home / "p.toml"), "--headless", "--prometheus", port]) == 2
    assert "Address already in use" in capsys.readouterr().err
    assert not list(runs_directory().glob("*"))
