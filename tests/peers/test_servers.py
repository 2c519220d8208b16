"""What each dialect reads of the answers of its own servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agenttop.dialects.base import DONE, ERROR, OUTPUT, RATE_LIMITED, REASONING
from tests.peers.harness import Heard, hear, post, serve

pytestmark = pytest.mark.peers

THOUGHT = OUTPUT | REASONING
LIMITED = ERROR | RATE_LIMITED


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("peer")


# ---- google-adk


@pytest.fixture(scope="module")
def adk(place: Path) -> Iterator[str]:
    with serve("adk", place, "google.adk.utils.streaming_utils") as url:
        yield url


def ask_adk(url: str, said: str, *, streaming: bool, path: str = "/run_sse") -> Heard:
    session = post(f"{url}/apps/helper/users/u/sessions", {})["id"]
    message = {"role": "user", "parts": [{"text": said}]}
    body = {"appName": "helper", "userId": "u", "sessionId": session, "newMessage": message, "streaming": streaming}
    return hear(url + path, body, "adk")


@pytest.mark.parametrize(
    ("said", "streaming", "flags", "tokens", "calls"),
    [
        ("text", True, [OUTPUT] * 3, (6, 3, None, None), (1, 0)),
        ("text", False, [OUTPUT], (6, 3, None, None), (1, 0)),
        ("tool", True, [OUTPUT] * 5, (11, 12, None, None), (2, 1)),
        ("tool", False, [OUTPUT] * 2, (11, 12, None, None), (2, 1)),
        ("think", True, [THOUGHT, OUTPUT], (4, 3, None, 2), (1, 0)),
    ],
)
def test_adk(adk: str, said: str, streaming: bool, flags: list[int], tokens: tuple[Any, ...], calls: Any) -> None:
    heard = ask_adk(adk, said, streaming=streaming)
    assert (heard.flags, heard.tokens) == (flags, tokens)
    assert (heard.reader.llm_calls, heard.reader.tool_calls) == calls


def test_adk_as_one_list(adk: str) -> None:
    heard = ask_adk(adk, "tool", streaming=False, path="/run")
    assert (heard.flags, heard.tokens, heard.reader.chunks) == ([DONE], (11, 12, None, None), 0)
    assert (heard.reader.llm_calls, heard.reader.tool_calls) == (2, 1)


def test_adk_at_its_limit(adk: str) -> None:
    heard = ask_adk(adk, "limit", streaming=True)
    assert (heard.status, heard.flags[0], heard.reader.retry_after_s) == (200, LIMITED, 7)


# ---- LangGraph


@pytest.fixture(scope="module")
def langgraph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve("lang_graph", tmp_path_factory.mktemp("peer"), "langgraph_api.cli", "langgraph_runtime_inmem") as url:
        yield url


def ask_langgraph(url: str, said: str, *modes: str, path: str = "runs/stream", thread: str | None = None) -> Heard:
    thread = thread or post(f"{url}/threads", {})["thread_id"]
    body = {"assistant_id": "agent", "input": {"messages": [{"role": "human", "content": said}]}}
    return hear(f"{url}/threads/{thread}/{path}", {**body, "stream_mode": modes} if modes else body, "langgraph")


@pytest.mark.parametrize(
    ("said", "modes", "flags", "calls"),
    [
        ("text", ["messages-tuple"], [OUTPUT] * 3, (1, 0)),
        ("text", ["messages"], [OUTPUT] * 3, (1, 0)),
        ("text", ["messages-tuple", "updates", "values"], [OUTPUT] * 3, (1, 0)),
        ("text", ["updates"], [OUTPUT], (1, 0)),
        ("text", ["values"], [OUTPUT], (1, 0)),
        ("tool", ["messages-tuple"], [OUTPUT] * 5, (2, 1)),
        ("tool", ["messages"], [OUTPUT] * 4, (2, 1)),
        ("tool", ["messages-tuple", "updates", "values"], [OUTPUT] * 5, (2, 1)),
        ("tool", ["updates", "values"], [OUTPUT] * 2, (2, 1)),
        ("think", ["messages-tuple"], [THOUGHT] + [OUTPUT] * 3, (1, 0)),
    ],
)
def test_langgraph(langgraph: str, said: str, modes: list[str], flags: list[int], calls: tuple[int, int]) -> None:
    heard = ask_langgraph(langgraph, said, *modes)
    assert (heard.flags, heard.reader.llm_calls, heard.reader.tool_calls) == (flags, *calls)
    assert heard.tokens == (7 * calls[0], 3 * calls[0], 2 * calls[0], None)


def test_langgraph_with_a_history(langgraph: str) -> None:
    thread = post(f"{langgraph}/threads", {})["thread_id"]
    for path, modes in (("runs/stream", ["values"]), ("runs/stream", ["messages-tuple", "values"]), ("runs/wait", [])):
        heard = ask_langgraph(langgraph, "tool", *modes, path=path, thread=thread)
        assert (heard.reader.llm_calls, heard.reader.tool_calls, heard.tokens) == (2, 1, (14, 6, 4, None))


def test_langgraph_at_its_limit(langgraph: str) -> None:
    streamed = ask_langgraph(langgraph, "limit", "messages-tuple")
    whole = ask_langgraph(langgraph, "limit", path="runs/wait")
    assert (streamed.status, streamed.flags, streamed.reader.retry_after_s) == (200, [LIMITED], 2)
    assert (whole.status, whole.flags) == (200, [DONE | LIMITED])


# ---- AG-UI, by pydantic-ai


@pytest.fixture(scope="module")
def ag_ui(place: Path) -> Iterator[str]:
    with serve("ag_ui_agent", place, "pydantic_ai.ui.ag_ui", "uvicorn") as url:
        yield url


@pytest.mark.parametrize(("said", "outputs", "tools"), [("text", 3, 0), ("tool", 5, 1)])
def test_ag_ui(ag_ui: str, said: str, outputs: int, tools: int) -> None:
    heard = hear(f"{ag_ui}/", ag_ui_input(said), "ag-ui")
    assert heard.flags == [OUTPUT] * outputs + [DONE]
    assert heard.reader.tool_calls in (tools, tools or None)


def test_ag_ui_that_fails(ag_ui: str) -> None:
    heard = hear(f"{ag_ui}/", ag_ui_input("fail"), "ag-ui")
    assert heard.flags[-1] & ERROR
    assert heard.reader.error == "out of order"


def ag_ui_input(said: str) -> dict[str, Any]:
    message = {"id": "1", "role": "user", "content": said}
    ids = {"threadId": "t", "runId": "r"}
    return {**ids, "state": {}, "messages": [message], "tools": [], "context": [], "forwardedProps": {}}


# ---- A2A, by a2a-sdk


@pytest.fixture(scope="module")
def a2a(place: Path) -> Iterator[str]:
    with serve("a2a_agent", place, "a2a.server.routes", "sse_starlette", "uvicorn") as url:
        yield url


def ask_a2a(url: str, said: str, version: str) -> Heard:
    if version == "1.0":
        method, message = "SendStreamingMessage", {"role": "ROLE_USER", "parts": [{"text": said}]}
    else:
        method, message = (
            "message/stream",
            {"kind": "message", "role": "user", "parts": [{"kind": "text", "text": said}]},
        )
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {"message": {"messageId": "m1", **message}}}
    return hear(f"{url}/", body, "a2a", {"A2A-Version": version})


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a2a(a2a: str, version: str) -> None:
    heard = ask_a2a(a2a, "text", version)
    assert [flags & OUTPUT for flags in heard.flags][:2] == [OUTPUT] * 2
    assert heard.flags[-1] & DONE
    assert heard.reader.chunks == 2
    assert heard.reader.error is None


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_a2a_that_fails(a2a: str, version: str) -> None:
    heard = ask_a2a(a2a, "fail", version)
    assert heard.flags[-1] & ERROR
    assert heard.reader.error is not None
    assert "out of order" in heard.reader.error


# ---- MCP, by fastmcp


@pytest.fixture(scope="module")
def mcp(place: Path) -> Iterator[str]:
    with serve("mcp_tools", place, "fastmcp") as url:
        yield f"{url}/mcp"


def ask_mcp(url: str, tool: str, arguments: dict[str, Any]) -> Heard:
    version = "2025-06-18"
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": version}
    about = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "agenttop", "version": "1"}}
    begun = hear(url, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about}, "mcp", headers)
    headers["mcp-session-id"] = begun.headers["mcp-session-id"]
    hear(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, "mcp", headers)
    call = {"name": tool, "arguments": arguments}
    return hear(url, {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}, "mcp", headers)


def test_mcp(mcp: str) -> None:
    heard = ask_mcp(mcp, "lookup", {"city": "Oslo"})
    assert heard.status == 200
    assert heard.flags[-1] & DONE
    assert heard.reader.error is None


def test_mcp_tool_that_fails(mcp: str) -> None:
    heard = ask_mcp(mcp, "broken", {})
    assert heard.status == 200
    assert heard.flags[-1] & ERROR
    assert heard.reader.error is not None
    assert "out of order" in heard.reader.error
