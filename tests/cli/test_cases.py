"""Tests of agenttop.cli.cases and agenttop.cli.cases_text."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttop.cli.main import main
from agenttop.exits import DONE, THRESHOLD, USAGE
from agenttop.report.figures import cells
from tests.grading.fake_judge import FakeJudge, judge_beside, scored

DATA = Path(__file__).parent.parent / "quality" / "data"
ANSWERS = [
    {"id": "hours-1", "text": "We open at ten."},
    {"id": "order-1", "text": "It is on its way.", "tools": []},
    {"id": "refund-1", "text": "Your money is on its way back to you."},
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to be in, with cases, answers and a state of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    shutil.copy(DATA / "ours.jsonl", tmp_path / "golden.jsonl")
    write("answers.jsonl", *ANSWERS)
    return tmp_path


def write(name: str, *records: object) -> None:
    Path(name).write_text("\n".join(map(json.dumps, records)), encoding="utf-8")


@pytest.fixture
def judge() -> Iterator[FakeJudge]:
    """Serve a judge from a thread, beside the loop of the command."""
    with judge_beside([scored(0.5, "no apology")]) as fake:
        yield fake


def test_what_was_understood_fits_80_columns(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(DATA / "promptfoo.csv", home)
    assert main(["cases", "golden.jsonl", "promptfoo.csv"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[0].split() == ["ID", "SLICES", "GRADERS", "INPUT"]
    assert lines[1].startswith("hours-1  ")
    assert lines[1].endswith("When do you open on…")
    assert "7 cases, 12 slices, 11 graders, at most 1 judge call to grade each once" in lines
    assert "4 of 7 cases have no id and got one of their first words and a digest of what" in lines


def test_what_was_understood_as_json(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "golden.jsonl", "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert [case["id"] for case in told["cases"]] == ["hours-1", "order-1", "refund-1"]
    assert told["judge_calls"] == 1


def test_problems_go_to_standard_error_and_the_exit_code_is_2(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("golden.jsonl", {"id": "a", "input": "x", "graders": [{"type": "contans"}]}, {"id": "b", "inptu": "x"})
    assert main(["cases", "golden.jsonl"]) == USAGE
    said = capsys.readouterr()
    assert not said.out
    assert said.err.splitlines()[0] == ('golden.jsonl:1: case "a": unknown grader "contans"; did you mean "contains"?')
    assert 'golden.jsonl:2: case "b": unknown field "inptu"; did you mean "input"?' in said.err


def test_recorded_answers_are_graded_and_those_that_failed_shown(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cases", "golden.jsonl", "--answers", "answers.jsonl"]) == DONE
    out = capsys.readouterr().out
    lines = out.splitlines()
    assert max(map(cells, lines)) <= 80
    assert lines[0] == "score 50.0% (0% to 100%): 2 cases, 2 answers, 1 passed"
    assert "hours         100%  20.7% to 100%      1" in lines
    assert "points lost by: tool_not_called 100%" in lines
    assert "metrics: status 100%" in lines
    failed = lines[lines.index("failed: 1") :]
    assert failed[1:5] == [
        "  order-1 25.0% tool_not_called",
        "    reason: the tool lookup_order was not called (none was called)",
        "    asked:  Where is order 12345?",
        "    answer: It is on its way.",
    ]
    assert "  refund-1" in lines
    assert "    reason: judge_error: there is no judge ([quality.judge], or --judge)" in lines


@pytest.mark.parametrize(("least", "code"), [("50%", DONE), ("0.51", THRESHOLD)])
def test_a_score_that_is_too_low_is_exit_code_99(
    home: Path, capsys: pytest.CaptureFixture[str], least: str, code: int
) -> None:
    assert main(["cases", "golden.jsonl", "--answers", "answers.jsonl", "--min-score", least]) == code
    said = capsys.readouterr().err
    assert said == ("" if code == DONE else "agenttop: the score is 50.0%; --min-score is 51.0%\n")


def test_nothing_that_could_be_graded_is_no_pass(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write("answers.jsonl", ANSWERS[2])
    assert main(["cases", "golden.jsonl", "--answers", "answers.jsonl", "--min-score", "0%"]) == THRESHOLD
    assert capsys.readouterr().err == "agenttop: no answer could be graded; --min-score is 0.0%\n"


def test_a_judge_is_asked_with_its_key_and_its_verdicts_are_kept(
    home: Path, judge: FakeJudge, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "sk-judge-key")
    command = ["cases", "golden.jsonl", "--answers", "answers.jsonl", "--judge", judge.url]
    assert main(command) == DONE
    lines = capsys.readouterr().out.splitlines()
    assert "  refund-1 75.0% wrong" in lines
    assert "    reason: no apology" in lines
    assert "judge: 1 call, 0 cached, 0 errors, 110 tokens" in lines
    assert judge.asked[0][1]["authorization"] == "Bearer sk-judge-key"
    assert main([*command, "--json"]) == DONE
    told = json.loads(capsys.readouterr().out)
    assert told["judge"]["cached"] == 1
    assert told["waiting"] == 0
    assert told["slices"]["refunds"]["score"] == 0.75
    assert len(judge.asked) == 1


def test_labels_say_how_far_the_judge_agrees(home: Path, judge: FakeJudge, capsys: pytest.CaptureFixture[str]) -> None:
    labels = [{"id": "refund-1", "text": f"text {number}", "score": number % 2} for number in range(4)]
    write("labels.jsonl", *labels)
    assert main(["cases", "golden.jsonl", "--judge", judge.url, "--labels", "labels.jsonl"]) == DONE
    assert "judge against people: 50.0% of 4 answers alike" in capsys.readouterr().out


def test_graders_in_python_are_found_beside_the_cases(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "sub").mkdir()
    write("sub/golden.jsonl", {"id": "a", "input": "x", "graders": [{"type": "python", "value": "g.py:short"}]})
    assert main(["cases", "sub/golden.jsonl"]) == USAGE
    assert capsys.readouterr().err == (
        'sub/golden.jsonl:1: case "a": the grader "g.py:short": No such file or directory\n'
    )
    Path("sub/g.py").write_text("def short(answer, case):\n    return len(answer.text) < 5\n", encoding="utf-8")
    write("answers.jsonl", {"id": "a", "text": "too long"})
    assert main(["cases", "sub/golden.jsonl", "--answers", "answers.jsonl"]) == DONE
    assert "    reason: g.py:short says 0" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("gone.jsonl", "gone.jsonl: No such file or directory"),
        ("golden.jsonl --min-score 90%", "--min-score needs --answers"),
        ("golden.jsonl --labels labels.jsonl", "--labels needs --judge"),
        ("golden.jsonl --judge http://127.0.0.1:1", "--judge needs --answers or --labels"),
        (
            "golden.jsonl --answers answers.jsonl --judge x",
            "the judge's target is an http:// or https:// address, not “x”",
        ),
        ("golden.jsonl --answers answers.jsonl --min-score 900", "argument --min-score: expected a percentage"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_line(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: str, said: str
) -> None:
    assert main(["cases", *arguments.split()]) == USAGE
    error = capsys.readouterr().err
    assert error.startswith(f"agenttop: {said}")
    assert error.count("\n") == 1


def test_a_file_that_is_no_utf_8_is_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "golden.jsonl").write_bytes(b'{"input": "\xff"}')
    assert main(["cases", "golden.jsonl"]) == USAGE
    assert capsys.readouterr().err == "agenttop: golden.jsonl is not UTF-8 (byte 11)\n"
