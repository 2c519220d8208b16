"""The quality of answers in words and as tables."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.metrics.graded import QualityState
from agenttop.quality.brief import CaseBrief, Golden
from agenttop.quality.curve import Curve, JudgeUse
from agenttop.quality.score import Part, Score
from agenttop.report.page import Page
from agenttop.report.quality import agreement_words, causes, drop_sentence, points, quality_section

DROP: dict[str, Any] = {
    "from_users": 1,
    "to_users": 40,
    "drop": 0.123,
    "interval": [0.08, 0.16],
    "visible": 0.05,
    "cases": 200,
    "verdict": "worse",
    "lost": {"tool_not_called": 0.1, "wrong": 0.023, "empty": 0.0001},
}


@pytest.mark.parametrize(("value", "text"), [(0.123, "12.3"), (-0.0004, "0"), (-0.02, "-2.0"), (0.0, "0")])
def test_points(value: float, text: str) -> None:
    assert points(value) == text


def test_sentences_say_what_the_data_can_tell() -> None:
    worse = "answers get WORSE: 12.3 points lost from 1 user to 40 users (8.0 to 16.0 with 95% confidence)"
    assert drop_sentence(DROP) == worse
    undecided = drop_sentence(DROP | {"verdict": "undecided"})
    assert undecided.startswith("undecided: 12.3 points lost")
    assert "200 cases can show a drop of 5.0 points" in undecided
    assert drop_sentence(DROP | {"verdict": "ok", "drop": -0.01}).startswith("answers hold: -1.0 points lost")
    assert causes(DROP["lost"]) == "tool not called 10.0, wrong 2.3"


def summary(*, right_under_load: bool) -> dict[str, Any]:
    curve = Curve(Golden(tuple(CaseBrief(f"case-{i}", ("tools",) if i % 2 else ("hours",)) for i in range(100))))
    curve.asked(205)
    for level, users in (("steady", 4), ("peak 4/4", 40)):
        for i in range(100):
            wrong = users == 40 and i % 2 and not right_under_load
            curve.take(
                [
                    Score(
                        f"case-{i}",
                        level,
                        users,
                        value=0.0 if wrong else 1.0,
                        passed=not wrong,
                        cause="tool_not_called" if wrong else "",
                        reason="lookup_order was not called" if wrong else "",
                        excerpt="I think it is on its way." if wrong else "",
                    )
                ]
            )
    curve.take([Score("case-1")])
    curve.judged(JudgeUse(3, 1, 2, 400, 0.01))
    return curve.summary()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_section_fits_and_says_it_all(width: int) -> None:
    page = Page(width, color=False)
    quality_section(page, summary(right_under_load=False))
    text = "\n".join(page.lines)
    assert max(map(len, page.lines)) <= width
    assert "answers get WORSE: 50.0 points lost" in " ".join(text.split())
    assert "tool not called 50.0" in text
    assert "lookup_order was not called" in text
    assert "1 answers that no grader could judge" in " ".join(text.split())
    assert "4 answers were not graded" in " ".join(text.split())
    assert "judge: 3 calls" in text
    assert text.index("tools") < text.index("hours")  # the worst slice first


def test_a_failed_answer_is_shown_grader_by_grader_with_reasons() -> None:
    curve = Curve(Golden((CaseBrief("a", input="Where is it?"), CaseBrief("b"))))
    parts = (
        Part("contains", 0.0, "“Thursday” is not there"),
        Part("judge", None, "no verdict that can be read"),
        Part("icontains", 1.0),
        Part("not-regex", 1.0),
    )
    curve.take([Score("a", "steady", 4, value=0.5, cause="wrong", reason=parts[0].reason, parts=parts, excerpt="No.")])
    curve.take([Score("b", "steady", 4, value=0.0, cause="wrong", reason=parts[0].reason, parts=parts[:1])])
    page = Page(80, color=False)
    quality_section(page, curve.summary())
    text = "\n".join(page.lines)
    assert (
        text[text.index("! b") :].rstrip()
        == """\
! b at 4 users: “Thursday” is not there
  ! a at 4 users: “Thursday” is not there
    asked     Where is it?
    answered  No.
    graded    contains 0%: “Thursday” is not there
              judge gave no score: no verdict that can be read
              icontains, not-regex 100%"""
    )
    old = curve.summary()
    for row in old["failed"]:
        del row["graders"]  # as summaries of before have it
    quality_section(Page(80, color=False), old)


def test_answers_that_hold_are_said_to() -> None:
    page = Page(80, color=False)
    quality_section(page, summary(right_under_load=True))
    text = " ".join(" ".join(page.lines).split())
    assert "undecided: 0 points lost from 4 users to 40 users" in text
    assert "case-" not in text


def test_nothing_graded_is_said_and_nothing_asked_is_not() -> None:
    page = Page(80, color=False)
    quality_section(page, None)
    assert page.lines == []
    curve = Curve(Golden((CaseBrief("a"),)))
    curve.asked(2)
    quality_section(page, curve.summary())
    assert "no answer was graded" in "\n".join(page.lines)
    assert isinstance(curve.state, QualityState)


def test_how_the_judge_agrees_with_people() -> None:
    told = {"judged": 50, "errors": 0, "agreement": 0.92, "kappa": (0.83, (0.7, 0.96)), "rate": 0.8}
    words = agreement_words(told | {"corrected": (0.75, (0.6, 0.9))})
    assert words == (
        "judge against people: 92.0% of 50 answers alike, Cohen's κ 0.83 (0.70 to 0.96); "
        "corrected for its errors 75.0% (60.0–90.0%) are good, not 80.0%"
    )
    assert "no answer was judged (1 error)" in agreement_words({"agreement": None, "errors": 1})
