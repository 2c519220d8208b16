"""The verdict stands at both ends of a report."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.report.page import Page
from agenttop.report.verdict import verdict_lines

QUEUES: dict[str, Any] = {
    "state": "queues",
    "since_s": 42.4,
    "words": "p95 6.32s ×5.1 · flat at 7.93/s since ~12 users · llm_call ×6.6",
    "bound": "throughput stops growing at ~12 users (10–15): 7.93/s, about 4 requests are served at a time",
    "others": [],
}


def lines(verdict: dict[str, Any] | None, *, color: bool = False) -> list[str]:
    page = Page(80, color)
    verdict_lines(page, {} if verdict is None else {"verdict": verdict})
    return page.lines


def test_a_queue_is_told_with_its_knee() -> None:
    assert lines(QUEUES) == [
        "",
        "  ! QUEUES from 00:42 on: p95 6.32s ×5.1 · flat at 7.93/s since ~12 users ·",
        "  llm_call ×6.6",
        "  throughput stops growing at ~12 users (10–15): 7.93/s, about 4 requests are",
        "  served at a time",
    ]


def test_what_else_was_not_well_is_told_as_well() -> None:
    refused = QUEUES | {"state": "refuses", "words": "22.3% refused (429) since 45 users", "others": [QUEUES]}
    found = lines(refused)
    assert found[1] == "  ! REFUSES from 00:42 on: 22.3% refused (429) since 45 users"
    assert found[2].startswith("  ! QUEUES from 00:42 on: ")


def test_one_that_keeps_up() -> None:
    well = {"state": "keeps_up", "since_s": 3.0, "words": "p95 620ms at 40 users, 25.0/s", "others": []}
    assert lines(well | {"bound": "holds at least 40 users"}) == [
        "",
        "  KEEPS UP: p95 620ms at 40 users, 25.0/s",
        "  holds at least 40 users",
    ]
    assert lines(well | {"bound": ""})[1:] == ["  KEEPS UP: p95 620ms at 40 users, 25.0/s"]


@pytest.mark.parametrize(("state", "colour"), [("queues", "31m"), ("keeps_up", "32m"), ("unknown", "33m")])
def test_its_colour(state: str, colour: str) -> None:
    assert colour in lines(QUEUES | {"state": state}, color=True)[1]


def test_a_run_of_an_older_version_has_none() -> None:
    assert lines(None) == []
    page = Page(80, False)
    verdict_lines(page, {"verdict": None})
    assert page.lines == []
