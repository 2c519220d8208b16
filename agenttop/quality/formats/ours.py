"""Cases in our own format, of JSON lines or a YAML list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agenttop.quality.drafts import CaseFile, shown_id, targets_of
from agenttop.quality.graders.base import plain
from agenttop.quality.records import Record
from agenttop.quality.specs import read_graders

FIELDS = (
    "id",
    "input",
    "vars",
    "target",
    "tags",
    "slices",
    "weight",
    "threshold",
    "graders",
    "description",
)


def read_ours(file: CaseFile, records: Sequence[Record], wider: Sequence[str]) -> None:
    """Add the cases of these records; ``wider``: the fields of all formats, for the nearest to a mistyped one."""
    for record in records:
        _read(file, record, wider)


def _read(file: CaseFile, record: Record, wider: Sequence[str]) -> None:
    fields: dict[str, Any] = record.value
    name = shown_id(fields.get("id"))

    def say(message: str, *path: str | int) -> None:
        file.fault(record.line_at(*path), message, name)

    file.unknown(record.line, name, fields, FIELDS, wider)
    if "input" not in fields and not fields.get("vars"):
        say("a case needs an input (or vars that the request is made of)")
    variables, slices = fields.get("vars", {}), fields.get("slices", {})
    if not isinstance(variables, dict):
        say('vars is a table, such as {"city": "Bonn"}', "vars")
        variables = {}
    if not isinstance(slices, dict):
        say('slices is a table of names and values, such as {"language": "de"}', "slices")
        slices = {}
    tags = fields.get("tags", [])
    if isinstance(tags, str):
        tags = [tags]
    if not isinstance(tags, list) or not all(isinstance(tag, str) and tag for tag in tags):
        say('tags is a list of texts, such as ["orders", "tools"]', "tags")
        tags = []
    target = fields.get("target")
    if isinstance(target, dict):
        say("the target is a text, or a list of texts of which any is right", "target")
        target = None
    graders = fields.get("graders")
    specs = () if graders is None else read_graders(graders, lambda index, message: say(message, "graders", index))
    description = fields.get("description", "")
    file.add(
        record.line,
        id=fields.get("id"),
        input=fields.get("input", ""),
        vars=variables,
        target=targets_of(target),
        tags=tags,
        slices={key: plain(value) for key, value in slices.items()},
        weight=fields.get("weight", 1.0),
        threshold=fields.get("threshold"),
        graders=specs,
        description=plain(description) if description else "",
        graded=not graders,
    )
