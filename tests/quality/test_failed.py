"""Tests of agenttop.quality.failed."""

from __future__ import annotations

from agenttop.quality.failed import KEPT_FAILED, KEPT_GRADERS, KEPT_REASONS, MAX_REASON, SENT_FAILED, Failed
from agenttop.quality.score import Part, Score


def wrong(case: int, reason: str = "") -> Score:
    return Score(f"c{case}", "low", 1, value=0.0, passed=False, cause="wrong", reason=reason)


def test_failed_cases_are_the_newest_first_one_a_case_and_bounded() -> None:
    failed = Failed()
    for case in (*range(KEPT_FAILED + 50), 60):
        failed.add(wrong(case), 0.0, "why?")
    rows = failed.summary()
    assert len(rows) == KEPT_FAILED
    assert [row["id"] for row in rows[:2]] == ["c60", f"c{KEPT_FAILED + 49}"]
    assert len({row["id"] for row in rows}) == KEPT_FAILED
    assert [case.id for case in failed.sent()] == [row["id"] for row in rows[:SENT_FAILED]]


def test_a_failed_case_names_the_grader_that_cost_most() -> None:
    failed = Failed()
    parts = (Part("contains", 1.0), Part("regex", 0.2, "no date"), Part("judge", None, "garbage"))
    failed.add(Score("c0", value=0.6, cause="wrong", reason="no date", parts=parts), 0.6, "when?")
    (row,) = failed.summary()
    assert (row["grader"], row["reason"], row["score"], row["input"]) == ("regex", "no date", 0.6, "when?")


def test_a_failed_case_has_its_graders_one_by_one_those_that_cost_most_first() -> None:
    failed = Failed()
    parts = (Part("contains", 1.0), Part("not-regex", 0.2, "a" * 999, 0.5), Part("tool-called", 0.0, "not called", 3.0))
    failed.add(Score("c0", value=0.3, cause="wrong", reason="not called", parts=parts), 0.3, "")
    (row,) = failed.summary()
    assert row["graders"] == [
        {"grader": "tool-called", "score": 0.0, "reason": "not called"},
        {"grader": "not-regex", "score": 0.2, "reason": "a" * MAX_REASON},
        {"grader": "contains", "score": 1.0, "reason": ""},
    ]
    assert [said.grader for said in failed.sent()[0].graders] == ["tool-called", "not-regex", "contains"]
    failed.add(Score("c0", value=0.0, cause="refused", reason="refused with 429", parts=()), 0.0, "")
    assert failed.summary()[0]["graders"] == [], "no grader was asked"
    assert failed.summary()[0]["grader"] == "refused", "the cause stands for it"
    many = tuple(Part(f"g{i}", 0.5 + i / 100) for i in range(KEPT_GRADERS + 9))
    failed.add(Score("c0", value=0.6, cause="wrong", parts=many), 0.6, "")
    assert [said.grader for said in failed.sent()[0].graders] == [f"g{i}" for i in range(KEPT_GRADERS)]


def test_the_most_frequent_reasons_of_a_case_are_told_first() -> None:
    failed = Failed()
    assert failed.reasons("c0") == []
    for reason in ("b", "a", "a", "c", "c", "c", "d"):
        failed.add(wrong(0, reason), 0.0, "")
    failed.add(wrong(1), 0.0, "")
    assert failed.reasons("c0") == ["c", "a", "b"][:KEPT_REASONS]
    assert failed.reasons("c1") == ["wrong"], "the cause stands for a reason that nobody gave"
