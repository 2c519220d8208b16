"""What cannot be read, and what says nothing, in every dialect.

Which events may be unreadable, what their failure is called, and that broken UTF-8 costs a letter and no answer.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from agenttop.dialects import DIALECTS, dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT

#: What a failure to read begins with, by dialect.
WORDS = {
    "openai.chat": "not a chat completion: ",
    "openai.responses": "not a response: ",
    "anthropic.messages": "not a message: ",
    "ag-ui": "not an AG-UI event: ",
    "a2a": "not an A2A response: ",
    "mcp": "not a JSON-RPC message: ",
    "adk": "not an event of an agent: ",
}
#: These tell keep-alives from events by name: all but LangGraph (every event has one) and Realtime (none has).
JUNK = b"<" + b"j" * 197 + "é".encode() + b"more of it"


@pytest.mark.parametrize("dialect", WORDS)
@pytest.mark.parametrize("name", [b"", b"message", b"error"])
def test_what_is_no_event_is_a_failure_in_its_first_200_bytes(dialect: str, name: bytes) -> None:
    reader = dialect_named(dialect).reader()
    assert reader.event(JUNK, name) == ERROR
    # The 200th byte is the first half of a letter.
    assert reader.error == WORDS[dialect] + "<" + "j" * 197 + "é"
    cut = dialect_named(dialect).reader()
    cut.event(JUNK[:1] + b"j" + JUNK[1:], name)
    assert cut.error == WORDS[dialect] + "<" + "j" * 198 + "\ufffd"
    reader.event(b"<other>", name)
    assert reader.error == WORDS[dialect] + "<" + "j" * 197 + "é", "the first failure's words are kept"


@pytest.mark.parametrize("dialect", WORDS)
@pytest.mark.parametrize("name", [b"ping", b"MESSAGE", b"keepalive"])
def test_a_keep_alive_of_another_name_need_not_be_json(dialect: str, name: bytes) -> None:
    reader = dialect_named(dialect).reader()
    assert reader.event(JUNK, name) == 0
    assert reader.error is None


@pytest.mark.parametrize("dialect", ["langgraph", "openai.realtime"])
def test_where_every_event_is_one_what_is_none_is_a_failure(dialect: str) -> None:
    reader = dialect_named(dialect).reader()
    assert reader.event(JUNK, b"messages") == ERROR
    what = {"langgraph": "an answer of LangGraph", "openai.realtime": "a realtime event"}[dialect]
    assert reader.error == f"not {what}: <" + "j" * 197 + "é"


BODIES: dict[str, Any] = {
    "openai.chat": {"choices": [{"message": {"content": "a?"}}]},
    "openai.responses": {"object": "response", "output": [{"type": "message"}], "id": "?"},
    "anthropic.messages": {"type": "message", "content": [{"type": "text", "text": "?"}]},
    "a2a": {"result": {"message": {"parts": [{"text": "?"}]}}},
    "mcp": {"result": {"content": [{"type": "text", "text": "?"}]}},
}


@pytest.mark.parametrize("dialect", BODIES)
def test_broken_text_in_a_whole_answer_is_still_an_answer(dialect: str) -> None:
    data = json.dumps(BODIES[dialect]).encode().replace(b"?", b"\xff")
    reader = dialect_named(dialect).reader()
    flags = reader.body(data)
    assert flags & DONE
    assert not flags & ERROR, reader.error
    assert reader.spoke or flags & OUTPUT


@pytest.mark.parametrize("dialect", ["openai.chat", "openai.responses", "anthropic.messages"])
def test_whether_a_whole_answer_has_said_something(dialect: str) -> None:
    reader = dialect_named(dialect).reader()
    assert reader.spoke is None
    reader.body(json.dumps(BODIES[dialect]).encode())
    assert reader.spoke is True
    for nothing in (b"", b" \n"):
        reader.body(nothing)
        assert reader.spoke is False, "nothing at all is an answer without output"
    other = dialect_named(dialect).reader()
    other.body(b'{"id": "thread_1"}')
    assert other.spoke is None, "no answer of this dialect"


@pytest.mark.parametrize(
    ("dialect", "empty"),
    [
        ("openai.chat", {"choices": []}),
        ("openai.chat", {"choices": [{"message": {"content": ""}}]}),
        ("openai.chat", {}),
        ("openai.responses", {"output": []}),
        ("openai.responses", {"object": "response"}),
        ("anthropic.messages", {"type": "message"}),
        ("anthropic.messages", {"content": []}),
    ],
)
def test_an_empty_answer_has_said_nothing(dialect: str, empty: dict[str, Any]) -> None:
    reader = dialect_named(dialect).reader()
    assert reader.body(json.dumps(empty).encode()) == DONE
    assert reader.spoke is False


@pytest.mark.parametrize(
    ("dialect", "first", "calls"),
    [
        ("openai.chat", {"choices": [{"message": {"tool_calls": [{"id": "a", "function": {"name": "f"}}] * 2}}]}, 2),
        ("anthropic.messages", {"type": "message", "content": [{"type": "tool_use"}, {"type": "mcp_tool_use"}]}, 2),
        ("openai.responses", {"object": "response", "output": [{"type": "function_call"}, {"type": "mcp_call"}]}, 2),
    ],
)
def test_the_tool_calls_of_a_whole_answer(dialect: str, first: dict[str, Any], calls: int) -> None:
    reader = dialect_named(dialect).reader()
    reader.body(json.dumps(first).encode())
    assert (reader.llm_calls, reader.tool_calls) == (1, calls)
    none = dialect_named(dialect).reader()
    none.body(json.dumps(BODIES[dialect]).encode())
    assert (none.llm_calls, none.tool_calls) == (1, 0)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "custom"])
def test_the_name_of_an_event_need_not_be_text(dialect: str) -> None:
    for data in (b"{}", b"", b'{"delta": "x"}', b'{"error": {"message": "m"}}', b"\xff", b'{"a": "\xff"}'):
        reader = dialect_named(dialect).reader()
        assert not reader.event(data, b"\xff\xfe") & ERROR or reader.error
