from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.a2a import A2A
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING, Reader


def feed(reader: Reader, **result: Any) -> int:
    return reader.event(json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode())


def text(words: str) -> dict[str, Any]:
    return {"parts": [{"text": words}]}


@pytest.mark.parametrize(
    ("part", "flags"),
    [
        ({"text": "x"}, OUTPUT),
        ({"kind": "text", "text": " "}, OUTPUT),
        ({"text": ""}, 0),
        ({"data": {"a": 1}}, OUTPUT),
        ({"kind": "file", "file": {"uri": "u"}}, OUTPUT),
        ({"raw": "AA=="}, OUTPUT),
        ({"url": "u"}, OUTPUT),
        ({"text": "x", "metadata": {"adk_thought": True}}, OUTPUT | REASONING),
        ({"text": "x", "metadata": {"adk_thought": False}}, OUTPUT),
        ({}, 0),
    ],
)
def test_parts_of_an_artifact(part: dict[str, Any], flags: int) -> None:
    artifact = {"artifactId": "a", "parts": [part]}
    for result in (
        {"artifactUpdate": {"artifact": artifact}},
        {"artifact_update": {"artifact": artifact}},
        {"kind": "artifact-update", "artifact": artifact},
    ):
        reader = A2A().reader()
        assert feed(reader, **result) == flags
        assert reader.chunks == bool(flags)


STATES = [
    ("submitted", 0),
    ("working", 0),
    ("unknown", 0),
    ("completed", DONE),
    ("input-required", DONE),
    ("auth-required", DONE),
    ("failed", DONE | ERROR),
    ("rejected", DONE | ERROR),
    ("canceled", DONE | ERROR),
]


@pytest.mark.parametrize(("state", "flags"), STATES)
def test_states(state: str, flags: int) -> None:
    long = "TASK_STATE_" + state.replace("-", "_").upper()
    for result in (
        {"kind": "status-update", "status": {"state": state}},
        {"kind": "task", "id": "t", "status": {"state": state}},
        {"statusUpdate": {"status": {"state": long}}},
        {"task": {"id": "t", "status": {"state": long}}},
    ):
        reader = A2A().reader()
        assert feed(reader, **result) == flags
        assert reader.error == (state if flags & ERROR else None)


def test_final_is_the_end_whatever_the_state() -> None:
    assert feed(A2A().reader(), kind="status-update", final=True, status={"state": "working"}) == DONE
    assert feed(A2A().reader(), kind="status-update", final=True) == DONE


def test_the_status_may_speak() -> None:
    reader = A2A().reader()
    for words, flags in (("a", OUTPUT), ("b", OUTPUT), ("", 0), ("ab", 0), ("c", OUTPUT)):
        assert feed(reader, statusUpdate={"status": {"state": "TASK_STATE_WORKING", "message": text(words)}}) == flags
    data = {"parts": [{"data": {"tool": "f"}}]}
    assert feed(reader, statusUpdate={"status": {"state": "TASK_STATE_WORKING", "message": data}}) == 0
    assert feed(reader, statusUpdate={"status": {"state": "TASK_STATE_COMPLETED", "message": text("abc")}}) == DONE


def test_a_whole_artifact_after_its_pieces_is_not_counted_again() -> None:
    reader = A2A().reader()
    feed(reader, statusUpdate={"status": {"state": "working", "message": text("wait")}})
    for words, append, flags in (("a", False, OUTPUT), ("a", True, OUTPUT), ("aa", False, 0), ("aa", True, OUTPUT)):
        update = {"artifact": {"artifactId": "x", **text(words)}, "append": append}
        assert feed(reader, artifactUpdate=update) == flags
    other = {"artifact": {"artifactId": "y", **text("other")}, "append": False}
    assert feed(reader, artifactUpdate=other) == OUTPUT


def test_a_task_is_output_where_nothing_was_before_and_its_history_never() -> None:
    done = {"state": "TASK_STATE_COMPLETED"}
    task = {"id": "t", "status": done, "artifacts": [text("a"), text("b")], "history": [text("q")]}
    reader = A2A().reader()
    assert feed(reader, task=task) == OUTPUT | DONE
    assert reader.chunks == 1
    feed(reader := A2A().reader(), artifactUpdate={"artifact": text("ab")})
    assert feed(reader, task=task) == DONE
    assert feed(A2A().reader(), task={**task, "artifacts": []}) == DONE


@pytest.mark.parametrize("name", ["message", "msg", ""])
def test_a_message_is_the_whole_answer(name: str) -> None:
    message = {"role": "agent", "metadata": {"usage": {"input_tokens": 3}}, **text("x")}
    reader = A2A().reader()
    result = {name: message} if name else {"kind": "message", **message}
    assert feed(reader, **result) == OUTPUT | DONE
    assert reader.input_tokens == 3


@pytest.mark.parametrize(
    ("error", "flags", "words", "wait"),
    [
        ({"code": -32603, "message": "m"}, 0, "m", None),
        ({"code": -32000, "message": "Rate limit exceeded, retry after 3s"}, RATE_LIMITED,
         "Rate limit exceeded, retry after 3s", 3),
        ({"code": -32000, "message": "m", "data": {"status": 429, "retryAfter": 2}}, RATE_LIMITED, "m", 2),
        ({"code": -32000, "message": "m", "data": "too many requests"}, RATE_LIMITED, "m", None),
        ({"code": -32001, "message": "m", "data": [{"reason": "TASK_NOT_FOUND"}]}, 0, "m", None),
        ({}, 0, "error", None),
        ("x", 0, "x", None),
    ],
)  # fmt: skip
def test_errors(error: object, flags: int, words: str, wait: float | None) -> None:
    reader = A2A().reader()
    assert reader.body(json.dumps({"id": 1, "error": error}).encode()) == DONE | ERROR | flags
    assert (reader.error, reader.retry_after_s) == (words, wait)


@pytest.mark.parametrize(
    ("data", "event", "flags"),
    [
        (b"", b"", 0),
        (b"x", b"ping", 0),
        (b"x", b"", ERROR),
        (b"{}", b"", ERROR),
        (b'{"result":{"id":"t"}}', b"", ERROR),
        (b'{"result":{"artifactUpdate":{"artifact":{"parts":[{"text":"\xff"}]}}}}', b"", OUTPUT),
    ],
)
def test_odd_events(data: bytes, event: bytes, flags: int) -> None:
    assert A2A().reader().event(data, event) == flags


def test_an_answer_that_was_not_streamed() -> None:
    task = {"kind": "task", "status": {"state": "working"}}
    assert A2A().reader().body(json.dumps({"result": task}).encode()) == DONE
    assert A2A().reader().body(b"<html>") == DONE | ERROR


ODD = [
    b'{"result":[]}', b'{"result":{"message":5}}', b'{"result":{"status":{"state":[],"message":{"parts":[{}]}}}}',
    b'{"result":{"artifact":{"parts":[{"text":5,"metadata":5}],"artifactId":[]}}}', b'{"error":' + b"[" * 100_000,
    b'{"result":{"task":{"artifacts":[{"parts":null}]}}}',
]  # fmt: skip


@given(st.binary(max_size=40) | st.sampled_from(ODD))
def test_nothing_raises(data: bytes) -> None:
    reader = A2A().reader()
    assert not reader.event(data) & ERROR or reader.error
    reader.body(data)


@pytest.mark.parametrize(
    ("body", "streams"),
    [
        ({"method": "message/stream"}, True), ({"method": "SendStreamingMessage"}, True),
        ({"method": "message/send"}, False), ({}, False), ("message/stream", False), (None, False), ([], False),
    ],
)  # fmt: skip
def test_which_methods_are_answered_with_a_stream(body: Any, streams: bool) -> None:
    assert A2A.streams(body) is streams


def test_a_task_of_thoughts_and_words_is_output() -> None:
    thought = {"parts": [{"text": "hm", "metadata": {"x/thought": True}}], "artifactId": "t"}
    word = {"parts": [{"text": "so"}], "artifactId": "w"}
    told: list[tuple[list[dict[str, Any]], int]] = [
        ([thought], OUTPUT | REASONING), ([word], OUTPUT), ([thought, word], OUTPUT), ([word, thought], OUTPUT),
        ([{"parts": []}], 0), ([], 0),
    ]  # fmt: skip
    for artifacts, flags in told:
        task = {"status": {"state": "working"}, "artifacts": artifacts}
        assert A2A().reader().event(json.dumps({"result": {"task": task}}).encode()) == flags, artifacts


@pytest.mark.parametrize("data", [b"{}", b'{"result": {}}', b'{"result": {"id": "t"}}', b'{"jsonrpc": "2.0"}'])
def test_a_result_of_no_kind_is_a_failure(data: bytes) -> None:
    reader, whole = A2A().reader(), A2A().reader()
    assert reader.event(data) == ERROR
    assert whole.body(data) == DONE | ERROR
    assert reader.error == whole.error == f"not an A2A response: {data.decode()}"


def test_tokens_in_the_metadata_of_the_status_message() -> None:
    message = {"parts": [], "metadata": {"adk_usage": {"promptTokenCount": 5, "candidatesTokenCount": 3}}}
    reader = A2A().reader()
    assert reader.event(json.dumps({"result": {"status": {"state": "working", "message": message}}}).encode()) == 0
    assert (reader.input_tokens, reader.output_tokens) == (5, 3)
