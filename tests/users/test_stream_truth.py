"""What a stream is not, in every dialect: a heartbeat is no token, a message told again is no second one, an error is
no answer, and neither is a stream without its end.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agenttop.dialects import DIALECTS, dialect_named
from tests.users.playing import play, profile
from tests.wire.server import chunked, ok


def sse(*events: Any) -> list[bytes]:
    """Events of text, of data that becomes JSON, or of (name, data)."""
    made = []
    for event in events:
        name, data = event if isinstance(event, tuple) else ("", event)
        text = data if isinstance(data, str) else json.dumps(data)
        made.append((f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode())
    return made


class Spoken(NamedTuple):
    """How one dialect says it: events that are no output, two chunks of output, the same message again, the end and an
    error.
    """

    quiet: list[bytes]
    output: list[bytes]
    again: list[bytes]
    end: list[bytes]
    error: list[bytes]
    measure: str = ""


def chat(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, **more}]}


def rpc(**result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def artifact(text: str, **more: Any) -> dict[str, Any]:
    return rpc(artifactUpdate={"taskId": "t", "artifact": {"artifactId": "a", "parts": [{"text": text}]}, **more})


def status(state: str, **more: Any) -> dict[str, Any]:
    return rpc(statusUpdate={"taskId": "t", "status": {"state": f"TASK_STATE_{state}", **more}})


def piece(text: str, **more: Any) -> list[dict[str, Any]]:
    return [{"content": text, "type": "AIMessageChunk", "id": "m1", **more}, {"langgraph_node": "model"}]


def part(text: str, **more: Any) -> dict[str, Any]:
    return {"content": {"parts": [{"text": text}], "role": "model"}, "invocationId": "i", "author": "a", **more}


WHOLE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "We open"}]}
BLOCK = {"type": "content_block_delta", "index": 0}
TASK = {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_SUBMITTED"}}
MEASURE = '[pools.measure]\nfirst_token = "$.delta"\ndone = "$.done"\nerror = "$.error"'

SPOKEN: dict[str, Spoken] = {
    "openai.chat": Spoken(
        sse(chat({"role": "assistant", "content": ""}), chat({}), {"choices": []}),
        sse(chat({"content": "We"}), chat({"content": " open"})),
        sse(chat({}, finish_reason="stop"), {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}),
        sse("[DONE]"),
        sse({"error": {"message": "broken", "type": "server_error"}}),
    ),
    "openai.responses": Spoken(
        sse(
            {"type": "response.created", "response": {"status": "in_progress"}},
            {"type": "response.output_item.added", "item": {"type": "message", "role": "assistant", "content": []}},
            {"type": "response.output_text.delta", "item_id": "m", "delta": ""},
        ),
        sse(*({"type": "response.output_text.delta", "item_id": "m", "delta": text} for text in ("We", " open"))),
        sse(
            {"type": "response.output_text.done", "item_id": "m", "text": "We open"},
            {"type": "response.output_item.done", "item": WHOLE},
        ),
        sse({"type": "response.completed", "response": {"status": "completed", "output": [WHOLE]}}),
        sse({"type": "response.failed", "response": {"status": "failed", "error": {"message": "broken"}}}),
    ),
    "anthropic.messages": Spoken(
        sse(
            ("ping", {"type": "ping"}),
            {"type": "message_start", "message": {"role": "assistant", "content": []}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        ),
        sse(*(BLOCK | {"delta": {"type": "text_delta", "text": text}} for text in ("We", " open"))),
        sse({"type": "content_block_stop", "index": 0}, {"type": "message_delta", "delta": {}}),
        sse({"type": "message_stop"}),
        sse({"type": "error", "error": {"type": "api_error", "message": "broken"}}),
    ),
    "ag-ui": Spoken(
        sse(
            {"type": "RUN_STARTED", "threadId": "t", "runId": "r"},
            {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"},
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": ""},
        ),
        sse(*({"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": text} for text in ("We", " open"))),
        sse(
            {"type": "TEXT_MESSAGE_END", "messageId": "m"},
            {"type": "MESSAGES_SNAPSHOT", "messages": [{"id": "m", "role": "assistant", "content": "We open"}]},
        ),
        sse({"type": "RUN_FINISHED", "threadId": "t", "runId": "r"}),
        sse({"type": "RUN_ERROR", "message": "broken"}),
    ),
    "a2a": Spoken(
        sse(rpc(task=TASK), status("WORKING")),
        sse(artifact("We"), artifact(" open", append=True)),
        sse(rpc(task=TASK | {"artifacts": [{"artifactId": "a", "parts": [{"text": "We open"}]}]})),
        sse(status("COMPLETED")),
        sse(status("FAILED", message={"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "broken"}]})),
    ),
    # The response is the output and the end in one: there is nothing to come in pieces or to be told again.
    "mcp": Spoken(
        sse({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": 1}}),
        [],
        [],
        sse(rpc(content=[{"type": "text", "text": "We open"}])),
        sse({"jsonrpc": "2.0", "id": 1, "error": {"code": -32603, "message": "broken"}}),
    ),
    "langgraph": Spoken(
        sse(("metadata", {"run_id": "r"}), ("messages", piece(""))),
        sse(("messages", piece("We")), ("messages", piece(" open"))),
        sse(
            ("messages", [{"content": "We open", "type": "ai", "id": "m1"}, {"langgraph_node": "model"}]),
            ("updates", {"model": {"messages": [{"content": "We open", "type": "ai", "id": "m1"}]}}),
        ),
        [],
        sse(("error", {"error": "RuntimeError", "message": "broken"})),
    ),
    "adk": Spoken(
        sse({"invocationId": "i", "author": "a", "actions": {}}),
        sse(part("We", partial=True, id="a"), part(" open", partial=True, id="a")),
        sse(part("We open", id="b"), part("We open", turnComplete=True, id="c")),
        [],
        sse({"error": "broken"}),
    ),
    "json": Spoken(
        sse({"role": "assistant"}, {"delta": ""}),
        sse({"delta": "We"}, {"delta": " open"}),
        sse({"content": "We open"}),
        sse({"done": True}),
        sse({"error": {"message": "broken"}}),
        MEASURE,
    ),
}
SPOKEN["custom"] = SPOKEN["json"]
#: One that is spoken over WebSocket, and read from recordings.
ELSEWHERE = {"openai.realtime"}
HEARTBEATS = [b": keep-alive\n\n", b":\n\n", b"\n", b"retry: 1000\n\n", b"id: 5\n\n"]
STEP = 'post = "/"\njson = {}'


def answer(*events: bytes) -> bytes:
    """A stream with a heartbeat before and behind every event."""
    body = [each for event in events for each in (b": beat\n\n", event)] + HEARTBEATS
    return chunked(*HEARTBEATS, *body, headers=("content-type: text/event-stream",))


async def heard(folder: Path, dialect: str, *events: bytes) -> Any:
    """What is recorded of one such answer."""
    protocol = "http" if dialect == "mcp" else "sse"
    pool = f'protocol = "{protocol}"\ndialect = "{dialect}"'
    text = profile(STEP, pool=pool, before=SPOKEN[dialect].measure)
    played, _ = await play(folder, text, answer(*events))
    return played


def test_every_dialect_is_here() -> None:
    assert set(SPOKEN) | ELSEWHERE == set(DIALECTS)


@pytest.mark.parametrize("dialect", SPOKEN)
async def test_each_chunk_is_output_once_and_nothing_else_is(tmp_path: Path, dialect: str) -> None:
    spoken = SPOKEN[dialect]
    played = await heard(tmp_path, dialect, *spoken.quiet, *spoken.output, *spoken.again, *spoken.end)
    leaf = played.only
    assert leaf.outcomes == {"ok": 1}, played.errors
    assert leaf.hists["ttft"].count == 1
    assert ("inter_chunk" in leaf.hists) == bool(spoken.output)
    if spoken.output:
        assert leaf.hists["inter_chunk"].count == 1
        told = "estimated_tokens" if dialect != "openai.chat" else "output_tokens"
        assert leaf.sums[told] == 2
    assert leaf.sums["streamed"] == 1


@pytest.mark.parametrize("dialect", [name for name, spoken in SPOKEN.items() if spoken.output])
async def test_a_heartbeat_a_comment_or_a_role_is_no_token(tmp_path: Path, dialect: str) -> None:
    spoken = SPOKEN[dialect]
    leaf = (await heard(tmp_path, dialect, *spoken.quiet, *spoken.end)).only
    assert leaf.outcomes == {"ok": 1}
    assert not {"ttft", "ttfo", "inter_chunk"} & set(leaf.hists)
    assert not {"output_tokens", "token_estimates", "streamed"} & set(leaf.sums)


@pytest.mark.parametrize("early", [True, False], ids=["at once", "after output"])
@pytest.mark.parametrize("dialect", SPOKEN)
async def test_an_error_inside_a_200_is_one(tmp_path: Path, dialect: str, early: bool) -> None:
    spoken = SPOKEN[dialect]
    before = [] if early else spoken.output
    played = await heard(tmp_path, dialect, *spoken.quiet, *before, *spoken.error)
    assert played.only.outcomes == {"stream_error": 1}
    assert "broken" in played.message()
    assert played.only.status == {200: 1}
    assert not {"latency", "ttft"} & set(played.only.hists)
    assert "streamed" not in played.only.sums


@pytest.mark.parametrize("dialect", SPOKEN)
async def test_without_its_terminal_event_a_stream_is_truncated(tmp_path: Path, dialect: str) -> None:
    spoken = SPOKEN[dialect]
    played = await heard(tmp_path, dialect, *spoken.quiet, *spoken.output)
    if spoken.end:
        assert played.only.outcomes == {"truncated": 1}
        assert played.message() == "the stream ended without its terminal event"
        assert played.only.sums["unterminated"] == 1
    else:
        # It has no terminal event: the end of the stream is its end, unless that comes within an event.
        assert played.only.outcomes == {"ok": 1}


@pytest.mark.parametrize("dialect", [name for name, spoken in SPOKEN.items() if not spoken.end])
async def test_where_there_is_none_it_must_not_end_within_an_event(tmp_path: Path, dialect: str) -> None:
    spoken = SPOKEN[dialect]
    text = profile(STEP, pool=f'protocol = "sse"\ndialect = "{dialect}"')
    events = [*spoken.output[:-1], spoken.output[-1][:-9]]
    played, _ = await play(tmp_path, text, chunked(*events, headers=("content-type: text/event-stream",)))
    assert played.only.outcomes == {"truncated": 1}
    assert played.message() == "the stream ended within an event"


def test_the_terminal_flag_says_the_same() -> None:
    for name, spoken in SPOKEN.items():
        if not spoken.measure:
            assert dialect_named(name).terminal == bool(spoken.end)


#: Failures as servers, gateways and frameworks tell them that know nothing of the dialect.
STRAY = [
    b'event: error\ndata: {"error": {"message": "broken", "type": "internal_server_error", "code": 500}}\n\n',
    b'event: error\ndata: {"message": "broken", "status_code": 500}\n\n',
    b"event: error\ndata: broken\n\n",
    b'error: {"code": 500, "message": "broken", "type": "server_error"}\n\n',
    b'data: {"error": {"message": "broken", "code": 500}}\n\n',
    b'data: {"error": "broken", "error_type": "generation"}\n\n',
]


@pytest.mark.parametrize("stray", STRAY)
@pytest.mark.parametrize("dialect", SPOKEN)
async def test_a_failure_is_one_wherever_it_is_told(tmp_path: Path, dialect: str, stray: bytes) -> None:
    spoken = SPOKEN[dialect]
    measure = spoken.measure.replace('error = "$.error"', "")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SPOKEN, dialect, spoken._replace(measure=measure))
        played = await heard(tmp_path, dialect, *spoken.quiet, *spoken.output, stray, *spoken.end)
    assert played.only.outcomes == {"stream_error": 1}
    assert "broken" in played.message()


@pytest.mark.parametrize("dialect", ["openai.chat", "anthropic.messages", "custom"])
async def test_a_limit_of_bedrock_is_one(tmp_path: Path, dialect: str) -> None:
    stray = sse({"throttlingException": {"message": "Too many tokens"}})
    played = await heard(tmp_path, dialect, *SPOKEN[dialect].output, *stray, *SPOKEN[dialect].end)
    assert (played.only.outcomes, played.message()) == ({"rate_limited": 1}, "Too many tokens")


@pytest.mark.parametrize(
    ("dialect", "end", "outcome"),
    [
        ("openai.chat", chat({}, finish_reason="abort"), "stream_error"),
        ("openai.chat", chat({}, finish_reason="insufficient_system_resource"), "stream_error"),
        ("openai.chat", chat({}, finish_reason="network_error"), "stream_error"),
        ("openai.chat", chat({}, finish_reason="content_filter"), "ok"),
        ("openai.chat", chat({}, finish_reason="length"), "ok"),
        ("anthropic.messages", {"type": "message_delta", "delta": {"stop_reason": "abort"}}, "stream_error"),
        ("anthropic.messages", {"type": "message_delta", "delta": {"stop_reason": "refusal"}}, "ok"),
    ],
)
async def test_a_reason_to_stop_may_be_a_failure(tmp_path: Path, dialect: str, end: Any, outcome: str) -> None:
    played = await heard(tmp_path, dialect, *SPOKEN[dialect].output, *sse(end), *SPOKEN[dialect].end)
    assert played.only.outcomes == {outcome: 1}


@pytest.mark.parametrize("dialect", [name for name, spoken in SPOKEN.items() if spoken.output])
async def test_an_answer_that_says_nothing_is_counted(tmp_path: Path, dialect: str) -> None:
    spoken = SPOKEN[dialect]
    leaf = (await heard(tmp_path, dialect, *spoken.quiet, *spoken.end)).only
    assert (leaf.outcomes, leaf.sums.get("said_nothing")) == ({"ok": 1}, 1)
    leaf = (await heard(tmp_path, dialect, *spoken.quiet, *spoken.output, *spoken.end)).only
    assert "said_nothing" not in leaf.sums


@pytest.mark.parametrize(
    ("dialect", "body", "silent"),
    [
        ("openai.chat", {"choices": []}, 1),
        ("openai.chat", {}, 1),
        ("openai.chat", {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}, 1),
        ("openai.chat", {"choices": [{"message": {"content": "Hi"}}]}, 0),
        ("openai.chat", {"choices": [{"message": {"content": ""}}], "usage": {"prompt_tokens": 3}}, 0),
        ("openai.chat", {"object": "list", "data": []}, 0),
        ("openai.responses", {"object": "response", "output": []}, 1),
        ("anthropic.messages", {"type": "message", "content": []}, 1),
        ("adk", [], 1),
        ("adk", {"id": "session"}, 0),
        ("mcp", rpc(tools=[]), 0),
        ("json", {}, 0),
    ],
)
async def test_so_is_a_body(tmp_path: Path, dialect: str, body: Any, silent: int) -> None:
    data = ok(json.dumps(body).encode(), "content-type: application/json")
    played, _ = await play(tmp_path, profile(STEP, pool=f'dialect = "{dialect}"'), data)
    assert (played.only.outcomes, played.only.sums.get("said_nothing", 0)) == ({"ok": 1}, silent)
