"""Tests of agenttop.metrics.searched.

What a search found, in words and as a table.
"""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.report.page import Page
from agenttop.report.search import level, search_section, sentence, step_words, table, verdict

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
    rows = [line.split() for line in page.lines if line.startswith(("  40 users", "  44 users"))]
    # Whatever there is room for: what became of a level is a word.
    assert [row[2] for row in rows] == ["pass", "FAIL"]
    assert rows[0][3] == "97.1%"


def test_a_column_that_is_empty_takes_no_room() -> None:
    assert table(FOUND)[0] == ["", "verdict", "good", "interval", "of", "p95", "429", "rps", "for"]
    steps = [STEP | {"rate_limited": 0, "ttft_p95_ms": 120.0}, STEP | {"rate_limited": 0}]
    assert "429" not in table(FOUND | {"steps": steps})[0]
    assert [row[6] for row in table(FOUND | {"steps": steps})] == ["TTFT p95", "120ms", "-"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "users", "-"),
        (1.0, "users", "1 user"),
        (12_500.0, "users", "12 500 users"),
        (0.125, "rate", "0.125/s"),
        (12.5, "rate", "12.5/s"),
        (999.4, "rate", "999.4/s"),
        (12_500.0, "rate", "12 500/s"),
    ],
)
def test_a_level_in_words(value: float | None, unit: str, text: str) -> None:
    assert level(value, unit) == text


def test_without_a_search_there_is_no_section() -> None:
    page = Page(80, color=False)
    search_section(page, None)
    assert page.lines == []


@pytest.mark.parametrize(
    ("changes", "last"),
    [
        ({}, "to be sure of 42 users, measure longer: a longer max_measure in [search]"),
        ({"lower": 42.0}, "not good at 44 users, of 340 requests: 7 by latency, 3 by 429s"),
        ({"stopped": "at_max", "lower": 42.0}, "to look further: a higher to in [search], or --max"),
        (
            {"stopped": "generator"},
            "to drive more: more --workers, more cores, or another machine",
        ),
        ({"stopped": "below_min", "capacity": None}, "a lower from in [search] tells more"),
        (
            {"stopped": "below_min", "capacity": None, "steps": [STEP | {"level": 1.0}]},
            "not even one user is served well: see what was missed, or ease [objectives]",
        ),
        ({"stopped": "below_min", "capacity": None, "unit": "rate"}, "a lower from in [search] tells more"),
    ],
)
def test_what_to_do_next(changes: dict[str, Any], last: str) -> None:
    page = Page(80, color=False)
    search_section(page, FOUND | changes)
    assert page.lines[-1] == f"  {last}"
