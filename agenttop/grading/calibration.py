"""How far a judge agrees with people: labelled answers judged anew, Cohen's κ, and a rate corrected for its errors.

Labels are recorded answers with a ``score`` of a person each, from 0 to 1 (or true, false).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from agenttop.grading.judge import Judge
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case
from agenttop.quality.graders.base import is_number
from agenttop.quality.problem import CaseProblem
from agenttop.quality.recorded import read_answers
from agenttop.quality.records import json_lines
from agenttop.quality.statistics import Interval, cohen_kappa, rogan_gladen

#: A judge and a person say "good" from here on.
GOOD = 0.5


class Label(msgspec.Struct, frozen=True):
    """What a person made of an answer."""

    answer: Answer
    score: float


class Calibration(msgspec.Struct, frozen=True):
    """How a judge and people saw the same answers; counts of answers that both judged."""

    both_good: int = 0
    judge_only: int = 0
    """The judge says good, people do not."""
    people_only: int = 0
    both_bad: int = 0
    errors: int = 0
    """The judge could not say."""

    @property
    def judged(self) -> int:
        """Return how many both judged."""
        return self.both_good + self.judge_only + self.people_only + self.both_bad

    @property
    def agreement(self) -> float | None:
        """Return the share on which both say the same."""
        return (self.both_good + self.both_bad) / self.judged if self.judged else None

    @property
    def kappa(self) -> tuple[float, Interval] | None:
        """Return Cohen's κ with its interval; None where chance alone would agree as often."""
        pairs = [
            *[(True, True)] * self.both_good,
            *[(True, False)] * self.judge_only,
            *[(False, True)] * self.people_only,
            *[(False, False)] * self.both_bad,
        ]
        return cohen_kappa([one for one, _ in pairs], [other for _, other in pairs])

    def corrected(self, good: int, judged: int) -> tuple[float, Interval] | None:
        """Return the share of good answers behind ``good`` of ``judged`` by this judge; None if it cannot be told."""
        people_good, people_bad = self.both_good + self.people_only, self.both_bad + self.judge_only
        return rogan_gladen(good, judged, self.both_good, people_good, self.both_bad, people_bad)

    def told(self, good: int, judged: int) -> dict[str, Any]:
        """Return it for a summary; ``good`` of ``judged`` verdicts of a run were good, which is corrected by it."""
        return {
            "judged": self.judged,
            "errors": self.errors,
            "agreement": self.agreement,
            "kappa": self.kappa,
            "rate": good / judged if judged else None,
            "corrected": self.corrected(good, judged) if judged and self.judged else None,
        }


def read_labels(path: str, text: str, cases: Collection[str]) -> tuple[list[Label], list[CaseProblem]]:
    """Return the labels of a file, and what is wrong with it."""
    answers, problems = read_answers(path, text, cases)
    if problems:
        return [], problems
    labels = []
    for record, answer in zip(json_lines(text.removeprefix("\ufeff"), lambda *_: None), answers, strict=True):
        score = record.value.get("score")
        if isinstance(score, bool) or is_number(score, 0, 1):
            labels.append(Label(answer, float(score)))
        else:
            message = "a label needs the score of a person, from 0 to 1"
            problems.append(CaseProblem(path, record.line, answer.case, message))
    return labels, problems


async def calibrate(judge: Judge, labels: Sequence[Label], cases: dict[str, Case]) -> Calibration:
    """Return how the judge sees what people saw: the weighted mean of a case's judge graders, against their score."""
    verdicts = await asyncio.gather(*(_verdict(judge, cases[label.answer.case], label.answer) for label in labels))
    pairs = [(verdict, label.score >= GOOD) for verdict, label in zip(verdicts, labels, strict=True)]
    judged = [(verdict >= GOOD, good) for verdict, good in pairs if verdict is not None]
    return Calibration(
        judged.count((True, True)),
        judged.count((True, False)),
        judged.count((False, True)),
        judged.count((False, False)),
        len(pairs) - len(judged),
    )


async def _verdict(judge: Judge, case: Case, answer: Answer) -> float | None:
    """Return the mean of a case's judge graders on an answer; None if it has none, or one could not say."""
    specs = [msgspec.structs.replace(spec, negated=False) for spec in case.graders if spec.type == "judge"]
    parts = await asyncio.gather(*(judge.judge(spec, case, answer) for spec in specs))
    values = [(part.value, part.weight) for part in parts if part.value is not None]
    weight = sum(weight for _, weight in values)
    if len(values) != len(parts) or not weight:
        return None
    return sum(value * weight for value, weight in values) / weight
