"""Tests of agenttop.dialects.heard, agenttop.dialects.heard_a2a, agenttop.dialects.heard_adk,
agenttop.dialects.heard_json, agenttop.dialects.heard_langgraph, agenttop.dialects.heard_mcp,
agenttop.dialects.heard_realtime.

What recorded answers say, cut at every byte; transcripts are collectors, too.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects import DIALECTS, dialect_named, heard
from agenttop.dialects.heard import Call, Said, call_of, words
from agenttop.dialects.heard_json import JsonHeard, Place
from agenttop.dialects.transcript import Listening
from agenttop.dialects.transcripts import Transcribed
from agenttop.expressions.jsonpath import compile_path
from agenttop.wire.sse import SseParser
from tests.dialects.test_recorded import RECORDED, STREAMS, read_stream, summary

DIALECT_OF = {
    "chat": "openai.chat",
    "responses": "openai.responses",
    "messages": "anthropic.messages",
    "agui": "ag-ui",
    "a2a": "a2a",
    "adk": "adk",
    "langgraph": "langgraph",
    "mcp": "mcp",
    "realtime": "openai.realtime",
}
#: Text, calls, finish reason; nothing of it was cut.
SAID: dict[str, tuple[str, tuple[Call, ...], str | None, bool]] = {
    "a2a_error_limit.sse": ("", (), None, False),
    "a2a_failed.sse": ("We open", (), "failed", False),
    "a2a_failed_limit.sse": ("Agent failed: 429 Too Many Requests, try again in 2s", (), "failed", False),
    "a2a_input_required.sse": ('{"seats":["4A"]}', (), "input_required", False),
    "a2a_message.sse": ("We open at nine.", (), None, False),
    "a2a_rest_snapshot.sse": ("Nine", (), "completed", False),
    "a2a_truncated.sse": ("We open", (), "working", False),
    "a2a_v03_text.sse": ("LookingWe open", (), "completed", False),
    "a2a_v1_text.sse": ("We open at nine – grüezi.", (), "completed", False),
    "adk_error.sse": ("Let", (), None, False),
    "adk_limit.sse": ("", (), None, False),
    "adk_reasoning.sse": ("Yes.", (), "STOP", False),
    "adk_repeated.sse": ("Here it is.", (), None, False),
    "adk_snake_case.sse": ("Yes.", (Call("f", {"x": 1}),), None, False),
    "adk_text.sse": ("All is well.", (), "STOP", False),
    "adk_tools.sse": ("All is well.", (Call("lookup", {"city": "Oslo"}),), "STOP", False),
    "adk_tools_apart.sse": ("Rain.", (Call("lookup", {"city": "Oslo"}), Call("wait", {})), None, False),
    "adk_whole.sse": ("All is well.", (Call("lookup", {"city": "Oslo"}),), None, False),
    "agui_error.sse": ("We", (), None, False),
    "agui_failed.sse": ("", (), None, False),
    "agui_snake_crlf.sse": ("Nine", (Call("f", {}),), None, False),
    "agui_snapshot_only.sse": ("Nine", (Call("f", {}),), "interrupt", False),
    "agui_text.sse": ("We open at nine – grüezi.", (), "success", False),
    "agui_tools.sse": ("21 °C now", (Call("get_weather", {"city": "Bern"}), Call("get_time", {})), None, False),
    "agui_truncated.sse": ("We open", (), None, False),
    "chat_azure_no_usage.sse": ("Hi", (), "stop", False),
    "chat_error_mid_stream.sse": ("It", (), "error", False),
    "chat_error_twice.sse": ("The", (), None, False),
    "chat_mistral_parts.sse": ("Done!", (), "stop", False),
    "chat_reasoning_crlf.sse": ("Yes.", (), "stop", False),
    "chat_refusal.sse": ("I can't.", (), "stop", False),
    "chat_text.sse": ("Grüße, Welt\u2028🌍", (), "stop", False),
    "chat_tools.sse": ("", (Call("get_weather", {"city": "Oslo"}), Call("get_time", {})), "tool_calls", False),
    "chat_tools_same_index.sse": ("", (Call("search", {"q": "a"}), Call("search", {"q": "b"})), "tool_calls", False),
    "chat_truncated.sse": ("The end", (), None, False),
    "chat_vllm_running_usage.sse": ("one two", (), "length", False),
    "langgraph_error.sse": ("", (), None, False),
    "langgraph_ids.sse": ("Héllo", (), None, False),
    "langgraph_partial.sse": ("All is well.", (Call("lookup", {"city": "Oslo"}),), None, False),
    "langgraph_reasoning.sse": ("All is well.", (), None, False),
    "langgraph_repeated.sse": ("All is well.", (), None, False),
    "langgraph_text.sse": ("All is well.", (), None, False),
    "langgraph_tools.sse": ("All is well.", (Call("lookup", {"city": "Oslo"}),), None, False),
    "langgraph_updates.sse": ("All is well.", (Call("lookup", {"city": "Oslo"}),), None, False),
    "langgraph_values.sse": ("All is well.", (), None, False),
    "mcp_batch.sse": ("a", (), None, False),
    "mcp_call.sse": ("Nine – grüezi", (), None, False),
    "mcp_initialize.sse": ("", (), None, False),
    "mcp_list.sse": ("", (), None, False),
    "mcp_rpc_error.sse": ("", (), None, False),
    "mcp_tool_error.sse": ("no order 12345", (), None, False),
    "mcp_tool_limited.sse": ("API rate limit exceeded, retry after 30s", (), None, False),
    "mcp_truncated.sse": ("", (), None, False),
    "messages_limited.sse": ("", (), None, False),
    "messages_max_tokens.sse": ("One two", (), "max_tokens", False),
    "messages_overloaded.sse": ("Hel", (), None, False),
    "messages_ping_first.sse": ("Hello", (), "end_turn", False),
    "messages_refusal.sse": ("I", (), "refusal", False),
    "messages_server_tools.sse": (
        "It rains.",
        (Call("web_search", {"query": "oslo"}), Call("echo", {"a": 1})),
        "end_turn",
        False,
    ),
    "messages_text.sse": ("Hello é!", (), "end_turn", False),
    "messages_thinking_crlf.sse": ("12,231", (), "end_turn", False),
    "messages_tools.sse": (
        "Okay",
        (Call("get_weather", {"location": "Oslo"}), Call("get_time", {})),
        "tool_use",
        False,
    ),
    "messages_truncated.sse": ("One two", (), None, False),
    "messages_usage_cached.sse": ("Yes", (), "end_turn", False),
    "realtime_audio.jsonl": ("Hello.", (), "completed", False),
    "realtime_beta_text.jsonl": ("Hi ", (), "max_output_tokens", False),
    "realtime_cancelled.jsonl": ("", (), "turn_detected", False),
    "realtime_failed_limit.jsonl": ("", (), "failed", False),
    "realtime_rejected.jsonl": ("", (), None, False),
    "realtime_tools.jsonl": ("", (Call("get_weather", {"city": "Oslo"}), Call("get_time", {})), "completed", False),
    "responses_bare_done.sse": ("ab", (), None, False),
    "responses_error_flat.sse": ("", (), None, False),
    "responses_error_limit.sse": ("So", (), None, False),
    "responses_failed.sse": ("", (), None, False),
    "responses_hosted_tools.sse": (
        "Four.",
        (Call("web_search", {"type": "search", "query": "oslo"}), Call("roll", {"n": 6})),
        "completed",
        False,
    ),
    "responses_incomplete.sse": ("One,", (), "max_output_tokens", False),
    "responses_reasoning_crlf.sse": ("42", (), "completed", False),
    "responses_refusal.sse": ("I'm sorry, no.", (), "completed", False),
    "responses_text.sse": ("Hi there! é\u2028", (), "completed", False),
    "responses_tools.sse": ("", (Call("get_weather", {"city": "Oslo"}), Call("get_time", {})), "completed", False),
    "responses_truncated.sse": ("One two", (), None, False),
}


def reader_of(dialect: str) -> Listening:
    return Transcribed(dialect_named(dialect), DIALECTS[dialect].collector()).reader()


def said(name: str, *chunks: bytes) -> Said:
    reader = reader_of(DIALECT_OF[name.partition("_")[0]])
    if name.endswith(".jsonl"):
        for line in b"".join(chunks).splitlines():
            reader.event(line)
        return reader.heard.said()
    parser = SseParser()
    for chunk in chunks:
        for event, data in parser.feed(chunk):
            reader.event(data, event)
    return reader.heard.said()


def test_every_recording_is_here() -> None:
    assert set(SAID) == {path.name for path in RECORDED.iterdir()}


def test_every_dialect_says_what_its_answers_are_but_that_of_the_profile() -> None:
    assert {name for name, dialect in DIALECTS.items() if dialect.collector() is None} == {"json", "custom"}


@pytest.mark.parametrize("name", SAID)
def test_what_an_answer_says(name: str) -> None:
    stream = (RECORDED / name).read_bytes()
    assert said(name, stream) == SAID[name]
    for cut in range(0, len(stream), 7):
        assert said(name, stream[:cut], stream[cut:]) == SAID[name], cut


@pytest.mark.parametrize("name", STREAMS)
def test_collecting_changes_nothing(name: str) -> None:
    dialect = STREAMS[name][0]
    stream = (RECORDED / name).read_bytes()
    parser, reader = SseParser(), reader_of(dialect)
    flags = [reader.event(data, event) for event, data in parser.feed(stream)]
    assert summary(reader, flags, parser.pending) == read_stream(dialect, stream)
    assert reader.heard.said() == reader.heard.said()


BODIES: list[tuple[str, Any, Said]] = [
    (
        "openai.chat",
        {"choices": [{"finish_reason": "length", "message": {"content": "Hi", "tool_calls": [
            {"function": {"name": "f", "arguments": '{"a":1}'}}, {"function": {"name": "g", "arguments": "not JSON"}},
        ]}}]},
        Said("Hi", (Call("f", {"a": 1}), Call("g", "not JSON")), "length"),
    ),
    (
        "openai.chat",
        {"choices": [{"finish_reason": "function_call", "message": {
            "content": None, "function_call": {"name": "f", "arguments": "{}"}}}]},
        Said("", (Call("f", {}),), "function_call"),
    ),
    (
        "openai.responses",
        {"object": "response", "status": "incomplete", "incomplete_details": {"reason": "content_filter"}, "output": [
            {"type": "reasoning", "summary": []},
            {"type": "message", "content": [
                {"type": "output_text", "text": "Hi "}, {"type": "refusal", "refusal": "no"},
            ]},
            {"type": "function_call", "name": "f", "arguments": '{"a":1}'},
        ]},
        Said("Hi no", (Call("f", {"a": 1}),), "content_filter"),
    ),
    (
        "anthropic.messages",
        {"type": "message", "stop_reason": "tool_use", "content": [
            {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"},
            {"type": "tool_use", "name": "f", "input": {"a": 1}},
        ]},
        Said("Hi", (Call("f", {"a": 1}),), "tool_use"),
    ),
    (
        "ag-ui",
        [
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a", "delta": "Let me see"},
            {"type": "TOOL_CALL_START", "toolCallId": "c", "toolCallName": "f"},
            {"type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": '{"a":1}'},
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "b", "delta": "Nine"},
            {"type": "RUN_FINISHED"},
        ],
        Said("Nine", (Call("f", {"a": 1}),)),
    ),
    ("a2a", {"result": {"kind": "message", "parts": [{"kind": "text", "text": "Nine"}]}}, Said("Nine")),
    (
        "a2a",
        {"result": {"status": {"state": "completed", "message": {"parts": [{"text": "Done"}]}}}},
        Said("Done", finish="completed"),
    ),
    (
        "mcp",
        {"jsonrpc": "2.0", "id": 1, "result": {"content": [], "structuredContent": {"t": 21}}},
        Said('{"t":21}'),
    ),
    (
        "langgraph",
        {"messages": [
            {"type": "ai", "content": "before"}, {"type": "human", "content": "Hours?"},
            {"type": "ai", "content": "", "tool_calls": [{"name": "f", "args": {"a": 1}, "id": "c"}]},
            {"type": "tool", "content": "9"},
            {"type": "ai", "content": "Nine", "response_metadata": {"finish_reason": "stop"}},
        ]},
        Said("Nine", (Call("f", {"a": 1}),), "stop"),
    ),
    (
        "adk",
        [
            {"author": "a", "content": {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"a": 1}}}]}},
            {"author": "a", "content": {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]}},
            {"author": "a", "finishReason": "STOP", "content": {"role": "model", "parts": [{"text": "Nine"}]}},
        ],
        Said("Nine", (Call("f", {"a": 1}),), "STOP"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "body", "expected"), BODIES)
def test_what_a_whole_answer_says(dialect: str, body: Any, expected: Said) -> None:
    reader = reader_of(dialect)
    reader.body(json.dumps(body).encode())
    assert reader.heard.said() == expected


def test_broken_utf8_is_said_once() -> None:
    """Readers that mend an event read it anew; a collector must not take it twice."""
    for dialect, event in (
        (
            "a2a",
            b'{"result":{"artifactUpdate":{"append":true,"artifact":{"artifactId":"a","parts":[{"text":"N\xff"}]}}}}',
        ),
        ("mcp", b'{"jsonrpc":"2.0","result":{"content":[{"type":"text","text":"N\xff"}]}}'),
        ("ag-ui", b'{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"N\xff"}'),
        ("openai.chat", b'{"choices":[{"delta":{"content":"N\xff"}}]}'),
        (
            "anthropic.messages",
            b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"N\xff"}}',
        ),
    ):
        reader = reader_of(dialect)
        reader.event(event)
        assert reader.heard.said().text == "N\ufffd", dialect


def place(path: str | None, event: bytes | None = None, *, words: bool = False) -> Place | None:
    return None if path is None else Place(compile_path(path).find, event, words)


def heard_at(
    text: Place | None, *events: Any, calls: Place | None = None, finish: Place | None = None, body: bool = False
) -> Said:
    """What is heard of bodies, or of events; one with a name is a pair."""
    reader = Transcribed(dialect_named("json", {}), partial(JsonHeard, text, calls, None, finish)).reader()
    for each in events:
        name, said = each if isinstance(each, tuple) else (b"", each)
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        reader.body(data) if body else reader.event(data, name)
    return reader.heard.said()


def collected(path: str | None, *events: Any, calls: str | None = None, body: bool = False) -> Said:
    return heard_at(place(path), *events, calls=place(calls), body=body)


def test_a_path_says_where_an_answer_is() -> None:
    assert collected("$.content", {"content": "Nine"}, body=True).text == "Nine"
    assert collected("$.delta", {"delta": "Ni"}, {"other": 1}, {"delta": "ne"}, b"[DONE]").text == "Nine"
    assert collected("$.parts[*].text", {"parts": [{"text": "Ni"}, {"text": "ne"}]}, body=True).text == "Nine"
    assert collected("$.content", {"content": {"open": 9}}, body=True).text == '{"open":9}'
    assert collected("$.content", {"content": None}, body=True).text == ""
    assert collected("$.content", b"no JSON", body=True).text == ""


def test_all_of_an_answer_may_be_its_text() -> None:
    assert collected(None, "Nine é".encode(), body=True).text == "Nine é"
    assert collected(None, b"Ni", b"ne", b"[DONE]").text == "Nine"


@pytest.mark.parametrize(
    "call",
    [
        {"name": "f", "arguments": {"a": 1}},
        {"tool": "f", "args": {"a": 1}},
        {"tool_name": "f", "input": {"a": 1}},
        {"type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
        {"function": "f", "parameters": {"a": 1}},
    ],
)
def test_calls_are_read_by_the_names_that_their_fields_commonly_have(call: dict[str, Any]) -> None:
    assert collected("$.x", {"calls": [call]}, calls="$.calls", body=True).calls == (Call("f", {"a": 1}),)
    assert collected("$.x", {"calls": [call]}, calls="$.calls[*]", body=True).calls == (Call("f", {"a": 1}),)


def test_a_call_that_is_a_name_has_no_arguments_and_what_is_none_is_left_out() -> None:
    assert collected("$.x", {"calls": ["f", 7, {"id": 1}, ""]}, calls="$.calls").calls == (Call("f", {}),)


@pytest.mark.parametrize(
    ("events", "finish"),
    [
        ([{"finish": "length"}], "length"),
        ([{"finish": None}, {"finish": "stop"}, {"finish": ""}, {"other": 1}], "stop"),  # the last that says something
        ([{"finish": "stop"}, {"finish": "length"}], "length"),
        ([{"finish": 7}, {"finish": {"a": 1}}, {"finish": True}, b"no JSON", b"[DONE]"], None),
        ([], None),
    ],
)
def test_why_an_answer_ended_is_where_a_path_says(events: list[Any], finish: str | None) -> None:
    assert heard_at(place("$.x"), *events, finish=place("$.finish")).finish == finish
    assert heard_at(None, *events, finish=place("$.finish")).finish == finish
    assert heard_at(place("$.x"), *events).finish is None


def test_a_body_says_why_it_ended() -> None:
    whole = {"choices": [{"text": "Ni", "why": None}, {"text": "ne", "why": "max_tokens"}]}
    found = heard_at(place("$.choices[*].text"), whole, finish=place("$.choices[*].why"), body=True)
    assert (found.text, found.finish) == ("Nine", "max_tokens")


def test_a_place_may_be_in_events_of_one_name() -> None:
    events = [(b"token", {"t": "Ni"}), (b"note", {"t": "no"}), (b"token", {"t": "ne"}), (b"end", {"t": "stop"})]
    found = heard_at(place("$.t", b"token"), *events, finish=place("$.t", b"end"))
    assert (found.text, found.finish) == ("Nine", "stop")
    assert heard_at(place("$.t", b"message"), {"t": "Nine"}, (b"other", {"t": "no"})).text == "Nine", "one without"
    assert heard_at(place("$.t", b"token"), {"t": "Nine"}, body=True).text == "", "a body has no name"


def test_data_of_a_named_event_may_be_the_text_itself() -> None:
    where = place("$", b"token", words=True)
    events = [(b"token", b"Ni"), (b"note", b"no"), (b"token", b"ne "), (b"token", '"é"'.encode()), (b"token", b"null")]
    found = heard_at(where, *events, (b"end", b"length"), (b"end", b"[DONE]"), finish=place("$", b"end", words=True))
    assert (found.text, found.finish) == ("Nine é", "length")
    assert heard_at(place("$", b"token"), (b"token", b"Nine")).text == "", "unless the event alone is meant"


def test_a_path_beside_a_known_dialect_takes_the_place_of_its_text_alone() -> None:
    inner = DIALECTS["openai.chat"].collector()
    where = place("$.choices[0].delta.audio.transcript")
    reader = Transcribed(dialect_named("openai.chat"), partial(JsonHeard, where, None, inner)).reader()
    call = {"index": 0, "function": {"name": "f", "arguments": "{}"}}
    delta = {"content": "not this", "audio": {"transcript": "Nine"}, "tool_calls": [call]}
    reader.event(json.dumps({"choices": [{"delta": delta, "finish_reason": "stop"}]}).encode())
    assert reader.heard.said() == Said("Nine", (Call("f", {}),), "stop")


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if DIALECTS[name].collector() is not None])
def test_what_a_deaf_or_hostile_target_says_never_raises(dialect: str) -> None:
    for data in (
        b"",
        b"[]",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b"{",
        b"\xff",
        b"[" * 4000,
        b'{"result":7}',
        b'{"messages":{}}',
    ):
        reader = reader_of(dialect)
        reader.event(data)
        reader.body(data)
        assert isinstance(reader.heard.said(), Said)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "ai", "model", "function_call"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "type", "role", "id", "content", "parts", "text", "delta", "choices", "message", "messages", "tool_calls",
        "function", "name", "arguments", "index", "status", "state", "result", "artifact", "output", "item", "response",
        "outcome", "author", "partial", "functionCall", "args", "tool_call_chunks", "function_call", "content_block",
    ]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.sampled_from([name for name in DIALECTS if DIALECTS[name].collector() is not None]), _json, st.sampled_from(
    [b"", b"messages", b"values", b"updates", b"messages/partial", b"content_block_start", b"response.done"]
))  # fmt: skip
def test_whatever_json_comes_nothing_raises(dialect: str, value: Any, event: bytes) -> None:
    reader = reader_of(dialect)
    data = json.dumps(value).encode()
    reader.event(data, event)
    reader.event(data, event)
    reader.body(data)
    found = reader.heard.said()
    assert isinstance(found.text, str)
    assert all(isinstance(call.name, str) for call in found.calls)


def test_an_answer_that_is_too_long_is_kept_up_to_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heard, "MAX_HEARD_BYTES", 10)
    reader = reader_of("openai.chat")
    for _ in range(4):
        reader.event(b'{"choices":[{"delta":{"content":"four"}}]}')
    assert reader.heard.said() == Said("fourfour", cut=True)


def test_arguments_are_json_or_their_text() -> None:
    assert call_of("f", '{"a":1}') == ("f", {"a": 1})
    assert call_of("f", "{") == ("f", "{")
    assert call_of("f", "") == call_of("f", None) == ("f", {})
    assert call_of(7, {"a": 1}) == ("", {"a": 1})


def test_words_of_parts_leave_thoughts_out() -> None:
    assert words(["a", {"type": "thinking", "text": "no"}, {"type": "text", "text": "b"}, 7]) == "ab"
    assert words(None) == ""
