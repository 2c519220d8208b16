"""``is-json``, ``contains-json`` and ``json-schema``: the answer is JSON, has some in it, and fits a JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from agenttop.expressions.pattern import PatternError, compile_pattern
from agenttop.quality.answer import Answer
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.graders.base import Grader, Verdict, quoted
from agenttop.quality.graders.json_text import pieces, unfenced, whole_json
from agenttop.quality.packages import MissingPackage, needed


def _check(spec: GraderSpec) -> str:
    if spec.value is None:
        return "json-schema needs a value that is a JSON Schema" if spec.type == "json-schema" else ""
    if not isinstance(spec.value, dict | bool):
        return f"{spec.type} needs a value that is a JSON Schema, a table"
    try:
        jsonschema = needed("jsonschema", "JSON Schemas")
    except MissingPackage as missing:
        return str(missing)
    try:
        _class_of(spec.value).check_schema(spec.value)
    except jsonschema.SchemaError as error:
        where = "".join(f".{part}" for part in error.absolute_path)
        return f"the JSON Schema is wrong{' at ' + where.lstrip('.') if where else ''}: {error.message}"
    except RecursionError:
        return "the JSON Schema is nested too deep"
    return next(_refused(spec.value), "")


def _refused(schema: Any) -> Iterator[str]:
    """Yield what a schema has that cannot be judged here, in linear time and without reading anything."""
    if isinstance(schema, list):
        for item in schema:
            yield from _refused(item)
    if not isinstance(schema, dict):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and not reference.startswith("#"):
        yield f"the JSON Schema refers to {quoted(reference)}, which is not read: write it into the schema"
    patterns = schema.get("patternProperties")
    names = [schema.get("pattern"), *(patterns if isinstance(patterns, dict) else ())]
    for pattern in names:
        if isinstance(pattern, str):
            try:
                compile_pattern(pattern)
            except PatternError as error:
                yield f"{quoted(pattern)} in the JSON Schema is no regular expression: {error}"
    for value in schema.values():
        yield from _refused(value)


def _class_of(schema: Any) -> Any:
    validators = needed("jsonschema.validators", "JSON Schemas")
    return validators.validator_for(schema, default=validators.Draft202012Validator)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
    """RE2 in place of Python's regular expressions, which an answer could hold for ever."""
    if validator.is_type(instance, "string") and not compile_pattern(pattern).found_in(instance):
        yield needed("jsonschema", "JSON Schemas").ValidationError(f"{instance!r} does not match {pattern!r}")


@lru_cache(maxsize=512)
def _validator(text: str) -> Any:
    """Return what validates a schema, which is given as JSON. Nothing is fetched."""
    validators, referencing = needed("jsonschema.validators", "JSON Schemas"), needed("referencing", "JSON Schemas")
    schema = json.loads(text)
    made = validators.extend(_class_of(schema), {"pattern": _pattern})
    return made(schema, registry=referencing.Registry())


def fault_of(schema: Any, value: Any) -> str:
    """Return how a value does not fit a schema, or nothing.

    Raises:
        MissingPackage: jsonschema is not installed.
    """
    validator = _validator(json.dumps(schema))
    try:
        error = next(validator.iter_errors(value), None)
    except RecursionError:
        return "it is nested too deep"
    except Exception as unresolvable:  # a reference into the schema that leads nowhere
        return f"the schema cannot be used: {unresolvable}"
    if error is None:
        return ""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path).lstrip(".")
    return (f"{where}: " if where else "") + str(error.message)[:160]


def _whole(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    text = answer.text if spec.type == "is-json" else unfenced(answer.text)
    found, value = whole_json(text)
    if not found:
        return Verdict(0.0, "the answer is no JSON", "")
    fault = "" if spec.value is None else fault_of(spec.value, value)
    fits = "the answer is JSON" if spec.value is None else "the answer is JSON that fits the schema"
    return Verdict(float(not fault), f"the JSON does not fit the schema: {fault}", fits)


def _contains_json(spec: GraderSpec, case: Case, answer: Answer) -> Verdict:
    values = pieces(answer.text)
    if not values:
        return Verdict(0.0, "no JSON in the answer", "")
    if spec.value is None:
        return Verdict(1.0, "", "there is JSON in the answer")
    faults = [fault_of(spec.value, value) for value in values]
    return Verdict(
        float("" in faults), f"the JSON does not fit the schema: {faults[0]}", "there is JSON that fits the schema"
    )


IS_JSON = Grader("is-json", _check, _whole)
CONTAINS_JSON = Grader("contains-json", _check, _contains_json)
JSON_SCHEMA = Grader("json-schema", _check, _whole, package="jsonschema")
