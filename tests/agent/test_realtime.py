"""Tests of agenttop.agent.realtime, agenttop.agent.realtime_response, agenttop.agent.conversation.

The agent over a real WebSocket.
"""

import json
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from agenttop.agent.process import AgentProcess
from tests.agent import until_in_flight


def realtime(agent: AgentProcess, **headers: str) -> connect:
    url = agent.url.replace("http", "ws", 1) + "/v1/realtime?model=gpt-realtime"
    return connect(url, additional_headers=headers, proxy=None)


async def say(socket: ClientConnection, kind: str, **fields: object) -> None:
    await socket.send(json.dumps({"type": kind, **fields}))


async def ask(socket: ClientConnection, text: str) -> None:
    content = [{"type": "input_text", "text": text}]
    await say(socket, "conversation.item.create", item={"type": "message", "role": "user", "content": content})


async def until(socket: ClientConnection, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] != kind:
        found.append(json.loads(await socket.recv()))
    return found


def kinds(events: list[dict[str, Any]]) -> list[str]:
    """The types in order, runs of the same one once."""
    types = [event["type"] for event in events]
    return [kind for index, kind in enumerate(types) if index == 0 or types[index - 1] != kind]


async def test_a_conversation_has_the_events_of_the_api() -> None:
    with AgentProcess({"preset": "quiet", "requests_per_minute": 1000}) as agent:
        async with realtime(agent) as socket:
            created = (await until(socket, "session.created"))[0]
            assert created["session"]["model"] == "gpt-realtime"
            await say(socket, "session.update", session={"type": "realtime", "instructions": "Be brief."})
            assert (await until(socket, "session.updated"))[0]["session"]["instructions"] == "Be brief."
            await ask(socket, "What are your business hours?")
            await say(socket, "response.create")
            found = await until(socket, "response.done")
            await ask(socket, "And on holidays?")
            await say(socket, "response.create")
            second = (await until(socket, "response.done"))[-1]
        stats = agent.stats()
    assert kinds(found) == [
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "rate_limits.updated",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    assert len({event["event_id"] for event in found}) == len(found)
    deltas = [event["delta"] for event in found if event["type"] == "response.output_text.delta"]
    answer, again = found[-1]["response"], second["response"]
    assert answer["status"] == "completed"
    assert answer["output"][0]["content"] == [{"type": "output_text", "text": "".join(deltas)}]
    assert answer["usage"]["output_tokens"] == len(deltas)
    assert again["usage"]["input_tokens"] > answer["usage"]["input_tokens"] + len(deltas)
    assert stats["websocket"] == {
        "connections": 1,
        "refused": 0,
        "open": 0,
        "messages_in": 5,
        "responses": {"completed": 2},
    }
    assert stats["tokens"]["input"] == answer["usage"]["input_tokens"] + again["usage"]["input_tokens"]
    assert stats["in_flight"] == 0


async def test_a_client_of_the_beta_gets_its_names() -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        async with realtime(agent, **{"OpenAI-Beta": "realtime=v1"}) as socket:
            await ask(socket, "hello")
            await say(socket, "response.create")
            found = set(kinds(await until(socket, "response.done")))
    assert {"conversation.item.created", "response.text.delta", "response.text.done"} <= found
    assert not {"conversation.item.added", "conversation.item.done", "response.output_text.delta"} & found


async def test_a_question_for_tools_is_answered_by_function_calls_and_their_output_by_text() -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        async with realtime(agent) as socket:
            await ask(socket, "Look up order #777")
            tools = [{"type": "function", "name": "get_order"}]
            await say(socket, "response.create", response={"tools": tools})
            found = await until(socket, "response.done")
            call = found[-1]["response"]["output"][0]
            output = {"type": "function_call_output", "call_id": call["call_id"], "output": "shipped"}
            await say(socket, "conversation.item.create", item=output)
            await say(socket, "response.create")
            after = (await until(socket, "response.done"))[-1]["response"]
    pieces = [e["delta"] for e in found if e["type"] == "response.function_call_arguments.delta"]
    assert (call["type"], call["name"]) == ("function_call", "get_order")
    assert json.loads(call["arguments"]) == json.loads("".join(pieces)) == {"order_id": "777"}
    assert after["output"][0]["type"] == "message"


async def test_mistakes_are_error_events_and_the_connection_stays() -> None:
    with AgentProcess({"preset": "quiet"}) as agent:
        async with realtime(agent) as socket:
            await until(socket, "session.created")
            codes = []
            for message in ("{", "[]", '{"type": "nonsense", "event_id": "e1"}', '{"type": "session.update"}'):
                await socket.send(message)
                codes.append((await until(socket, "error"))[-1]["error"])
            await say(socket, "response.cancel")
            codes.append((await until(socket, "error"))[-1]["error"])
            await say(socket, "response.create", response={"max_output_tokens": 2})
            done = (await until(socket, "response.done"))[-1]["response"]
    assert [error["code"] for error in codes] == [
        "invalid_json",
        "invalid_event",
        "invalid_value",
        "missing_required_parameter",
        "response_cancel_not_active",
    ]
    assert codes[2]["event_id"] == "e1"
    assert (done["status"], done["status_details"]["reason"]) == ("incomplete", "max_output_tokens")


async def test_a_response_can_be_cancelled_and_is_alone() -> None:
    with AgentProcess({"preset": "quiet", "first_token": "1h", "slots": 1}) as agent:
        async with realtime(agent) as socket:
            await say(socket, "response.create")
            await say(socket, "response.create")
            assert (await until(socket, "error"))[-1]["error"]["code"] == "conversation_already_has_active_response"
            await say(socket, "response.cancel")
            assert (await until(socket, "response.done"))[-1]["response"]["status"] == "cancelled"
            await say(socket, "response.create")
            await until(socket, "response.created")
        until_in_flight(agent, 0)
        assert agent.stats()["websocket"]["responses"] == {"cancelled": 1, "disconnected": 1}


async def test_a_cut_response_drops_the_connection_without_a_close_frame() -> None:
    with AgentProcess({"preset": "quiet", "cut_streams": 1}) as agent:
        async with realtime(agent) as socket:
            await say(socket, "response.create")
            with pytest.raises(ConnectionClosedError) as caught:
                await until(socket, "response.done")
            assert caught.value.rcvd is None
        stats = agent.stats()
    assert (stats["cut_streams"], stats["websocket"]["responses"]) == (1, {"cut": 1})


async def test_a_limited_key_fails_its_responses_and_is_refused_at_the_handshake() -> None:
    with AgentProcess({"preset": "quiet", "requests_per_minute": 1, "burst": "60s"}) as agent:
        async with realtime(agent) as socket:
            for status in ("completed", "failed"):
                await say(socket, "response.create")
                done = (await until(socket, "response.done"))[-1]["response"]
                assert done["status"] == status
            assert done["status_details"]["error"]["code"] == "rate_limit_exceeded"
            with pytest.raises(InvalidStatus) as caught:
                async with realtime(agent):
                    pass
        refused = caught.value.response
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["x-ratelimit-remaining-requests"] == "0"
        assert b"retry" in bytes(refused.body or b"").lower()
        async with realtime(agent, Authorization="Bearer other") as other:
            await until(other, "session.created")
        assert agent.stats()["websocket"]["refused"] == 1


async def test_a_failing_model_fails_the_response() -> None:
    with AgentProcess({"preset": "quiet", "server_errors": 1}) as agent:
        async with realtime(agent) as socket:
            await say(socket, "response.create")
            done = (await until(socket, "response.done"))[-1]["response"]
        assert (done["status"], done["status_details"]["error"]["type"]) == ("failed", "server_error")
        assert agent.stats()["websocket"]["responses"] == {"failed": 1}
