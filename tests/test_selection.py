"""Which tests ``python -m tests fast`` runs, and how the score of ``python -m tests mutation`` is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import __main__ as gate
from tests import mutation

ROOMS = ("metrics", "schedule", "view", "wire")
ALL = [f"tests/{room}" for room in ROOMS]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["agenttop/schedule/stages.py"], ["tests/schedule"]),
        (["agenttop/schedule/gone.py"], ["tests/schedule"]),
        (["tests/schedule/test_sums.py"], ["tests/schedule/test_sums.py"]),
        (["tests/schedule/test_sums.py", "agenttop/schedule/stages.py"], ["tests/schedule"]),
        (["tests/schedule/test_gone.py"], ["tests/schedule"]),
        (["tests/schedule/strategies.py", "agenttop/wire/sse.py"], ["tests/schedule", "tests/wire"]),
        (["agenttop/schedule/stages.py", "README.md", "tests/e2e/test_shell.py"], ["tests/schedule"]),
        ([], ALL),
        (["README.md", "pyproject.toml", "agenttop/exits.py", "tests/conftest.py"], ALL),
        (["agenttop/tui/app.py", "tests/tui/fake.py", "tests/e2e/test_shell.py"], ALL),
    ],
    ids=[
        "module",
        "module gone",
        "test",
        "both",
        "test gone",
        "helper",
        "with others",
        "none",
        "no room",
        "whole only",
    ],
)
def test_what_changed_says_what_is_tested(files: list[str], expected: list[str]) -> None:
    assert gate.unit_tests(files, ROOMS) == expected


def test_a_module_is_tested_by_whoever_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    named = {
        "agenttop.schedule.stages": {"tests/wire/test_sse.py", "tests/e2e/test_shell.py", "tests/schedule/test_a.py"}
    }
    monkeypatch.setattr(gate, "claims", lambda: named)
    assert gate.unit_tests(["agenttop/schedule/stages.py"], ROOMS) == ["tests/schedule", "tests/wire/test_sse.py"]


@pytest.mark.parametrize(("beside", "own", "code"), [(0, 0, 0), (3, 0, 3), (0, 4, 4), (3, 4, 3)])
def test_a_check_beside_the_tests_fails_them_too(
    beside: int, own: int, code: int, capfd: pytest.CaptureFixture[str]
) -> None:
    def ends(with_: int) -> list[str]:
        return [sys.executable, "-c", f"print('says {with_}'); raise SystemExit({with_})"]

    assert gate.together([ends(0), ends(beside)], ends(own), os.environ) == code
    said = capfd.readouterr().out
    assert said.count(f"says {beside}\n") >= 1
    assert ("failed with 3)" in said) == bool(beside)
    assert ("a check beside them failed" in said) == (beside != 0 and own == 0)


def test_unit_rooms_start_no_terminal_and_no_whole_run() -> None:
    rooms = gate.unit_rooms()
    assert {"budget", "dialects", "metrics", "schedule", "search", "thresholds"} <= set(rooms)
    assert not set(rooms) & {"e2e", "tui", "serve", "peers", "benchmarks"}


def git(place: Path, *arguments: str) -> None:
    who = ["-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=place, check=True, capture_output=True)


def test_what_differs_from_main_is_committed_edited_or_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert gate.changed() == [], "no repository"
    git(tmp_path, "init", "-q")
    for name in ("same", "committed", "edited", "gone"):
        (tmp_path / name).write_text("before")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    assert gate.changed() == []
    git(tmp_path, "switch", "-qc", "branch")
    (tmp_path / "committed").write_text("after")
    git(tmp_path, "commit", "-qam", "two")
    (tmp_path / "edited").write_text("after")
    (tmp_path / "gone").unlink()
    (tmp_path / "new").write_text("new")
    assert gate.changed() == ["committed", "edited", "gone", "new"]
    git(tmp_path, "branch", "-D", "main")
    assert gate.changed() == ["edited", "gone", "new"], "without a main: what no commit has"


def test_a_sample_is_the_same_for_a_seed() -> None:
    names = [f"m{number}" for number in range(50)]
    assert mutation.pick(names, None, 1) == sorted(names)
    assert mutation.pick(names, 99, 1) == sorted(names)
    one = mutation.pick(names, 10, 1)
    assert len(set(one)) == 10
    assert one == mutation.pick(reversed(names), 10, 1)
    assert one != mutation.pick(names, 10, 2)


def test_a_score_is_of_what_was_tried() -> None:
    codes = {"killed": 1, "hung": 36, "survived": 0, "untested": 33, "table": 33, "later": None, "other": 0}
    chosen = [name for name in codes if name != "other"]
    score = mutation.score_of("room", codes, chosen, lambda name: name in ("table", "killed"))
    assert (score.killed, score.survivors, score.mutants, score.at_import) == (2, ("survived", "untested"), 7, 1)
    assert score.endless == ("hung",)
    assert score.percent == 50.0
    assert mutation.score_of("room", {}, chosen).percent == 0.0
    for code in (2, 35):  # interrupted, and whatever mutmut finds suspicious
        with pytest.raises(ValueError, match=str(code)):
            mutation.score_of("room", {"strange": code}, ["strange"])
