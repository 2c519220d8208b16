"""Tests of promptfoo in CSV: columns are variables, those that begin with ``__`` say what is expected.

https://www.promptfoo.dev/docs/configuration/test-cases#csv-format
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from agenttop.expressions.nearest import nearest
from agenttop.quality.case import GraderSpec
from agenttop.quality.drafts import CaseFile, question_in, slices_of
from agenttop.quality.formats.promptfoo_assertions import from_text, number_in, read_assertion
from agenttop.quality.formats.templates import TemplateError, fill, filled
from agenttop.quality.records import Record

_PLAIN = ("__description", "__prefix", "__suffix", "__metric", "__threshold")
_SPECIAL = ("__expected", "__metadata:", "__config:", *_PLAIN)
_EXPECTED = re.compile(r"__expected(\d*)")
_CONFIG = re.compile(r"__config:__expected(\d*):(\w+)")
_COMMA = re.compile(r"(?<!\\),")


def read_promptfoo_csv(
    file: CaseFile,
    header: Sequence[str],
    rows: Sequence[Record],
    *,
    default: Mapping[str, Any] | None = None,
    prompt: Any = None,
) -> None:
    """Add the cases of a CSV file; ``default`` is what all have, ``prompt`` what is asked."""
    for name in header:
        if not _known(name):
            meant = nearest(name, _SPECIAL)
            file.fault(1, f'unknown column "{name}"{meant}')
        elif name.startswith("_") and not name.startswith("__") and f"_{name}".startswith(_SPECIAL):
            file.fault(1, f'the column "{name}" begins with one underscore; did you mean "_{name}"?')
    for row in rows:
        _read(file, row, default or {}, prompt)


def _known(name: str) -> bool:
    if not name.startswith("__"):
        return True
    return bool(
        name in _PLAIN or _EXPECTED.fullmatch(name) or _CONFIG.fullmatch(name) or name.startswith("__metadata:")
    )


def _read(file: CaseFile, row: Record, default: Mapping[str, Any], prompt: Any) -> None:
    cells: dict[str, str] = row.value
    say = partial(file.fault, row.line)
    given = default.get("vars")
    variables = {
        **(given if isinstance(given, dict) else {}),
        **{k: v for k, v in cells.items() if not k.startswith("__")},
    }
    metadata = {**(default.get("metadata") or {}), **_metadata(cells)}
    configs = [
        (found[1], found[2], value)
        for name, value in cells.items()
        if (found := _CONFIG.fullmatch(name)) and value.strip()
    ]
    items: list[Any] = list(default.get("assert") or [])
    count = len(items)
    for name, text in cells.items():
        expected = _EXPECTED.fullmatch(name)
        if expected is None or not text.strip():
            continue
        count += 1
        item = from_text(text, say)
        if item is None:
            continue
        for number, key, value in configs:
            if number in ("", expected[1]):
                item[key] = number_in(value)
        if cells.get("__metric"):
            item["metric"] = cells["__metric"]
        items.append(item)
    specs: list[GraderSpec] = []
    question: Any = ""
    try:
        specs = [spec for item in items if (spec := read_assertion(filled(item, variables), say))]
        if prompt is None:
            question = question_in(variables)
        else:
            question = filled(prompt, variables) if isinstance(prompt, list) else fill(prompt, variables)
    except TemplateError as error:
        say(str(error))
    if isinstance(question, str):
        question = f"{cells.get('__prefix', '')}{question}{cells.get('__suffix', '')}"
    tags, slices = slices_of(metadata)
    threshold = cells.get("__threshold", "").strip()
    file.add(
        row.line,
        input=question,
        vars=variables,
        tags=tags,
        slices=slices,
        threshold=number_in(threshold) if threshold else default.get("threshold"),
        graders=tuple(specs),
        description=cells.get("__description", ""),
        graded=not count,
    )


def _metadata(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata of a row; a name that ends with ``[]`` is a list with commas between its texts."""
    found: dict[str, Any] = {}
    for column, text in cells.items():
        if not column.startswith("__metadata:") or not text.strip():
            continue
        name = column.partition(":")[2]
        if name.endswith("[]"):
            found[name[:-2]] = [part.strip().replace("\\,", ",") for part in _COMMA.split(text) if part.strip()]
        else:
            found[name] = text.strip()
    return found
