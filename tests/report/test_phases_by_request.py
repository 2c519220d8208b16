"""Phases by request, as text."""

from __future__ import annotations

from typing import Any

from agenttop.report.page import Page
from agenttop.report.phases_by_request import MAX_PHASES, phases_by_request


def metrics(count: int = 10, unattributed: float | None = None, **means: float) -> dict[str, Any]:
    rest = None if unattributed is None else {"mean": unattributed, "count": count}
    return {
        "phases_ms": {name: {"mean": mean, "count": count} for name, mean in means.items()},
        "unattributed_ms": rest,
    }


def text(width: int = 80, **requests: dict[str, Any]) -> list[str]:
    page = Page(width, color=False)
    phases_by_request(page, {"requests": requests})
    return page.lines


def test_a_line_for_each_request_and_its_own_shares() -> None:
    lines = text(short=metrics(llm=30.0, load=10.0), long=metrics(unattributed=100.0, llm=300.0), plain=metrics())
    assert "phases by request" in lines[1]
    assert lines[2].split() == ["llm", "(unattributed)", "load"]
    assert lines[3].split() == ["long", "300ms", "75.0%", "100ms", "25.0%", "-"]
    assert lines[4].split() == ["short", "30.0ms", "75.0%", "-", "10.0ms", "25.0%"]
    assert len(lines) == 5


def test_of_one_request_the_totals_say_the_same() -> None:
    assert text(only=metrics(llm=30.0), plain=metrics()) == []
    assert text() == []


def test_of_many_those_that_took_most_time() -> None:
    lines = text(60, **{f"request-{n}": metrics(count=n + 1, llm=10.0, load=5.0, more=1.0) for n in range(20)})
    assert lines[3].split()[0] == "request-19"
    assert len(lines) == 3 + MAX_PHASES + 1
    assert "12 more are in the summary" in lines[-1]
    assert max(map(len, lines)) <= 60
