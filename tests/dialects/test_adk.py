from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.adk import Adk
from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING, Reader

THOUGHT = OUTPUT | REASONING
LIMITED = ERROR | RATE_LIMITED


def event(*parts: dict[str, Any], role: str | None = "model", **more: Any) -> dict[str, Any]:
    return {"author": "helper", "content": {"parts": list(parts), "role": role}, **more}


def feed(reader: Reader, *events: dict[str, Any]) -> list[int]:
    return [reader.event(json.dumps(each).encode()) for each in events]


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"text": words, **more}


def call(call_id: str | None, name: str = "lookup", **more: Any) -> dict[str, Any]:
    return {"functionCall": {"id": call_id, "name": name, **more}}


def usage(**counts: int) -> dict[str, Any]:
    return {"usageMetadata": {f"{name}TokenCount": count for name, count in counts.items()}}


ANSWERED = event({"functionResponse": {"name": "lookup", "response": {}}}, role="user")


@pytest.mark.parametrize(
    ("part", "flags"),
    [
        (text("a"), OUTPUT),
        (text(" "), OUTPUT),
        (text(""), 0),
        ({}, 0),
        (text("a", thought=True), THOUGHT),
        (text("", thought=True), 0),
        ({"thoughtSignature": "gA=="}, 0),
        (call("c", args={"x": 1}), OUTPUT),
        (call("c", args={}), 0),
        (call("c", partialArgs=[{"jsonPath": "$.x", "stringValue": "O"}], willContinue=True), OUTPUT),
        ({"function_call": {"id": "c", "name": "f", "partial_args": [{"json_path": "$.x"}]}}, OUTPUT),
        ({"inlineData": {"mimeType": "audio/pcm", "data": "gA=="}}, OUTPUT),
        ({"inline_data": {"mime_type": "audio/pcm", "data": ""}}, 0),
        ({"executableCode": {"code": "1+1", "language": "PYTHON"}}, OUTPUT),
        ({"codeExecutionResult": {"output": "2"}}, 0),
    ],
)
def test_what_a_piece_is(part: dict[str, Any], flags: int) -> None:
    for partial in (True, False):
        reader = Adk().reader()
        assert feed(reader, event(part, partial=partial)) == [flags]
        assert reader.chunks == bool(flags)


def test_what_is_not_said_by_a_model_is_not_read() -> None:
    reader = Adk().reader()
    mine = {"author": "user", "content": {"parts": [text("Hello")], "role": "user"}}
    state = {"author": "helper", "actions": {"stateDelta": {"a": 1}}}
    assert feed(reader, mine, {**mine, "content": {"parts": [text("a")]}}, ANSWERED, state, {}) == [0] * 5
    assert (reader.llm_calls, reader.tool_calls, reader.chunks) == (None, None, 0)


def test_the_whole_answer_after_its_pieces_is_not_output_again() -> None:
    reader = Adk().reader()
    whole = event(text("Hm.", thought=True), text("Yes."), partial=False)
    assert feed(reader, event(text("Hm.", thought=True), partial=True), event(text("Yes."), partial=True), whole) == [
        THOUGHT, OUTPUT, 0,
    ]  # fmt: skip
    assert (reader.llm_calls, reader.tool_calls, reader.chunks) == (1, 0, 2)


def test_tool_calls_that_follow_streamed_text_are_of_the_same_call_and_are_output() -> None:
    reader = Adk().reader()
    whole = event(text("See."), call("c", args={"x": 1}))
    assert feed(reader, event(text("See."), partial=True), whole) == [OUTPUT, OUTPUT]
    assert (reader.llm_calls, reader.tool_calls) == (1, 1)


def test_pieces_of_a_tool_call_are_counted_when_it_is_whole() -> None:
    reader = Adk().reader()
    piece = event(call("made-up-1", args={"x": 1}), partial=True)
    assert feed(reader, piece, event(call("made-up-2", args={"x": 1}))) == [OUTPUT, 0]
    assert (reader.llm_calls, reader.tool_calls) == (1, 1)


def test_tool_calls_are_distinct_ids_and_the_kit_asking_the_user_is_none() -> None:
    reader = Adk().reader()
    ask = call("d", "adk_request_confirmation", args={"a": 1})
    feed(reader, event(call("a"), call("b"), call("b"), call(None), call(None), ask, longRunningToolIds=["b"]))
    assert reader.tool_calls == 4


def test_calls_of_the_model_are_told_apart_by_tools_pieces_and_authors() -> None:
    reader = Adk().reader()
    feed(reader, event(call("a")), ANSWERED, event(text("One.")), event(text("Two.")))
    assert reader.llm_calls == 3
    feed(reader, event(text("x"), partial=True), event(text("x")), event(text("x"), partial=True), event(text("x")))
    assert reader.llm_calls == 5
    feed(reader, event(text("x"), partial=True, branch="a"), event(text("y"), partial=True, branch="b"))
    feed(reader, event(text("x"), branch="a"), event(text("y"), branch="b"))
    assert (reader.llm_calls, reader.chunks) == (7, 6)


def test_agents_without_a_model_are_no_calls_where_others_tell_their_tokens() -> None:
    reader = Adk().reader()
    feed(reader, event(text("Welcome.")))
    assert reader.llm_calls == 1
    feed(reader, event(text("Yes."), **usage(prompt=3, candidates=1)), event(text("Bye.")))
    assert (reader.llm_calls, reader.input_tokens, reader.output_tokens, reader.chunks) == (1, 3, 1, 3)


def test_an_answer_cut_in_its_pieces_is_a_call_with_the_tokens_so_far() -> None:
    reader = Adk().reader()
    feed(reader, event(text("a"), partial=True, **usage(prompt=3)))
    feed(reader, event(text("b"), partial=True, **usage(candidates=2)))
    assert (reader.llm_calls, reader.input_tokens, reader.output_tokens) == (1, 3, 2)


def test_tokens_after_the_whole_answer_are_of_that_answer() -> None:
    reader = Adk().reader()
    last = {"author": "helper", **usage(prompt=3, candidates=2)}
    assert feed(reader, event(text("a"), partial=True), event(text("a")), last, {**last, "partial": True}) == [
        OUTPUT,
        0,
        0,
        0,
    ]
    assert (reader.llm_calls, reader.input_tokens, reader.output_tokens) == (1, 3, 2)


@pytest.mark.parametrize(
    ("counts", "tokens"),
    [
        ({"prompt": 5, "candidates": 2, "total": 7}, (5, 2, None, None)),
        ({"prompt": 5, "candidates": 2, "thoughts": 4, "total": 11}, (5, 6, None, 4)),
        ({"prompt": 5, "candidates": 6, "thoughts": 4, "total": 11}, (5, 6, None, 4)),
        ({"prompt": 5, "thoughts": 4}, (5, 4, None, 4)),
        ({"prompt": 5, "toolUsePrompt": 3, "cachedContent": 2}, (8, None, 2, None)),
        ({"prompt": -1, "candidates": True}, (None, None, None, None)),
    ],
)
def test_output_tokens_have_those_of_reasoning_in_them(counts: dict[str, int], tokens: tuple[int | None, ...]) -> None:
    reader = Adk().reader()
    feed(reader, event(text("a"), **usage(**counts)))
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens) == tokens


@pytest.mark.parametrize(
    ("fields", "flags", "words"),
    [
        ({"errorCode": "SAFETY"}, ERROR, "SAFETY"),
        ({"errorCode": "SAFETY", "errorMessage": "blocked"}, ERROR, "blocked"),
        ({"error_code": "ValueError", "error_message": "boom"}, ERROR, "boom"),
        ({"errorCode": "RESOURCE_EXHAUSTED", "errorMessage": "quota"}, LIMITED, "quota"),
        ({"errorCode": "429"}, LIMITED, "429"),
        ({"errorCode": "_ResourceExhaustedError", "errorMessage": "See …\n\n429 RESOURCE_EXHAUSTED."}, LIMITED, None),
        ({"errorCode": "RateLimitError", "errorMessage": "slow down"}, LIMITED, "slow down"),
        ({"error": "boom"}, ERROR, "boom"),
        ({"error": "ClientError: 429 RESOURCE_EXHAUSTED. {}"}, LIMITED, None),
        ({"error": {"code": 429, "message": "quota"}}, LIMITED, "quota"),
    ],
)
def test_failures(fields: dict[str, Any], flags: int, words: str | None) -> None:
    reader = Adk().reader()
    assert feed(reader, fields) == [flags]
    assert reader.error == (words or fields.get("errorMessage") or fields["error"])
    assert Adk().reader().body(json.dumps([fields]).encode()) == DONE | flags


@pytest.mark.parametrize("code", ["STOP", "MAX_TOKENS"])
def test_where_the_model_stopped_is_no_failure(code: str) -> None:
    reader = Adk().reader()
    assert feed(reader, event(text("a"), errorCode=code, errorMessage="cut")) == [OUTPUT]
    assert reader.error is None


def test_words_of_a_failure_that_are_not_even_json() -> None:
    reader = Adk().reader()
    assert reader.event(b'{"error": "no model "x" here"}') == ERROR
    assert reader.error == 'no model "x" here'
    cut = Adk().reader()
    assert cut.event(b'{"error": "429 RESOURCE_EXHAUSTED. Please retry in 2s.') == LIMITED
    assert cut.retry_after_s == 2


@pytest.mark.parametrize("data", [b"[DONE]", b"[]", b"5", b'{"author":[],"content":{"parts":[{"text":"a"}]}}', b"\xff"])
def test_what_is_no_event_is_a_failure(data: bytes) -> None:
    reader = Adk().reader()
    assert reader.event(data) == ERROR
    assert reader.error is not None
    assert reader.error.startswith("not an event of an agent: ")


def test_keep_alives_are_nothing() -> None:
    reader = Adk().reader()
    assert (reader.event(b""), reader.event(b"now", b"ping"), reader.error) == (0, 0, None)


def test_an_answer_that_was_not_streamed() -> None:
    reader = Adk().reader()
    events = [
        event(call("a", args={"x": 1}), **usage(prompt=5, candidates=2, cachedContent=1)), ANSWERED,
        event(text("Rain."), **usage(prompt=9, candidates=3)),
    ]  # fmt: skip
    assert reader.body(json.dumps(events).encode()) == DONE
    tokens = (reader.input_tokens, reader.output_tokens, reader.cached_tokens)
    assert (tokens, reader.llm_calls, reader.tool_calls, reader.chunks) == ((14, 5, 1), 2, 1, 0)


@pytest.mark.parametrize(
    ("data", "flags"),
    [
        (b"", DONE),
        (b"[]", DONE),
        (b'["helper"]', DONE),
        (b'{"id":"s","appName":"helper","events":[]}', DONE),
        (b'{"error":"boom"}', DONE | ERROR),
        (b"<html>", DONE | ERROR),
    ],
)
def test_other_bodies(data: bytes, flags: int) -> None:
    reader = Adk().reader()
    assert reader.body(data) == flags
    assert reader.llm_calls is None


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(["model", "a", ""]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["content", "parts", "role", "text", "functionCall", "args", "id", "author", "partial",
                             "usageMetadata", "promptTokenCount", "error", "errorCode"]),
            inner,
        )
    ),
    max_leaves=15,
)  # fmt: skip


@given(_json.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40))
def test_nothing_raises(data: bytes) -> None:
    reader = Adk().reader()
    for flags in (reader.event(data), reader.event(b'{"content":' + data + b"}"), reader.body(b"[" + data + b"]")):
        assert not flags & ERROR or reader.error


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"error": "no "quoted" one"}', 'no "quoted" one'),
        (b'{"error": "two\nlines"}', "two\nlines"),
        (b'{"error": "not \xff"}\n', "not \ufffd"),
        (b'{"error": "' + b"x" * 600 + b'\n"}', "x" * 500),
    ],
)
def test_words_that_were_written_as_they_are(data: bytes, words: str) -> None:
    for name in (b"", b"error", b"message"):
        reader = Adk().reader()
        assert reader.event(data, name) == ERROR
        assert reader.error == words
    assert Adk().reader().event(data, b"ping") == 0


def test_an_error_of_a_body_has_its_words_and_its_limit() -> None:
    reader = Adk().reader()
    assert reader.body(b'{"error":{"code":429,"message":"slow down","retry_after":2}}') == DONE | LIMITED
    assert (reader.error, reader.retry_after_s) == ("slow down", 2.0)


def test_an_event_called_error_is_a_failure_though_it_says_nothing_of_a_model() -> None:
    reader = Adk().reader()
    assert reader.event(b'{"message": "gone"}', b"error") == ERROR
    assert reader.error == "gone"
    assert Adk().reader().event(b'{"type": "error", "message": "gone"}') == 0, "no event of that name"
    spoken = Adk().reader()
    assert spoken.event(json.dumps(event(text("a"), partial=True)).encode(), b"error") == OUTPUT
    assert spoken.error is None


def test_the_answer_of_a_tool_ends_the_models_answer_of_its_author_alone() -> None:
    reader = Adk().reader()
    other = {"author": "other"}
    feed(reader, event(text("a"), partial=True), event(text("b"), partial=True) | other)
    assert reader.llm_calls == 2
    feed(reader, ANSWERED)
    assert feed(reader, event(text("c"), partial=True), event(text("d"), partial=True) | other) == [OUTPUT, OUTPUT]
    assert reader.llm_calls == 3, "the other goes on with its answer"
    snake = event({"function_response": {"name": "f"}}, role="user") | other
    feed(reader, snake, event(text("e"), partial=True) | other)
    assert reader.llm_calls == 4


def test_branches_of_an_author_have_answers_of_their_own() -> None:
    reader = Adk().reader()
    for branch in ("x", "y", "x"):
        feed(reader, event(text("a"), partial=True, branch=branch))
    assert reader.llm_calls == 2


@pytest.mark.parametrize(
    ("told", "tokens"),
    [
        ([{"prompt": 5, "candidates": 2, "cachedContent": 1, "thoughts": 3}], (5, 5, 1, 3)),
        ([{"prompt": 5}, {"candidates": 2}, {"cachedContent": 1}], (5, 2, 1, None)),
        ([{"prompt": 5, "candidates": 2, "cachedContent": 1, "thoughts": 3}, {"prompt": 6}], (6, 5, 1, 3)),
        ([{"prompt": 5, "candidates": 2, "cachedContent": 1, "thoughts": 3}, {"candidates": 9}], (5, 9, 1, 3)),
        ([{"prompt": 5, "candidates": 2, "cachedContent": 1}, {"cachedContent": 4}], (5, 2, 4, None)),
        ([{"prompt": 5, "candidates": 2}, {"prompt": 5, "candidates": 2, "thoughts": 7}], (5, 9, None, 7)),
        ([{"prompt": 0, "candidates": 0}], (None, None, None, None)),
    ],
)
def test_each_figure_of_an_answer_is_the_last_that_was_told(
    told: list[dict[str, int]], tokens: tuple[int | None, ...]
) -> None:
    reader = Adk().reader()
    for counts in told:
        feed(reader, event(text("a"), partial=True, **usage(**counts)))
    found = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert found == tokens


def test_tokens_of_answers_are_added_each_figure_on_its_own() -> None:
    reader = Adk().reader()
    counts = [{"prompt": 5, "cachedContent": 1}, {"candidates": 2, "thoughts": 3}, {"prompt": 10, "candidates": 20}]
    for each in counts:
        feed(reader, event(text("a"), **usage(**each)), ANSWERED)
    found = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert (found, reader.llm_calls) == ((15, 25, 1, 3), 3)


def test_whole_answers_after_whole_answers() -> None:
    for first, then, output, llm_calls in (
        (event(text("a"), id="1"), event(text("a"), id="1"), 0, 1),
        (event(text("a"), id="1"), event(text("a"), id="2"), OUTPUT, 2),
        (event(text("a"), id="1"), event(id="2"), 0, 1),
        (event(text("a"), id="1"), event(call("c", args={"x": 1}), id="2"), OUTPUT, 2),
    ):
        reader = Adk().reader()
        assert feed(reader, first, then) == [OUTPUT, output], then
        assert reader.llm_calls == llm_calls, then


def test_what_follows_an_answer_that_came_in_pieces() -> None:
    begun = [event(text("a"), partial=True), event(text("a"), id="1")]
    for then, output, llm_calls in (
        (event(text("a"), id="2"), 0, 1),
        (event(text("b"), id="2"), OUTPUT, 2),
        (event(call("c", args={"x": 1}), id="2"), OUTPUT, 1),
        (event(text("a"), partial=True), OUTPUT, 2),
    ):
        reader = Adk().reader()
        assert feed(reader, *begun, then) == [OUTPUT, 0, output], then
        assert reader.llm_calls == llm_calls, then


def test_whether_a_whole_body_has_said_something() -> None:
    for events, spoke in (([event(text("a"))], True), ([event(text("a", thought=True))], True), ([event()], False)):
        reader = Adk().reader()
        assert reader.body(json.dumps(events).encode()) == DONE
        assert (reader.spoke, reader.chunks) == (spoke, 0)


@pytest.mark.parametrize(
    ("counts", "written"),
    [
        ({"candidates": 5, "thoughts": 3}, 8),
        ({"candidates": 5, "thoughts": 3, "total": 5}, 5),
        ({"candidates": 5, "thoughts": 3, "total": 6}, 8),
        ({"prompt": 10, "candidates": 5, "thoughts": 3, "total": 15}, 5),
        ({"prompt": 10, "candidates": 5, "thoughts": 3, "total": 16}, 8),
        ({"prompt": 10, "thoughts": 3, "total": 13}, 3),
        ({"prompt": 10, "thoughts": 3, "total": 10}, None),
    ],
)
def test_the_total_tells_whether_thoughts_are_counted_apart(counts: dict[str, int], written: int | None) -> None:
    reader = Adk().reader()
    feed(reader, event(text("a"), **usage(**counts)))
    assert reader.output_tokens == written


def test_a_call_is_known_by_its_id_wherever_it_comes_again() -> None:
    reader = Adk().reader()
    feed(
        reader,
        event(call("a"), call("b"), id="1"),
        ANSWERED,
        event(call("a"), id="2"),
        ANSWERED,
        event(call("c"), id="3"),
    )
    assert reader.tool_calls == 3
    without = Adk().reader()
    feed(without, event(call(None), call(None), id="1"), ANSWERED, event(call(None), id="2"))
    assert without.tool_calls == 3, "those without an id are one each"


def test_a_piece_of_nothing_is_no_call_yet() -> None:
    reader = Adk().reader()
    assert feed(reader, event(text(""), partial=True), event(call("c", args={}), partial=True)) == [0, 0]
    assert reader.llm_calls is None
    assert feed(reader, event(text("a"), partial=True), event(text(""), partial=True)) == [OUTPUT, 0]
    assert reader.llm_calls == 1
