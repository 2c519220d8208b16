"""``equals``: the whole answer, as text to the letter; or as JSON, where the value is a table or a list."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted
from agenttop.quality.graders.json_text import same, whole_json


def _check(spec: GraderSpec) -> str:
    return "equals needs a value" if spec.value is None else ""


def _equals(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    if isinstance(spec.value, dict | list):
        found, value = whole_json(answer.text)
        holds = found and same(value, spec.value)
    else:
        text, wanted = answer.text, plain(spec.value)
        if spec.options.get("ignore_case") is True:
            text, wanted = text.casefold(), wanted.casefold()
        holds = text == wanted
    return Verdict(
        float(holds), f"the answer is not {quoted(spec.value)}, but {quoted(answer.text)}", "the answer is just that"
    )


EQUALS = Grader("equals", _check, _equals, frozenset({"ignore_case"}))
