"""Tests of agenttop.cli.completion: what is offered, and that each shell offers it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.cli.completion import FILES, LAST, NEWEST, SHELLS, candidates
from agenttop.cli.main import _COMMANDS, _parser_of, main
from agenttop.dialects import DIALECTS
from agenttop.journal.places import runs_directory, socket_path
from agenttop.quality import margins
from agenttop.steering.commands import COMMANDS

PEAK, SMOKE = "20260102-120000-peak-0a0b", "20260101-120000-smoke-0a0b"
RUNS = ["peak", "smoke", PEAK, SMOKE]


@pytest.fixture(autouse=True)
def runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are two runs, and something else; the working directory has two files."""
    for name in (PEAK, SMOKE, "notes", "20260101-120000-a b-0a0b", "20260101-120000-\x1b-0a0b"):
        (runs_directory() / name).mkdir(parents=True)
    work = home / "w"
    (work / "lasting").mkdir(parents=True)
    (work / "last month.json").write_text("{}")
    monkeypatch.chdir(work)


def offered(*words: str) -> list[str]:
    return list(candidates(words, _COMMANDS, _parser_of))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pr"], ["profile-of", "prune"]),
        (["--prof"], ["--profile"]),
        (["--profile", ""], [FILES]),
        (["--profile", "p.toml", "--theme", ""], ["dark", "light"]),
        (["--profile", "p.toml", "--theme=l"], ["--theme=light"]),
        (["--profile", "p.toml", "--theme", "="], ["dark", "light"]),  # as bash takes --theme= apart
        (["--profile", "p.toml", "--theme", "=", "l"], ["light"]),
        (["--users", ""], []),
        (["nonsense", ""], []),
        (["demo", "--headless", "--th"], ["--theme"]),
        (["compare", ""], [*LAST, *RUNS, FILES]),
        (["compare", "last"], [*LAST, FILES]),
        (["compare", "last", "p"], ["peak", FILES]),
        (["compare", "last", "20260102"], [PEAK, FILES]),
        (["compare", "last-passed", "last", ""], []),
        (["compare", "--max-score-drop", "2%", "last", "s"], ["smoke", FILES]),
        (["compare", "--strict", "last-"], ["last-passed", FILES]),
        (["compare", "--base", ""], [*LAST, *RUNS, FILES]),
        (["compare", "--base", "last", "sm"], ["smoke", FILES]),
        (["compare", "--base", "last", "--he"], ["--help", "--head"]),
        (["compare", "--max-regress", ""], []),
        (["compare", "-o", ""], [FILES]),
        (["compare", "--", "--b"], [FILES]),
        (["prune", "--"], ["--help", "--keep", "--older", "--also-last-passed", "--dry-run", "--yes"]),
        (["prune", "--keep", ""], []),
        (["prune", "--keep", "50", "--y"], ["--yes"]),
        (["prune", ""], []),
        (["report", "sm"], ["smoke", FILES]),
        (["report", "smoke", "sm"], ["smoke", FILES]),
        (["replay", "--speed", "2", "sm"], ["smoke", FILES]),
        (["attach", ""], []),
        (["ctl", "us"], ["users"]),
        (["ctl", ""], list(COMMANDS)),
        (["explain", "prof"], ["profile", "profile-of", "profile_sha256"]),
        (["hit", "http://h", "--dialect", "openai.c"], ["openai.chat"]),
        (["hit", "http://h", "-d", ""], []),
        (["qui"], ["quick"]),
        (["quick", "http://h", "--dialect", "openai.c"], ["openai.chat"]),
        (["cases", "a.jsonl", ""], [FILES]),
        (["schema", ""], ["profile", "summary"]),
        (["completion", ""], list(SHELLS)),
        (["agent", "--pre"], ["--preset"]),
        ([], sorted(_COMMANDS)),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value, list) else None,
)
def test_what_is_offered(words: list[str], expected: list[str]) -> None:
    assert offered(*words) == expected


def test_what_goes_on_is_offered_where_it_must() -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(socket_path(SMOKE)))
        listening.listen(8)
        for command in ("attach", "serve"):
            assert offered(command, "") == ["smoke", SMOKE]
        assert offered("ctl", "s") == ["smoke", *(word for word in COMMANDS if word.startswith("s"))]


def test_of_many_runs_the_newest_are_offered_and_what_is_typed_finds_any() -> None:
    for number in range(60):
        (runs_directory() / f"20250101-1200{number:02}-old-0a0b").mkdir()
    assert offered("report", "") == ["peak", "smoke", "old", PEAK, SMOKE, *offered("report", "")[5:]]
    assert len(offered("report", "")) == 3 + NEWEST + 1
    assert offered("report", "20250101-120000") == ["20250101-120000-old-0a0b", FILES]


def test_places_that_cannot_be_read_are_no_reason_to_fail(home: Path) -> None:
    (home / "r" / "agenttop").write_text("a file")
    assert offered("compare", "l") == [*LAST, FILES]


@pytest.mark.parametrize("command", [*_COMMANDS, ""])
def test_every_option_of_every_command_is_offered(command: str) -> None:
    said = {option for action in _parser_of(command)._actions for option in action.option_strings}
    assert set(offered(*([command] if command else []), "-")) == said
    assert {option for option in said if option.startswith("--")} == set(offered(*([command] if command else []), "--"))


def test_last_and_dialects_are_those_there_are() -> None:
    assert (margins.LAST, margins.LAST_PASSED) == LAST
    assert offered("hit", "--dialect", "") == list(DIALECTS)


def test_it_prints_a_candidate_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "--words", "prune", "--"]) == 0
    assert capsys.readouterr().out.split("\n")[:2] == ["--help", "--keep"]
    assert main(["completion", "--words", "nonsense", ""]) == 0
    assert capsys.readouterr().out == ""


def test_which_shells(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "csh"]) == 2
    assert "invalid choice: 'csh' (choose from" in capsys.readouterr().err


# -- the shells themselves

#: Completes the words that follow, and prints what is offered. What zsh has for its editor alone is made up here.
ASK = {
    "bash": 'eval "$(agenttop completion bash)"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agenttop; '
    'printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": "compdef() {}; _files() { print -l -- ${words[CURRENT]}*(N); }; compadd() { print -l -- ${(P)2}; }; "
    'eval "$(agenttop completion zsh)"; shift; words=("$@"); CURRENT=$#; _agenttop',
    "fish": 'agenttop completion fish | source; complete -C "$argv[2..-1]"',
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["pr"], {"profile-of", "prune"}),
        (["prune", "--ke"], {"--keep"}),
        (["prune", "--keep", ""], set()),
        (["compare", "last-"], {"last-passed"}),
        (["compare", "last", "peak"], {"peak"}),
        (["compare", "las"], {*LAST, "last month.json", "lasting"}),
        (["--profile", "lasti"], {"lasting"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_shell_offers_it(shell: str, words: list[str], expected: set[str], home: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    (home / "b").mkdir()
    wrapper = home / "b" / "agenttop"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m agenttop "$@"\n')
    wrapper.chmod(0o755)
    env = {**os.environ, "PATH": f"{home / 'b'}:{os.environ['PATH']}", "HOME": str(home)}
    asked = ["-c", ASK[shell], *([] if shell == "fish" else ["ask"]), "ask", "agenttop", *words]
    said = subprocess.run([program, *asked], env=env, capture_output=True, text=True, timeout=60, check=False)
    assert said.stderr == ""
    # fish marks directories, escapes what it offers, and says what kind of file it is.
    lines = [line.split("\t")[0].replace("\\ ", " ").rstrip("/") for line in said.stdout.splitlines()]
    assert set(lines) - {""} == expected
