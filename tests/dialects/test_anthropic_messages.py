from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.anthropic_messages import AnthropicMessages
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING, Reader

THOUGHT = OUTPUT | REASONING


def event(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


def tokens(reader: Reader) -> tuple[int | None, int | None, int | None, int | None]:
    return (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)


@pytest.mark.parametrize(
    ("delta", "flags"),
    [
        ({"type": "text_delta", "text": "a"}, OUTPUT),
        ({"type": "text_delta", "text": " "}, OUTPUT),
        ({"type": "text_delta", "text": ""}, 0),
        ({"type": "text_delta", "text": None}, 0),
        ({"type": "thinking_delta", "thinking": "a"}, THOUGHT),
        ({"type": "thinking_delta", "thinking": ""}, 0),
        ({"type": "input_json_delta", "partial_json": "{"}, OUTPUT),
        ({"type": "input_json_delta", "partial_json": ""}, 0),
        ({"type": "signature_delta", "signature": "EqQBCgIYAhIM"}, 0),
        ({"type": "citations_delta", "citation": {"cited_text": "a"}}, 0),
        ({"type": "compaction_delta", "content": "a"}, 0),
        ({"type": "something_new", "value": "a"}, 0),
        ({}, 0),
        (None, 0),
    ],
)
def test_output_is_what_is_not_empty(delta: Any, flags: int) -> None:
    reader = AnthropicMessages().reader()
    assert reader.event(event("content_block_delta", index=0, delta=delta)) == flags
    assert reader.chunks == bool(flags)


@pytest.mark.parametrize(
    ("block", "flags", "calls"),
    [
        ({"type": "text", "text": ""}, 0, 0),
        ({"type": "text", "text": "a"}, OUTPUT, 0),
        ({"type": "thinking", "thinking": "", "signature": ""}, 0, 0),
        ({"type": "thinking", "thinking": "a", "signature": "EqQ"}, THOUGHT, 0),
        ({"type": "redacted_thinking", "data": "EmwKAhgB"}, 0, 0),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {}}, 0, 1),
        ({"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}, OUTPUT, 1),
        ({"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}}, 0, 1),
        ({"type": "mcp_tool_use", "id": "t", "name": "f", "server_name": "s", "input": {}}, 0, 1),
        ({"type": "web_search_tool_result", "tool_use_id": "t", "content": [{"title": "a"}]}, 0, 0),
        ({"type": "mcp_tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}]}, 0, 0),
        ({"type": "something_new", "text": "a"}, 0, 0),
        ({"type": ["tool_use"]}, 0, 0),
    ],
)
def test_blocks(block: dict[str, Any], flags: int, calls: int) -> None:
    reader = AnthropicMessages().reader()
    reader.event(event("message_start", message={"usage": {}}))
    assert reader.event(event("content_block_start", index=0, content_block=block)) == flags
    assert (reader.tool_calls, reader.llm_calls) == (calls, 1)
    whole = AnthropicMessages().reader()
    assert whole.body(json.dumps({"type": "message", "content": [block]}).encode()) == DONE
    assert (whole.tool_calls, whole.llm_calls, whole.chunks) == (calls, 1, 0)


def test_input_without_its_block_is_a_call() -> None:
    reader = AnthropicMessages().reader()
    for piece in ("{", "}"):
        reader.event(event("content_block_delta", index=0, delta={"partial_json": piece}))
    assert reader.tool_calls == 1


@pytest.mark.parametrize("kind", ["ping", "content_block_stop", "message_moved", ""])
def test_the_rest_says_nothing(kind: str) -> None:
    reader = AnthropicMessages().reader()
    assert reader.event(event(kind, delta={"text": "a"}, content_block={"type": "text", "text": "a"})) == 0
    assert (reader.chunks, reader.error, reader.llm_calls) == (0, None, None)


@pytest.mark.parametrize(
    ("usages", "expected"),
    [
        # The whole input: what no cache had to do with, what was written and what was read.
        ([{"input_tokens": 21, "cache_creation_input_tokens": 188, "cache_read_input_tokens": 1830}], (2039, 1830)),
        ([{"input_tokens": 21, "cache_creation_input_tokens": None}], (21, None)),
        ([{"input_tokens": 21, "cache_read_input_tokens": 0}], (21, 0)),
        # Told at the end only, told twice, grown, or no more told at the end.
        ([{"input_tokens": 0}, {"input_tokens": 9, "cache_read_input_tokens": 4}], (13, 4)),
        ([{"input_tokens": 9}, {"input_tokens": 9}], (9, None)),
        ([{"input_tokens": 2679}, {"input_tokens": 10682}], (10682, None)),
        ([{"input_tokens": 9}, {"input_tokens": 0}], (9, None)),
        ([{"input_tokens": 9}, {}], (9, None)),
        ([{"cache_read_input_tokens": 5}], (None, 5)),
        ([{"input_tokens": "9"}, {"input_tokens": -1}, {"input_tokens": True}], (None, None)),
        ([None, 5], (None, None)),
    ],
)
def test_input_tokens(usages: list[Any], expected: tuple[int | None, int | None]) -> None:
    reader = AnthropicMessages().reader()
    start, *deltas = usages
    reader.event(event("message_start", message={"usage": start}))
    for usage in deltas:
        reader.event(event("message_delta", delta={}, usage=usage))
    assert (reader.input_tokens, reader.cached_tokens) == expected


def test_output_tokens_are_cumulative_and_the_first_are_not_believed() -> None:
    reader = AnthropicMessages().reader()
    reader.event(event("message_start", message={"usage": {"input_tokens": 3, "output_tokens": 1}}))
    assert tokens(reader) == (3, None, None, None)
    for count in (5, 12):
        details = {"thinking_tokens": count - 1}
        usage = {"output_tokens": count, "output_tokens_details": details}
        reader.event(event("message_delta", delta={"stop_reason": None}, usage=usage))
    reader.event(event("message_delta", delta={"stop_reason": "end_turn"}))
    assert tokens(reader) == (3, 12, None, 11)


@pytest.mark.parametrize("reason", ["end_turn", "max_tokens", "tool_use", "refusal", "pause_turn", "stop_sequence"])
def test_whatever_stopped_it_the_answer_is_one(reason: str) -> None:
    reader = AnthropicMessages().reader()
    assert reader.event(event("message_delta", delta={"stop_reason": reason}, usage={"output_tokens": 4})) == 0
    assert reader.event(event("message_stop")) == DONE
    assert (reader.error, reader.output_tokens) == (None, 4)


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("overloaded_error", ERROR),
        ("api_error", ERROR),
        ("timeout_error", ERROR),
        ("invalid_request_error", ERROR),
        ("rate_limit_error", ERROR | RATE_LIMITED),
    ],
)
def test_errors_inside_a_200(kind: str, flags: int) -> None:
    error = {"type": kind, "message": "m"}
    for data, name in (
        ({"type": "error", "error": error, "request_id": "req_1"}, b"error"),
        ({"type": "error", "error": error}, b""),
        ({"error": error}, b""),
        (error, b"error"),
    ):
        reader = AnthropicMessages().reader()
        assert reader.event(json.dumps(data).encode(), name) == flags
        assert reader.error == "m"
    whole = AnthropicMessages().reader()
    assert whole.body(json.dumps({"type": "error", "error": error}).encode()) == DONE | flags
    assert (whole.error, whole.llm_calls) == ("m", None)


def test_an_event_may_be_named_outside_of_its_data() -> None:
    reader = AnthropicMessages().reader()
    assert reader.event(b'{"delta":{"text":"a"}}', b"content_block_delta") == OUTPUT
    assert reader.event(b"{}", b"message_stop") == DONE


@pytest.mark.parametrize(
    ("data", "name", "flags"),
    [
        (b"[DONE]", b"", DONE),
        (b" [DONE] ", b"", DONE),
        (b"", b"", 0),
        (b"{}", b"ping", 0),
        (b"still here", b"ping", 0),
        (b"not json", b"", ERROR),
        (b"not json", b"message_start", ERROR),
        (b"oops", b"error", ERROR),
        (b'{"type":"content_block_delta","delta":{"text":', b"", ERROR),
        (b'{"type":5}', b"", ERROR),
        (b'{"type":"message_start"}', b"", ERROR),
        (b'{"type":"message_start","message":{"content":5}}', b"", ERROR),
        (b"[1]", b"", ERROR),
        (b'{"usage":' + b"[" * 100_000, b"", ERROR),
        (b'{"type":"content_block_delta","delta":{"text":"\xff"}}', b"", OUTPUT),
    ],
)
def test_odd_events(data: bytes, name: bytes, flags: int) -> None:
    reader = AnthropicMessages().reader()
    assert reader.event(data, name) == flags
    assert (reader.error is not None) == bool(flags & ERROR)


def test_an_answer_that_was_not_streamed() -> None:
    reader = AnthropicMessages().reader()
    content = [{"type": "text", "text": "x"}, {"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]
    usage = {
        "input_tokens": 7, "output_tokens": 9, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
        "output_tokens_details": {"thinking_tokens": 4},
    }  # fmt: skip
    data = {"id": "msg_1", "type": "message", "role": "assistant", "content": content, "usage": usage}
    assert reader.body(json.dumps(data).encode()) == DONE
    assert (tokens(reader), reader.llm_calls, reader.tool_calls, reader.chunks) == ((12, 9, 3, 4), 1, 1, 0)


@pytest.mark.parametrize(
    ("data", "flags"),
    [(b"", DONE), (b'{"id":"thread"}', DONE), (b"<html>", DONE | ERROR), (b'{"error":"gone"}', DONE | ERROR)],
)
def test_other_bodies(data: bytes, flags: int) -> None:
    reader = AnthropicMessages().reader()
    assert reader.body(data) == flags
    assert reader.llm_calls is None


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["message_start", "message_delta", "content_block_start", "content_block_delta", "error", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "delta", "content_block", "message", "content", "error", "usage", "input_tokens"]),
            inner,
        )
    ),
    max_leaves=15,
)


@given(json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), st.binary(max_size=5))
def test_nothing_raises(data: bytes, name: bytes) -> None:
    reader = AnthropicMessages().reader()
    for flags in (reader.event(data, name), reader.body(data)):
        assert not flags & ERROR or reader.error


@pytest.mark.parametrize(("content", "spoke"), [([{"type": "text", "text": "a"}], True), ([], False), (None, False)])
def test_whether_a_whole_message_says_something(content: object, spoke: bool) -> None:
    reader = AnthropicMessages().reader()
    assert reader.spoke is None
    assert reader.body(json.dumps({"type": "message", "content": content}).encode()) == DONE
    assert reader.spoke is spoke


@pytest.mark.parametrize(
    ("reason", "words"), [("abort", "stop_reason: abort"), ("Error", "stop_reason: Error"), ("end_turn", None)]
)
def test_a_message_that_was_given_up(reason: str, words: str | None) -> None:
    streamed, whole = AnthropicMessages().reader(), AnthropicMessages().reader()
    usage = {"input_tokens": 4, "output_tokens": 3}
    assert streamed.event(event("message_delta", delta={"stop_reason": reason}, usage=usage)) == (ERROR if words else 0)
    message = {"type": "message", "content": [], "stop_reason": reason, "usage": usage}
    assert whole.body(json.dumps(message).encode()) == DONE | (ERROR if words else 0)
    for reader in (streamed, whole):
        assert (reader.error, reader.output_tokens) == (words, 3)
