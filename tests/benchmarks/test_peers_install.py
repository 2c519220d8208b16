"""Published tools in the cache: made once, whole or not at all; python, pip and npm are fakes here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.benchmarks.nginx import Missing
from tests.benchmarks.peers import install
from tests.benchmarks.peers.install import node_peer, python_peer

#: Makes a "virtual environment" that holds a copy of itself; as that one's pip, a tool.
PYTHON = """#!/bin/sh
if [ "$2" = venv ]; then mkdir -p "$3/bin" && exec cp "$0" "$3/bin/python"; fi
echo "$@" >> "$ASKED"
if [ -e "$OFFLINE" ]; then echo "Retrying" >&2; echo "ERROR: no route to it" >&2; exit 1; fi
echo here > "$(dirname "$0")/tool"
"""
NODE = """#!/bin/sh
echo v20
"""
#: ``npm install OPTION… --prefix FOLDER PACKAGE``
NPM = """#!/bin/sh
echo "$@" >> "$ASKED"
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin" && echo here > "$2/node_modules/.bin/$3"
"""


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the fakes write how they were called."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in {"python": PYTHON, "node": NODE, "npm": NPM}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ASKED", str(tmp_path / "asked"))
    monkeypatch.setenv("OFFLINE", str(tmp_path / "offline"))
    monkeypatch.setattr(sys, "executable", str(tools / "python"))
    return tmp_path / "asked"


def test_a_python_peer_is_installed_once(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = python_peer("tool", "tool==1.0", "other==2.0")
    assert (first / "tool").read_text() == "here\n"
    assert "installing tool==1.0 other==2.0 into " in capsys.readouterr().err
    assert python_peer("tool", "tool==1.0", "other==2.0") == first
    assert asked.read_text().splitlines() == ["-m pip install --quiet tool==1.0 other==2.0"]
    assert capsys.readouterr().err == ""


def test_other_versions_have_a_place_of_their_own(asked: Path) -> None:
    assert python_peer("tool", "tool==1.0") != python_peer("tool", "tool==1.1")
    assert len(asked.read_text().splitlines()) == 2


def test_a_failed_install_leaves_nothing_and_is_tried_again(asked: Path, tmp_path: Path) -> None:
    offline = tmp_path / "offline"
    offline.touch()
    with pytest.raises(Missing, match=r"^tool==1\.0 cannot be had: ERROR: no route to it$"):
        python_peer("tool", "tool==1.0")
    assert [path.suffix for path in install.cache().iterdir()] == [".lock"]
    offline.unlink()
    assert (python_peer("tool", "tool==1.0") / "tool").exists()


def test_what_a_killed_install_left_is_not_taken_and_goes(asked: Path) -> None:
    whole = python_peer("tool", "tool==1.0").parent
    made = whole.resolve()
    # As if it had been killed between pip and the link.
    whole.unlink()
    assert (python_peer("tool", "tool==1.0") / "tool").exists()
    assert whole.resolve() != made
    assert not made.exists()
    assert len(asked.read_text().splitlines()) == 2


def test_a_node_peer_is_installed_once(asked: Path) -> None:
    first = node_peer("tool", "tool@1.0.0")
    assert (first / "tool@1.0.0").read_text() == "here\n"
    assert node_peer("tool", "tool@1.0.0") == first
    assert len(asked.read_text().splitlines()) == 1


def test_without_npm_a_node_peer_is_missing(asked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tools" / "npm").unlink()
    monkeypatch.setattr(install, "find", lambda tool: _none(tool) if tool == "npm" else str(tmp_path / "tools" / tool))
    with pytest.raises(Missing, match="npm"):
        node_peer("tool", "tool@1.0.0")
    assert not asked.exists()


def _none(tool: str) -> str:
    raise Missing(f"{tool} is not installed")
