"""The slowest requests, as text."""

from __future__ import annotations

from typing import Any

from agenttop.report.page import Page
from agenttop.report.slowest import slowest


def row(number: int, ttft_ms: float | None = 20.0) -> dict[str, Any]:
    return {
        "request": "chat/a request with a long name",
        "stage": 0,
        "t_s": 61.0 + number,
        "latency_ms": 5000.0 - number,
        "ttft_ms": ttft_ms,
        "status": 200,
        "trace_id": f"{number:032x}",
    }


def text(told: dict[str, Any] | None, width: int = 80) -> list[str]:
    page = Page(width, color=False)
    slowest(page, {"slowest": told} if told is not None else {})
    return page.lines


def test_the_first_of_each_and_none_twice() -> None:
    told = {"by_latency": [row(n) for n in range(10)], "by_ttft": [row(2), row(20, 900.0), row(21), row(22)]}
    lines = text(told)
    assert "slowest requests" in lines[1]
    assert [line.split()[-1] for line in lines[3:]] == [f"{number:032x}" for number in (0, 1, 2, 20, 21)]
    assert lines[3].split()[-4:-1] == ["01:01", "20.0ms", "5.00s"]
    assert max(map(len, lines)) <= 80
    assert max(map(len, text(told, 60))) <= 60


def test_nothing_without_traces() -> None:
    assert text(None) == []
    assert text({"by_latency": [], "by_ttft": []}) == []
