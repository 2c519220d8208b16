from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, QUOTA, RATE_LIMITED
from agenttop.dialects.openai_realtime import OpenAIRealtime


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
