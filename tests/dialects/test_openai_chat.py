from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING
from agenttop.dialects.openai_chat import OpenAIChat


def chunk(delta: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta}], **more}).encode()


@pytest.mark.parametrize(
    ("delta", "flags"),
    [
        ({"content": "a"}, OUTPUT),
        ({"content": " "}, OUTPUT),
        ({"content": ""}, 0),
        ({"content": None}, 0),
        ({"role": "assistant"}, 0),
        ({"reasoning": "a"}, OUTPUT | REASONING),
        ({"reasoning_content": "a", "content": None}, OUTPUT | REASONING),
        ({"reasoning_details": [{"type": "reasoning.summary", "summary": "a"}]}, OUTPUT | REASONING),
        ({"reasoning_details": [{"type": "reasoning.encrypted", "data": "gA=="}]}, 0),
        ({"reasoning": "a", "content": "b"}, OUTPUT),
        ({"refusal": "No"}, OUTPUT),
        ({"audio": {"id": "audio_1", "transcript": "a"}}, OUTPUT),
        ({"audio": {"id": "audio_1", "expires_at": 1}}, 0),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}, 0),
        ({"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]}, OUTPUT),
        ({"tool_calls": [{"index": 0, "custom": {"name": "f", "input": "x"}}]}, OUTPUT),
        ({"function_call": {"arguments": "{"}}, OUTPUT),
        ({"content": [{"type": "text", "text": ""}]}, 0),
        ({"content": 5}, 0),
    ],
)
def test_output_is_what_is_not_empty(delta: dict[str, Any], flags: int) -> None:
    assert OpenAIChat().reader().event(chunk(delta)) == flags


@pytest.mark.parametrize(
    ("error", "flags", "words"),
    [
        ({"message": "m", "code": 429}, ERROR | RATE_LIMITED, "m"),
        ({"message": "m", "code": "429"}, ERROR | RATE_LIMITED, "m"),
        ({"message": "m", "type": "rate_limit_error"}, ERROR | RATE_LIMITED, "m"),
        ({"message": "m", "code": "insufficient_quota"}, ERROR | RATE_LIMITED, "m"),
        ({"message": "m", "code": 500}, ERROR, "m"),
        ({"message": "m", "type": "server_error", "code": None}, ERROR, "m"),
        ({"code": "server_error"}, ERROR, "server_error"),
        ({"odd": 1}, ERROR, "error"),
        ("overloaded", ERROR, "overloaded"),
        ("rate_limit_exceeded", ERROR | RATE_LIMITED, "rate_limit_exceeded"),
    ],
)
def test_errors_inside_a_200(error: Any, flags: int, words: str) -> None:
    for content in ({"error": error}, {"error": error, "choices": []}):
        reader = OpenAIChat().reader()
        assert reader.event(json.dumps(content).encode()) == flags
        assert reader.error == words
        assert OpenAIChat().reader().body(json.dumps(content).encode()) == DONE | flags


@pytest.mark.parametrize("whole", [False, True])
def test_an_error_that_is_the_whole_object(whole: bool) -> None:
    reader = OpenAIChat().reader()
    data = b'{"object":"error","message":"Rate limit exceeded","type":"rate_limited","param":null,"code":"1300"}'
    assert (reader.body if whole else reader.event)(data) == ERROR | RATE_LIMITED | (DONE if whole else 0)
    assert reader.error == "Rate limit exceeded"


def test_an_error_event_needs_no_error_key() -> None:
    reader = OpenAIChat().reader()
    assert reader.event(b'{"message":"gone","status":503}', b"error") == ERROR
    assert reader.error == "gone"


def test_a_limit_may_say_how_long() -> None:
    reader = OpenAIChat().reader()
    reader.event(b'{"error":{"code":429,"message":"slow down","retry_after_ms":1500}}')
    assert reader.retry_after_s == 1.5


@pytest.mark.parametrize(
    ("data", "event", "flags"),
    [
        (b"[DONE]", b"", DONE),
        (b" [DONE] ", b"", DONE),
        (b"", b"", 0),
        (b"{}", b"ping", 0),
        (b"still here", b"ping", 0),
        (b"not json", b"", ERROR),
        (b'{"choices":[', b"", ERROR),
        (b"[1]", b"", ERROR),
        (b'{"choices":{"a":1}}', b"", ERROR),
        (b"oops", b"error", ERROR),
        (b'{"error":' + b"[" * 100_000, b"", ERROR),
        (b'{"choices":[{"index":[],"delta":{"tool_calls":[{"index":{},"id":[]}]}}]}', b"", 0),
        (b'{"choices":[{"index":0,"delta":{"content":"\xff"}}]}', b"", OUTPUT),
    ],
)
def test_odd_events(data: bytes, event: bytes, flags: int) -> None:
    assert OpenAIChat().reader().event(data, event) == flags


def test_several_choices_have_tool_calls_of_their_own() -> None:
    reader = OpenAIChat().reader()
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    choices = [{"index": index, "delta": {"tool_calls": [call]}} for index in (0, 1)]
    assert reader.event(json.dumps({"choices": choices}).encode()) == OUTPUT
    assert (reader.tool_calls, reader.llm_calls, reader.chunks) == (2, 1, 1)


def test_an_id_made_up_for_every_piece_is_one_call() -> None:
    reader = OpenAIChat().reader()
    for call_id, name in (("a", "f"), ("b", None), ("c", None)):
        call = {"index": 0, "id": call_id, "function": {"name": name, "arguments": "x"}}
        reader.event(chunk({"tool_calls": [call]}))
    assert reader.tool_calls == 1


def test_an_answer_that_was_not_streamed() -> None:
    reader = OpenAIChat().reader()
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call, {**call, "id": "b"}]}
    usage = {
        "prompt_tokens": 7, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 4},
    }  # fmt: skip
    data = {"object": "chat.completion", "choices": [{"index": 0, "message": message}], "usage": usage}
    assert reader.body(json.dumps(data).encode()) == DONE
    tokens = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
    assert (tokens, reader.llm_calls, reader.tool_calls, reader.chunks) == ((7, 9, 3, 4), 1, 2, 0)


@pytest.mark.parametrize(("data", "flags"), [(b"", DONE), (b'{"id":"thread"}', DONE), (b"<html>", DONE | ERROR)])
def test_other_bodies(data: bytes, flags: int) -> None:
    reader = OpenAIChat().reader()
    assert reader.body(data) == flags
    assert reader.llm_calls is None


def test_tokens_that_are_none_stay_unknown() -> None:
    reader = OpenAIChat().reader()
    reader.event(b'{"choices":[],"usage":{"prompt_tokens":null,"completion_tokens":-1,"prompt_tokens_details":[]}}')
    assert (reader.input_tokens, reader.output_tokens, reader.cached_tokens) == (None, None, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "message", "error", "usage", "tool_calls", "index", "content"]),
            inner,
        )
    ),
    max_leaves=15,
)


@given(json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40), st.binary(max_size=5))
def test_nothing_raises(data: bytes, event: bytes) -> None:
    reader = OpenAIChat().reader()
    for flags in (reader.event(data, event), reader.body(data)):
        assert not flags & ERROR or reader.error


def test_a_failure_in_broken_text_is_one() -> None:
    reader = OpenAIChat().reader()
    assert reader.event(b'{"object": "error", "message": "no \xff"}') == ERROR
    assert reader.error == "no \ufffd"


def calls(*pieces: dict[str, Any]) -> bytes:
    return chunk({"tool_calls": [{"function": {"name": "f", "arguments": ""}, **piece} for piece in pieces]})


def test_calls_are_told_apart_by_index_or_by_their_place() -> None:
    reader = OpenAIChat().reader()
    reader.event(calls({"index": 0, "id": "a"}, {"index": 1, "id": "b"}))
    reader.event(calls({"index": 1}, {"index": 0}))
    assert reader.tool_calls == 2
    reader.event(calls({"index": "x"}, {"index": "y"}))
    assert reader.tool_calls == 4, "an index may be text"
    placed = OpenAIChat().reader()
    placed.event(calls({}, {}, {}))
    placed.event(calls({}, {"index": None}))
    assert placed.tool_calls == 3, "by their place where they have none"


def test_a_name_and_another_id_under_the_same_index_are_another_call() -> None:
    reader = OpenAIChat().reader()
    for call_id, name, counted in (
        (None, "f", 1), ("a", "f", 1), ("a", "g", 1), ("b", None, 1),
    ):  # fmt: skip
        reader.event(chunk({"tool_calls": [{"index": 0, "id": call_id, "function": {"name": name}}]}))
        assert reader.tool_calls == counted, (call_id, name)
    known = OpenAIChat().reader()
    for call_id, name, counted in (
        ("a", "f", 1),
        ("b", "g", 2),
        ("b", "g", 2),
        ("", "h", 2),
        ("c", "", 2),
        ("c", "h", 3),
    ):
        known.event(chunk({"tool_calls": [{"index": 0, "id": call_id, "function": {"name": name}}]}))
        assert known.tool_calls == counted, (call_id, name)
    without = OpenAIChat().reader()
    without.event(chunk({"tool_calls": [{"index": 0, "id": "a"}]}))
    without.event(chunk({"tool_calls": [{"index": 0, "id": "b"}]}))
    assert without.tool_calls == 1, "an id alone is none"


def test_a_function_call_of_old_is_one_call() -> None:
    reader = OpenAIChat().reader()
    assert reader.event(chunk({"function_call": {"name": "f", "arguments": ""}})) == 0
    assert reader.event(chunk({"function_call": {"arguments": "{}"}})) == OUTPUT
    assert reader.tool_calls == 1


def test_a_whole_answer_counts_anew_what_pieces_before_it_counted() -> None:
    reader = OpenAIChat().reader()
    reader.event(chunk({"content": "a"}))
    assert (reader.llm_calls, reader.tool_calls, reader.spoke) == (1, 0, None)
    reader.body(json.dumps({"choices": [{"message": {"content": ""}}]}).encode())
    assert (reader.llm_calls, reader.tool_calls, reader.spoke) == (1, 0, False)


@pytest.mark.parametrize(
    ("choices", "spoke", "flags"),
    [
        ([{"message": {"content": "a"}}, {"message": {"content": ""}}], True, 0),
        ([{"message": {"content": ""}}, {"message": {"reasoning": "a"}}], True, 0),
        ([{"message": {"refusal": "no"}}], True, 0),
        ([{"delta": {"content": "a"}}], False, 0),
        ([{"message": {"content": "a"}, "finish_reason": "abort"}], True, ERROR),
        ([{"error": {"message": "m", "code": 429}}], False, ERROR | RATE_LIMITED),
    ],
)
def test_the_choices_of_a_whole_answer(choices: list[Any], spoke: bool, flags: int) -> None:
    reader = OpenAIChat().reader()
    assert reader.body(json.dumps({"choices": choices}).encode()) == DONE | flags
    assert reader.spoke is spoke


def test_where_usage_stands() -> None:
    usage = {"prompt_tokens": 5, "completion_tokens": 6, "prompt_cache_hit_tokens": 2, "reasoning_tokens": 1}
    for content in (
        {"choices": [], "usage": usage},
        {"choices": [{"delta": {}, "usage": usage}]},
        {"choices": [], "x_groq": {"usage": usage}},
    ):
        for reader in (OpenAIChat().reader(), OpenAIChat().reader()):
            reader.event(json.dumps(content).encode())
            found = (reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens)
            assert found == (5, 6, 2, 1), content


@pytest.mark.parametrize(
    ("reason", "words"), [("error", "finish_reason: error"), ("ABORT", "finish_reason: ABORT"), ("stop", None)]
)
def test_an_answer_that_was_given_up(reason: str, words: str | None) -> None:
    reader = OpenAIChat().reader()
    data = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": reason}]}
    assert reader.event(json.dumps(data).encode()) == OUTPUT | (ERROR if words else 0)
    assert reader.error == words


def test_a_total_tells_what_was_counted_apart() -> None:
    reader = OpenAIChat().reader()
    usage = {"prompt_tokens": 12, "completion_tokens": 1, "reasoning_tokens": 386, "total_tokens": 399}
    reader.event(json.dumps({"choices": [], "usage": usage}).encode())
    assert (reader.input_tokens, reader.output_tokens, reader.reasoning_tokens) == (12, 387, 386)


@pytest.mark.parametrize(
    ("part", "flags"),
    [
        ({"text": "a"}, OUTPUT), ({"refusal": "no"}, OUTPUT), ({"image_url": {"url": "x"}}, OUTPUT), ("a", OUTPUT),
        ({"thinking": [{"text": "a"}]}, OUTPUT | REASONING), ({"thinking": "a", "text": "b"}, OUTPUT | REASONING),
        ({"refusal": ""}, 0), ({"other": "a"}, 0), ("", 0), (5, 0),
    ],
)  # fmt: skip
def test_typed_parts(part: Any, flags: int) -> None:
    assert OpenAIChat().reader().event(chunk({"content": [part]})) == flags


def test_text_beside_a_function_call_of_old_is_a_call_too() -> None:
    reader = OpenAIChat().reader()
    assert reader.event(chunk({"content": "a", "function_call": {"name": "f", "arguments": ""}})) == OUTPUT
    assert (reader.tool_calls, reader.chunks) == (1, 1)


def test_words_of_an_error_within_an_answer_are_no_failure() -> None:
    reader = OpenAIChat().reader()
    data = {"type": "error", "choices": [{"index": 0, "delta": {"role": "assistant"}}]}
    assert reader.event(json.dumps(data).encode()) == 0
    assert reader.event(json.dumps(data | {"usage": {"prompt_tokens": 1}}).encode()) == 0
    assert reader.error is None
