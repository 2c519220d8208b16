"""Cases of Braintrust and autoevals (https://www.braintrust.dev/docs/annotate/datasets): ``input``, ``expected``,
``metadata``, ``tags``, of JSON lines.

An ``expected`` that is text is in the answer (``includes``); a list of texts: any of them; any other JSON equals it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from agenttop.quality.case import GraderSpec
from agenttop.quality.drafts import CaseFile, question_in, shown_id, slices_of, targets_of
from agenttop.quality.graders.base import plain
from agenttop.quality.records import Record

FIELDS = ("input", "expected", "metadata", "tags", "id")
#: What its own records have besides; not looked at.
OWN = (
    "created",
    "span_id",
    "root_span_id",
    "is_root",
    "origin",
    "project_id",
    "dataset_id",
    "_xact_id",
    "_pagination_key",
    "output",
    "scores",
    "comments",
    "audit_data",
    "classifications",
    "facets",
)


def read_braintrust(file: CaseFile, records: Sequence[Record], wider: Sequence[str]) -> None:
    """Add the cases of these records; ``wider``: the fields of all formats, for the nearest to a mistyped one."""
    for record in records:
        fields: dict[str, Any] = record.value
        name = shown_id(fields.get("id"))
        say = partial(file.fault, record.line, case=name)
        file.unknown(record.line, name, [key for key in fields if key not in OWN], FIELDS, wider)
        if "input" not in fields:
            say("a case needs an input")
        metadata, tags = fields.get("metadata") or {}, fields.get("tags") or []
        if not isinstance(metadata, dict):
            say("metadata is a table")
            metadata = {}
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            say("tags is a list of texts")
            tags = []
        more, slices = slices_of(metadata)
        expected = fields.get("expected")
        texts = isinstance(expected, str) or (
            isinstance(expected, list) and all(isinstance(one, str) for one in expected)
        )
        graders = () if texts or expected is None else (GraderSpec("equals", expected),)
        question, variables = _asked(fields.get("input", ""))
        file.add(
            record.line,
            id=fields.get("id"),
            input=question,
            vars=variables,
            target=targets_of(expected) if texts else (),
            tags=[*tags, *more],
            slices=slices,
            graders=graders,
        )


def _asked(value: Any) -> tuple[Any, dict[str, Any]]:
    """Return the input and the variables: of a table its messages or its question, else all of it as JSON."""
    if not isinstance(value, dict):
        return value, {}
    messages = value.get("messages")
    return (messages if isinstance(messages, list) and messages else question_in(value) or plain(value)), value
