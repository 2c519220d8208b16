from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.grading.graders import Graders
from agenttop.grading.judge import Judge
from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.grading.python_grader import PythonGraders
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from tests.grading.fake_judge import fake_judge, scored

CONTAINS = GraderSpec("contains", "refund")
JUDGE = GraderSpec("judge", "is polite")
SCRIPT = GraderSpec("python", "g.py:short")
CASE = Case("a", graders=(JUDGE, CONTAINS, SCRIPT), place="golden.jsonl:1")


async def test_all_graders_of_a_case_are_asked_and_their_parts_are_one_score(tmp_path: Path) -> None:
    (tmp_path / "g.py").write_text("def short(answer, case):\n    return len(answer.text) < 20\n", encoding="utf-8")
    async with fake_judge([scored(0.5, "curt")]) as fake:
        graders = Graders([CASE], Judge(JudgeSettings(fake.url, "m")), PythonGraders(tmp_path), pass_at=0.8)
        score = await graders.grade(Answer("a", text="a refund"))
        await graders.close()
    assert [(part.grader, part.value) for part in score.parts] == [("judge", 0.5), ("contains", 1.0), ("python", 1.0)]
    assert score.value == pytest.approx(2.5 / 3)
    assert score.passed
    assert score.reason == "curt"


async def test_what_cannot_be_asked_leaves_the_answer_ungraded() -> None:
    graders = Graders([CASE])
    score = await graders.grade(Answer("a", text="a refund"))
    await graders.close()
    assert (score.value, score.passed, score.cause) == (None, False, "")
    assert [part.reason for part in score.parts] == [
        "judge_error: there is no judge ([quality.judge], or --judge)",
        "",
        "g.py:short is not run here",
    ]


async def test_a_failed_answer_asks_nobody() -> None:
    async with fake_judge([scored(1.0)]) as fake:
        graders = Graders([CASE], Judge(JudgeSettings(fake.url, "m")))
        for answer in (Answer("a", outcome="timeout"), Answer("a", text="half", outcome="truncated"), Answer("a")):
            assert not graders.needs_judge(answer)
            assert (await graders.grade(answer)).value == 0.0
        assert graders.needs_judge(Answer("a", text="x"))
        await graders.close()
    assert not fake.asked


async def test_a_step_has_graders_of_its_own() -> None:
    graders = Graders([Case("a", target=("x",))], steps={0: (CONTAINS,)})
    assert (await graders.grade(Answer("a", step=0, last=False, text="a refund"))).value == 1.0
    assert (await graders.grade(Answer("a", step=1, text="a refund"))).value == 0.0
    await graders.close()


async def test_an_answer_to_no_case_is_told() -> None:
    graders = Graders([])
    score = await graders.grade(Answer("b", text="x"))
    assert (score.value, score.reason) == (None, "there is no such case")
