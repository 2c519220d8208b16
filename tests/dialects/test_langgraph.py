from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING, Reader
from agenttop.dialects.langgraph import LangGraph

THOUGHT = OUTPUT | REASONING
LIMITED = ERROR | RATE_LIMITED


def piece(content: Any = "", message_id: str = "run-1", task: str = "model:1", **more: Any) -> bytes:
    message = {"type": "AIMessageChunk", "id": message_id, "content": content, **more}
    return json.dumps([message, {"langgraph_checkpoint_ns": task}]).encode()


def ai(content: Any, message_id: str = "run-1", **more: Any) -> dict[str, Any]:
    return {"type": "ai", "id": message_id, "content": content, **more}


def feed(reader: Reader, event: bytes, value: Any) -> int:
    return reader.event(json.dumps(value).encode(), event)


def call(**more: Any) -> dict[str, Any]:
    return {"name": None, "args": "", "id": None, "index": 0, **more}


@pytest.mark.parametrize(
    ("content", "more", "flags"),
    [
        ("a", {}, OUTPUT),
        (" ", {}, OUTPUT),
        ("", {}, 0),
        (None, {}, 0),
        ([], {}, 0),
        (["a"], {}, OUTPUT),
        ([{"type": "text", "text": "a"}], {}, OUTPUT),
        ([{"type": "text", "text": ""}], {}, 0),
        ([{"type": "thinking", "thinking": "a"}], {}, THOUGHT),
        ([{"type": "thinking", "signature": "gA=="}], {}, 0),
        ([{"type": "redacted_thinking", "data": "gA=="}], {}, 0),
        ([{"type": "reasoning", "reasoning": "a"}], {}, THOUGHT),
        ([{"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}]}], {}, THOUGHT),
        ([{"type": "reasoning", "summary": []}], {}, 0),
        ([{"type": "reasoning_content", "reasoning_content": {"text": "a"}}], {}, THOUGHT),
        ([{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "b"}], {}, OUTPUT),
        ([{"type": "image_url", "image_url": {"url": "data:"}}], {}, OUTPUT),
        ("", {"additional_kwargs": {"reasoning_content": "a"}}, THOUGHT),
        ("", {"tool_call_chunks": [call(name="f", id="c")]}, 0),
        ("", {"tool_call_chunks": [call(args="{")]}, OUTPUT),
        ("", {"usage_metadata": {"input_tokens": 1}}, 0),
    ],
)
def test_what_a_piece_is(content: Any, more: dict[str, Any], flags: int) -> None:
    for before in ([], [piece("before")]):
        reader = LangGraph().reader()
        for each in before:
            assert reader.event(each, b"messages") == OUTPUT
        assert reader.event(piece(content, **more), b"messages") == flags
        assert reader.chunks == len(before) + bool(flags)


@pytest.mark.parametrize("kind", ["human", "tool", "system", "ToolMessageChunk", "HumanMessageChunk", None, 5])
def test_only_messages_of_the_model_are_read(kind: Any) -> None:
    reader = LangGraph().reader()
    assert feed(reader, b"messages", [{"type": kind, "id": "m", "content": "a"}, {}]) == 0
    assert feed(reader, b"messages/complete", [{"type": kind, "id": "m", "content": "a"}]) == 0
    assert reader.llm_calls is None


@pytest.mark.parametrize(
    "event", [b"metadata", b"custom", b"debug", b"checkpoints", b"tasks", b"events", b"messages/metadata", b""]
)
def test_the_rest_says_nothing_of_the_answer(event: bytes) -> None:
    reader = LangGraph().reader()
    assert feed(reader, event, {"messages": [ai("a")]}) == 0
    assert reader.event(b"not even JSON", event) == 0


def test_tool_calls_are_counted_once_by_message_and_index() -> None:
    reader = LangGraph().reader()
    for chunk in (
        call(name="f", id="a"), call(args="{}"), call(name="g", id="b", index=1), call(args="{}", index=1),
        call(name="h", id="c", index=1),
    ):  # fmt: skip
        reader.event(piece(tool_call_chunks=[chunk]), b"messages")
    assert (reader.llm_calls, reader.tool_calls) == (1, 3)
    reader.event(piece(message_id="run-2", tool_call_chunks=[call(name="f", id="d")]), b"messages")
    assert (reader.llm_calls, reader.tool_calls) == (2, 4)


def test_a_whole_message_repeats_the_tool_calls_of_its_pieces() -> None:
    reader = LangGraph().reader()
    reader.event(piece(tool_call_chunks=[call(name="f", id="a", args='{"x":1}')]), b"messages")
    again = ai("", tool_calls=[{"name": "f", "args": {"x": 1}, "id": "a"}])
    assert feed(reader, b"messages", [again, {}]) == 0
    assert feed(reader, b"updates", {"model": {"messages": [again]}}) == 0
    assert (reader.llm_calls, reader.tool_calls, reader.chunks) == (1, 1, 1)


def test_a_message_that_did_not_come_in_pieces_is_output_once() -> None:
    reader = LangGraph().reader()
    assert feed(reader, b"messages", [ai("All of it", tool_calls=[{"args": {}, "id": "a"}]), {}]) == OUTPUT
    assert feed(reader, b"messages", [ai("All of it", tool_calls=[{"args": {}, "id": "a"}]), {}]) == 0
    assert (reader.llm_calls, reader.tool_calls) == (1, 1)


def test_accumulated_text_is_output_where_it_grew() -> None:
    reader = LangGraph().reader()
    thought = {"type": "thinking", "thinking": "Hm"}
    flags = [
        feed(reader, b"messages/partial", [ai(content, tool_calls=calls)])
        for content, calls in (
            ([], []),
            ([thought], []),
            ([thought], []),
            ([thought, "a"], []),
            ([thought, "a"], [{"id": "c", "args": {}}]),
            ([thought, "a"], [{"id": "c", "args": {"x": 1}}]),
            ([thought, "a"], [{"id": "c", "args": {"x": 1}}]),
        )
    ]
    assert flags == [0, THOUGHT, 0, OUTPUT, 0, OUTPUT, 0]
    assert feed(reader, b"messages/partial", [ai([thought, "a"], tool_calls=[], invalid_tool_calls=[])]) == 0
    assert (reader.chunks, reader.tool_calls) == (3, 1)


def test_tokens_of_pieces_are_added_and_those_of_a_whole_message_are_the_last() -> None:
    reader = LangGraph().reader()
    reader.event(piece("a", usage_metadata={"input_tokens": 10, "output_tokens": 1}), b"messages")
    reader.event(piece("", usage_metadata={"input_tokens": 0, "output_tokens": 5}), b"messages")
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens) == (10, 6, None)
    for output in (1, 4):
        feed(
            reader, b"messages/partial", [ai("a", "run-2", usage_metadata={"input_tokens": 3, "output_tokens": output})]
        )
    assert (reader.input_tokens, reader.output_tokens, reader.llm_calls) == (13, 10, 2)


def test_a_graph_within_the_graph_does_not_bring_old_messages_back() -> None:
    reader = LangGraph().reader()
    history = [{"type": "human", "id": "h1", "content": "Hello"}, ai("Hello!", "run-0")]
    turn = [{"type": "human", "id": "h2", "content": "Now?"}, ai("Now.", "run-1")]
    assert feed(reader, b"updates", {"worker": {"messages": history + turn}}) == OUTPUT
    assert (reader.llm_calls, reader.chunks) == (1, 1)


def test_updates_of_any_shape() -> None:
    reader = LangGraph().reader()
    update = {
        "__interrupt__": [{"value": "Sure?", "id": "i"}], "node": None, "other": {"messages": ai("a")},
        "nameless": {"messages": [{"type": "ai", "content": "a"}]}, "list": [{"messages": [ai("b", "run-2")]}, None],
        "odd": {"messages": [5, {"type": "ai", "id": "x", "tool_calls": 7}]},
    }  # fmt: skip
    assert feed(reader, b"updates|sub:1", update) == OUTPUT
    assert (reader.chunks, reader.llm_calls) == (1, 2)


def test_the_state_a_run_began_with_is_not_its_answer() -> None:
    reader = LangGraph().reader()
    old, new = ai("Hello!", "run-0"), ai("Now.", "run-1")
    assert feed(reader, b"values", {"messages": [old]}) == 0
    assert feed(reader, b"values", {"messages": [old, new]}) == OUTPUT
    assert feed(reader, b"values|sub:1", {"messages": [old, new, ai("?", "run-2")]}) == 0
    assert feed(reader, b"values", {"other": 1}) == 0
    assert (reader.llm_calls, reader.chunks) == (1, 1)


def test_messages_that_no_model_made_count_as_calls_only_where_there_are_no_others() -> None:
    reader = LangGraph().reader()
    for message_id in ("0ebba600", "7aae7cba"):
        reader.event(piece("a", message_id), b"messages")
    assert reader.llm_calls == 2
    reader.event(piece("a", "lc_run--1"), b"messages")
    assert reader.llm_calls == 1
    reader.event(piece("a", "chatcmpl-1", task="worker:1"), b"messages")
    assert reader.llm_calls == 2


@pytest.mark.parametrize(
    ("error", "flags", "words"),
    [
        ({"error": "ValueError", "message": "boom"}, ERROR, "boom"),
        ({"error": "ValueError", "message": ""}, ERROR, "ValueError"),
        ({"error": "RateLimitError", "message": "slow down"}, LIMITED, "slow down"),
        ({"error": "ResourceExhausted", "message": "quota"}, LIMITED, "quota"),
        ({"error": "ClientError", "message": "An error (ThrottlingException) occurred"}, LIMITED, None),
        ({"error": "APIError", "message": "Error code: 429 - {}"}, LIMITED, "Error code: 429 - {}"),
        ({"error": "APIError", "message": "there are 429 of them"}, ERROR, "there are 429 of them"),
        ("boom", ERROR, "boom"),
        ("429 Too Many Requests", LIMITED, "429 Too Many Requests"),
        (None, ERROR, "error"),
    ],
)
def test_failures(error: Any, flags: int, words: str | None) -> None:
    reader = LangGraph().reader()
    assert feed(reader, b"error", error) == flags
    assert reader.error == (words or error["message"])
    whole = LangGraph().reader()
    assert feed(whole, b"end", None) == DONE
    if error:
        assert whole.body(json.dumps({"__error__": error}).encode()) == DONE | flags


@pytest.mark.parametrize(
    "data", [b"", b"[", b"{}", b"[]", b"5", b'[{"id":[]}]', b'[{"type":"ai","id":{}},{}]', b"\xff"]
)
def test_what_is_no_message_is_a_failure(data: bytes) -> None:
    reader = LangGraph().reader()
    assert reader.event(data, b"messages") == ERROR
    assert reader.error is not None
    assert reader.error.startswith("not an answer of LangGraph: ")


def test_the_final_state_of_a_run_that_was_waited_for() -> None:
    reader = LangGraph().reader()
    usage = {"input_tokens": 7, "output_tokens": 3}
    messages = [
        {"type": "human", "id": "h1", "content": "?"}, ai("old", "run-0", usage_metadata=usage),
        {"type": "human", "id": "h2", "content": "?"},
        ai("", "run-1", tool_calls=[{"id": "a", "args": {"x": 1}}], usage_metadata=usage),
        {"type": "tool", "id": "t", "content": "rain"}, ai("Rain.", "run-2", usage_metadata=usage),
    ]  # fmt: skip
    assert reader.body(json.dumps({"messages": messages}).encode()) == DONE
    tokens = (reader.input_tokens, reader.output_tokens)
    assert (tokens, reader.llm_calls, reader.tool_calls, reader.chunks) == ((14, 6), 2, 1, 0)


@pytest.mark.parametrize(
    ("data", "flags"),
    [(b"", DONE), (b'{"thread_id":"t","values":null}', DONE), (b"[]", DONE), (b"<html>", DONE | ERROR)],
)
def test_other_bodies(data: bytes, flags: int) -> None:
    reader = LangGraph().reader()
    assert reader.body(data) == flags
    assert reader.llm_calls is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["ai", "AIMessageChunk"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "type", "id", "content", "tool_calls", "tool_call_chunks", "usage_metadata",
                             "args", "index", "error", "__error__", "additional_kwargs"]),
            inner,
        )
    ),
    max_leaves=15,
)  # fmt: skip
_events = st.sampled_from(
    [b"messages", b"messages|a", b"messages/partial", b"updates", b"values", b"error", b"end", b"x"]
)


@given(_json.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), _events)
def test_nothing_raises(data: bytes, event: bytes) -> None:
    reader = LangGraph().reader()
    for flags in (reader.event(data, event), reader.event(b"[" + data + b",{}]", b"messages"), reader.body(data)):
        assert not flags & ERROR or reader.error


def test_a_total_tells_what_was_counted_apart() -> None:
    reader = LangGraph().reader()
    usage = {"input_tokens": 12, "output_tokens": 1, "total_tokens": 399, "output_token_details": {"reasoning": 386}}
    feed(reader, b"messages/complete", [ai("a", usage_metadata=usage)])
    assert (reader.input_tokens, reader.output_tokens, reader.reasoning_tokens) == (12, 387, 386)


@pytest.mark.parametrize(
    ("error", "flags", "words"),
    [
        ({"error": "Oops", "message": "why", "code": 429}, LIMITED, "why"),
        ({"error": "Oops", "message": "why", "code": 500}, ERROR, "why"),
        ({"error": "RateLimitError", "message": "why"}, LIMITED, "why"),
        ({"error": "Oops", "message": "429 slow"}, LIMITED, "429 slow"),
        ({"error": "Oops"}, ERROR, "Oops"),
        ({"error": {"message": "m", "code": 429}, "message": "other"}, LIMITED, "m"),
        ("429 slow", LIMITED, "429 slow"),
        ("gone", ERROR, "gone"),
    ],
)
def test_what_a_failure_tells(error: Any, flags: int, words: str) -> None:
    reader, whole = LangGraph().reader(), LangGraph().reader()
    assert feed(reader, b"error", error) == flags
    assert whole.body(json.dumps({"__error__": error}).encode()) == DONE | flags
    assert (reader.error, whole.error) == (words, words)


@pytest.mark.parametrize("name", [b"", b"message"])
def test_an_event_without_a_name_may_be_a_failure_of_who_stands_before_the_server(name: bytes) -> None:
    reader = LangGraph().reader()
    assert feed(reader, name, {"error": {"message": "slow", "code": 429}}) == LIMITED
    assert reader.error == "slow"
    for other in (b"custom", b"metadata", b"tasks"):
        assert feed(LangGraph().reader(), other, {"error": {"message": "slow", "code": 429}}) == 0


@pytest.mark.parametrize("name", ["text", "refusal", "image_url", "data", "base64"])
def test_what_a_part_may_hold(name: str) -> None:
    for part, flags in (({name: "x"}, OUTPUT), ({name: {"url": "x"}}, OUTPUT), ({name: ""}, 0), ({name: None}, 0)):
        reader = LangGraph().reader()
        assert reader.event(piece([{"type": "any", **part}]), b"messages") == flags


@pytest.mark.parametrize("name", ["thinking", "reasoning", "reasoning_content", "summary"])
def test_what_a_thought_may_hold(name: str) -> None:
    for part in ({name: "x"}, {name: {"text": "x"}}, {name: [{"text": "x"}]}, {name: "x", "text": "y"}):
        assert LangGraph().reader().event(piece([part]), b"messages") == THOUGHT


def test_a_whole_message_after_pieces_is_no_output_however_it_comes() -> None:
    reader = LangGraph().reader()
    reader.event(piece("Hel"), b"messages")
    assert feed(reader, b"messages", [ai("Hello"), {}]) == 0
    assert reader.chunks == 1


@pytest.mark.parametrize(
    ("kinds", "flags"),
    [
        ({"type": "ai"}, OUTPUT), ({"type": "AIMessage"}, OUTPUT), ({"role": "assistant"}, OUTPUT),
        ({"role": "ai"}, OUTPUT), ({"role": "user"}, 0), ({"type": "human", "role": "assistant"}, 0),
        ({"type": "", "role": "assistant"}, 0), ({}, 0),
    ],
)  # fmt: skip
def test_whose_message_it_is_by_its_type_or_else_its_role(kinds: dict[str, str], flags: int) -> None:
    message = {"id": "m", "content": "a", **kinds}
    assert feed(LangGraph().reader(), b"messages/complete", [message]) == flags
    assert feed(LangGraph().reader(), b"updates", {"model": {"messages": [message]}}) == flags
