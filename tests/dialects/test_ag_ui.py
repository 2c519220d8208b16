from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.ag_ui import AgUi
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING, STEP, Reader


def feed(reader: Reader, kind: str, **fields: Any) -> int:
    return reader.event(json.dumps({"type": kind, **fields}).encode())


@pytest.mark.parametrize(
    ("kind", "output"),
    [
        ("TEXT_MESSAGE_CONTENT", OUTPUT),
        ("TEXT_MESSAGE_CHUNK", OUTPUT),
        ("TOOL_CALL_ARGS", OUTPUT),
        ("TOOL_CALL_CHUNK", OUTPUT),
        ("REASONING_MESSAGE_CONTENT", OUTPUT | REASONING),
        ("REASONING_MESSAGE_CHUNK", OUTPUT | REASONING),
        ("THINKING_TEXT_MESSAGE_CONTENT", OUTPUT | REASONING),
        ("TextMessageContent", OUTPUT),
        ("text_message_content", OUTPUT),
        ("reasoning-message-content", OUTPUT | REASONING),
    ],
)
def test_deltas_are_output_when_not_empty(kind: str, output: int) -> None:
    reader = AgUi().reader()
    for delta, flags in (("x", output), (" ", output), ("", 0), (None, 0), ([{"op": "add"}], 0)):
        assert feed(reader, kind, delta=delta) == flags
    assert feed(reader, kind) == 0
    assert reader.chunks == 2


@pytest.mark.parametrize(
    "kind",
    ["RUN_STARTED", "TEXT_MESSAGE_START", "TEXT_MESSAGE_END", "TOOL_CALL_START", "TOOL_CALL_END", "TOOL_CALL_RESULT",
     "STATE_SNAPSHOT", "STATE_DELTA", "ACTIVITY_DELTA", "RAW", "CUSTOM", "REASONING_START",
     "REASONING_ENCRYPTED_VALUE", "SOMETHING_NEW"],
)  # fmt: skip
def test_the_rest_is_no_output(kind: str) -> None:
    reader = AgUi().reader()
    assert feed(reader, kind, delta="x", content="x", message="m", error="e") == 0
    assert (reader.chunks, reader.error) == (0, None)


def test_the_type_may_be_told_by_the_event_alone() -> None:
    assert AgUi().reader().event(b'{"delta":"x"}', b"TEXT_MESSAGE_CONTENT") == OUTPUT


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_what_the_user_said_is_no_output(role: str) -> None:
    reader = AgUi().reader()
    feed(reader, "TEXT_MESSAGE_START", messageId="u", role=role)
    assert feed(reader, "TEXT_MESSAGE_CONTENT", messageId="u", delta="x") == 0
    assert feed(reader, "TEXT_MESSAGE_CONTENT", message_id="u", delta="x") == 0
    assert feed(reader, "TEXT_MESSAGE_CHUNK", messageId="v", role=role, delta="x") == 0
    assert feed(reader, "TEXT_MESSAGE_CONTENT", messageId="a", delta="x") == OUTPUT


@pytest.mark.parametrize("name", ["stepName", "step_name"])
def test_steps(name: str) -> None:
    reader = AgUi().reader()
    assert feed(reader, "STEP_STARTED", **{name: "plan\n "}) == STEP
    assert reader.step == ("plan", True)
    assert feed(reader, "STEP_FINISHED", **{name: "plan"}) == STEP
    assert reader.step == ("plan", False)
    assert feed(reader, "STEP_STARTED", **{name: "\x1b"}) == feed(reader, "STEP_STARTED") == 0
    assert feed(reader, "STEP_STARTED", **{name: "x" * 1000}) == STEP
    assert reader.step == ("x" * 120, True)


def test_tool_calls_are_counted_by_id() -> None:
    reader = AgUi().reader()
    assert reader.tool_calls is None
    feed(reader, "RUN_STARTED")
    assert reader.tool_calls == 0
    for fields in ({"toolCallId": "a"}, {"tool_call_id": "a"}, {}, {}):
        feed(reader, "TOOL_CALL_START", **fields)
    feed(reader, "TOOL_CALL_CHUNK", toolCallId="b", delta="x")
    feed(reader, "TOOL_CALL_CHUNK", delta="x")
    assert reader.tool_calls == 4


def test_a_snapshot_repeats_what_was_streamed() -> None:
    messages = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"}]
    reader = AgUi().reader()
    feed(reader, "TEXT_MESSAGE_CONTENT", delta="x")
    assert feed(reader, "MESSAGES_SNAPSHOT", messages=messages) == 0
    assert feed(AgUi().reader(), "MESSAGES_SNAPSHOT", messages=messages[:1]) == 0
    assert feed(AgUi().reader(), "MESSAGES_SNAPSHOT", messages=messages) == OUTPUT


@pytest.mark.parametrize(
    ("fields", "flags", "words"),
    [
        ({"message": "m"}, 0, "m"),
        ({"message": "m", "code": "rate_limit_exceeded"}, RATE_LIMITED, "m"),
        ({"message": "Too many requests"}, RATE_LIMITED, "Too many requests"),
        ({"message": "order 429 not found"}, 0, "order 429 not found"),
        ({"error": {"message": "n", "type": "rate_limit_error"}}, RATE_LIMITED, "n"),
        ({"code": 5}, 0, "5"),
        ({}, 0, "error"),
    ],
)
def test_an_error_ends_the_run(fields: dict[str, Any], flags: int, words: str) -> None:
    reader = AgUi().reader()
    assert feed(reader, "RUN_ERROR", **fields) == DONE | ERROR | flags
    assert reader.error == words


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ([{"inputTokens": 1, "outputTokens": 2}, {"inputTokens": 3}], (4, 2)),
        ({"prompt_tokens": 1, "completion_tokens": 2}, (1, 2)),
        ([{"inputTokens": True, "outputTokens": "2"}], (None, None)),
        ([], (None, None)),
        ("x", (None, None)),
    ],
)
def test_tokens_of_a_run(usage: object, tokens: tuple[int | None, int | None]) -> None:
    for fields in ({"usage": usage}, {"result": {"usage": usage}}):
        reader = AgUi().reader()
        assert feed(reader, "RUN_FINISHED", **fields) == DONE
        assert (reader.input_tokens, reader.output_tokens) == tokens


@pytest.mark.parametrize(
    ("data", "event", "flags"),
    [
        (b"", b"", 0),
        (b"[DONE]", b"", DONE),
        (b"keep-alive", b"ping", 0),
        (b"keep-alive", b"", ERROR),
        (b'{"type":"TEXT_MESSAGE_CONTENT","delta":"\xff"}', b"", OUTPUT),
        (b'{"error":{"message":"gone"}}', b"", ERROR),
    ],
)
def test_odd_events(data: bytes, event: bytes, flags: int) -> None:
    assert AgUi().reader().event(data, event) == flags


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (b" ", DONE),
        (b'{"error":"rate_limit"}', DONE | ERROR | RATE_LIMITED),
        (b'[{"type":"TEXT_MESSAGE_CONTENT","delta":"x"},{"type":"RUN_FINISHED"}]', DONE | OUTPUT),
        (b"<html>", DONE | ERROR),
        (b"[1", DONE | ERROR),
    ],
)
def test_an_answer_that_was_not_streamed(data: bytes, flags: int) -> None:
    assert AgUi().reader().body(data) == flags


ODD = [
    b'{"type":5}', b"[]", b'{"type":"RUN_ERROR","error":[]}', b'{"type":"MESSAGES_SNAPSHOT","messages":[5]}',
    b'{"type":"MESSAGES_SNAPSHOT","messages":[{"role":"assistant","toolCalls":[[]]}]}',
    b'{"type":"STEP_STARTED","stepName":[]}', b'{"type":"RUN_FINISHED","result":' + b"[" * 100_000,
]  # fmt: skip


@given(st.binary(max_size=40) | st.sampled_from(ODD))
def test_nothing_raises(data: bytes) -> None:
    reader = AgUi().reader()
    assert not reader.event(data) & ERROR or reader.error
    reader.body(data)


@pytest.mark.parametrize("name", ["toolCallId", "tool_call_id"])
def test_a_call_is_known_by_its_id_in_either_spelling(name: str) -> None:
    reader = AgUi().reader()
    for identity in ("a", "b", "a"):
        feed(reader, "TOOL_CALL_START", **{name: identity})
        feed(reader, "TOOL_CALL_CHUNK", **{name: identity}, delta="{}")
    assert reader.tool_calls == 2


def test_an_event_without_a_type_may_be_a_failure_of_who_stands_before_the_agent() -> None:
    for data, name in (
        (b'{"error": "slow"}', b""),
        (b'{"message": "slow"}', b"error"),
        (b'{"error": "slow"}', b"error"),
    ):
        reader = AgUi().reader()
        assert reader.event(data, name) & ERROR
        assert reader.error == "slow"
    assert AgUi().reader().event(b'{"delta": "x"}') == 0


@pytest.mark.parametrize("kind", ["TEXT_MESSAGE_CONTENT", "REASONING_MESSAGE_CONTENT"])
def test_words_alone_are_no_tool_call(kind: str) -> None:
    reader = AgUi().reader()
    feed(reader, kind, messageId="m", delta="x")
    assert reader.tool_calls == 0
