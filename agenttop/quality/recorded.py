"""Reads recorded answers, JSON lines: ``{"id": "hours-1", "text": "We open at ten.", "tools": ["lookup_hours"]}``.

Other names are understood, too: ``case``, ``answer``, ``output``, ``tool_calls``, ``finish_reason``. What a record has
besides is not looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from agenttop.expressions.nearest import nearest
from agenttop.metrics.outcome import Outcome
from agenttop.quality.answer import MAX_TEXT, Answer, ToolCall
from agenttop.quality.graders.base import is_number, plain
from agenttop.quality.problem import CaseProblem
from agenttop.quality.records import Record, json_lines

_TEXTS = ("text", "answer", "output", "content", "response")
_TOOLS = ("tools", "tool_calls")
_NUMBERS = ("latency_ms", "ttft_ms", "cost_usd", "at_s")
_COUNTS = ("input_tokens", "output_tokens", "users", "step")


def read_answers(path: str, text: str, cases: Collection[str]) -> tuple[list[Answer], list[CaseProblem]]:
    """Return the answers of a file, and what is wrong with it. ``cases``: the ids that there are."""
    problems: list[CaseProblem] = []

    def fault(line: int, message: str, case: str = "") -> None:
        problems.append(CaseProblem(path, line, case, message))

    answers = []
    for record in json_lines(text.removeprefix("\ufeff"), fault):
        answer = _answer(record, cases, fault)
        if answer is not None:
            answers.append(answer)
    if not answers and not problems:
        fault(0, "there are no answers in it")
    return answers, problems


def _answer(record: Record, cases: Collection[str], fault: Any) -> Answer | None:
    fields: dict[str, Any] = record.value
    name = next((fields[key] for key in ("id", "case") if isinstance(fields.get(key), str | int)), None)
    if name is None:
        fault(record.line, f"an answer needs the id of its case{_meant(fields, ('id', 'case'))}")
        return None
    case = str(name)
    if case not in cases:
        fault(record.line, f"there is no such case{nearest(case, cases)}", case)
        return None
    said = next((fields[key] for key in _TEXTS if key in fields), None)
    outcome = fields.get("outcome", Outcome.OK)
    tools = _tools(next((fields[key] for key in _TOOLS if fields.get(key)), []))
    sound = True
    if outcome not in set(Outcome):
        fault(record.line, f'unknown outcome "{outcome}"{nearest(str(outcome), list(Outcome))}', case)
        sound = False
    if said is None and not tools and outcome == Outcome.OK:
        fault(record.line, f"an answer needs a text{_meant(fields, _TEXTS)}", case)
        sound = False
    if tools is None:
        fault(record.line, 'tools is a list of names, or of {"name": …, "arguments": …}', case)
        sound = False
    for key in (*_NUMBERS, *_COUNTS):
        if fields.get(key) is not None and not (is_number(fields[key]) and (key in _NUMBERS or fields[key] % 1 == 0)):
            fault(record.line, f"{key} is a {'number' if key in _NUMBERS else 'whole number'}, 0 or more", case)
            sound = False
    if not sound:
        return None
    whole = plain(said) if said is not None else ""
    finish = fields.get("finish", fields.get("finish_reason"))
    return Answer(
        case,
        level=str(fields.get("level") or ""),
        text=whole[:MAX_TEXT],
        cut=len(whole) > MAX_TEXT,
        tools=tuple(tools or ()),
        finish=str(finish) if finish is not None else None,
        outcome=str(outcome),
        error=str(fields.get("error") or ""),
        users=int(fields.get("users") or 0),
        step=int(fields.get("step") or 0),
        at_s=float(fields.get("at_s") or 0.0),
        latency_ms=fields.get("latency_ms"),
        ttft_ms=fields.get("ttft_ms"),
        input_tokens=_whole(fields.get("input_tokens")),
        output_tokens=_whole(fields.get("output_tokens")),
        cost_usd=fields.get("cost_usd"),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _meant(fields: Mapping[str, Any], known: Collection[str]) -> str:
    """Return the hint to a field that is nearly one of those wanted."""
    return next((f'; "{key}"{hint[1:]}' for key in fields if (hint := nearest(key, known))), "")


def _tools(value: Any) -> list[ToolCall] | None:
    """Return the calls of a list: names, tables of name and arguments, or OpenAI's ``function`` in a table."""
    if not isinstance(value, list):
        return None
    calls = []
    for item in value:
        if isinstance(item, dict) and isinstance(item.get("function"), dict):
            item = item["function"]
        if isinstance(item, str):
            calls.append(ToolCall(item))
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            calls.append(ToolCall(item["name"], _decoded(item.get("arguments"))))
        else:
            return None
    return calls


def _decoded(arguments: Any) -> Any:
    if isinstance(arguments, str):
        try:
            return msgspec.json.decode(arguments)
        except (msgspec.DecodeError, RecursionError, ValueError):
            pass
    return arguments
