"""The official client of Anthropic reads the embedded agent's messages."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.agent.process import AgentProcess

pytestmark = pytest.mark.peers

HOURS, ORDER = "What are your business hours?", "Look up order #12345"
TOOL = {"name": "get_order", "input_schema": {"type": "object", "properties": {}}}


def connect(agent: AgentProcess) -> Any:
    anthropic = pytest.importorskip("anthropic")
    return anthropic.Anthropic(base_url=agent.url, api_key="none", max_retries=0)


def asking(question: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 2048, "messages": [{"role": "user", "content": question}], **more}


@pytest.mark.parametrize(("question", "reason"), [(HOURS, "end_turn"), (ORDER, "tool_use")])
def test_messages(agent: AgentProcess, question: str, reason: str) -> None:
    with connect(agent) as client:
        whole = client.messages.create(**asking(question, tools=[TOOL]))
        # The helper builds the message up from its events.
        with client.messages.stream(**asking(question, tools=[TOOL])) as stream:
            seen = [event.type for event in stream]
            final = stream.get_final_message()
    assert (seen[0], seen[-1]) == ("message_start", "message_stop")
    for message in (whole, final):
        assert message.stop_reason == reason
        assert message.usage.output_tokens > 0
        if question == HOURS:
            assert "9 am" in message.content[0].text
        else:
            assert (message.content[0].name, message.content[0].input) == ("get_order", {"order_id": "12345"})


def test_thinking(agent: AgentProcess) -> None:
    with (
        connect(agent) as client,
        client.messages.stream(**asking(HOURS, thinking={"type": "enabled", "budget_tokens": 1024})) as stream,
    ):
        final = stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert final.content[0].thinking
    assert final.content[0].signature
    assert final.usage.output_tokens_details.thinking_tokens > 0


def test_failures(failing: AgentProcess) -> None:
    anthropic = pytest.importorskip("anthropic")
    with connect(failing) as client:
        with pytest.raises(anthropic.InternalServerError) as failed:
            client.messages.create(**asking(HOURS))
        with pytest.raises(anthropic.RateLimitError) as limited:
            list(client.messages.create(**asking(HOURS, stream=True)))
    assert failed.value.body["error"]["type"] == "api_error"
    assert limited.value.body["error"]["type"] == "rate_limit_error"
    assert int(limited.value.response.headers["retry-after"]) >= 1
