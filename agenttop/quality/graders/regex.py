"""``regex``: a regular expression of RE2 matches somewhere in the answer."""

from __future__ import annotations

from agenttop.expressions.pattern import PatternError, compile_pattern
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, quoted


def _check(spec: GraderSpec) -> str:
    if not isinstance(spec.value, str) or not spec.value:
        return "regex needs a value that is a regular expression"
    try:
        compile_pattern(spec.value)
    except PatternError as error:
        return f"{quoted(spec.value)} is no regular expression: {error}"
    return ""


def _regex(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    holds = compile_pattern(spec.value).found_in(answer.text)
    return Verdict(float(holds), f"nothing in the answer matches {quoted(spec.value)}", f"{quoted(spec.value)} matches")


REGEX = Grader("regex", _check, _regex)
