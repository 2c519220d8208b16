from __future__ import annotations

import pytest

from agenttop.cli.ps import render_runs
from agenttop.runs.register import Entry

LIVE = Entry(
    "20260105-120000-peak-0a0b", "/x", "running", live=True, elapsed_s=134.0, duration_s=600.0, profile="peak",
    target="http://127.0.0.1:8000", users=50, requests=12_480, error_rate=0.023, verdict="queues",
)  # fmt: skip
DONE = Entry(
    "20260105-110000-smoke-0a0b", "/x", "done", elapsed_s=5.0, profile="smoke",
    target="https://agent.staging.example.com/with/a/rather/long/path", users=2, requests=40, error_rate=0.0,
    stop_reason="completed", exit_code=0, verdict="keeps_up",
)  # fmt: skip
CUT = Entry("20260105-100000-peak-0a0b", "/x", "cut off", profile="peak", target="http://127.0.0.1:8000")
BROKEN = Entry("20260105-090000-peak-0a0b", "/x", problem="summary.json is no \x1b[31msummary")


def test_a_line_for_each_run() -> None:
    assert render_runs([LIVE, DONE, CUT, BROKEN]) == [
        "RUN                         STATE                PROFILE  "
        "TARGET                                                     USERS  REQUESTS  ERRORS   VERDICT  EXIT",
        "20260105-120000-peak-0a0b   running 02:14/10:00  peak     "
        "http://127.0.0.1:8000                                         50    12 480    2.3%    QUEUES     -",
        "20260105-110000-smoke-0a0b  done 00:05           smoke    "
        "https://agent.staging.example.com/with/a/rather/long/path      2        40      0%  KEEPS UP  0 ok",
        "20260105-100000-peak-0a0b   cut off              peak     "
        "http://127.0.0.1:8000                                          -         -       -         -     -",
        "20260105-090000-peak-0a0b   broken  ! summary.json is no summary",
    ]


def test_targets_give_way_to_the_terminal() -> None:
    lines = render_runs([LIVE, DONE], 130)
    assert max(map(len, lines)) == 130
    assert "http://127.0.0.1:8000" in lines[1]
    assert "…" in lines[2]
    assert "https://agent.s…" in render_runs([LIVE, DONE], 115)[2]


@pytest.mark.parametrize(
    ("width", "missing"),
    [
        (113, ["PROFILE"]),
        (95, ["PROFILE", "TARGET"]),
        (86, ["PROFILE", "TARGET", "USERS"]),
        (78, ["PROFILE", "TARGET", "USERS", "REQUESTS"]),
    ],
)
def test_columns_that_matter_least_give_way_to_a_narrow_terminal(width: int, missing: list[str]) -> None:
    head, *lines = render_runs([LIVE, DONE], width)
    assert [
        name for name in ("PROFILE", "TARGET", "USERS", "REQUESTS", "ERRORS", "VERDICT", "EXIT") if name not in head
    ] == missing
    assert max(map(len, [head, *lines])) <= width
    # What one copies is whole however narrow it is.
    assert LIVE.run in render_runs([LIVE], 20)[1]
