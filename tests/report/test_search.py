"""What a search found, in words and as a table."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.report.page import Page
from agenttop.report.search import search_section, sentence, step_words, verdict

STEP: dict[str, Any] = {
    "level": 40.0,
    "start_s": 0.0,
    "end_s": 26.0,
    "measured_s": 15.0,
    "requests": 340,
    "good": 330,
    "share": 0.970588,
    "low": 0.947,
    "high": 0.984,
    "verdict": "pass",
    "holds": True,
    "confidence": 0.97,
    "latency_p95_ms": 812.0,
    "ttft_p95_ms": None,
    "rps": 22.6,
    "rate_limited": 3,
    "missed": {"latency": 7, "rate_limited": 3},
    "why": "",
}
FOUND: dict[str, Any] = {
    "unit": "users",
    "pool": None,
    "good": 0.95,
    "confidence": 0.95,
    "capacity": 42.0,
    "lower": 40.0,
    "upper": 44.0,
    "stopped": "found",
    "limited_by": "ttft",
    "steps": [STEP, STEP | {"level": 44.0, "verdict": "fail", "holds": False}],
}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "capacity: 42 users (40 hold with 95% confidence, 44 do not); limited by ttft"),
        (
            {"unit": "rate", "pool": "chat", "capacity": 12.5, "lower": 12.5, "upper": 13.0, "limited_by": "dropped"},
            "capacity of chat: 12.5/s (12.5/s holds with 95% confidence, 13/s does not); limited by dropped arrivals",
        ),
        (
            {"capacity": 1.0, "lower": 1.0, "upper": 2.0, "limited_by": "rate_limited", "confidence": 0.999},
            "capacity: 1 user (1 holds with 99.9% confidence, 2 do not); limited by 429s",
        ),
        (
            {"lower": None, "upper": None, "limited_by": None},
            "capacity: 42 users (by the share of good requests alone: too few for 95% confidence)",
        ),
        (
            {"capacity": 100.0, "lower": 100.0, "upper": None, "stopped": "at_max", "limited_by": None},
            "capacity: at least 100 users (100 hold with 95% confidence), the most that was asked for",
        ),
        (
            {"capacity": None, "lower": None, "stopped": "below_min", "steps": [STEP]},
            "capacity: below 40 users, where the search began; limited by ttft",
        ),
        (
            {"stopped": "generator", "upper": None},
            "capacity: at least 42 users (40 hold with 95% confidence); the load generator can drive no more",
        ),
        (
            {"capacity": None, "lower": None, "upper": None, "stopped": "stopped_by_user", "steps": []},
            "capacity: not found; stopped by hand",
        ),
        (
            {"stopped": "time", "upper": None},
            "capacity: at least 42 users (40 hold with 95% confidence); the time was up",
        ),
    ],
)
def test_one_sentence(changes: dict[str, Any], words: str) -> None:
    assert sentence(FOUND | changes) == words


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "pass"),
        ({"verdict": "fail", "holds": False}, "FAIL"),
        ({"verdict": "undecided", "confidence": 0.741}, "pass? 74.1%"),
        ({"verdict": "undecided", "holds": False, "confidence": 0.5}, "FAIL? 50.0%"),
        ({"verdict": "fail", "why": "circuit_breaker"}, "FAIL: circuit breaker"),
        ({"verdict": "cut", "why": "generator"}, "cut: generator"),
    ],
)
def test_a_verdict_is_a_word(changes: dict[str, Any], word: str) -> None:
    assert verdict(STEP | changes) == word


def test_a_step_in_words() -> None:
    assert step_words(STEP, "users") == "40 users: pass, 97.1% of 340 good (94.7%–98.4%), p95 812ms"
    failed = STEP | {"verdict": "fail", "holds": False}
    assert step_words(failed, "rate").endswith("p95 812ms, missed most: latency")
    nothing = STEP | {"requests": 0, "verdict": "cut", "why": "users", "latency_p95_ms": None, "missed": {}}
    assert step_words(nothing, "users") == "40 users: cut: users"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_section_has_a_row_for_each_step(width: int) -> None:
    page = Page(width, color=False)
    search_section(page, FOUND)
    assert max(len(line) for line in page.lines) <= width
    assert page.lines[1].startswith("─ capacity ─")
    assert page.lines[1].endswith(" 95% good, 95% confidence ─")
    rows = [line for line in page.lines if line.startswith(("  40 users", "  44 users"))]
    assert len(rows) == 2
    assert "97.1%" in rows[0]
    if width == 120:
        assert rows[0].endswith("pass")
        assert rows[1].endswith("FAIL")


def test_without_a_search_there_is_no_section() -> None:
    page = Page(80, color=False)
    search_section(page, None)
    assert page.lines == []
