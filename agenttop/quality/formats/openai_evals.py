"""Cases of OpenAI's evals (https://github.com/openai/evals/blob/main/docs/build-eval.md): ``input`` (messages, or text)
and ``ideal``, of JSON lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agenttop.quality.drafts import CaseFile, shown_id, slices_of, targets_of
from agenttop.quality.records import Record

FIELDS = ("input", "ideal", "id", "metadata")


def read_openai_evals(file: CaseFile, records: Sequence[Record], wider: Sequence[str]) -> None:
    """Add the cases of these records; ``wider``: the fields of all formats, for the nearest to a mistyped one."""
    for record in records:
        fields: dict[str, Any] = record.value
        name = shown_id(fields.get("id"))
        file.unknown(record.line, name, fields, FIELDS, wider)
        if "input" not in fields:
            file.fault(record.line, "a case needs an input", name)
        metadata = fields.get("metadata")
        tags, slices = slices_of(metadata if isinstance(metadata, dict) else {})
        # Few-shot examples are system messages with a name; they go along as they are.
        file.add(
            record.line,
            id=fields.get("id"),
            input=fields.get("input", ""),
            target=targets_of(fields.get("ideal")),
            tags=tags,
            slices=slices,
        )
