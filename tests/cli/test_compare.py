"""``agenttop compare``, from its command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agenttop.cli.main import main
from agenttop.journal.places import runs_directory
from agenttop.report.summary import load_summary, write_summary
from tests.quality.worlds import graded, idle
from tests.runs.test_register import finish

OLD, NEW, OTHER = "20260101-110000-peak-0a0b", "20260101-120000-peak-0a0b", "20260101-130000-smoke-0a0b"
pytestmark = pytest.mark.usefixtures("home")


def run(run_id: str, exit_code: int = 0, **changes: Any) -> Path:
    """A run that is over: a real summary, with the times of a made-up one."""
    directory = finish(run_id, exit_code=exit_code)
    summary = load_summary(directory / "summary.json")
    world = idle(int(run_id[9:11]), **changes)
    summary["totals"] |= {key: world["totals"][key] for key in ("latency_ms", "blocks")}
    summary["run"] |= {"id": run_id, "measured_s": 60.0}
    summary["stages"] = summary["stages"][:1]
    summary["stages"][0] |= {"start_s": 0.0, "end_s": 60.0, "target_start": 9.0, "target_end": 9.0}
    scores = graded(1)
    summary["quality"] = {"score": 0.9, "by_case": scores}
    write_summary(directory / "summary.json", summary)
    return directory


def test_two_runs_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    run(OLD)
    run(NEW, slower=1.5)
    run(OTHER)
    assert main(["compare", OLD, NEW]) == 0
    said = capsys.readouterr().out
    assert said.strip().startswith("WORSE: latency p50")
    assert max(map(len, said.splitlines())) <= 80
    assert main(["compare", OLD, NEW, "--max-regress", "latency.p95=10%", "--max-score-drop", "2%"]) == 99
    assert capsys.readouterr().out.strip().startswith("BLOCK: worse than allowed: latency p95")


def test_the_last_ones_are_of_one_profile(capsys: pytest.CaptureFixture[str]) -> None:
    run(OLD)
    run(NEW, 99, slower=1.5)
    run("20260101-123000-peak-0a0c", 130)
    for words in (["last-passed", NEW], ["last-passed", str(runs_directory() / NEW)], [OLD, "last"]):
        assert main(["compare", *words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        head = NEW if words[1] != "last" else "20260101-123000-peak-0a0c"
        assert (found["base"], found["head"]) == ([OLD], [head])
    run(OTHER)
    assert main(["compare", "last-passed", "last"]) == 2
    assert "there is no other run of smoke on this machine that passed yet" in capsys.readouterr().err


def test_several_runs_a_side(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [f"20260101-{hour}0000-peak-0a0b" for hour in (11, 12, 13, 14)]
    for each in runs:
        run(each)
    assert main(["compare", "--base", runs[0], runs[2], "--head", runs[1], runs[3], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["base"], found["head"]) == ([runs[0], runs[2]], [runs[1], runs[3]])


@pytest.mark.parametrize("ending", [".html", ".md", ".json", ".xml"])
def test_it_is_written_to_a_file(ending: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(OLD)
    run(NEW)
    out = home / f"compared{ending}"
    assert main(["compare", OLD, NEW, "-o", str(out)]) == 0
    assert NEW in out.read_text()
    assert "base" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "say what to compare"),
        ([OLD], "compare takes two runs"),
        ([OLD, NEW, "--base", OLD], "say either"),
        ([OLD, "nobody"], "no run is called nobody"),
        ([OLD, NEW, "-o", "x.txt"], "expected a file that ends in .html, .md, .json, .xml"),
        ([OLD, NEW, "-o", "nowhere/x.md"], "no such place"),
        ([OLD, NEW, "--max-score-drop", "2"], "--max-score-drop: expected a percentage"),
        ([OLD, NEW, "--max-regress", "latency.p95"], "--max-regress: expected METRIC.STAT=10%"),
        ([OLD, NEW, "--max-regress", "latensy.p95=1%"], "no such figure"),
        ([OLD, NEW, "--max-score-drop", "refunt=2%"], 'no slice "refunt"'),
        ([OLD, NEW, "--strict", "--lenient"], "not allowed with"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(OLD)
    run(NEW)
    assert main(["compare", *words]) == 2
    said = capsys.readouterr()
    assert said.err.count("\n") == 1
    assert error in said.err
    assert not said.out
