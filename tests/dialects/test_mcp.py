from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED
from agenttop.dialects.mcp import Mcp


def response(result: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


@pytest.mark.parametrize(
    ("result", "output", "tool_calls"),
    [
        ({"content": [{"type": "text", "text": "x"}]}, OUTPUT, 1),
        ({"content": [{"type": "text", "text": ""}]}, 0, 1),
        ({"content": []}, 0, 1),
        ({"content": [], "isError": False}, 0, 1),
        ({"content": [], "structuredContent": {"a": 1}}, OUTPUT, 1),
        ({"structuredContent": 0}, OUTPUT, 1),
        ({"content": [{"type": "image", "data": "AA==", "mimeType": "image/png"}]}, OUTPUT, 1),
        ({"contents": [{"uri": "u", "text": "x"}]}, OUTPUT, 0),
        ({"messages": [{"role": "user", "content": {"type": "text", "text": "x"}}]}, OUTPUT, 0),
        ({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s"}}, 0, 0),
        ({"tools": [{"name": "x", "description": "content"}]}, 0, 0),
        ({"resultType": "input_required", "inputRequests": {}}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_results_streamed_or_whole(result: dict[str, Any], output: int, tool_calls: int) -> None:
    streamed, whole = Mcp().reader(), Mcp().reader()
    assert streamed.event(response(result)) == whole.body(response(result)) == DONE | output
    assert (streamed.tool_calls, streamed.llm_calls, streamed.chunks) == (tool_calls, None, 0)


@pytest.mark.parametrize(
    ("content", "flags", "words"),
    [
        ([{"type": "text", "text": "no such"}, {"type": "text", "text": "order"}], 0, "no such order"),
        ([{"type": "text", "text": "HTTP 429"}], RATE_LIMITED, "HTTP 429"),
        ([{"type": "image", "data": "A"}], 0, "isError"),
        ([], 0, "isError"),
        ("text", 0, "text"),
        (None, 0, "isError"),
    ],
)
def test_a_tool_that_failed(content: object, flags: int, words: str) -> None:
    reader = Mcp().reader()
    assert reader.event(response({"content": content, "isError": True})) == DONE | ERROR | flags
    assert (reader.error, reader.tool_calls, reader.chunks) == (words, 1, 0)


@pytest.mark.parametrize(
    ("data", "event", "flags"),
    [
        (b"", b"", 0),
        (b"  ", b"message", 0),
        (b"/messages?session=1", b"endpoint", 0),
        (b'{"method":"notifications/progress","params":{"content":[{"text":"x"}]}}', b"message", 0),
        (b'{"id":5,"method":"roots/list"}', b"message", 0),
        (b'{"id":1,"result":null}', b"", DONE),
        (b'{"id":1,"error":null,"result":{"content":[{"text":"\xff"}]}}', b"", DONE | OUTPUT),
        (b'{"id":null,"error":{"code":-32600,"message":"m"}}', b"", DONE | ERROR),
        (b'{"id":1,"error":{"code":-32000,"message":"rate limited"}}', b"", DONE | ERROR | RATE_LIMITED),
        (b'{"id":1,"error":{"code":429,"message":"m"}}', b"", DONE | ERROR | RATE_LIMITED),
        (b"{}", b"", ERROR),
        (b"x", b"", ERROR),
    ],
)
def test_odd_events(data: bytes, event: bytes, flags: int) -> None:
    assert Mcp().reader().event(data, event) == flags


@pytest.mark.parametrize("data", [b"", b"null", b"Accepted", b" {} "])
def test_what_comes_with_a_202(data: bytes) -> None:
    assert Mcp().reader().body(data) == DONE


def test_a_body_that_is_no_json_rpc() -> None:
    reader = Mcp().reader()
    assert reader.body(b"<html>") == DONE | ERROR
    assert reader.error == "not a JSON-RPC message: <html>"


ODD = [
    b'{"result":[]}', b"[]", b"[5]", b'{"result":{"content":5}}', b'{"result":{"content":[5],"isError":1}}',
    b'{"error":[]}', b'{"result":' + b"[" * 100_000,
]  # fmt: skip


@given(st.binary(max_size=40) | st.sampled_from(ODD))
def test_nothing_raises(data: bytes) -> None:
    reader = Mcp().reader()
    assert not reader.event(data) & ERROR or reader.error
    reader.body(data)


def test_a_batch_may_have_space_around_it() -> None:
    message = b'{"result": {"content": [{"type": "text", "text": "a"}]}}'
    for batch in (b"[%b,%b]", b" \n[%b, %b]\n"):
        reader = Mcp().reader()
        assert reader.event(batch % (message, message)) == OUTPUT | DONE
        assert reader.tool_calls == 2
