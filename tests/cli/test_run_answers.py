"""Tests of agenttop.cli.run_answers: the answers of a run, graded anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.cli.main import main
from agenttop.exits import DONE, USAGE
from agenttop.journal.answers import AnswersWriter
from agenttop.journal.journal import FILE_NAME as JOURNAL
from agenttop.quality.answer import Answer, ToolCall
from agenttop.report.summary import load_summary, write_summary
from tests.runs.test_register import finish

CASES = [
    {"id": "hours", "input": "When?", "graders": [{"type": "contains", "value": "ten"}], "tags": ["hours"]},
    {"id": "order", "input": "Where?", "graders": [{"type": "tool-called", "name": "lookup"}, "not-refusal"]},
]
ANSWERS = [
    Answer("hours", "low", 2, text="at nine", at_s=1.0),
    Answer("hours", "peak", 9, text="at ten", at_s=5.0),
    Answer("order", "low", 2, text="on its way", tools=(ToolCall("lookup", {"id": 1}),), at_s=2.0),
    Answer("order", "peak", 9, text="on its way", at_s=6.0),
    Answer("order", "peak", 9, at_s=7.0),  # well, and empty
    Answer("order", "peak", 9, outcome="timeout", at_s=8.0),
]
RUN = "20260105-120000-peak-0001"


@pytest.fixture
def run(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of a run that is over."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "golden.jsonl").write_text("\n".join(map(json.dumps, CASES)), encoding="utf-8")
    directory = finish(RUN)
    (directory / JOURNAL).write_bytes(b"")
    summary = load_summary(directory / "summary.json")
    write_summary(directory / "summary.json", summary | {"profile": {"quality": {"pass": 0.5}}})
    write(directory, *ANSWERS)
    return directory


def write(directory: Path, *answers: Answer) -> None:
    writer = AnswersWriter(directory, kept_free=0)
    writer.append(answers)
    writer.close()


def graded(where: object, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert main(["cases", "golden.jsonl", "--answers", str(where), "--json"]) == DONE
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_a_run_is_graded_anew_whatever_it_is_called(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = [RUN, "20260105", "peak", "last", "last-passed", run, run / "answers.jsonl"]
    told = [graded(where, capsys) for where in named]
    assert all(one == told[0] for one in told)
    scores = told[0]["scores"]
    assert isinstance(scores, list)
    assert [score["value"] for score in scores] == [0.0, 1.0, 1.0, 0.5, 0.0, 0.0]
    # The run's own "pass" is 0.5.
    assert [score.get("passed", False) for score in scores] == [False, True, True, True, False, False]
    assert [score.get("cause", "") for score in scores][3:] == ["tool_not_called", "empty", "timeout"]
    levels = told[0]["levels"]
    assert isinstance(levels, dict)
    assert {name: (row["answers"], row["score"]) for name, row in levels.items()} == {
        "low": (2, 0.5),
        "peak": (4, pytest.approx((1 + 0.5 / 3) / 2)),
    }


def test_a_grader_that_was_mended_gives_another_score(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = graded("last", capsys)["levels"]
    mended = [CASES[0] | {"graders": [{"type": "regex", "value": "nine|ten"}]}, CASES[1]]
    Path("golden.jsonl").write_text("\n".join(map(json.dumps, mended)), encoding="utf-8")
    after = graded("last", capsys)["levels"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["low"]["score"], after["low"]["score"]) == (0.5, 1.0)


def test_levels_and_what_is_left_out_are_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gone = [Answer(f"gone-{number}", "low", 2, text="x") for number in range(5)]
    write(run, *gone, gone[0], Answer("hours", "low", 2, step=0, last=False, text="well"))
    assert main(["cases", "golden.jsonl", "--answers", "last"]) == DONE
    lines = capsys.readouterr().out.splitlines()
    (at,) = [at for at, line in enumerate(lines) if line.startswith("LEVEL ")]
    assert [line.split()[:2] for line in lines[at + 1 : at + 3]] == [["low", "50.0%"], ["peak", "58.3%"]]
    assert lines[-2:] == [
        "left out: 6 answers to 5 cases that are in none of the files (gone-0, gone-1, gone-2, …)",
        "left out: 1 answers before the last of a conversation: the profile grades them",
    ]
    told = graded("last", capsys)["left_out"]
    assert told == {
        "unknown_cases": {"gone-0": 2, "gone-1": 1, "gone-2": 1, "gone-3": 1, "gone-4": 1},
        "earlier_steps": 1,
    }


def test_a_run_that_goes_on_is_graded_up_to_its_last_whole_line(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "summary.json").unlink()
    with (run / "answers.jsonl").open("ab") as file:
        file.write(b'{"case":"hours","te')
    scores = graded(RUN, capsys)["scores"]
    assert isinstance(scores, list)
    assert len(scores) == len(ANSWERS)
    assert "passed" not in scores[3]  # without a summary a case passes with 1


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("gone.jsonl", "gone.jsonl: No such file or directory"),
        ("gone", f"no run is called gone; there is: {RUN}"),
        ("./gone", "./gone: No such file or directory"),
    ],
)
def test_a_run_that_is_not_there_is_told(run: Path, capsys: pytest.CaptureFixture[str], where: str, said: str) -> None:
    assert main(["cases", "golden.jsonl", "--answers", where]) == USAGE
    assert capsys.readouterr().err == f"agenttop: {said}\n"


def test_a_run_without_answers_that_these_cases_can_grade_is_told(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = run / "answers.jsonl"
    file.write_bytes(b"")
    write(run, Answer("gone", text="x"))
    assert main(["cases", "golden.jsonl", "--answers", "last"]) == USAGE
    assert "no answer that these cases can grade; left out: 1 answers to 1 cases" in capsys.readouterr().err
    file.write_bytes(b'{"case": 7}\n{}\n')
    assert main(["cases", "golden.jsonl", "--answers", "last"]) == USAGE
    assert "answers.jsonl:1: not an answer" in capsys.readouterr().err
    file.unlink()
    assert main(["cases", "golden.jsonl", "--answers", "last"]) == USAGE
    assert "no graded answers: it has no answers.jsonl" in capsys.readouterr().err
