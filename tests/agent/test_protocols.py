"""Tests of agenttop.agent.ag_ui, agenttop.agent.mcp.

The agent over AG-UI and MCP.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agenttop.agent.mcp import VERSIONS
from agenttop.agent.process import AgentProcess

HOURS = "What are your business hours?"
ORDER = "Look up order #12345"
BOTH = "application/json, text/event-stream"


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


def post(agent: AgentProcess, path: str, body: object, **headers: str) -> httpx.Response:
    with httpx.Client(base_url=agent.url, trust_env=False) as client:
        return client.post(path, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()})


def events(response: httpx.Response) -> list[Any]:
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("\n\n")
    return [json.loads(line.removeprefix("data: ")) for line in response.text.splitlines() if line.startswith("data:")]


# -- AG-UI


def run(agent: AgentProcess, content: str) -> httpx.Response:
    body = {"threadId": "t", "runId": "r", "state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return post(agent, "/ag-ui", {**body, "messages": [{"id": "1", "role": "user", "content": content}]})


def test_a_run_tells_of_its_steps_and_its_answer(agent: AgentProcess) -> None:
    found = events(run(agent, HOURS))
    kinds = [event["type"] for event in found]
    steps = [(event["type"], event["stepName"]) for event in found if "stepName" in event]
    assert kinds[0] == "RUN_STARTED"
    assert steps == [
        ("STEP_STARTED", "context_load"),
        ("STEP_FINISHED", "context_load"),
        ("STEP_STARTED", "llm_call"),
        ("STEP_FINISHED", "llm_call"),
    ]
    deltas = [event["delta"] for event in found if event["type"] == "TEXT_MESSAGE_CONTENT"]
    assert "9 am" in "".join(deltas)
    assert kinds.index("TEXT_MESSAGE_START") < kinds.index("TEXT_MESSAGE_CONTENT") < kinds.index("TEXT_MESSAGE_END")
    assert found[-1]["type"] == "RUN_FINISHED"
    assert (found[-1]["threadId"], found[-1]["runId"]) == ("t", "r")
    assert found[-1]["usage"][0]["outputTokens"] == len(deltas)


def test_a_run_about_an_order_calls_tools(agent: AgentProcess) -> None:
    before = agent.stats()["tool_calls"]
    found = events(run(agent, ORDER))
    steps = [event["stepName"] for event in found if event["type"] == "STEP_STARTED"]
    assert steps == ["context_load", "llm_call", "tool_execution", "llm_call"]
    of = {
        kind: [event["toolCallId"] for event in found if event["type"] == f"TOOL_CALL_{kind}"]
        for kind in ("START", "ARGS", "END", "RESULT")
    }
    assert 1 <= len(of["START"]) <= 2
    assert of["START"] == of["ARGS"] == of["END"] == of["RESULT"]
    arguments = [event["delta"] for event in found if event["type"] == "TOOL_CALL_ARGS"]
    assert json.loads(arguments[0]) == {"order_id": "12345"}
    assert agent.stats()["tool_calls"] - before == len(of["START"])


def test_a_run_whose_model_fails_ends_with_an_error() -> None:
    with AgentProcess({"preset": "quiet", "server_errors": "100%"}) as agent:
        found = events(run(agent, HOURS))
        assert found[-1]["type"] == "RUN_ERROR"
        assert found[-1]["code"] == "model_error"
        assert agent.stats()["requests"] == {"POST /ag-ui": {"200": 1}}
        assert agent.stats()["tokens"] == {"input": 0, "output": 0}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"threadId": "t", "runId": "r", "messages": []},
        {"threadId": "t", "messages": [{"role": "user", "content": "a"}]},
    ],
)
def test_a_run_without_what_it_needs_is_a_400(agent: AgentProcess, body: object) -> None:
    response = post(agent, "/ag-ui", body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


# -- MCP


def rpc(agent: AgentProcess, method: str, params: object = None, *, request_id: object = 1, **headers: str) -> Any:
    message = {"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}}
    if request_id is None:
        del message["id"]
    return post(agent, "/mcp", message, **headers)


def session(agent: AgentProcess) -> str:
    return str(rpc(agent, "initialize", {"protocolVersion": VERSIONS[0]}, accept=BOTH).headers["mcp-session-id"])


def ask(question: str, **meta: object) -> dict[str, object]:
    return {"name": "ask", "arguments": {"question": question}, "_meta": meta}


def test_a_session_begins_with_initialize(agent: AgentProcess) -> None:
    created = agent.stats()["sessions_created"]
    for asked, answered in ((VERSIONS[1], VERSIONS[1]), ("1999-01-01", VERSIONS[0])):
        response = rpc(agent, "initialize", {"protocolVersion": asked}, request_id="x", accept=BOTH)
        assert response.headers["content-type"] == "application/json"
        assert response.json()["id"] == "x"
        assert response.json()["result"]["protocolVersion"] == answered
    assert agent.stats()["sessions_created"] - created == 2
    name = response.headers["mcp-session-id"]
    accepted = rpc(agent, "notifications/initialized", request_id=None, mcp_session_id=name, accept=BOTH)
    assert (accepted.status_code, accepted.content) == (202, b"")
    assert rpc(agent, "ping", mcp_session_id=name).json()["result"] == {}


def test_the_tools_listed_can_be_called(agent: AgentProcess) -> None:
    name = session(agent)
    tools = rpc(agent, "tools/list", mcp_session_id=name, accept=BOTH).json()["result"]["tools"]
    assert len(tools) == 4
    before = agent.stats()
    for tool in tools:
        arguments = dict.fromkeys(tool["inputSchema"]["required"], "12345")
        response = rpc(agent, "tools/call", {"name": tool["name"], "arguments": arguments}, mcp_session_id=name)
        assert response.headers["content-type"] == "application/json"
        assert "llm_call;dur=" in response.headers["server-timing"]
        result = response.json()["result"]
        assert result["isError"] is False
        assert result["content"][0]["text"]
    after = agent.stats()
    assert after["tool_calls"] - before["tool_calls"] == len(tools)
    assert after["requests"]["POST /mcp"]["200"] - before["requests"]["POST /mcp"]["200"] == len(tools)


def test_a_tool_call_is_streamed_to_those_who_accept_streams(agent: AgentProcess) -> None:
    name = session(agent)
    (only,) = events(rpc(agent, "tools/call", ask(HOURS), mcp_session_id=name, accept=BOTH))
    assert "9 am" in only["result"]["content"][0]["text"]
    *progress, last = events(
        rpc(agent, "tools/call", ask(ORDER, progressToken="p"), mcp_session_id=name, accept=BOTH, request_id=5)
    )
    assert [each["params"]["progress"] for each in progress] == list(range(1, len(progress) + 1))
    assert {each["params"]["progressToken"] for each in progress} == {"p"}
    assert last["id"] == 5
    (listed,) = events(rpc(agent, "tools/list", mcp_session_id=name, accept="text/event-stream"))
    assert listed["result"]["tools"]


def test_a_tool_call_whose_model_fails_says_so_in_its_result() -> None:
    with AgentProcess({"preset": "quiet", "server_errors": "100%"}) as agent:
        name = session(agent)
        whole = rpc(agent, "tools/call", ask(HOURS), mcp_session_id=name).json()
        (streamed,) = events(rpc(agent, "tools/call", ask(HOURS), mcp_session_id=name, accept=BOTH))
        assert whole == streamed
        assert whole["result"]["isError"] is True
        assert agent.stats()["tool_calls"] == 0


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("resources/list", {}, -32601),
        ("tools/call", {"name": "nope", "arguments": {}}, -32602),
        ("tools/call", {"name": "ask", "arguments": {}}, -32602),
        ("tools/call", {"name": "ask", "arguments": [1]}, -32602),
    ],
)
def test_a_mistake_is_a_json_rpc_error(agent: AgentProcess, method: str, params: object, code: int) -> None:
    response = rpc(agent, method, params, mcp_session_id=session(agent), request_id=9)
    assert (response.status_code, response.json()["id"], response.json()["error"]["code"]) == (200, 9, code)


def test_a_session_is_needed_and_known(agent: AgentProcess) -> None:
    assert rpc(agent, "tools/list").status_code == 400
    assert rpc(agent, "tools/list", mcp_session_id="gone").status_code == 404
    name = session(agent)
    assert rpc(agent, "tools/list", mcp_session_id=name, mcp_protocol_version=VERSIONS[0]).status_code == 200
    assert rpc(agent, "tools/list", mcp_session_id=name, mcp_protocol_version="1999-01-01").status_code == 400
    assert post(agent, "/mcp", {"id": 1, "method": "ping"}).status_code == 400
    assert post(agent, "/mcp", [1]).status_code == 400


# -- both


def test_both_are_limited_and_cut_as_all_else_is() -> None:
    with AgentProcess({"preset": "quiet", "cut_streams": "100%", "requests_per_minute": 2, "burst": "60s"}) as agent:
        name = session(agent)
        with pytest.raises(httpx.RemoteProtocolError):
            run(agent, HOURS)
        with pytest.raises(httpx.RemoteProtocolError):
            rpc(agent, "tools/call", ask(HOURS), mcp_session_id=name, accept=BOTH)
        limited = run(agent, HOURS), rpc(agent, "tools/call", ask(HOURS), mcp_session_id=name)
        assert [(each.status_code, "retry-after" in each.headers) for each in limited] == [(429, True)] * 2
        assert rpc(agent, "tools/list", mcp_session_id=name).status_code == 200
        stats = agent.stats()
        assert stats["cut_streams"] == 2
        assert stats["requests"] == {"POST /ag-ui": {"200": 1, "429": 1}, "POST /mcp": {"200": 3, "429": 1}}
