"""``max-words``: the answer has so many words at most; with ``min``, so many at least, too."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, is_number


def _check(spec: GraderSpec) -> str:
    if not is_number(spec.value, 1):
        return "max-words needs a value that is a number of words, from 1 on"
    if not is_number(spec.options.get("min", 0), 0, spec.value):
        return "the min of max-words is a number of words, no more than the value"
    return ""


def _max_words(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    words = len(answer.text.split())
    low = spec.options.get("min", 0)
    lacking = f"{words} words, at most {spec.value:g}" if words > spec.value else f"{words} words, at least {low:g}"
    return Verdict(float(low <= words <= spec.value), lacking, f"only {words} words")


MAX_WORDS = Grader("max-words", _check, _max_words, frozenset({"min"}))
