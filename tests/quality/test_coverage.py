"""Tests of agenttop.quality.coverage."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.coverage import Coverage


def asked(coverage: Coverage, level: str, *cases: str) -> None:
    for case in cases:
        coverage.add(Answer(case, level))


def test_what_was_promised_and_done_is_not_told() -> None:
    coverage = Coverage("abc", 1, ["low"])
    asked(coverage, "low", *"abcabc")
    asked(coverage, "peak", *"abc")
    assert coverage.short() == []


def test_the_lowest_level_is_asked_twice_whatever_repeats_says() -> None:
    coverage = Coverage("abc", 1, ["low"])
    asked(coverage, "low", *"abcab")
    assert coverage.short() == [
        "level low: 1 of 3 cases were asked less than twice (the lowest load is its own control), some once; "
        "a longer stage or fewer cases would do"
    ]
    assert Coverage("abc", 3, ["low"]).wanted("low") == 3


def test_a_level_of_too_little_time_is_told_with_how_many_cases_it_lacks() -> None:
    coverage = Coverage("abcd", 2, ["low"])
    asked(coverage, "peak", *"aab")
    assert coverage.short() == [
        "level peak: 3 of 4 cases were asked less than twice, some never; a longer stage or fewer cases would do"
    ]


def test_cases_of_which_one_answer_was_promised_were_asked_or_never() -> None:
    coverage = Coverage("abcd", 1, ["low"])
    asked(coverage, "peak", *"aab")
    assert coverage.short() == ["level peak: 2 of 4 cases were never asked; a longer stage or fewer cases would do"]


def test_a_conversation_counts_once() -> None:
    coverage = Coverage("a", 1, [])
    coverage.add(Answer("a", "peak", step=0, last=False))
    assert coverage.asked("peak") == 0
    coverage.add(Answer("a", "peak", step=1))
    assert coverage.asked("peak") == 1
    assert coverage.short() == []
