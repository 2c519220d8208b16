"""``contains``, ``icontains``, ``contains-all`` and ``contains-any``: parts of the answer's text."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted, wanted_text, wanted_texts


def _parts(spec: GraderSpec, answer: Answer) -> tuple[list[str], list[str]]:
    """Return the wanted texts that are in the answer, and those that are not."""
    values = spec.value if isinstance(spec.value, list) else [spec.value]
    fold = spec.type == "icontains" or spec.options.get("ignore_case") is True
    text = answer.text.casefold() if fold else answer.text
    found: list[str] = []
    missing: list[str] = []
    for value in map(plain, values):
        (found if (value.casefold() if fold else value) in text else missing).append(value)
    return found, missing


def _contains(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    found, _ = _parts(spec, answer)
    return Verdict(
        float(bool(found)), f"no {quoted(spec.value)} in the answer", f"{quoted(spec.value)} is in the answer"
    )


def _contains_all(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    found, missing = _parts(spec, answer)
    lacking = " and no ".join(map(quoted, missing[:3]))
    return Verdict(float(not missing), f"no {lacking} in the answer", f"all {len(found)} texts are in the answer")


def _contains_any(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    found, missing = _parts(spec, answer)
    lacking = ", ".join(map(quoted, missing[:3])) + (", …" if len(missing) > 3 else "")
    return Verdict(
        float(bool(found)), f"none of {lacking} in the answer", f"{quoted((found or [''])[0])} is in the answer"
    )


_OPTIONS = frozenset({"ignore_case"})
CONTAINS = Grader("contains", wanted_text, _contains, _OPTIONS)
ICONTAINS = Grader("icontains", wanted_text, _contains)
CONTAINS_ALL = Grader("contains-all", wanted_texts, _contains_all, _OPTIONS)
CONTAINS_ANY = Grader("contains-any", wanted_texts, _contains_any, _OPTIONS)
