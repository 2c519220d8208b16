"""``agenttop prune``, from its command line."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

import pytest

from agenttop.cli import prune
from agenttop.cli.main import main
from agenttop.journal.places import runs_directory
from agenttop.runs.prune import Over, remove
from agenttop.runs.register import all_runs
from tests.runs.test_register import finish

OLD, MIDDLE, NEW = (f"202601{day}-120000-peak-0a0b" for day in ("01", "02", "03"))
pytestmark = pytest.mark.usefixtures("home")


def runs(*exit_codes: int) -> None:
    """Leave behind OLD, MIDDLE and NEW, each over for 30 days less than the one before it: 90, 60 and 30."""
    for run, exit_code, days in zip((OLD, MIDDLE, NEW), exit_codes or (99, 99, 99), (90, 60, 30), strict=True):
        directory = finish(run, exit_code=exit_code)
        when = time.time() - days * 86_400 - 60
        for path in (*directory.iterdir(), directory):
            os.utime(path, (when, when))


def answered(answer: bytes, *words: str) -> tuple[int, str]:
    """Run it on a terminal where somebody answers; return its exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "agenttop", "prune", *words], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    os.write(ours, answer)
    try:
        while piece := os.read(ours, 4096):
            shown += piece
    except OSError:
        pass  # Linux says so when the other end is closed
    os.close(ours)
    return child.wait(30), shown.decode()


@pytest.mark.parametrize("answer", ["y", "Y", "yes"])
def test_it_says_how_many_and_how_much_and_asks(answer: str) -> None:
    runs()
    code, shown = answered(f"{answer}\n".encode(), "--keep", "1")
    assert (code, all_runs()) == (0, [NEW])
    size = shown.split("(")[1].split(")")[0]
    assert size.endswith("kB")
    assert f"2 runs ({size}), from {OLD} to {MIDDLE}" in shown
    assert "remove them? [y/N]" in shown
    assert f"removed 2 runs ({size})" in shown


@pytest.mark.parametrize("answer", [b"\n", b"n\n", b"whatever\n", b"\x04"])
def test_any_other_answer_removes_nothing(answer: bytes) -> None:
    runs()
    code, shown = answered(answer, "--older", "80d")
    assert (code, all_runs()) == (0, [NEW, MIDDLE, OLD])
    assert f"remove {OLD}? [y/N]" in shown
    assert "nothing was removed" in shown


def test_nobody_is_asked_about_nothing() -> None:
    runs()
    assert answered(b"", "--keep", "3") == (0, "no run to remove\r\n")


def test_ctrl_c_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(prompt: str) -> str:
        raise KeyboardInterrupt

    runs()
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("builtins.input", stopped)
    assert main(["prune", "--keep", "1"]) == 130
    assert all_runs() == [NEW, MIDDLE, OLD]


def test_without_a_terminal_it_refuses_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    runs()
    assert main(["prune", "--keep", "1"]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert said.err.startswith("agenttop: it asks before it removes, and there is no terminal to ask on; say --yes")
    assert all_runs() == [NEW, MIDDLE, OLD]


def test_yes_does_not_ask(capsys: pytest.CaptureFixture[str]) -> None:
    runs()
    assert main(["prune", "--older", "45d", "--yes"]) == 0
    assert all_runs() == [NEW]
    assert capsys.readouterr().out.startswith("removed 2 runs (")
    assert main(["prune", "--older", "45d", "--yes"]) == 0
    assert capsys.readouterr().out == "no run to remove\n"


def test_a_dry_run_lists_what_would_go(capsys: pytest.CaptureFixture[str]) -> None:
    runs(0, 99, 99)
    assert main(["prune", "--keep", "1", "--dry-run"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:1]] == [MIDDLE]
    assert lines[1].startswith("1 run (")
    assert lines[2] == f"kept, the newest of its profile that passed: {OLD}"
    assert all_runs() == [NEW, MIDDLE, OLD]


def test_the_base_of_comparisons_goes_only_if_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    runs(0, 0, 99)
    assert main(["prune", "--keep", "0", "--yes"]) == 0
    assert all_runs() == [MIDDLE]
    assert f"kept, the newest of its profile that passed: {MIDDLE}" in capsys.readouterr().out
    assert main(["compare", "last-passed", MIDDLE]) == 2, "there is no other"
    assert main(["prune", "--keep", "0", "--yes", "--also-last-passed"]) == 0
    assert all_runs() == []


def test_what_cannot_be_removed_is_said_and_the_rest_goes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()

    def fails(over: Over) -> None:
        if over.run == OLD:
            raise PermissionError(1, "Operation not permitted")
        remove(over)

    monkeypatch.setattr(prune, "remove", fails)
    assert main(["prune", "--keep", "1", "--yes"]) == 1
    assert all_runs() == [NEW, OLD]
    said = capsys.readouterr()
    assert said.err == f"agenttop: {OLD} is not all removed: Operation not permitted\n"
    assert said.out.startswith("removed 1 run (")


def test_one_that_somebody_else_removes_meanwhile_is_no_failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs()

    def twice(over: Over) -> None:
        remove(over)
        remove(over)

    monkeypatch.setattr(prune, "remove", twice)
    assert main(["prune", "--keep", "1", "--yes"]) == 0
    assert capsys.readouterr().out == "removed 0 runs (0B)\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_what_is_somebody_elses_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    runs()
    os.chown(runs_directory() / OLD / "summary.json", 12345, 12345)
    assert main(["prune", "--keep", "1", "--yes"]) == 0
    assert all_runs() == [NEW, OLD]
    assert f"left alone: {OLD}: summary.json in it is somebody else's\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "one of the arguments --keep --older is required"),
        (["--keep", "1", "--older", "1d"], "not allowed with"),
        (["--keep", "-1"], "must be 0 to 1 000 000"),
        (["--keep", "all"], "expected a whole number"),
        *(
            (["--older", age], 'expected an age such as "30d" or "12h"')
            for age in ("30", "0d", "0s", "d", "1e9d", "3w", "1d12h", "9" * 400 + "d", "١d", "x" * 400)
        ),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_line(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runs()
    assert main(["prune", *words, "--yes"]) == 2
    said = capsys.readouterr().err
    assert (error in said, said.count("\n")) == (True, 1), said
    assert len(all_runs()) == 3


@pytest.mark.parametrize(("age", "left"), [("45d", 1), ("1080h", 1), ("80.5d", 2), ("400d", 3)])
def test_ages(age: str, left: int) -> None:
    runs()
    assert main(["prune", "--older", age, "--yes"]) == 0
    assert len(all_runs()) == left
