from __future__ import annotations

import json
from typing import Any

import pytest

from agenttop.grading.calibration import Calibration, calibrate, read_labels
from agenttop.grading.judge import Judge
from agenttop.grading.judge_endpoint import JudgeSettings
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.statistics import cohen_kappa, rogan_gladen
from tests.grading.fake_judge import Reply, fake_judge, scored, verdict

CASES = {"a": Case("a", graders=(GraderSpec("judge", "x", negated=True), GraderSpec("contains", "y")))}


def labels(*pairs: tuple[str, object]) -> str:
    return "\n".join(json.dumps({"id": "a", "text": text, "score": score}) for text, score in pairs)


async def test_a_judge_is_held_against_people() -> None:
    def reply(path: str, body: Any) -> Reply:
        asked = body["messages"][1]["content"]
        return verdict("?") if "odd" in asked else scored(1.0 if "nice" in asked else 0.2)

    text = labels(("nice 1", 1), ("nice 2", True), ("nice 3", 0.1), ("bad 1", 0), ("bad 2", 0.9), ("odd", 1))
    found, problems = read_labels("labels.jsonl", text, CASES)
    assert not problems
    async with fake_judge(reply) as fake:
        judge = Judge(JudgeSettings(fake.url, "m"))
        calibration = await calibrate(judge, found, CASES)
        await judge.close()
    assert calibration == Calibration(both_good=2, judge_only=1, people_only=1, both_bad=1, errors=1)
    assert calibration.judged == 5
    assert calibration.agreement == 0.6
    one, other = [True, True, True, False, False], [True, True, False, True, False]
    assert calibration.kappa == cohen_kappa(one, other)
    assert calibration.corrected(50, 100) == rogan_gladen(50, 100, 2, 3, 1, 2)


def test_nothing_judged_has_no_agreement() -> None:
    assert Calibration(errors=2).agreement is None
    assert Calibration().kappa is None


@pytest.mark.parametrize("score", [None, 2, "good"])
def test_a_label_without_a_score_is_told(score: object) -> None:
    found, problems = read_labels("labels.jsonl", labels(("x", 1), ("y", score)), CASES)
    assert len(found) == 1
    assert [str(problem) for problem in problems] == [
        'labels.jsonl:2: case "a": a label needs the score of a person, from 0 to 1'
    ]
