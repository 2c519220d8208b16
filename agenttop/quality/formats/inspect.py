"""Cases of Inspect (https://inspect.aisi.org.uk/datasets.html): JSON lines or CSV with ``input`` and ``target``.

A case with ``choices`` is asked as a multiple choice question, with a line ``ANSWER: B`` wanted, and graded by it;
all others by ``includes``.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from agenttop.quality.case import GraderSpec
from agenttop.quality.drafts import CaseFile, shown_id, slices_of, targets_of
from agenttop.quality.records import Record

FIELDS = ("input", "target", "id", "choices", "metadata", "sandbox", "files", "setup")
_ASK = "Choose the right answer. End with a line that says nothing but ANSWER: and the letter of your choice."
_ASK_ALL = (
    "Choose every right answer. End with a line that says nothing but ANSWER: and the letters of your choices, with "
    "commas between them."
)


def read_inspect(file: CaseFile, records: Sequence[Record], wider: Sequence[str]) -> None:
    """Add the cases of these records; ``wider``: the fields of all formats, for the nearest to a mistyped one."""
    for record in records:
        _read(file, record, wider)


def _read(file: CaseFile, record: Record, wider: Sequence[str]) -> None:
    fields: dict[str, Any] = {key: value for key, value in record.value.items() if value not in (None, "")}
    name = shown_id(fields.get("id"))
    say = partial(file.fault, record.line, case=name)
    file.unknown(record.line, name, fields, FIELDS, wider)
    for key in ("files", "setup", "sandbox"):
        if fields.get(key):
            say(f'"{key}" needs a sandbox of Inspect, which an agent under load has not; leave such cases out')
    if "input" not in fields:
        say("a case needs an input")
    metadata = fields.get("metadata", {})
    if isinstance(metadata, str):
        try:
            metadata = msgspec.json.decode(metadata)
        except msgspec.DecodeError:
            say("metadata is no JSON")
            metadata = {}
    if not isinstance(metadata, dict):
        say("metadata is a table")
        metadata = {}
    target, question = targets_of(fields.get("target")), fields.get("input", "")
    choices = _choices(fields.get("choices"))
    graders: tuple[GraderSpec, ...] = ()
    if choices:
        letters = string.ascii_uppercase[: len(choices)]
        wanted = "".join(target).replace(",", "").replace(" ", "").upper()
        if len(choices) > len(string.ascii_uppercase):
            say("more than 26 choices")
        elif not wanted or any(letter not in letters for letter in wanted):
            say(f"the target of a case with choices is a letter from A to {letters[-1]}")
        question = _asked(question, choices, several=len(wanted) > 1)
        graders = (GraderSpec("choice", options={"of": len(choices)}),)
    tags, slices = slices_of(metadata)
    file.add(
        record.line,
        id=fields.get("id"),
        input=question,
        vars={"metadata": metadata} if metadata else {},
        target=target,
        tags=tags,
        slices=slices,
        graders=graders if target else (),
    )


def _choices(value: Any) -> list[str]:
    """Return the choices: a list, or a text with commas or blanks between them."""
    if isinstance(value, str):
        parts = value.split(",")
        value = parts if len(parts) > 1 else value.split()
    return [str(choice).strip() for choice in value if str(choice).strip()] if isinstance(value, list) else []


def _asked(question: Any, choices: Sequence[str], *, several: bool) -> Any:
    """Return a question with its choices; of messages it is the last one that gets them."""
    listed = "\n".join(f"{letter}) {choice}" for letter, choice in zip(string.ascii_uppercase, choices, strict=False))
    more = f"\n\n{listed}\n\n{_ASK_ALL if several else _ASK}"
    if isinstance(question, list) and question and isinstance(question[-1], dict):
        content = question[-1].get("content")
        return (
            [*question[:-1], {**question[-1], "content": f"{content}{more}"}] if isinstance(content, str) else question
        )
    return f"{question}{more}" if isinstance(question, str) else question
