"""``jsonpath``: what a JSONPath finds in the answer's JSON equals the value; without one: it finds something."""

from __future__ import annotations

from functools import lru_cache

from agenttop.expressions.jsonpath import JsonPath, JsonPathSyntaxError, compile_path
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, quoted
from agenttop.quality.graders.json_text import covers, pieces

_compiled = lru_cache(maxsize=512)(compile_path)


def _check(spec: GraderSpec) -> str:
    path = spec.options.get("path")
    if not isinstance(path, str) or not path:
        return 'jsonpath needs a path, such as {"type": "jsonpath", "path": "$.total", "value": 42}'
    try:
        _compiled(path)
    except JsonPathSyntaxError as error:
        return f"{quoted(path)} is no JSONPath: {error}"
    return ""


def _jsonpath(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    path: JsonPath = _compiled(spec.options["path"])
    values = pieces(answer.text)
    if not values:
        return Verdict(0.0, "no JSON in the answer")
    found = [value for piece in values for value in path.find(piece)]
    if not found:
        return Verdict(0.0, f"{path.text} finds nothing in the answer")
    if spec.value is None:
        return Verdict(1.0, "", f"{path.text} finds {quoted(found[0])}")
    holds = any(covers(spec.value, value) and covers(value, spec.value) for value in found)
    said = f"{path.text} is {quoted(found[0])}"
    return Verdict(float(holds), f"{said}, not {quoted(spec.value)}", said)


JSONPATH = Grader("jsonpath", _check, _jsonpath, frozenset({"path"}))
