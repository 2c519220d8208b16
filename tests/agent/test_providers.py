"""Tests of agenttop.agent.openai_chat, agenttop.agent.openai_responses, agenttop.agent.anthropic_messages,
agenttop.agent.generation.

The endpoints in the formats of providers: what is sent, and that the program reads in it what was served.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from agenttop.agent.process import AgentProcess
from agenttop.dialects import dialect_named
from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.wire.sse import SseParser
from tests.agent.test_http import HOURS, ORDER, post, reset_stats

RESPONSES, MESSAGES, CHAT = "/v1/responses", "/v1/messages", "/v1/chat/completions"
DIALECTS = {RESPONSES: "openai.responses", MESSAGES: "anthropic.messages", CHAT: "openai.chat"}


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


def asking(path: str, content: str, **fields: object) -> dict[str, object]:
    """A request of each format for the same answer."""
    if path == RESPONSES:
        return {"model": "m", "input": content, **fields}
    if path == MESSAGES:
        fields = {"max_tokens": 1000, **fields}
    elif fields.get("stream"):
        fields = {"stream_options": {"include_usage": True}, **fields}
    return {"model": "m", "messages": [{"role": "user", "content": content}], **fields}


def ask(agent: AgentProcess, path: str, content: str, **fields: object) -> httpx.Response:
    return post(agent, path, asking(path, content, **fields))


def named(response: httpx.Response) -> list[Any]:
    """The events of a stream, each of which has its name outside of its data too."""
    assert response.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in response.text.strip().split("\n\n"):
        name, data = block.split("\n")
        found.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {found[-1]['type']}"
    return found


def read(response: httpx.Response) -> tuple[Reader, Counter[int]]:
    """The answer as the program reads it: its counters, and how often which flags."""
    reader = dialect_named(DIALECTS[response.request.url.path]).reader()
    if response.headers["content-type"] == "application/json":
        return reader, Counter([reader.body(response.content)])
    parser = SseParser()
    return reader, Counter(reader.event(data, event) for event, data in parser.feed(response.content))


def test_a_response_streams_its_events_in_order(agent: AgentProcess) -> None:
    found = named(ask(agent, RESPONSES, HOURS, stream=True))
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    kinds = [event["type"].removeprefix("response.") for event in found]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    assert kinds[-4:] == ["output_text.done", "content_part.done", "output_item.done", "completed"]
    text = "".join(event["delta"] for event in found[4:-4])
    assert "9 am" in text
    whole = found[-1]["response"]
    assert whole["output"][0]["content"][0]["text"] == found[-4]["text"] == text
    assert whole["usage"]["output_tokens"] == len(found) - 8


def test_a_response_streams_function_calls(agent: AgentProcess) -> None:
    offered = [{"type": "function", "name": "get_order", "parameters": {}}]
    found = named(ask(agent, RESPONSES, ORDER, stream=True, tools=offered))
    opened = next(event["item"] for event in found if event["type"] == "response.output_item.added")
    assert (opened["type"], opened["name"], opened["arguments"]) == ("function_call", "get_order", "")
    pieces = [event["delta"] for event in found if event["type"] == "response.function_call_arguments.delta"]
    assert len(pieces) > 1
    assert json.loads("".join(pieces)) == {"order_id": "12345"}
    assert found[-1]["response"]["output"][0]["arguments"] == "".join(pieces)
    # The client ran the tool: now there is an answer.
    calls = found[-1]["response"]["output"]
    outputs = [{"type": "function_call_output", "call_id": call["call_id"], "output": "shipped"} for call in calls]
    history = [{"role": "user", "content": ORDER}, *calls]
    after = post(agent, RESPONSES, {"input": [*history, *outputs]}).json()
    assert (after["status"], after["output"][0]["type"]) == ("completed", "message")


def test_a_message_streams_its_events_in_order(agent: AgentProcess) -> None:
    found = named(ask(agent, MESSAGES, HOURS, stream=True))
    kinds = [event["type"] for event in found]
    assert kinds[:3] == ["message_start", "ping", "content_block_start"]
    assert set(kinds[3:-3]) == {"content_block_delta"}
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert "9 am" in "".join(event["delta"]["text"] for event in found[3:-3])
    assert found[0]["message"]["usage"]["output_tokens"] == 1
    assert found[-2]["usage"]["output_tokens"] == len(found) - 6
    assert found[-2]["delta"]["stop_reason"] == "end_turn"


def test_a_message_streams_tool_use(agent: AgentProcess) -> None:
    offered = [{"name": "get_order", "input_schema": {"type": "object"}}]
    found = named(ask(agent, MESSAGES, ORDER, stream=True, tools=offered))
    block = found[2]["content_block"]
    assert (block["type"], block["name"], block["input"]) == ("tool_use", "get_order", {})
    pieces = [event["delta"]["partial_json"] for event in found if event["type"] == "content_block_delta"]
    assert pieces[0] == ""
    assert json.loads("".join(pieces)) == {"order_id": "12345"}
    assert found[-2]["delta"]["stop_reason"] == "tool_use"
    whole = ask(agent, MESSAGES, ORDER, tools=offered).json()
    assert whole["content"][0]["input"] == {"order_id": "12345"}
    content = whole["content"]
    results = [{"type": "tool_result", "tool_use_id": block["id"], "content": "order shipped"} for block in content]
    history = [{"role": "user", "content": ORDER}, {"role": "assistant", "content": content}]
    body = {"max_tokens": 9, "messages": [*history, {"role": "user", "content": results}]}
    assert post(agent, MESSAGES, body).json()["content"][0]["type"] == "text"


def test_a_message_thinks_when_it_is_allowed_to(agent: AgentProcess) -> None:
    allowed = {"type": "enabled", "budget_tokens": 1024}
    streamed, whole = (ask(agent, MESSAGES, HOURS, thinking=allowed, stream=stream) for stream in (True, False))
    reader, flags = read(streamed)
    assert flags[OUTPUT | REASONING] == reader.reasoning_tokens
    assert 0 < flags[OUTPUT | REASONING] <= flags[OUTPUT]
    assert flags[OUTPUT | REASONING] + flags[OUTPUT] == reader.output_tokens
    assert [block["type"] for block in whole.json()["content"]] == ["thinking", "text"]
    deltas = [event["delta"]["type"] for event in named(streamed) if event["type"] == "content_block_delta"]
    assert "signature_delta" in deltas
    none = ask(agent, MESSAGES, HOURS, thinking={"type": "disabled"}).json()
    assert [block["type"] for block in none["content"]] == ["text"]


@pytest.mark.parametrize("path", DIALECTS)
@pytest.mark.parametrize("content", [HOURS, ORDER])
@pytest.mark.parametrize("stream", [True, False])
def test_the_program_reads_what_was_served(agent: AgentProcess, path: str, content: str, stream: bool) -> None:
    reset_stats(agent)
    reader, flags = read(ask(agent, path, content, stream=stream))
    stats = agent.stats()
    assert flags[DONE] == 1
    assert reader.error is None
    assert reader.chunks == flags[OUTPUT]
    assert (reader.chunks > 0) == stream
    assert {"input": reader.input_tokens, "output": reader.output_tokens} == stats["tokens"]
    assert (reader.llm_calls, reader.tool_calls) == (stats["llm_calls"], stats["tool_calls"])
    assert (stats["tool_calls"] > 0) == (content == ORDER)
    assert stats["requests"] == {f"POST {path}": {"200": 1}}


@pytest.mark.parametrize("stream", [True, False])
def test_a_cap_on_the_answer_is_told(agent: AgentProcess, stream: bool) -> None:
    response = ask(agent, RESPONSES, HOURS, max_output_tokens=3, stream=stream)
    whole = named(response)[-1]["response"] if stream else response.json()
    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    message = ask(agent, MESSAGES, HOURS, max_tokens=3, stream=stream)
    told = named(message)[-2]["delta"] if stream else message.json()
    assert told["stop_reason"] == "max_tokens"
    for answer in (response, message):
        reader, flags = read(answer)
        assert (flags[DONE], reader.output_tokens, reader.error) == (1, 3, None)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (RESPONSES, {}),
        (RESPONSES, {"input": []}),
        (RESPONSES, {"input": ["a"]}),
        (RESPONSES, {"input": "a", "instructions": 5}),
        (RESPONSES, {"input": "a", "max_output_tokens": 0}),
        (RESPONSES, {"input": "a", "previous_response_id": "resp_1"}),
        (MESSAGES, {"messages": [], "max_tokens": 5}),
        (MESSAGES, {"messages": [{"role": "user", "content": "a"}]}),
        (MESSAGES, {"messages": [{"role": "user", "content": "a"}], "max_tokens": True}),
    ],
)
def test_a_mistake_of_the_client_is_a_400_that_says_what(agent: AgentProcess, path: str, body: object) -> None:
    response = post(agent, path, body)
    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.json().get("type") == ("error" if path == MESSAGES else None)


def test_limits_are_told_as_each_provider_does() -> None:
    with AgentProcess({"preset": "quiet", "requests_per_minute": 2, "burst": "60s"}) as agent:
        fine, _, limited = (ask(agent, MESSAGES, HOURS, stream=True) for _ in range(3))
        assert (fine.status_code, limited.status_code) == (200, 429)
        assert fine.headers["anthropic-ratelimit-requests-remaining"] == "1"
        assert limited.headers["anthropic-ratelimit-requests-limit"] == "2"
        reset = limited.headers["anthropic-ratelimit-requests-reset"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", reset)
        assert 1 <= int(limited.headers["retry-after"]) <= 30
        assert not any(name.startswith("x-ratelimit") for name in (*fine.headers, *limited.headers))
        error = limited.json()
        assert (error["type"], error["error"]["type"]) == ("error", "rate_limit_error")
        assert set(error["error"]) == {"type", "message"}
        # Without a key the limits are those of all who send none, whatever the format.
        other = ask(agent, RESPONSES, HOURS)
        assert (other.status_code, other.json()["error"]["code"]) == (429, "rate_limit_exceeded")
        assert other.headers["x-ratelimit-remaining-requests"] == "0"
        assert post(agent, MESSAGES, asking(MESSAGES, HOURS), **{"x-api-key": "other"}).status_code == 200
        for refused in (limited, other):
            reader, flags = read(refused)
            assert next(iter(flags)) & ERROR
            assert "retry" in str(reader.error)


def test_a_failing_model_is_a_500_before_any_stream() -> None:
    with AgentProcess({"preset": "quiet", "server_errors": "100%"}) as agent:
        response, message = (ask(agent, path, HOURS, stream=True) for path in (RESPONSES, MESSAGES))
        assert (response.status_code, response.json()["error"]["type"]) == (500, "server_error")
        assert (message.status_code, message.json()["error"]["type"]) == (500, "api_error")
        assert agent.stats()["tokens"] == {"input": 0, "output": 0}


def test_a_cut_stream_has_no_last_event() -> None:
    with AgentProcess({"preset": "quiet", "cut_streams": "100%"}) as agent:
        for path in (RESPONSES, MESSAGES):
            with pytest.raises(httpx.RemoteProtocolError):
                ask(agent, path, HOURS, stream=True)
        stats = agent.stats()
        assert stats["cut_streams"] == 2
        assert stats["requests"] == {f"POST {RESPONSES}": {"200": 1}, f"POST {MESSAGES}": {"200": 1}}
        assert stats["tokens"] == {"input": 0, "output": 0}
