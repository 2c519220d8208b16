from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, QUOTA, RATE_LIMITED
from agenttop.dialects.openai_realtime import OpenAIRealtime
from agenttop.dialects.quota import MAX_NAME_LENGTH, MAX_QUOTAS
from agenttop.dialects.ratelimit_field import DEFAULT


@pytest.mark.parametrize(
    "kind",
    ["output_text", "text", "output_audio", "audio", "output_audio_transcript", "audio_transcript",
     "function_call_arguments", "mcp_call_arguments"],
)  # fmt: skip
def test_deltas_are_output_when_not_empty(kind: str) -> None:
    reader = OpenAIRealtime().reader()
    for delta, flags in (('"x"', OUTPUT), ('" "', OUTPUT), ('""', 0), ("null", 0)):
        assert reader.event(f'{{"type":"response.{kind}.delta","item_id":"i","delta":{delta}}}'.encode()) == flags
    assert reader.event(f'{{"type":"response.{kind}.delta"}}'.encode()) == 0
    assert reader.chunks == 2


@pytest.mark.parametrize(
    "kind",
    ["session.created", "session.updated", "conversation.item.added",
     "response.output_text.done", "conversation.item.input_audio_transcription.delta",
     "conversation.item.input_audio_transcription.failed",
     "response.content_part.added", "output_audio_buffer.started", "something.new"],
)  # fmt: skip
def test_the_rest_says_nothing_of_the_answer(kind: str) -> None:
    reader = OpenAIRealtime().reader()
    assert reader.event(json.dumps({"type": kind, "delta": "x", "error": {"message": "m"}}).encode()) == 0
    assert reader.error is None


@pytest.mark.parametrize("limits", [None, 5, [], [{}], [5], [{"name": "requests", "remaining": True}]])
def test_limits_that_are_none(limits: object) -> None:
    reader = OpenAIRealtime().reader()
    assert reader.event(json.dumps({"type": "rate_limits.updated", "rate_limits": limits}).encode()) == QUOTA
    assert (reader.quotas, reader.error) == ([], None)


def test_what_remains_of_the_limits() -> None:
    reader = OpenAIRealtime().reader()
    limits = [
        {"name": "requests", "limit": 1000, "remaining": 999, "reset_seconds": 0.5},
        {"name": "tokens", "remaining": 49950},
    ]
    assert reader.quotas == []
    assert reader.event(json.dumps({"type": "rate_limits.updated", "rate_limits": limits}).encode()) == QUOTA
    assert reader.quotas == [("requests", 1000, 999, 0.5), ("tokens", None, 49950, None)]
    assert reader.chunks == 0


@pytest.mark.parametrize(
    ("status", "details", "flags", "words"),
    [
        ("completed", None, DONE, None),
        ("incomplete", {"reason": "max_output_tokens"}, DONE, None),
        ("incomplete", {"reason": "content_filter"}, DONE, None),
        ("cancelled", {"reason": "client_cancelled"}, DONE | ERROR, "cancelled: client_cancelled"),
        ("failed", None, DONE | ERROR, "failed"),
        ("failed", {"error": {"type": "server_error", "code": None}}, DONE | ERROR, "server_error"),
        ("failed", {"error": {"code": "rate_limit_exceeded"}}, DONE | ERROR | RATE_LIMITED, "rate_limit_exceeded"),
    ],
)
def test_how_a_response_ends(status: str, details: object, flags: int, words: str | None) -> None:
    reader = OpenAIRealtime().reader()
    event = {"type": "response.done", "response": {"status": status, "status_details": details}}
    assert reader.event(json.dumps(event).encode()) == flags
    assert (reader.error, reader.llm_calls, reader.tool_calls) == (words, 1, 0)
    assert reader.output_tokens is None


def test_an_error_ends_only_what_has_not_begun() -> None:
    error = b'{"type":"error","error":{"type":"invalid_request_error","message":"m"}}'
    assert OpenAIRealtime().reader().event(error) == DONE | ERROR
    reader = OpenAIRealtime().reader()
    reader.event(b'{"type":"response.created","response":{"status":"in_progress"}}')
    assert reader.event(error) == ERROR


def test_tool_calls_told_only_at_the_end_are_counted() -> None:
    reader = OpenAIRealtime().reader()
    output = [{"id": "a", "type": "function_call"}, {"id": "b", "type": "message"}]
    assert reader.event(json.dumps({"type": "response.done", "response": {"output": output}}).encode()) == DONE
    assert reader.tool_calls == 1


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (b"", DONE),
        (b"{}", DONE),
        (b'{"error":{"code":"rate_limit_exceeded","message":"m"}}', DONE | ERROR | RATE_LIMITED),
        (b"<html>", DONE | ERROR),
    ],
)
def test_a_refused_handshake(data: bytes, flags: int) -> None:
    assert OpenAIRealtime().reader().body(data) == flags


ODD = [
    b'{"type":"response.done"}', b'{"type":"response.done","response":[]}', b'{"type":"error"}', b'{"type":5}', b"[]",
    b'{"type":"response.output_item.added","item":{"type":"mcp_call","id":[]}}', b'{"error":' + b"[" * 100_000,
]  # fmt: skip


@given(st.binary(max_size=40) | st.sampled_from(ODD))
def test_nothing_raises(data: bytes) -> None:
    reader = OpenAIRealtime().reader()
    assert not reader.event(data) & ERROR or reader.error
    reader.body(data)


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ({"type": "response.created", "response": {}}, False),
        ({"type": "response.output_item.added", "item": {"id": "a", "type": "message"}}, False),
        ({"type": "response.output_text.delta", "item_id": "a", "delta": ""}, False),
        ({"type": "session.updated"}, True),
    ],
)
def test_what_begins_an_answer(begins: dict[str, object], ends: bool) -> None:
    reader = OpenAIRealtime().reader()
    reader.event(json.dumps(begins).encode())
    assert reader.event(b'{"type":"error","error":{"message":"m"}}') == (DONE | ERROR if ends else ERROR)
    unnamed = OpenAIRealtime().reader()
    unnamed.event(json.dumps(begins).encode())
    assert unnamed.event(b'{"error":{"message":"m"}}') == (DONE | ERROR if ends else ERROR)


def test_tokens_and_their_details() -> None:
    usage = {
        "input_tokens": 10, "output_tokens": 8, "total_tokens": 18, "input_token_details": {"cached_tokens": 4},
        "output_token_details": {"reasoning_tokens": 3},
    }  # fmt: skip
    reader = OpenAIRealtime().reader()
    reader.event(json.dumps({"type": "response.done", "response": {"usage": usage}}).encode())
    found = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert found == (10, 8, 4, 3)
    apart = OpenAIRealtime().reader()
    usage = {"input_tokens": 12, "output_tokens": 1, "total_tokens": 399}
    apart.event(json.dumps({"type": "response.done", "response": {"usage": usage}}).encode())
    assert (apart.input_tokens, apart.output_tokens, apart.cached_tokens) == (12, 387, None)


def test_calls_are_counted_by_their_items() -> None:
    reader = OpenAIRealtime().reader()
    for kind in ("function_call_arguments.delta", "function_call_arguments.done", "mcp_call_arguments.done"):
        reader.event(json.dumps({"type": f"response.{kind}", "item_id": "a", "delta": "{"}).encode())
    assert reader.tool_calls == 1
    for kind in ("function_call", "mcp_call", "message"):
        item = {"id": kind, "type": kind}
        reader.event(json.dumps({"type": "response.output_item.added", "item": item}).encode())
    assert reader.tool_calls == 3
    output = [{"type": "function_call"}] * 2
    reader.event(json.dumps({"type": "response.done", "response": {"output": output}}).encode())
    assert reader.tool_calls == 3, "the most that any tells"


def test_a_limit_is_named_and_bounded() -> None:
    reader = OpenAIRealtime().reader()
    limits = [{"name": "x" * 500, "limit": 5.9, "remaining": 2.9, "reset_seconds": -1}, {"remaining": 0, "limit": True}]
    reader.event(json.dumps({"type": "rate_limits.updated", "rate_limits": limits * 50}).encode())
    first, second = reader.quotas[:2]
    assert first == ("x" * MAX_NAME_LENGTH, 5, 2, None)
    assert second == (DEFAULT, None, 0, None)
    assert len(reader.quotas) == MAX_QUOTAS


def test_the_words_of_a_refused_handshake() -> None:
    reader = OpenAIRealtime().reader()
    assert reader.body(b"<html>" + b"x" * 193 + "é".encode()) == DONE | ERROR
    assert reader.error == "<html>" + "x" * 193 + "\ufffd"
    assert reader.body(b"other") == DONE | ERROR
    assert reader.error is not None
    assert reader.error.startswith("<html>"), "the first words are kept"


def test_an_answer_that_has_begun_is_a_call_of_the_model() -> None:
    reader = OpenAIRealtime().reader()
    assert reader.event(b'{"type":"response.created","response":{}}') == 0
    assert reader.llm_calls == 1
