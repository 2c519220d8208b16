"""The machines of a run, in the text report."""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.metrics.boxes import LOST, UP, BoxRow
from agenttop.report.boxes import boxes
from agenttop.report.line import render_line
from agenttop.report.page import Page
from tests.metrics.fakes import FakeRun


def text(*found: dict[str, Any]) -> str:
    page = Page(80, color=False)
    boxes(page, {"generator": {"boxes": list(found)}})
    return "\n".join(page.lines)


LINE = {
    "name": "b1", "requests": 12_345, "users_max": 40, "latency_ms": {"p95": 41.0}, "ttft_ms": None,
    "cpu_percent_max": 31.4, "loop_lag_ms": {"p99": 1.5}, "clock_error_ms": 0.25, "state": "up", "lost_s": None,
}  # fmt: skip


def test_a_line_for_each() -> None:
    lost, off = {"name": "\x1b[31mb2", "state": "lost", "lost_s": 61.2}, {"name": "c", "state": "off"}
    said = text(LINE, LINE | lost, LINE | off)
    assert "─ boxes ─" in said
    rows = [line.split() for line in said.splitlines()[-3:]]
    assert rows[0] == ["b1", "12", "345", "40", "41.0ms", "-", "31%", "1.50ms", "250µs"]
    assert (rows[1][0], rows[1][-2:]) == ("b2", ["lost", "61s"])
    assert (rows[2][0], rows[2][-1]) == ("c", "off")
    assert max(map(len, said.splitlines())) <= 80


def test_nothing_on_one_machine() -> None:
    assert text() == ""
    page = Page(80, color=False)
    boxes(page, {"generator": {}})
    assert page.lines == []


def test_a_box_that_is_not_up_is_in_the_line_of_a_second() -> None:
    run = FakeRun(seconds=1)
    snapshot = run.aggregate().snapshot(run.situation(1))
    up = BoxRow("b1", UP, 1, 1, 0, 1.0, 1.0, None, None, None, None, None)
    rows = (up, msgspec.structs.replace(up, name="b2", state=LOST))
    line = render_line(msgspec.structs.replace(snapshot, boxes=rows), run.info())
    assert " b2=lost" in line
    assert "b1=" not in line
