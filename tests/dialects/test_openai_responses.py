from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING
from agenttop.dialects.openai_responses import OpenAIResponses

THOUGHT = OUTPUT | REASONING


def event(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": kind, **fields}).encode()


@pytest.mark.parametrize(
    ("kind", "flags"),
    [
        ("output_text", OUTPUT),
        ("refusal", OUTPUT),
        ("audio", OUTPUT),
        ("audio.transcript", OUTPUT),
        ("function_call_arguments", OUTPUT),
        ("custom_tool_call_input", OUTPUT),
        ("mcp_call_arguments", OUTPUT),
        ("code_interpreter_call_code", OUTPUT),
        ("shell_call_command", OUTPUT),
        ("apply_patch_call_operation_diff", OUTPUT),
        # Names that were, and that servers written then still send.
        ("code_interpreter_call.code", OUTPUT),
        ("reasoning", THOUGHT),
        ("reasoning_summary", THOUGHT),
        ("reasoning_text", THOUGHT),
        ("reasoning_summary_text", THOUGHT),
    ],
)
def test_deltas_are_output_when_not_empty(kind: str, flags: int) -> None:
    reader = OpenAIResponses().reader()
    for delta, expected in (("x", flags), (" ", flags), ("", 0), (None, 0)):
        assert reader.event(event(f"response.{kind}.delta", delta=delta)) == expected
    assert reader.event(event(f"response.{kind}.delta")) == 0
    assert (reader.chunks, reader.llm_calls) == (2, 1)


@pytest.mark.parametrize(
    "kind",
    ["response.queued", "response.in_progress", "response.output_text.done", "response.content_part.added",
     "response.function_call_arguments.done", "response.web_search_call.searching", "response.mcp_list_tools.failed",
     "response.output_text.annotation.added", "response.image_generation_call.partial_image",
     "response.shell_call_output_content.delta", "keepalive", "something.new"],
)  # fmt: skip
def test_the_rest_says_nothing(kind: str) -> None:
    reader = OpenAIResponses().reader()
    assert reader.event(event(kind, delta={"stdout": "x"}, text="x", part={"text": "x"}, arguments="{}")) == 0
    assert (reader.chunks, reader.error) == (0, None)


@pytest.mark.parametrize(
    "kind",
    ["function_call", "custom_tool_call", "mcp_call", "web_search_call", "file_search_call", "computer_call",
     "code_interpreter_call", "image_generation_call", "local_shell_call", "tool_search_call"],
)  # fmt: skip
def test_a_tool_call_is_counted_once_wherever_it_is_told(kind: str) -> None:
    item = {"id": "a", "type": kind, "arguments": ""}
    whole = {"status": "completed", "output": [item]}
    for told in (
        [event("response.output_item.added", item=item)],
        [event("response.output_item.done", item=item)],
        [event("response.completed", response=whole)],
        [
            event("response.output_item.added", item=item),
            # Gateways have been seen to make up another id for every event.
            event("response.output_item.done", item={**item, "id": "b"}),
            event("response.completed", response=whole),
        ],
    ):
        reader = OpenAIResponses().reader()
        for each in told:
            reader.event(each)
        assert reader.tool_calls == 1


@pytest.mark.parametrize("kind", ["message", "reasoning", "mcp_list_tools", "function_call_output", None, 5])
def test_other_items_are_no_tool_calls(kind: Any) -> None:
    reader = OpenAIResponses().reader()
    for name in ("added", "done"):
        assert reader.event(event(f"response.output_item.{name}", item={"type": kind, "arguments": "{}"})) == 0
    assert not reader.tool_calls


def test_arguments_are_a_call_though_no_item_was_told() -> None:
    reader = OpenAIResponses().reader()
    for piece in ("{", "}"):
        reader.event(event("response.function_call_arguments.delta", delta=piece, item_id=piece))
    assert reader.tool_calls == 1


def test_arguments_that_come_with_their_item_are_output() -> None:
    item = {"type": "function_call", "arguments": '{"a":1}'}
    assert OpenAIResponses().reader().event(event("response.output_item.added", item=item)) == OUTPUT


@pytest.mark.parametrize(
    ("status", "more", "flags", "words"),
    [
        ("completed", {"error": None}, DONE, None),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, DONE, None),
        ("incomplete", {"incomplete_details": {"reason": "content_filter"}}, DONE, None),
        ("cancelled", {}, DONE | ERROR, "cancelled"),
        ("failed", {"error": None}, DONE | ERROR, "failed"),
        ("failed", {"error": {"code": "server_error", "message": "m"}}, DONE | ERROR, "m"),
        ("failed", {"error": {"code": "rate_limit_exceeded", "message": "m"}}, DONE | ERROR | RATE_LIMITED, "m"),
    ],
)
def test_how_a_response_ends(status: str, more: dict[str, Any], flags: int, words: str | None) -> None:
    response = {"object": "response", "status": status, "output": [], **more}
    streamed, whole = OpenAIResponses().reader(), OpenAIResponses().reader()
    assert streamed.event(event(f"response.{status}", response=response)) == flags
    assert whole.body(json.dumps(response).encode()) == flags
    for reader in (streamed, whole):
        assert (reader.error, reader.llm_calls, reader.tool_calls) == (words, 1, 0)
        assert reader.output_tokens is None


@pytest.mark.parametrize("response", [b"", b',"response":null'])
def test_an_end_may_have_nothing_in_it(response: bytes) -> None:
    assert OpenAIResponses().reader().event(b'{"type":"response.completed"' + response + b"}") == DONE
    assert OpenAIResponses().reader().event(b'{"type":"response.failed"' + response + b"}") == DONE | ERROR


@pytest.mark.parametrize(
    ("error", "limited", "words"),
    [
        ({"type": "error", "code": "ERR_SOMETHING", "message": "m", "param": None}, 0, "m"),
        ({"type": "error", "code": "rate_limit_exceeded", "message": "m"}, RATE_LIMITED, "m"),
        ({"type": "error", "error": {"type": "too_many_requests", "message": "m"}}, RATE_LIMITED, "m"),
        ({"type": "error", "error": {"type": "server_error", "code": None, "message": "m"}}, 0, "m"),
        ({"type": "error", "status": 429, "error": {"code": "slow_down", "message": "m"}}, 0, "m"),
        ({"error": {"message": "m", "code": 502}}, 0, "m"),
        ({"error": "gone"}, 0, "gone"),
    ],
)
def test_errors_inside_a_200(error: dict[str, Any], limited: int, words: str) -> None:
    data = json.dumps(error).encode()
    reader = OpenAIResponses().reader()
    assert reader.event(data) == DONE | ERROR | limited
    assert reader.error == words
    begun = OpenAIResponses().reader()
    begun.event(event("response.created", response={"status": "in_progress"}))
    assert begun.event(data) == ERROR | limited


def test_an_event_may_be_named_outside_of_its_data() -> None:
    reader = OpenAIResponses().reader()
    assert reader.event(b'{"delta":"a"}', b"response.output_text.delta") == OUTPUT
    assert reader.event(b'{"message":"gone"}', b"error") == ERROR
    assert reader.error == "gone"
    assert OpenAIResponses().reader().event(b'{"type":"server_error","message":"gone"}', b"error") == DONE | ERROR


@pytest.mark.parametrize(
    ("data", "name", "flags"),
    [
        (b"[DONE]", b"", DONE),
        (b" [DONE] ", b"", DONE),
        (b"", b"", 0),
        (b"{}", b"ping", 0),
        (b"still here", b"ping", 0),
        (b"not json", b"", ERROR),
        (b"not json", b"response.created", ERROR),
        (b'{"type":"response.output_text.delta","delta":', b"", ERROR),
        (b'{"type":5}', b"", ERROR),
        (b"[1]", b"", ERROR),
        (b'{"type":"response.output_item.added"}', b"", ERROR),
        (b'{"type":"response.completed","response":[]}', b"", ERROR),
        (b'{"type":"response.completed","response":' + b"[" * 100_000, b"", ERROR),
        (b'{"type":"response.output_text.delta","delta":"\xff"}', b"", OUTPUT),
        (b'{"type":"response.completed","response":{"status":"completed","id":"\xff"}}', b"", DONE),
    ],
)
def test_odd_events(data: bytes, name: bytes, flags: int) -> None:
    reader = OpenAIResponses().reader()
    assert reader.event(data, name) == flags
    assert (reader.error is not None) == bool(flags & ERROR)


def test_an_answer_that_was_not_streamed() -> None:
    reader = OpenAIResponses().reader()
    call = {"id": "fc_1", "type": "function_call", "name": "f", "arguments": "{}"}
    message = {"type": "message", "content": [{"type": "output_text", "text": "x"}]}
    usage = {
        "input_tokens": 7, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 3},
        "output_tokens_details": {"reasoning_tokens": 4},
    }  # fmt: skip
    data = {"object": "response", "status": "completed", "error": None, "output": [call, message, call], "usage": usage}
    assert reader.body(json.dumps(data).encode()) == DONE
    tokens = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert (tokens, reader.llm_calls, reader.tool_calls, reader.chunks) == ((7, 9, 3, 4), 1, 2, 0)


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (b"", DONE),
        (b'{"id":"thread"}', DONE),
        (b"<html>", DONE | ERROR),
        (b'{"error":{"message":"m","code":"rate_limit_exceeded"}}', DONE | ERROR | RATE_LIMITED),
    ],
)
def test_other_bodies(data: bytes, flags: int) -> None:
    reader = OpenAIResponses().reader()
    assert reader.body(data) == flags
    assert reader.llm_calls is None


def test_tokens_that_are_none_stay_unknown() -> None:
    reader = OpenAIResponses().reader()
    usage: dict[str, Any] = {
        "input_tokens": None,
        "output_tokens": -1,
        "input_tokens_details": [],
        "output_tokens_details": None,
    }
    reader.event(event("response.completed", response={"usage": usage}))
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens) == (None, None, None)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["response.completed", "response.output_item.added", "response.output_text.delta", "error", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "delta", "item", "response", "output", "error", "usage", "status", "object"]),
            inner,
        )
    ),
    max_leaves=15,
)


@given(json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), st.binary(max_size=5))
def test_nothing_raises(data: bytes, name: bytes) -> None:
    reader = OpenAIResponses().reader()
    for flags in (reader.event(data, name), reader.body(data)):
        assert not flags & ERROR or reader.error


@pytest.mark.parametrize(
    ("output", "spoke"),
    [([], False), (None, False), ([{"type": "message"}], True), ([{"type": "function_call"}], True)],
)
def test_whether_a_whole_answer_says_something(output: Any, spoke: bool) -> None:
    reader = OpenAIResponses().reader()
    assert reader.spoke is None
    assert reader.body(json.dumps({"object": "response", "output": output}).encode()) == DONE
    assert reader.spoke is spoke


def test_a_body_of_nothing_says_nothing_though_one_before_it_did() -> None:
    reader = OpenAIResponses().reader()
    reader.body(b'{"object": "response", "output": [{"type": "message"}]}')
    assert reader.spoke is True
    assert reader.body(b" ") == DONE
    assert reader.spoke is False


@pytest.mark.parametrize(
    ("first", "then", "calls"),
    [
        (["added"], ["added"], 2), (["done"], ["done"], 2), (["added"], ["done"], 1), (["added", "added"], ["done"], 2),
        (["added"], ["done", "done"], 2), ([], [], 0),
    ],
)  # fmt: skip
def test_calls_that_begin_and_calls_that_are_complete(first: list[str], then: list[str], calls: int) -> None:
    reader = OpenAIResponses().reader()
    reader.event(event("response.created"))
    for name in (*first, *then):
        reader.event(event(f"response.output_item.{name}", item={"type": "function_call"}))
    assert (reader.llm_calls, reader.tool_calls) == (1, calls)


def test_the_details_of_usage_are_read_where_they_stand() -> None:
    usage = {
        "input_tokens": 10, "output_tokens": 8, "total_tokens": 18, "input_tokens_details": {"cached_tokens": 4},
        "output_tokens_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    reader = OpenAIResponses().reader()
    reader.event(event("response.completed", response={"usage": usage}))
    found = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert found == (10, 8, 4, 3)


def test_a_total_tells_what_was_counted_apart() -> None:
    reader = OpenAIResponses().reader()
    usage = {"input_tokens": 12, "output_tokens": 1, "total_tokens": 399}
    reader.event(event("response.completed", response={"usage": usage}))
    assert (reader.input_tokens, reader.output_tokens) == (12, 387)
