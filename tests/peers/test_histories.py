"""Conversations as agenttop sends them, held against the types of the official SDKs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from agenttop.users.history import Conversation, compile_turn
from tests.dialects.test_recorded import AG_UI, CHAT, MESSAGES, RECORDED, RESPONSES
from tests.dialects.test_transcripts import TRANSCRIPTS, turns_of
from tests.profile.writing import load
from tests.users.playing import profile

pytestmark = pytest.mark.peers

RUN = 'threadId = "t", runId = "{uuid}", state = {}, tools = [], context = [], forwardedProps = {}, '
FIXED = {
    "openai.chat": 'model = "m", ',
    "openai.responses": 'model = "m", store = false, ',
    "anthropic.messages": 'model = "m", max_tokens = 9, system = "Be brief.", ',
    "ag-ui": RUN,
}
RECORDINGS = {"openai.chat": CHAT, "openai.responses": RESPONSES, "anthropic.messages": MESSAGES, "ag-ui": AG_UI}


def conversation(folder: Path, dialect: str) -> list[Any]:
    """The bodies of a conversation in which every recorded answer was given."""
    one, two = ({"role": "user", "content": text} for text in ("One", "Two"))
    opening = [{"role": "system", "content": "Brief"}] if dialect == "openai.chat" else []
    written = [
        f'{{ post = "/", json = {{ {FIXED[dialect]}{TRANSCRIPTS[dialect].key} = {toml(turns)} }} }}'
        for turns in ([*opening, one], [two])
    ]
    text = profile(task=f"history = true\nsteps = [{', '.join(written)}]", pool=f'dialect = "{dialect}"')
    (pool,) = load(folder, text.replace("{port}", "1")).profile.pools
    (task,) = pool.tasks
    first, other = (compile_turn(task, step, TRANSCRIPTS[dialect]) for step in task.steps)
    talk, variables = Conversation(), {"uuid": "u"}
    bodies: list[Any] = []
    for index, name in enumerate(RECORDINGS[dialect]):
        turn = other if index else first
        body, exchange = talk.ask(turn, variables)
        bodies.append(json.loads(body))
        answered = turns_of(dialect, (RECORDED / name).read_bytes())
        talk.keep(turn, exchange, answered, variables)
    return bodies


def toml(turns: list[dict[str, str]]) -> str:
    return "[" + ", ".join(f'{{ role = "{turn["role"]}", content = "{turn["content"]}" }}' for turn in turns) + "]"


def listed(kind: Any) -> Any:
    return list.__class_getitem__(kind)


def check(folder: Path, dialect: str, types: Any) -> None:
    bodies = conversation(folder, dialect)
    adapter = TypeAdapter(types)
    for body in bodies:
        checked(adapter, body[TRANSCRIPTS[dialect].key])
    assert len(bodies[-1][TRANSCRIPTS[dialect].key]) > len(bodies)
    spoilt = [{**turn, "role": "nobody", "type": "nothing"} for turn in bodies[-1][TRANSCRIPTS[dialect].key]]
    with pytest.raises(ValidationError):
        checked(adapter, spoilt)


def checked(adapter: TypeAdapter[Any], turns: list[Any]) -> None:
    """The SDKs type lists as iterables, which are only looked at when they are used."""
    used(adapter.validate_python(turns))


def used(value: Any) -> None:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for each in value:
            used(each)


def test_chat(tmp_path: Path) -> None:
    types: Any = pytest.importorskip("openai.types.chat")
    check(tmp_path, "openai.chat", listed(types.ChatCompletionMessageParam))


def test_responses(tmp_path: Path) -> None:
    types: Any = pytest.importorskip("openai.types.responses")
    check(tmp_path, "openai.responses", listed(types.ResponseInputItemParam))


def test_messages(tmp_path: Path) -> None:
    types: Any = pytest.importorskip("anthropic.types.beta")  # they know the tools of MCP servers
    check(tmp_path, "anthropic.messages", listed(types.BetaMessageParam))


def test_ag_ui(tmp_path: Path) -> None:
    core = pytest.importorskip("ag_ui.core")
    bodies = conversation(tmp_path, "ag-ui")
    for body in bodies:
        run = core.RunAgentInput.model_validate(body)
        assert len(run.messages) == len(body["messages"])
    assert len(bodies[-1]["messages"]) > len(bodies)
