"""The official client of OpenAI reads the embedded agent's chat completions and responses."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.agent.process import AgentProcess

pytestmark = pytest.mark.peers

HOURS, ORDER = "What are your business hours?", "Look up order #12345"
TOOL = {"type": "function", "name": "get_order", "parameters": {"type": "object", "properties": {}}, "strict": False}


def connect(agent: AgentProcess) -> Any:
    openai = pytest.importorskip("openai")
    return openai.OpenAI(base_url=f"{agent.url}/v1", api_key="none", max_retries=0)


@pytest.mark.parametrize(("question", "kind"), [(HOURS, "message"), (ORDER, "function_call")])
def test_responses(agent: AgentProcess, question: str, kind: str) -> None:
    with connect(agent) as client:
        whole = client.responses.create(model="m", input=question, tools=[TOOL])
        assert (whole.status, whole.output[0].type) == ("completed", kind)
        # The helper builds the response up from its events, and complains where they do not fit each other.
        with client.responses.stream(model="m", input=question, tools=[TOOL]) as stream:
            seen = [event.type for event in stream]
            final = stream.get_final_response()
    assert seen[0] == "response.created"
    assert seen[-1] == "response.completed"
    assert (final.status, final.output[0].type) == ("completed", kind)
    assert final.usage.output_tokens > 0
    if kind == "message":
        assert "9 am" in final.output_text
        assert seen.count("response.output_text.delta") == final.usage.output_tokens
    else:
        assert (final.output[0].name, final.output[0].arguments) == ("get_order", '{"order_id": "12345"}')


def test_a_response_that_is_cut_short(agent: AgentProcess) -> None:
    with connect(agent) as client:
        events = list(client.responses.create(model="m", input=HOURS, max_output_tokens=3, stream=True))
    assert events[-1].type == "response.incomplete"
    assert events[-1].response.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("question", [HOURS, ORDER])
def test_chat_completions(agent: AgentProcess, question: str) -> None:
    tool = {"type": "function", "function": {"name": "get_order", "parameters": {}}}
    messages = [{"role": "user", "content": question}]
    with connect(agent) as client:
        whole = client.chat.completions.create(model="m", messages=messages, tools=[tool])
        options = {"include_usage": True}
        with client.chat.completions.stream(
            model="m", messages=messages, tools=[tool], stream_options=options
        ) as stream:
            for _ in stream:
                pass
            final = stream.get_final_completion()
    for answer in (whole, final):
        choice = answer.choices[0]
        assert choice.finish_reason == ("stop" if question == HOURS else "tool_calls")
        assert answer.usage.completion_tokens > 0
        if question == HOURS:
            assert "9 am" in choice.message.content
        else:
            assert choice.message.tool_calls[0].function.name == "get_order"


def test_failures(failing: AgentProcess) -> None:
    openai = pytest.importorskip("openai")
    with connect(failing) as client:
        with pytest.raises(openai.InternalServerError):
            client.responses.create(model="m", input=HOURS, stream=True)
        with pytest.raises(openai.RateLimitError) as limited:
            client.responses.create(model="m", input=HOURS)
    assert limited.value.code == "rate_limit_exceeded"
