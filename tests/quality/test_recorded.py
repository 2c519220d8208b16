from __future__ import annotations

import json

import pytest

from agenttop.quality.answer import MAX_TEXT, Answer, ToolCall
from agenttop.quality.recorded import read_answers


def read(*records: object) -> tuple[list[Answer], list[str]]:
    text = "\n".join(json.dumps(record) for record in records)
    answers, problems = read_answers("answers.jsonl", text, {"hours-1": 0, "7": 0})
    return answers, [str(problem) for problem in problems]


def test_answers_are_read_whatever_their_fields_are_called() -> None:
    answers, problems = read(
        {
            "id": "hours-1",
            "text": "at ten",
            "tools": ["lookup", {"name": "pay", "arguments": {"a": 1}}],
            "finish": "stop",
        },
        {
            "case": 7,
            "output": {"a": 1},
            "tool_calls": [{"function": {"name": "pay", "arguments": '{"a": 1}'}}, {"name": "x", "arguments": "{"}],
            "finish_reason": "length",
            "latency_ms": 12.5,
            "ttft_ms": 3,
            "output_tokens": 5,
            "cost_usd": 0.1,
            "step": 1,
            "level": "peak",
            "users": 40,
            "provider": "whatever",
        },
        {"id": "hours-1", "outcome": "timeout", "error": "no answer within 2s"},
    )
    assert not problems
    assert answers == [
        Answer("hours-1", text="at ten", tools=(ToolCall("lookup"), ToolCall("pay", {"a": 1})), finish="stop"),
        Answer(
            "7",
            level="peak",
            users=40,
            step=1,
            text='{"a": 1}',
            tools=(ToolCall("pay", {"a": 1}), ToolCall("x", "{")),
            finish="length",
            latency_ms=12.5,
            ttft_ms=3,
            output_tokens=5,
            cost_usd=0.1,
        ),
        Answer("hours-1", outcome="timeout", error="no answer within 2s"),
    ]


def test_a_text_that_is_too_long_is_cut_and_said_to_be() -> None:
    (answer,), _ = read({"id": "7", "text": "x" * (MAX_TEXT + 1)})
    assert (len(answer.text), answer.cut) == (MAX_TEXT, True)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"text": "x"}, "an answer needs the id of its case"),
        ({"cases": "7", "text": "x"}, 'an answer needs the id of its case; "cases" did you mean "case"?'),
        ({"id": "hours-2", "text": "x"}, 'case "hours-2": there is no such case; did you mean "hours-1"?'),
        ({"id": "7"}, 'case "7": an answer needs a text'),
        ({"id": "7", "txt": "x"}, 'case "7": an answer needs a text; "txt" did you mean "text"?'),
        (
            {"id": "7", "text": "x", "outcome": "time_out"},
            'case "7": unknown outcome "time_out"; did you mean "timeout"?',
        ),
        (
            {"id": "7", "text": "x", "tools": [3]},
            'case "7": tools is a list of names, or of {"name": …, "arguments": …}',
        ),
        ({"id": "7", "text": "x", "latency_ms": "2s"}, 'case "7": latency_ms is a number, 0 or more'),
        ({"id": "7", "text": "x", "output_tokens": 1.5}, 'case "7": output_tokens is a whole number, 0 or more'),
    ],
)
def test_what_is_wrong_is_told_with_line_and_case(record: object, said: str) -> None:
    answers, problems = read({"id": "7", "text": "sound"}, record)
    assert len(answers) == 1
    assert problems == [f"answers.jsonl:2: {said}"]


def test_a_file_without_answers_is_told() -> None:
    assert read()[1] == ["answers.jsonl: there are no answers in it"]
