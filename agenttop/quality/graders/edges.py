"""``starts-with`` and ``ends-with``: how the answer begins and ends, blank space around it aside."""

from __future__ import annotations

from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, plain, quoted, wanted_text


def _edge(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    text, value = answer.text.strip(), plain(spec.value).strip()
    if spec.options.get("ignore_case") is True:
        text, value = text.casefold(), value.casefold()
    begins = spec.type == "starts-with"
    holds = text.startswith(value) if begins else text.endswith(value)
    verb = "begin" if begins else "end"
    return Verdict(
        float(holds),
        f"the answer does not {verb} with {quoted(spec.value)}",
        f"the answer {verb}s with {quoted(spec.value)}",
    )


_OPTIONS = frozenset({"ignore_case"})
STARTS_WITH = Grader("starts-with", wanted_text, _edge, _OPTIONS)
ENDS_WITH = Grader("ends-with", wanted_text, _edge, _OPTIONS)
