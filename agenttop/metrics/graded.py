"""Quality as viewers see it: scores (0 to 1) by level of load and by slice, and whether they fell."""

from __future__ import annotations

import msgspec


class SliceScore(msgspec.Struct, frozen=True):
    """The score of one slice: the cases that share a tag, or a named value."""

    name: str
    score: float
    low: float
    """Ends of the 95 % interval of ``score``."""
    high: float
    cases: int


class LevelScore(msgspec.Struct, frozen=True):
    """The score at one level of load, with those of its slices."""

    level: str
    users: int
    score: float
    low: float
    high: float
    cases: int
    """Cases with an answer that has a score."""
    answers: int
    lost: dict[str, float] = {}
    """Points lost by cause, the most first; they and ``score`` are 1 together."""
    slices: dict[str, float] = {}
    """Score by slice, of those with cases here."""


class GraderSaid(msgspec.Struct, frozen=True):
    """What one grader made of an answer."""

    grader: str
    """Its name, with ``not-`` where negated."""
    score: float | None
    """0 to 1; None: it could not judge."""
    reason: str = ""
    """Why points were lost; empty where none were."""


class FailedCase(msgspec.Struct, frozen=True):
    """An answer that did not pass."""

    id: str
    level: str
    users: int
    at_s: float
    score: float
    grader: str
    """The grader that cost most; the cause where no grader was asked."""
    reason: str
    input: str = ""
    """The beginning of the question."""
    answer: str = ""
    """The beginning of the answer."""
    graders: tuple[GraderSaid, ...] = ()
    """The graders one by one, those that cost most first; none of an answer that scores 0 by rule."""


class Drop(msgspec.Struct, frozen=True):
    """How far scores fell from the fewest users to the most, paired by case; negative where they rose."""

    from_users: int
    to_users: int
    drop: float
    low: float
    """Ends of the 95 % interval of ``drop``."""
    high: float
    visible: float
    """The smallest drop that so many cases and answers could have shown."""
    cases: int
    """Cases with a score on both sides."""
    verdict: str
    """``ok``, ``worse`` or ``undecided``."""
    lost: dict[str, float] = {}
    """The drop by cause, the largest part first; they sum to ``drop``."""


class QualityState(msgspec.Struct, frozen=True):
    """The quality of a run's answers so far."""

    score: float | None
    """Mean over cases; None without any."""
    low: float
    high: float
    cases: int
    """Cases with a score, of ``of_cases``."""
    of_cases: int
    answers: int
    """Answers handed over to be graded."""
    graded: int
    ungraded: int
    """Answers that no grader could judge: they are in no score."""
    levels: tuple[LevelScore, ...] = ()
    """In the order in which they began."""
    slices: tuple[SliceScore, ...] = ()
    """The most cases first."""
    drop: Drop | None = None
    """None before two levels have cases in common."""
    control: Drop | None = None
    """The lowest level against itself: what is there without any load."""
    failed: tuple[FailedCase, ...] = ()
    """The newest first."""
    judge_calls: int = 0
    judge_errors: int = 0

    @property
    def waiting(self) -> int:
        """Return how many answers wait for their score."""
        return max(0, self.answers - self.graded - self.ungraded)
