"""Tests of agenttop.agent.app, agenttop.agent.call, agenttop.agent.endpoint, agenttop.agent.messages,
agenttop.agent.stats.

The agent over real HTTP.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agenttop.agent.process import AgentProcess
from tests.agent import until_in_flight

HOURS = "What are your business hours?"
ORDER = "Look up order #12345"


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


def post(agent: AgentProcess, path: str, body: object, **headers: str) -> httpx.Response:
    with httpx.Client(base_url=agent.url, trust_env=False) as client:
        return client.post(path, json=body, headers=headers)


def reset_stats(agent: AgentProcess) -> None:
    assert post(agent, "/stats/reset", {}).is_success


def events(response: httpx.Response) -> list[Any]:
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.text.endswith("\n\n")
    lines = [block.removeprefix("data: ") for block in response.text.strip().split("\n\n")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def chat(agent: AgentProcess, content: str, **fields: object) -> httpx.Response:
    messages = [{"role": "user", "content": content}]
    return post(agent, "/v1/chat/completions", {"model": "m", "messages": messages, **fields})


def phases(response: httpx.Response) -> dict[str, float]:
    return {name: float(ms) for name, ms in re.findall(r"(\w+);dur=([\d.]+)", response.headers["server-timing"])}


def test_a_session_answers_and_remembers(agent: AgentProcess) -> None:
    created = post(agent, "/api/sessions", {"user_id": "loadtest-1"})
    path = f"/api/sessions/{created.json()['session_id']}/messages"
    first, second = (post(agent, path, {"content": HOURS}) for _ in range(2))
    assert (created.status_code, first.status_code, second.status_code) == (201, 200, 200)
    body = first.json()
    assert "9 am" in body["content"]
    assert (body["llm_calls"], body["tool_calls"], body["turn"]) == (1, [], 1)
    assert set(body["timings"]) == set(phases(first)) == {"context_load", "llm_call", "tool_execution"}
    assert second.json()["usage"]["input_tokens"] > body["usage"]["input_tokens"]


def test_a_message_about_an_order_calls_tools_and_the_model_twice(agent: AgentProcess) -> None:
    body = post(agent, "/api/sessions/test/messages", {"content": ORDER}).json()
    assert body["llm_calls"] == 2
    assert 1 <= len(body["tool_calls"]) <= 2
    assert "#12345" in body["content"]


@pytest.mark.parametrize(("fields", "headers"), [({"stream": True}, {}), ({}, {"accept": "text/event-stream"})])
def test_a_message_streams_when_asked_to(agent: AgentProcess, fields: dict[str, Any], headers: dict[str, str]) -> None:
    response = post(agent, "/api/sessions/s/messages", {"content": ORDER, **fields}, **headers)
    *others, last = events(response)
    assert set(phases(response)) == {"context_load", "queue"}
    assert [event["tool_call"]["name"] for event in others if "tool_call" in event] == last["tool_calls"]
    assert "".join(event.get("delta", "") for event in others) == last["content"]
    assert last["done"] is True
    assert last["usage"]["output_tokens"] > 0


def test_chat_streams_in_the_format_of_openai(agent: AgentProcess) -> None:
    found = events(chat(agent, HOURS, stream=True, stream_options={"include_usage": True}))
    assert found[-1] == "[DONE]"
    role, *content, finish, usage = found[:-1]
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert finish["choices"][0]["delta"] == {}
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["choices"] == []
    assert usage["usage"]["completion_tokens"] == len(content)
    assert all(chunk["choices"][0]["delta"]["content"] for chunk in content)
    assert all(chunk["usage"] is None for chunk in found[:-2])
    assert {(c["object"], c["model"], c["id"]) for c in found[:-1]} == {("chat.completion.chunk", "m", role["id"])}


def test_chat_streams_without_usage_unless_asked_for(agent: AgentProcess) -> None:
    found = events(chat(agent, HOURS, stream=True, max_tokens=3))
    assert all("usage" not in chunk and chunk["choices"] for chunk in found[:-1])
    assert len(found) == 1 + 3 + 1 + 1
    assert found[-2]["choices"][0]["finish_reason"] == "length"


def test_chat_streams_tool_calls_by_index(agent: AgentProcess) -> None:
    offered = [{"type": "function", "function": {"name": "get_order", "parameters": {}}}]
    found = events(chat(agent, ORDER, stream=True, tools=offered))
    calls = [call for chunk in found[:-1] for call in chunk["choices"][0]["delta"].get("tool_calls", [])]
    assert calls[0]["function"] == {"name": "get_order", "arguments": ""}
    assert calls[0]["id"].startswith("call_")
    assert json.loads("".join(call["function"]["arguments"] for call in calls)) == {"order_id": "12345"}
    assert found[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_chat_answers_whole_when_not_asked_to_stream(agent: AgentProcess) -> None:
    plain, tools = chat(agent, HOURS).json(), chat(agent, ORDER).json()
    assert plain["choices"][0]["message"]["content"]
    assert plain["choices"][0]["finish_reason"] == "stop"
    assert plain["usage"]["total_tokens"] == plain["usage"]["prompt_tokens"] + plain["usage"]["completion_tokens"]
    assert tools["choices"][0]["message"]["content"] is None
    assert tools["choices"][0]["message"]["tool_calls"][0]["type"] == "function"
    # The client ran the tool: now there is an answer.
    called = tools["choices"][0]["message"]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "shipped"} for call in called["tool_calls"]]
    history = [{"role": "user", "content": ORDER}, called, *results]
    after = post(agent, "/v1/chat/completions", {"messages": history}).json()
    assert after["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/sessions", [1]),
        ("/api/sessions/x/messages", {}),
        ("/api/sessions/x/messages", {"content": "a", "stream": "yes"}),
        ("/v1/chat/completions", {"messages": []}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}], "max_tokens": 0}),
    ],
)
def test_a_mistake_of_the_client_is_a_400_that_says_what(agent: AgentProcess, path: str, body: object) -> None:
    response = post(agent, path, body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"


def test_unknown_sessions_can_be_rejected() -> None:
    with AgentProcess({"preset": "quiet", "unknown_sessions": "reject"}) as agent:
        assert post(agent, "/api/sessions/test/messages", {"content": "hi"}).status_code == 404
        assert agent.stats()["requests"] == {"POST /api/sessions/{id}/messages": {"404": 1}}


def test_a_limited_request_says_when_to_retry() -> None:
    with AgentProcess({"preset": "quiet", "requests_per_minute": 2, "burst": "60s"}) as agent:
        answers = [chat(agent, HOURS) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
        limited = answers[2]
        assert 1 <= int(limited.headers["retry-after"]) <= 30
        assert re.fullmatch(r"(\d+m)?\d+(\.\d+)?s", limited.headers["x-ratelimit-reset-requests"])
        assert limited.json()["error"]["code"] == "rate_limit_exceeded"
        assert "retry" in limited.json()["message"].lower()
        body = {"messages": [{"role": "user", "content": HOURS}]}
        other_key = post(agent, "/v1/chat/completions", body, authorization="Bearer other")
        assert other_key.status_code == 200
        assert agent.stats()["requests"] == {"POST /v1/chat/completions": {"200": 3, "429": 1}}


def test_a_failing_model_is_a_500_before_any_stream() -> None:
    with AgentProcess({"preset": "quiet", "server_errors": "100%"}) as agent:
        assert chat(agent, HOURS, stream=True).status_code == 500
        assert post(agent, "/api/sessions/x/messages", {"content": HOURS}).status_code == 500
        assert agent.stats()["tokens"] == {"input": 0, "output": 0}


def test_a_buffered_stream_is_the_same_in_one_piece() -> None:
    def streamed(share: str) -> list[list[bytes]]:
        pieces = []
        with AgentProcess({"preset": "quiet", "output_tokens": 40, "spread": 0, "buffered_streams": share}) as agent:
            for path, body in (
                ("/v1/chat/completions", {"stream": True, "messages": [{"role": "user", "content": HOURS}]}),
                ("/api/sessions/x/messages", {"stream": True, "content": HOURS}),
            ):
                with httpx.stream("POST", agent.url + path, json=body) as answer:
                    assert answer.status_code == 200
                    pieces.append(b"".join(answer.iter_raw()).split(b"\n\n"))
            assert agent.stats()["requests"]["POST /v1/chat/completions"] == {"200": 1}
        return pieces

    whole, buffered = streamed("0%"), streamed("100%")
    assert [len(events) for events in whole] == [len(events) for events in buffered]
    assert buffered[0][-2] == b"data: [DONE]"


def test_a_cut_stream_ends_without_its_last_event_and_is_counted_apart() -> None:
    with AgentProcess({"preset": "quiet", "cut_streams": "100%"}) as agent:
        for path, body in (
            ("/v1/chat/completions", {"stream": True, "messages": [{"role": "user", "content": HOURS}]}),
            ("/api/sessions/x/messages", {"stream": True, "content": HOURS}),
        ):
            with pytest.raises(httpx.RemoteProtocolError):
                post(agent, path, body)
        stats = agent.stats()
        assert stats["cut_streams"] == 2
        assert stats["requests"] == {
            "POST /v1/chat/completions": {"200": 1},
            "POST /api/sessions/{id}/messages": {"200": 1},
        }
        assert stats["tokens"] == {"input": 0, "output": 0}


async def test_a_client_that_leaves_is_counted_and_gives_its_slot_back() -> None:
    with AgentProcess({"preset": "quiet", "slots": 1, "first_token": "1h"}) as agent:
        host, port = agent.url.removeprefix("http://").split(":")
        body = b'{"content": "hi"}'
        head = b"POST /api/sessions/x/messages HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
        for count in (1, 2):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.write(head + body)
            until_in_flight(agent, 1)
            writer.close()
            await writer.wait_closed()
            until_in_flight(agent, 0)
            assert agent.stats()["requests"] == {"POST /api/sessions/{id}/messages": {"disconnected": count}}


async def test_the_counts_are_exact_under_fifty_clients() -> None:
    config: dict[str, object] = {
        "first_token": "2ms",
        "tokens_per_second": 5000,
        "tool_time": "1ms",
        "slow_tools": 0,
        # So many that each is met: little more than the first burst of 80 is let through, however long that takes.
        "server_errors": "15%",
        "cut_streams": "70%",
        "requests_per_minute": 6,
        "burst": "800s",
        "slots": 8,
    }
    seen: Counter[tuple[str, str]] = Counter()
    tokens: Counter[str] = Counter()
    with AgentProcess(config) as agent:
        async with httpx.AsyncClient(base_url=agent.url, timeout=30, trust_env=False) as client:

            async def one(path: str, template: str, body: dict[str, object]) -> None:
                async with client.stream("POST", path, json=body) as response:
                    seen[f"POST {template}", str(response.status_code)] += 1
                    try:
                        await response.aread()
                    except httpx.RemoteProtocolError:
                        seen["", "cut"] += 1
                        return
                if response.status_code != 200:
                    return
                streamed = response.headers["content-type"].startswith("text/event-stream")
                whole = [e for e in events(response) if e != "[DONE]"][-1] if streamed else response.json()
                usage = whole["usage"]
                tokens["input"] += usage.get("input_tokens", 0) + usage.get("prompt_tokens", 0)
                tokens["output"] += usage.get("output_tokens", 0) + usage.get("completion_tokens", 0)

            async def user(number: int) -> None:
                await one("/api/sessions", "/api/sessions", {"user_id": str(number)})
                for turn in range(3):
                    content = ORDER if turn == 1 else HOURS
                    message = {"content": content, "stream": turn == 2}
                    await one(f"/api/sessions/{number}/messages", "/api/sessions/{id}/messages", message)
                    prompt = [{"role": "user", "content": HOURS}]
                    options = {"stream": turn > 0 or number % 2 == 0, "stream_options": {"include_usage": True}}
                    await one("/v1/chat/completions", "/v1/chat/completions", {"messages": prompt, **options})

            await asyncio.gather(*(user(number) for number in range(50)))
        stats = agent.stats()
    cut = seen.pop(("", "cut"), 0)
    counted = {(route, status): n for route, by in stats["requests"].items() for status, n in by.items()}
    assert counted == seen
    assert {status for _, status in seen} == {"200", "201", "429", "500"}
    assert stats["cut_streams"] == cut > 0
    assert stats["tokens"] == tokens
    assert stats["sessions_created"] == 50
    assert stats["in_flight"] == 0
    assert 1 < stats["most_in_flight"] <= 50


def test_stats_leave_out_themselves_and_can_be_reset(agent: AgentProcess) -> None:
    reset_stats(agent)
    with httpx.Client(base_url=agent.url, trust_env=False) as client:
        assert client.get("/health").json() == {"status": "ok"}
        assert client.get("/somewhere/else").status_code == 404
        assert client.get("/api/sessions").status_code == 405
    assert agent.stats()["requests"] == {"GET (no such route)": {"404": 1, "405": 1}}
    reset_stats(agent)
    assert agent.stats()["requests"] == {}
