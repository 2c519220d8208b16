"""The newest failed answer of each case with what its graders said, and why cases failed. Bounded. Pure."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec

from agenttop.metrics.graded import FailedCase, GraderSaid
from agenttop.quality.score import Part, Score

#: Failed answers that are kept, one a case; and how many of them every snapshot has.
KEPT_FAILED, SENT_FAILED = 100, 20
#: Graders of a failed answer that are kept, and characters of what each says.
KEPT_GRADERS, MAX_REASON = 12, 200
#: Different reasons told of a case.
KEPT_REASONS = 3


class Failed:
    """The failed answers of one run up to now."""

    def __init__(self) -> None:
        self._newest: OrderedDict[str, FailedCase] = OrderedDict()
        self._reasons: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, score: Score, value: float, asked: str) -> None:
        """Take a failed answer with its score from 0 to 1, and what was asked."""
        worst = min(
            (part for part in score.parts if part.value is not None),
            key=lambda part: (part.value or 0.0, -part.weight),
            default=None,
        )
        self._reasons[score.case][score.reason or score.cause] += 1
        self._newest.pop(score.case, None)
        self._newest[score.case] = FailedCase(
            score.case,
            score.level,
            score.users,
            score.at_s,
            value,
            worst.grader if worst is not None else score.cause,
            score.reason,
            asked,
            score.excerpt,
            _said(score.parts),
        )
        while len(self._newest) > KEPT_FAILED:
            self._newest.popitem(last=False)

    def sent(self) -> tuple[FailedCase, ...]:
        """Return those of a snapshot, the newest first."""
        return tuple(reversed(list(self._newest.values())[-SENT_FAILED:]))

    def reasons(self, case: str) -> list[str]:
        """Return why a case failed, the most frequent reason first."""
        return [reason for reason, _ in self._reasons.get(case, Counter()).most_common(KEPT_REASONS)]

    def summary(self) -> list[dict[str, Any]]:
        """Return the ``failed`` of the summary's ``quality``, the newest first."""
        return [
            {
                "id": row.id,
                "stage": row.level,
                "users": row.users,
                "at_s": round(row.at_s, 3),
                "score": row.score,
                "input": row.input,
                "answer": row.answer,
                "grader": row.grader,
                "reason": row.reason,
                "graders": [msgspec.to_builtins(said) for said in row.graders],
            }
            for row in reversed(self._newest.values())
        ]


def _said(parts: Sequence[Part]) -> tuple[GraderSaid, ...]:
    """Return what the graders of an answer said, those that cost most first."""
    found = sorted(parts, key=lambda part: -part.weight * (1.0 - (part.value or 0.0)))
    return tuple(GraderSaid(part.grader, part.value, part.reason[:MAX_REASON]) for part in found[:KEPT_GRADERS])
