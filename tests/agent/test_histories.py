"""Conversations in which a tool call has no result are refused, as the providers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agenttop.agent.histories import chat_problem, messages_problem, responses_problem
from agenttop.agent.process import AgentProcess
from tests.agent.test_http import post


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


USER = {"role": "user", "content": "a"}
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}, {"id": "2"}]}
ONE, TWO = ({"role": "tool", "tool_call_id": each, "content": "x"} for each in "12")

USE = {"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "tool_use", "id": "1"}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "1"}]}
THOUGHT = {"role": "assistant", "content": [{"type": "thinking", "thinking": "a"}, {"type": "text", "text": "a"}]}

ITEM = {"type": "function_call", "call_id": "1"}
OUTPUT = {"type": "function_call_output", "call_id": "1"}


@pytest.mark.parametrize(
    ("messages", "fine"),
    [
        ([USER], True),
        ([USER, CALL, TWO, ONE], True),
        ([USER, CALL, ONE, TWO, {"role": "assistant", "content": "b"}, USER, CALL, ONE, TWO, USER], True),
        ([USER, CALL], False),
        ([USER, CALL, ONE], False),
        ([USER, CALL, ONE, USER, TWO], False),
        ([USER, ONE], False),
        ([USER, CALL, ONE, TWO, TWO], False),
    ],
)
def test_chat(messages: list[dict[str, Any]], fine: bool) -> None:
    assert (chat_problem(messages) is None) == fine


@pytest.mark.parametrize(
    ("messages", "fine"),
    [
        ([USER], True),
        ([USER, USE, RESULT], True),
        ([USER, USE, RESULT, USE, RESULT], True),
        ([USER, USE], False),
        ([USER, USE, USER, RESULT], False),
        ([USER, RESULT], False),
        ([{"role": "user", "content": ""}, USER], False),
        ([USER, THOUGHT, USER], False),
    ],
)
def test_messages(messages: list[dict[str, Any]], fine: bool) -> None:
    assert (messages_problem(messages) is None) == fine


@pytest.mark.parametrize(
    ("items", "fine"),
    [
        ([USER], True),
        ([USER, ITEM, OUTPUT], True),
        ([USER, ITEM, USER, OUTPUT], True),
        ([USER, ITEM], False),
        ([USER, OUTPUT], False),
    ],
)
def test_responses(items: list[dict[str, Any]], fine: bool) -> None:
    assert (responses_problem(items) is None) == fine


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [USER, CALL]}),
        ("/v1/messages", {"max_tokens": 9, "messages": [USER, USE]}),
        ("/v1/responses", {"input": [USER, ITEM]}),
        ("/ag-ui", {"threadId": "t", "runId": "r", "messages": [{"id": "a", **USER}, {"id": "a", **USER}]}),
        ("/ag-ui", {"threadId": "t", "runId": "r", "messages": [USER]}),
    ],
)
def test_the_agent_says_so(agent: AgentProcess, path: str, body: dict[str, Any]) -> None:
    assert post(agent, path, body).status_code == 400
