from __future__ import annotations

import pytest
from msgspec.structs import replace

from agenttop.cli.ps import render_runs
from agenttop.runs.register import Entry

LIVE = Entry(
    "20260105-120000-peak-0a0b", "/x", "running", live=True, elapsed_s=134.0, duration_s=600.0, profile="peak",
    target="http://127.0.0.1:8000", users=50, requests=12_480, error_rate=0.023, verdict="queues",
)  # fmt: skip
DONE = Entry(
    "20260105-110000-smoke-0a0b", "/x", "done", elapsed_s=5.0, profile="smoke",
    target="https://agent.staging.example.com/with/a/rather/long/path", users=2, requests=40, error_rate=0.0,
    stop_reason="completed", exit_code=0, verdict="keeps_up", result="passed",
)  # fmt: skip
CUT = Entry(
    "20260105-100000-peak-0a0b", "/x", "cut off", profile="peak", target="http://127.0.0.1:8000", result="cut off"
)
BROKEN = Entry("20260105-090000-peak-0a0b", "/x", problem="summary.json is no \x1b[31msummary")


GRADED = replace(DONE, run="20260105-103000-golden-0a0b", profile="golden", score=0.9312, result="gate", exit_code=99)


def test_a_line_for_each_run() -> None:
    assert render_runs([LIVE, DONE, CUT, BROKEN]) == [
        "RUN                         STATE                PROFILE  "
        "TARGET                                                     USERS  REQUESTS  ERRORS  VERDICT   RESULT",
        "20260105-120000-peak-0a0b   running 02:14/10:00  peak     "
        "http://127.0.0.1:8000                                         50    12 480    2.3%  QUEUES    -",
        "20260105-110000-smoke-0a0b  done 00:05           smoke    "
        "https://agent.staging.example.com/with/a/rather/long/path      2        40      0%  KEEPS UP  passed",
        "20260105-100000-peak-0a0b   cut off              peak     "
        "http://127.0.0.1:8000                                          -         -       -  -         cut off",
        "20260105-090000-peak-0a0b   broken  ! summary.json is no summary",
    ]


def test_scores_stand_beside_the_verdict_of_runs_that_have_one() -> None:
    assert render_runs([LIVE, GRADED, DONE, CUT, BROKEN], 80) == [
        "RUN                          STATE                SCORE  VERDICT   RESULT",
        "20260105-120000-peak-0a0b    running 02:14/10:00         QUEUES    -",
        "20260105-103000-golden-0a0b  done 00:05           93.1%  KEEPS UP  gate",
        "20260105-110000-smoke-0a0b   done 00:05                  KEEPS UP  passed",
        "20260105-100000-peak-0a0b    cut off                     -         cut off",
        "20260105-090000-peak-0a0b    broken  ! summary.json is no summary",
    ]


def test_targets_give_way_to_the_terminal() -> None:
    lines = render_runs([LIVE, DONE], 130)
    assert max(map(len, lines)) == 130
    assert "http://127.0.0.1:8000" in lines[1]
    assert "…" in lines[2]
    assert "https://agent.s…" in render_runs([LIVE, DONE], 117)[2]


@pytest.mark.parametrize(
    ("width", "missing"),
    [
        (116, ["PROFILE"]),
        (98, ["PROFILE", "TARGET"]),
        (89, ["PROFILE", "TARGET", "USERS"]),
        (81, ["PROFILE", "TARGET", "USERS", "REQUESTS"]),
        (71, ["PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS"]),
        (60, ["STATE", "PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS"]),
        (40, ["STATE", "PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS", "VERDICT"]),
    ],
)
def test_columns_that_matter_least_give_way_to_a_narrow_terminal(width: int, missing: list[str]) -> None:
    head, *lines = render_runs([LIVE, DONE], width)
    names = ("STATE", "PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS", "VERDICT", "RESULT")
    assert [name for name in names if name not in head] == missing
    assert max(map(len, [head, *lines])) <= width
    # What one copies is whole however narrow it is.
    assert LIVE.run in render_runs([LIVE], 20)[1]


@pytest.mark.parametrize("score", [None, 0.9999])
@pytest.mark.parametrize("verdict", ["threshold", "by hand", "breaker"])
@pytest.mark.parametrize("name", ["a", "n" * 20, "n" * 40])
def test_whatever_a_run_is_called_and_came_to_there_are_80_columns_for_it(
    name: str, verdict: str, score: float | None
) -> None:
    run = replace(GRADED, run=f"20260105-103000-{name}-0a0b", result=verdict, score=score)
    broken = replace(BROKEN, problem="not a journal of this version, or damaged: " + "why " * 20)
    lines = render_runs([LIVE, run, CUT, broken], 80)
    assert max(map(len, lines)) <= 80
    assert run.run in lines[2]
    assert lines[2].endswith(f"  {verdict}")
    assert score is None or "99.99%" in lines[2]
