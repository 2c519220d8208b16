"""The score of one answer."""

from __future__ import annotations

import msgspec

#: Why points were lost, worst first: an answer that was refused is not also wrong.
CAUSES = ("refused", "timeout", "truncated", "error", "empty", "tool_not_called", "wrong")


class Part(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one grader said."""

    grader: str
    """Its name, with ``not-`` where negated."""
    value: float | None
    """0 to 1; None: it could not judge (a judge that answers nonsense, a user's grader that raised)."""
    reason: str = ""
    weight: float = 1.0
    metric: str = ""


class Score(msgspec.Struct, frozen=True, omit_defaults=True):
    """What all graders of a case made of one answer."""

    case: str
    level: str = ""
    users: int = 0
    step: int = 0
    at_s: float = 0.0
    value: float | None = None
    """The weighted mean of the parts, 0 to 1; None: ungraded, and no score of the agent's."""
    passed: bool = False
    cause: str = ""
    """Of :data:`CAUSES`, where points were lost; empty otherwise."""
    reason: str = ""
    """The reason of the grader that cost most, in words."""
    parts: tuple[Part, ...] = ()
    excerpt: str = ""
    """The beginning of the answer, where points were lost; secrets hidden."""
