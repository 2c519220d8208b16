"""Tests of agenttop.dialects.transcript, agenttop.dialects.transcript_ag_ui, agenttop.dialects.transcript_chat,
agenttop.dialects.transcript_messages, agenttop.dialects.transcript_responses, agenttop.dialects.transcripts.

What recorded answers leave in a conversation, cut at every byte, and how it is sent back.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects import DIALECTS, dialect_named, transcript_ag_ui, transcript_responses
from agenttop.dialects import heard as collecting
from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Listening, Owed
from agenttop.dialects.transcripts import Transcribed
from agenttop.wire.sse import SseParser
from tests.dialects.test_recorded import AG_UI, CHAT, MESSAGES, RECORDED, RESPONSES, cuts, read_stream, summary

Turns = list[dict[str, Any] | Owed]


def says(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def calls(name: str, arguments: str, identity: str) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": arguments}}


WEATHER, TIME = ("get_weather", '{"city":"Oslo"}', "call_7Yk1"), ("get_time", "{}", "call_9Qm2")

CHAT_TURNS: dict[str, Turns] = {
    "chat_text.sse": [says("Grüße, Welt\u2028🌍")],
    "chat_tools.sse": [
        {"role": "assistant", "content": None, "tool_calls": [calls(*WEATHER), calls(*TIME)]},
        Owed("call_7Yk1", "get_weather"),
        Owed("call_9Qm2", "get_time"),
    ],
    "chat_tools_same_index.sse": [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                calls("search", '{"q":"a"}', "function-call-1"),
                calls("search", '{"q":"b"}', "function-call-2"),
            ],
        },
        Owed("function-call-1", "search"),
        Owed("function-call-2", "search"),
    ],
    "chat_mistral_parts.sse": [says("Done!")],
    "chat_refusal.sse": [{"role": "assistant", "content": None, "refusal": "I can't."}],
}


def call_item(number: int, name: str, arguments: str, call_id: str) -> dict[str, Any]:
    return {
        "id": f"fc_0{number}", "type": "function_call", "status": "completed", "arguments": arguments,
        "call_id": call_id, "name": name,
    }  # fmt: skip


def message_item(text: str) -> dict[str, Any]:
    content = {"type": "output_text", "text": text, "annotations": []}
    return {"id": "msg_01", "type": "message", "status": "completed", "role": "assistant", "content": [content]}


RESPONSES_TURNS: dict[str, Turns] = {
    "responses_tools.sse": [
        call_item(1, *WEATHER),
        call_item(2, *TIME),
        Owed("call_7Yk1", "get_weather", "function_call_output"),
        Owed("call_9Qm2", "get_time", "function_call_output"),
    ],
    "responses_reasoning_crlf.sse": [message_item("42")],
    "responses_bare_done.sse": [says("ab")],
}

USES = [
    {"type": "text", "text": "Okay"},
    {"type": "tool_use", "id": "toolu_01T1x1", "name": "get_weather", "input": {"location": "Oslo"}},
    {"type": "tool_use", "id": "toolu_01T1x2", "name": "get_time", "input": {}},
]
THOUGHTS = [
    {
        "type": "thinking",
        "thinking": "27 * 453 = 12,231",
        "signature": "EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pkiMOYds",
    },
    {"type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix"},
    {"type": "text", "text": "12,231"},
]
MESSAGES_TURNS: dict[str, Turns] = {
    "messages_tools.sse": [
        {"role": "assistant", "content": USES}, Owed("toolu_01T1x1", "get_weather"), Owed("toolu_01T1x2", "get_time"),
    ],
    "messages_thinking_crlf.sse": [{"role": "assistant", "content": THOUGHTS}],
    "messages_server_tools.sse": [
        {
            "role": "assistant",
            "content": [
                {"type": "server_tool_use", "id": "srvtoolu_014h", "name": "web_search", "input": {"query": "oslo"}},
                {
                    "type": "web_search_tool_result",
                    "tool_use_id": "srvtoolu_014h",
                    "content": [
                        {
                            "type": "web_search_result",
                            "title": "Oslo",
                            "url": "https://example.com/",
                            "encrypted_content": "EqgfCioIARgBIiQ3",
                            "page_age": None,
                        }
                    ],
                },
                {"type": "mcp_tool_use", "id": "mcptoolu_014Q", "name": "echo", "server_name": "x", "input": {"a": 1}},
                {
                    "type": "mcp_tool_result",
                    "tool_use_id": "mcptoolu_014Q",
                    "is_error": False,
                    "content": [{"type": "text", "text": "hello"}],
                },
                {
                    "type": "text",
                    "text": "It rains.",
                    "citations": [
                        {
                            "type": "web_search_result_location",
                            "cited_text": "x",
                            "url": "https://example.com/",
                            "title": "Oslo",
                            "encrypted_index": "Eo8",
                        }
                    ],
                },
            ],
        }
    ],
}  # fmt: skip

AG_UI_TURNS: dict[str, Turns] = {
    # The snapshot at its end says the same once more.
    "agui_text.sse": [{"id": "m1", "role": "assistant", "content": "We open at nine – grüezi."}],
    "agui_tools.sse": [
        {"id": "c1", "role": "assistant", "toolCalls": [calls("get_weather", '{"city":"Bern"}', "c1")]},
        {"id": "r1", "role": "tool", "toolCallId": "c1", "content": '{"t":21}'},
        {"id": "c2", "role": "assistant", "toolCalls": [calls("get_time", "{}", "c2")]},
        Owed("c2", "get_time"),
        {"id": "m2", "role": "assistant", "content": "21 °C now"},
    ],
    "agui_snake_crlf.sse": [
        {"id": "m", "role": "assistant", "content": "Nine", "toolCalls": [calls("f", "{}", "c")]},
        Owed("c", "f"),
    ],
    "agui_snapshot_only.sse": [
        {"id": "a", "role": "assistant", "content": "Nine", "toolCalls": [calls("f", "{}", "c")]},
        Owed("c", "f"),
    ],
}

TURNS = {
    name: (dialect, turns)
    for dialect, table in (
        ("openai.chat", CHAT_TURNS),
        ("openai.responses", RESPONSES_TURNS),
        ("anthropic.messages", MESSAGES_TURNS),
        ("ag-ui", AG_UI_TURNS),
    )
    for name, turns in table.items()
}
EVERY = [
    (dialect, name)
    for dialect, table in (
        ("openai.chat", CHAT), ("openai.responses", RESPONSES), ("anthropic.messages", MESSAGES), ("ag-ui", AG_UI),
    )
    for name in table
]  # fmt: skip


TRANSCRIPTS = {name: each.transcript for name, each in DIALECTS.items() if each.transcript is not None}


def heard(dialect: str) -> Listening:
    reader = Transcribed(dialect_named(dialect)).reader()
    assert isinstance(reader, Listening)
    return reader


def turns_of(dialect: str, *chunks: bytes) -> Turns:
    parser, reader = SseParser(), heard(dialect)
    for chunk in chunks:
        for event, data in parser.feed(chunk):
            reader.event(data, event)
    return reader.transcript.turn()


def turns_of_body(dialect: str, body: Any) -> Turns:
    reader = heard(dialect)
    reader.body(json.dumps(body).encode())
    return reader.transcript.turn()


@pytest.mark.parametrize("name", TURNS)
def test_what_an_answer_leaves(name: str) -> None:
    dialect, turns = TURNS[name]
    stream = (RECORDED / name).read_bytes()
    assert turns_of(dialect, stream) == turns
    for cut in cuts(stream):
        assert turns_of(dialect, stream[:cut], stream[cut:]) == turns, cut


@pytest.mark.parametrize(("dialect", "name"), EVERY)
def test_listening_changes_nothing(dialect: str, name: str) -> None:
    stream = (RECORDED / name).read_bytes()
    parser, reader = SseParser(), heard(dialect)
    flags = [reader.event(data, event) for event, data in parser.feed(stream)]
    assert summary(reader, flags, parser.pending) == read_stream(dialect, stream)
    assert json.dumps(reader.transcript.turn())


def test_every_dialect_with_a_transcript_is_one() -> None:
    for name, form in TRANSCRIPTS.items():
        reader = heard(name)
        assert isinstance(reader, DIALECTS[name].read_by)
        assert type(reader) is type(heard(name))
        assert isinstance(reader.transcript, form)


CUSTOM = {"id": "c", "type": "custom", "custom": {"name": "n", "input": "i"}}
BODIES: list[tuple[str, Any, Turns]] = [
    (
        "openai.chat",
        {
            "choices": [
                {
                    "index": 0,
                    "message": {
                        "role": "assistant",
                        "content": "Let me see",
                        "reasoning_content": "hm",
                        "tool_calls": [calls("f", "", ""), calls("g", '{"a":1}', "x")],
                    },
                },
                {"index": 1, "message": {"role": "assistant", "content": "another choice"}},
            ]
        },
        [
            says("Let me see", tool_calls=[calls("f", "{}", "call_1"), calls("g", '{"a":1}', "x")]),
            Owed("call_1", "f"),
            Owed("x", "g"),
        ],
    ),
    (
        "openai.chat",
        {"choices": [{"message": {"tool_calls": [CUSTOM]}}]},
        [
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [CUSTOM],
            },
            Owed("c", "n"),
        ],
    ),
    (
        "openai.chat",
        {"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}}]},
        [{"role": "assistant", "content": None, "tool_calls": [calls("f", '{"a":1}', "call_1")]}, Owed("call_1", "f")],
    ),
    ("openai.chat", {"choices": [{"message": {"role": "assistant", "content": ""}}]}, []),
    ("openai.chat", {"choices": None}, []),
    ("anthropic.messages", {"type": "message", "content": USES}, MESSAGES_TURNS["messages_tools.sse"]),
    ("anthropic.messages", {"content": [{"type": "thinking", "thinking": "x", "signature": "s"}]}, []),
    (
        "anthropic.messages",
        {"content": [{"type": "thinking", "thinking": "x", "signature": ""}, {"type": "text", "text": "a"}]},
        [says([{"type": "text", "text": "a"}])],  # type: ignore[arg-type]
    ),
    ("anthropic.messages", {"content": [{"type": "text", "text": " \n"}]}, []),
    (
        "openai.responses",
        {"output": [call_item(1, *WEATHER)]},
        [call_item(1, *WEATHER), Owed("call_7Yk1", "get_weather", "function_call_output")],
    ),
    (
        "openai.responses",
        {"output": [{"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"}]},
        [
            {"type": "custom_tool_call", "call_id": "c", "name": "n", "input": "x"},
            Owed("c", "n", "custom_tool_call_output"),
        ],
    ),
    (
        "openai.responses",
        {"output": [{"type": "reasoning", "id": "r", "encrypted_content": "e", "summary": []}, message_item("a")]},
        [{"type": "reasoning", "id": "r", "encrypted_content": "e", "summary": []}, message_item("a")],
    ),
    (
        "openai.responses",
        {"store": True, "output": [{"type": "reasoning", "id": "r", "summary": []}, message_item("a")]},
        [{"type": "reasoning", "id": "r", "summary": []}, message_item("a")],
    ),
    ("openai.responses", {"store": True, "output": [{"type": "reasoning", "id": "r", "summary": []}]}, []),
    (
        "openai.responses",
        {"output": [{"type": "computer_call", "call_id": "c"}, message_item("a")]},
        [message_item("a")],
    ),
    (
        "ag-ui",
        [{"type": "TEXT_MESSAGE_CHUNK", "messageId": "m", "delta": "a"}, {"type": "RUN_FINISHED"}],
        [{"id": "m", "role": "assistant", "content": "a"}],
    ),
    ("ag-ui", [{"type": "TOOL_CALL_RESULT", "toolCallId": "c", "content": "x"}], []),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "body", "turns"), BODIES)
def test_what_a_body_leaves(dialect: str, body: Any, turns: Turns) -> None:
    assert turns_of_body(dialect, body) == turns


RESULTS: list[tuple[str, Owed, dict[str, Any]]] = [
    ("openai.chat", Owed("c", "f"), {"role": "tool", "tool_call_id": "c", "content": "4"}),
    (
        "openai.responses",
        Owed("c", "f", "function_call_output"),
        {"type": "function_call_output", "call_id": "c", "output": "4"},
    ),
    ("anthropic.messages", Owed("c", "f"), {"type": "tool_result", "tool_use_id": "c", "content": "4"}),
    ("ag-ui", Owed("c", "f"), {"id": "agenttop-result-c", "role": "tool", "toolCallId": "c", "content": "4"}),
]


@pytest.mark.parametrize(("dialect", "owed", "result"), RESULTS)
def test_results(dialect: str, owed: Owed, result: dict[str, Any]) -> None:
    assert TRANSCRIPTS[dialect].result(owed, "4") == result


def test_a_snapshot_is_what_follows_the_clients_last_message() -> None:
    known = [
        {"id": "u1", "role": "user", "content": "Look it up"},
        {"id": "c1", "role": "assistant", "toolCalls": [calls("f", "{}", "c1")]},
        {"id": "agenttop-result-c1", "role": "tool", "toolCallId": "c1", "content": "{}"},
    ]
    new = {"id": "a2", "role": "assistant", "content": "Here"}
    events = [
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a2", "delta": "Here"},
        {"type": "MESSAGES_SNAPSHOT", "messages": [*known, new]},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "a2", "delta": " it is"},
    ]
    assert turns_of_body("ag-ui", events) == [{"id": "a2", "role": "assistant", "content": "Here it is"}]


LARGE = "x" * (MAX_TRANSCRIPT_BYTES // 2 + 1)


@pytest.mark.parametrize(
    ("dialect", "event"),
    [
        ("openai.chat", {"choices": [{"delta": {"content": LARGE}}]}),
        ("openai.chat", {"choices": [{"delta": {"tool_calls": [{"function": {"name": "f", "arguments": LARGE}}]}}]}),
        ("openai.responses", {"type": "response.output_text.delta", "delta": LARGE}),
        ("openai.responses", {"type": "response.output_item.done", "item": {"type": "message", "content": LARGE}}),
        ("anthropic.messages", {"type": "content_block_start", "content_block": {"type": "text", "text": LARGE}}),
        ("ag-ui", {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": LARGE}),
    ],
)  # fmt: skip
def test_an_answer_that_is_too_large_leaves_nothing(dialect: str, event: dict[str, Any]) -> None:
    reader = heard(dialect)
    data = json.dumps(event).encode()
    reader.event(data)
    assert reader.transcript.turn()
    reader.event(data)
    assert (reader.transcript.turn(), reader.transcript.full) == ([], True)


WORDS = st.sampled_from([
    "type", "role", "content", "delta", "index", "id", "item", "output", "message", "messages", "choices", "tool_calls",
    "function", "name", "arguments", "text", "thinking", "tool_use", "input", "content_block", "response", "toolCalls",
    "content_block_start", "content_block_delta", "response.completed", "response.output_item.done", "function_call",
    "TOOL_CALL_START", "TOOL_CALL_ARGS", "TEXT_MESSAGE_CONTENT", "MESSAGES_SNAPSHOT", "assistant", "call_id", "user",
    "toolCallId", "messageId", "parentMessageId", "custom", "refusal", "signature", "citation", "reasoning",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | WORDS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(st.sampled_from(sorted(TRANSCRIPTS)), st.lists(VALUES, max_size=4), st.booleans())
def test_whatever_a_target_says(dialect: str, values: list[Any], whole: bool) -> None:
    reader = heard(dialect)
    for value in values:
        (reader.transcript.body if whole else reader.transcript.event)(json.dumps(value).encode())
    turns = reader.transcript.turn()
    json.dumps(turns)
    for owed in turns:
        if isinstance(owed, Owed):
            assert TRANSCRIPTS[dialect].result(owed, "")


def test_nonsense_leaves_nothing() -> None:
    for dialect in TRANSCRIPTS:
        for data in (b"", b"[DONE]", b"{", b"\xff", b'{"choices":[{"delta":{"content":"\xff"}}]}', b"[" * 5000):
            reader = heard(dialect)
            reader.transcript.event(data)
            reader.transcript.body(data)
            turns = reader.transcript.turn()
            assert turns == ([says("\ufffd")] if b"choices" in data and dialect == "openai.chat" else [])


def test_activities_of_a_snapshot_are_not_sent_back() -> None:
    said = {"id": "a2", "role": "assistant", "content": "Here"}
    activity = {"id": "p1", "role": "activity", "activityType": "plan", "content": {"steps": []}}
    assert turns_of_body("ag-ui", {"type": "MESSAGES_SNAPSHOT", "messages": [activity, said]}) == [said]


def test_a_snapshot_after_an_answer_that_was_too_large_is_kept() -> None:
    said = {"id": "a2", "role": "assistant", "content": "Here"}
    pieces = [{"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": LARGE}] * 2
    assert turns_of_body("ag-ui", [*pieces, {"type": "MESSAGES_SNAPSHOT", "messages": [said]}]) == [said]


def test_an_answer_that_is_told_three_times_takes_its_room_once() -> None:
    item = {"type": "message", "role": "assistant", "content": LARGE}
    reader = heard("openai.responses")
    for event in (
        {"type": "response.output_text.delta", "delta": LARGE},
        {"type": "response.output_item.done", "item": item},
        {"type": "response.completed", "response": {"output": [item]}},
    ):
        reader.transcript.event(json.dumps(event).encode())
    assert reader.transcript.turn() == [item]
    end = {"type": "response.completed", "response": {"output": [item, item]}}
    reader.transcript.event(json.dumps(end).encode())
    assert (reader.transcript.turn(), reader.transcript.full) == ([], True)


#: Events without a word, of which a target could send any number; each has something of its own.
ENDLESS: list[tuple[str, Callable[[int], dict[str, Any]]]] = [
    ("ag-ui", lambda n: {"type": "TEXT_MESSAGE_START", "messageId": f"m{n}"}),
    ("ag-ui", lambda n: {"type": "TEXT_MESSAGE_START", "messageId": f"m{n}", "role": "user"}),
    ("ag-ui", lambda n: {"type": "TOOL_CALL_START", "toolCallId": f"c{n}", "parentMessageId": "m"}),
    ("ag-ui", lambda n: {"type": "TOOL_CALL_RESULT", "toolCallId": f"c{n}", "content": ""}),
    ("openai.chat", lambda n: {"choices": [{"delta": {"tool_calls": [{"index": n}]}}]}),
    ("openai.responses", lambda n: {"type": "response.output_item.done", "item": {}}),
    ("anthropic.messages", lambda n: {"type": "content_block_start", "index": n, "content_block": {}}),
]


@pytest.mark.parametrize(("dialect", "event"), ENDLESS)
def test_an_answer_without_end_ends_somewhere(
    monkeypatch: pytest.MonkeyPatch, dialect: str, event: Callable[[int], dict[str, Any]]
) -> None:
    most = MAX_TRANSCRIPT_BYTES // 64  # it ends in the same way, sooner
    monkeypatch.setattr(collecting, "MAX_HEARD_BYTES", most)
    for module in (transcript_ag_ui, transcript_responses):
        monkeypatch.setattr(module, "MAX_TRANSCRIPT_BYTES", most)
    reader = heard(dialect)
    for number in range(most // 2 + 2):
        reader.transcript.take(event(number), b"")
        if reader.transcript.full:
            break
    assert reader.transcript.full
    assert reader.transcript.turn() == []


#: What can be read, but perhaps not written again: that needs a little more of the stack.
ODD = [
    b"9" * 40,
    *(each for n in range(850, 1000, 3) for each in (b"[" * n + b"]" * n, b'{"a":' * n + b"1" + b"}" * n)),
]
PLACES = [
    (
        "openai.chat",
        b'{"choices":[{"delta":{"tool_calls":[{"id":"c","function":{"name":"f","arguments":{"a":%b}}}]}}]}',
    ),
    ("openai.responses", b'{"type":"response.output_item.done","item":{"type":"message","x":%b}}'),
    ("openai.responses", b'{"type":"response.completed","response":{"output":[{"type":"message","x":%b}]}}'),
    ("anthropic.messages", b'{"type":"content_block_start","content_block":{"type":"tool_use","id":"a","input":%b}}'),
    ("anthropic.messages", b'{"type":"content_block_start","content_block":{"type":"tool_use","input":{"a":%b}}}'),
    ("ag-ui", b'{"type":"MESSAGES_SNAPSHOT","messages":[{"id":"a","role":"assistant","content":"x","more":%b}]}'),
]


@pytest.mark.parametrize(("dialect", "event"), PLACES)
def test_what_can_hardly_be_read_raises_nothing(dialect: str, event: bytes) -> None:
    for odd in ODD:
        for take in ("event", "body"):
            reader = heard(dialect)
            getattr(reader, take)(event % odd)
            reader.transcript.turn()


@pytest.mark.parametrize("kind", [[], {}, 1, None])
def test_a_type_that_is_no_text_is_none(kind: Any) -> None:
    output = [{"type": kind}, message_item("42")]
    assert turns_of_body("openai.responses", {"output": output}) == output
    said = {"id": "a2", "role": "assistant", "content": "Here"}
    told = [{"id": "x", "role": kind, "content": "y"}, said]
    assert turns_of_body("ag-ui", {"type": "MESSAGES_SNAPSHOT", "messages": told}) == told


@pytest.mark.parametrize(
    ("dialect", "events", "turns"),
    [
        (
            "openai.responses",
            [(b"response.output_text.delta", {"delta": "Hel"}), (b"response.output_text.delta", {"delta": "lo"})],
            [{"role": "assistant", "content": "Hello"}],
        ),
        (
            "anthropic.messages",
            [
                (b"content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}}),
                (b"content_block_delta", {"index": 0, "delta": {"text": "Hello"}}),
            ],
            [{"role": "assistant", "content": [{"type": "text", "text": "Hello"}]}],
        ),
        (
            "ag-ui",
            [(b"TEXT_MESSAGE_CONTENT", {"messageId": "m", "delta": "Hello"})],
            [{"id": "m", "role": "assistant", "content": "Hello"}],
        ),
    ],
)
def test_an_event_may_be_named_outside_of_its_data(dialect: str, events: list[tuple[bytes, Any]], turns: Turns) -> None:
    reader = heard(dialect)
    for name, data in events:
        reader.event(json.dumps(data).encode(), name)
    assert reader.transcript.turn() == turns


def ag_ui(*events: dict[str, Any]) -> Turns:
    reader = heard("ag-ui")
    for each in events:
        reader.event(json.dumps(each).encode())
    return reader.transcript.turn()


@pytest.mark.parametrize(
    ("call_id", "call_name", "parent", "message_id"),
    [
        ("toolCallId", "toolCallName", "parentMessageId", "messageId"),
        ("tool_call_id", "tool_call_name", "parent_message_id", "message_id"),
    ],
)
def test_names_of_fields_in_either_spelling(call_id: str, call_name: str, parent: str, message_id: str) -> None:
    turns = ag_ui(
        {"type": "TEXT_MESSAGE_CONTENT", message_id: "m", "delta": "So"},
        {"type": "TOOL_CALL_START", call_id: "a", call_name: "f", parent: "m"},
        {"type": "TOOL_CALL_START", call_id: "b", call_name: "g", parent: "m"},
        {"type": "TOOL_CALL_ARGS", call_id: "a", "delta": '{"x"'},
        {"type": "TOOL_CALL_ARGS", "delta": ":1}"},
        {"type": "TOOL_CALL_RESULT", call_id: "a", message_id: "r", "content": "4"},
    )
    assert turns == [
        {
            "id": "m",
            "role": "assistant",
            "content": "So",
            "toolCalls": [calls("f", '{"x":1}', "a"), calls("g", "{}", "b")],
        },
        Owed("b", "g"),
        {"id": "r", "role": "tool", "toolCallId": "a", "content": "4"},
    ]


def test_what_has_no_id_is_given_one() -> None:
    assert ag_ui({"type": "TEXT_MESSAGE_CHUNK", "delta": "a"}, {"type": "TEXT_MESSAGE_CHUNK", "delta": "b"}) == [
        {"id": "message-1", "role": "assistant", "content": "ab"}
    ]
    turns = ag_ui(
        {"type": "TOOL_CALL_START", "toolCallId": "a", "toolCallName": "f"},
        {"type": "TOOL_CALL_RESULT", "toolCallId": "a", "content": "4"},
        {"type": "TEXT_MESSAGE_CHUNK", "delta": "so"},
    )
    assert [turn["id"] for turn in turns if isinstance(turn, dict)] == ["a", "result-a", "message-3"]


@pytest.mark.parametrize(("name", "ours"), [("toolCalls", "toolCallId"), ("tool_calls", "tool_call_id")])
def test_calls_and_results_of_a_snapshot(name: str, ours: str) -> None:
    messages = [
        {"id": "u", "role": "user", "content": "Hi"},
        {"id": "m", "role": "assistant", name: [calls("f", '{"x":1}', "a"), calls("g", "", "b"), {"id": "c"}]},
        {"id": "r", "role": "tool", ours: "a", "content": "4"},
    ]
    (asked, *owed, answered) = ag_ui({"type": "MESSAGES_SNAPSHOT", "messages": messages})
    assert asked == {
        "id": "m", "role": "assistant",
        "toolCalls": [calls("f", '{"x":1}', "a"), calls("g", "{}", "b"), calls("", "{}", "c")],
    }  # fmt: skip
    assert owed == [Owed("b", "g"), Owed("c", "")]
    assert answered == messages[-1]


def test_citations_are_added_to_those_that_are_there() -> None:
    def block(**more: Any) -> dict[str, Any]:
        return {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "a", **more}}

    cited = [{"type": "content_block_delta", "index": 0, "delta": {"citation": {"n": number}}} for number in (1, 2)]
    for begin, citations in (
        (block(), [{"n": 1}, {"n": 2}]),
        (block(citations=None), [{"n": 1}, {"n": 2}]),
        (block(citations=[{"n": 0}]), [{"n": 0}, {"n": 1}, {"n": 2}]),
    ):
        reader = heard("anthropic.messages")
        for each in (begin, *cited):
            reader.event(json.dumps(each).encode())
        (turn,) = reader.transcript.turn()
        assert isinstance(turn, dict)
        assert turn["content"] == [{"type": "text", "text": "a", "citations": citations}]


@pytest.mark.parametrize(("more", "kept"), [(0, True), (1, False)])
def test_an_answer_may_fill_its_room(more: int, kept: bool) -> None:
    reader = heard("openai.chat")
    for length in (MAX_TRANSCRIPT_BYTES - 7, 7 + more):
        reader.event(json.dumps({"choices": [{"delta": {"content": "x" * length}}]}).encode())
    turns = reader.transcript.turn()
    assert turns == ([says("x" * MAX_TRANSCRIPT_BYTES)] if kept else [])


@pytest.mark.parametrize("none", [[], None, "f", [5]])
@pytest.mark.parametrize("name", ["toolCalls", "tool_calls"])
def test_calls_of_a_snapshot_that_are_none_are_left_out(name: str, none: Any) -> None:
    message = {"id": "m", "role": "assistant", "content": "Hi", name: none}
    assert ag_ui({"type": "MESSAGES_SNAPSHOT", "messages": [message]}) == [
        {"id": "m", "role": "assistant", "content": "Hi"}
    ]


@pytest.mark.parametrize(
    "kind", ["TEXT_MESSAGE_CONTENT", "TextMessageContent", "text_message_content", "text-message-content"]
)
def test_types_in_any_case(kind: str) -> None:
    assert ag_ui({"type": kind, "messageId": "m", "delta": "a"}) == [{"id": "m", "role": "assistant", "content": "a"}]


@pytest.mark.parametrize("dialect", TRANSCRIPTS)
def test_who_listens_hears_of_what_cannot_be_read_as_everybody_does(dialect: str) -> None:
    reader = heard(dialect)
    assert reader.event(b"<html>") == dialect_named(dialect).reader().event(b"<html>")
    assert reader.error is not None


def test_calls_of_a_snapshot_take_room_too() -> None:
    half = "x" * (MAX_TRANSCRIPT_BYTES // 2)
    for arguments, kept in ((half, True), (half * 2, False)):
        message = {"id": "m", "role": "assistant", "toolCalls": [calls("f", arguments, "a")]}
        assert bool(ag_ui({"type": "MESSAGES_SNAPSHOT", "messages": [message]})) is kept
