"""``includes``: one of the case's right answers is in the answer, either way of case, as Inspect's scorer has it."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted


def targets_of(spec: GraderSpec, case: Case) -> tuple[str, ...]:
    """Return the right answers: the grader's own value, else the case's."""
    if spec.value is None:
        return case.target
    return tuple(map(plain, spec.value)) if isinstance(spec.value, list) else (plain(spec.value),)


def _check(spec: GraderSpec) -> str:
    return 'a target of includes is empty: "" is in every answer' if spec.value in ("", [], [""]) else ""


def _includes(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    text = answer.text.casefold()
    targets = targets_of(spec, case)
    found = next((target for target in targets if target and target.casefold() in text), None)
    lacking = " or ".join(map(quoted, targets[:3])) + (" …" if len(targets) > 3 else "")
    return Verdict(float(found is not None), f"no {lacking} in the answer", f"{quoted(found or '')} is in the answer")


INCLUDES = Grader("includes", _check, _includes)
