"""What scores are added up by: of each case its slices and its weight."""

from __future__ import annotations

import msgspec

from agenttop.quality.case import Case, slices_of_case

#: Characters of a question that are kept to show it.
MAX_INPUT = 300


class CaseBrief(msgspec.Struct, frozen=True, omit_defaults=True):
    """A case without its graders."""

    id: str
    slices: tuple[str, ...] = ()
    """Tags, and further slices as ``name=value``."""
    weight: float = 1.0
    input: str = ""
    """The beginning of the question, in one line."""
    threshold: float | None = None
    """Passes with at least this score; None: the profile's."""


class Golden(msgspec.Struct, frozen=True):
    """What is known of a run's golden set when it begins: with its scores, enough for all figures of quality."""

    cases: tuple[CaseBrief, ...]
    margin: float = 0.02
    """A drop within this is none: the profile's ``max_score_drop``."""
    stages: dict[str, tuple[str, ...]] = {}
    """By level of the plan the names of all its stages."""


def brief_of(case: Case) -> CaseBrief:
    """Return a case without its graders."""
    if isinstance(case.input, str):
        asked = case.input
    else:
        asked = next((str(message.get("content") or "") for message in reversed(case.input)), "")
    question = " ".join(asked[: 4 * MAX_INPUT].split())[:MAX_INPUT]
    return CaseBrief(case.id, slices_of_case(case), case.weight, question, case.threshold)
