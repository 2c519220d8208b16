"""Makes the JSON Schema of the file as people write it, for editors: the model's own, with its short forms put back.

It cannot say everything that ``agenttop validate`` finds: variables, expressions, files, what goes with what.
"""

from __future__ import annotations

from typing import Any

from agenttop.profile.keys import SOCKET_ACTIONS, VERBS
from agenttop.profile.model import Profile
from agenttop.schedule.quantities import DURATION_PATTERN, SPAN_PATTERN, format_duration, format_span

Schema = dict[str, Any]

_REFERENCE = r"\$\{"
_PATH = {"type": "string", "pattern": rf"^/|{_REFERENCE}"}


def profile_schema() -> Schema:
    """Return the schema (draft 2020-12), ready for JSON."""
    schema = Profile.model_json_schema(by_alias=True)
    tables: dict[str, Schema] = schema["$defs"]
    _write_step(tables["Step"])
    _write_task(tables["Task"], tables["Step"])
    tables["Pool"]["properties"]["tasks"]["minItems"] = 1
    tables["Pool"]["oneOf"] = [{"required": ["tasks"]}, {"required": ["python"]}]
    _fill(schema, "pools")
    thresholds = schema["properties"]["thresholds"]
    thresholds["items"] = {"anyOf": [{"type": "string"}, thresholds["items"]]}
    schema["dependentRequired"] = {"users": ["duration"], "duration": ["users"]}
    schema["not"] = {"required": ["users", "stages"]}
    for table in (schema, *tables.values()):
        table["properties"] = {name: _written(field) for name, field in table["properties"].items()}
        table.pop("title", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "agenttop profile",
        **schema,
    }


def _fill(table: Schema, key: str) -> None:
    """Require the list under a key, with at least one item."""
    table["properties"][key]["minItems"] = 1
    table["required"] = [*table.get("required", ()), key]


def _write_step(step: Schema) -> None:
    properties = step["properties"]
    del properties["method"], properties["path"]
    for verb in VERBS:
        text = f"{verb.upper()} this path, a template, appended to the target."
        properties[verb] = {**_PATH, "description": text}
    properties["connect"].update(_PATH)
    properties["connect"].pop("anyOf", None)
    step["oneOf"] = _actions()
    step["description"] = "One request, or one WebSocket action."


def _write_task(task: Schema, step: Schema) -> None:
    """Let a task be a step itself, or have steps."""
    task["properties"] = {**step["properties"], **task["properties"]}
    task["properties"]["steps"]["minItems"] = 1
    task["oneOf"] = [*_actions(), {"required": ["steps"]}]


def _actions() -> list[Schema]:
    """Return the alternatives of which exactly one must be there; ``close = false`` is none."""
    return [
        {"required": [action], "properties": {action: {"const": True}}} if action == "close" else {"required": [action]}
        for action in (*VERBS, *SOCKET_ACTIONS)
    ]


def _written(field: Schema) -> Schema:
    """Return a field as TOML has it: no null, durations as text, and ``${NAME}`` wherever a number or choice may
    stand.
    """
    field = dict(field)
    field.pop("title", None)
    default = field.pop("default", None)
    # pydantic before 2.11 writes into a kind the default that another field of this kind has.
    kinds = [{key: value for key, value in kind.items() if key != "default"} for kind in field.pop("anyOf", [])]
    choices = [kind for kind in kinds if kind.get("type") != "null"]
    if len(choices) == 1:
        field = {**choices[0], **field}
    elif choices:
        field["anyOf"] = choices
    pattern = field.get("pattern")
    if pattern in (DURATION_PATTERN, SPAN_PATTERN):
        if default is not None:
            field["default"] = format_duration(default) if pattern == DURATION_PATTERN else format_span(tuple(default))
        del field["pattern"], field["type"]
        field["anyOf"] = [{"type": "string", "pattern": f"{pattern}|{_REFERENCE}"}, {"const": 0}]
    elif default not in (None, "", [], {}) and not isinstance(default, dict):
        field["default"] = default
    limited = {"integer", "number", "boolean"} & {field.get("type", "")} or "enum" in field or "const" in field
    if not limited:
        return field
    keep: Schema = {key: field.pop(key) for key in ("description", "default") if key in field}
    return {**keep, "anyOf": [field, {"type": "string", "pattern": _REFERENCE}]}
