"""Tests of agenttop.users.answer: the first output, and the first that is not reasoning; as it is recorded."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from inspect import getmodule
from pathlib import Path
from typing import Any

import pytest

from agenttop.dialects import DIALECTS, dialect_named
from agenttop.dialects.json_ import JsonReader
from agenttop.metrics.delta import LeafDelta
from agenttop.users import record
from agenttop.users.answer import MAX_BODY, MAX_EXCERPT, Answer
from agenttop.users.compiled import CompiledStep
from agenttop.users.record import missed_objectives
from agenttop.wire.room import ROOM
from agenttop.wire.turns import Turns
from tests.users.playing import Play, Script, ended, play, playing, pool_of, profile
from tests.users.test_stream_truth import BLOCK, SPOKEN, chat, part, sse, status
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, chunked, ok

STREAM = ("content-type: text/event-stream",)
THINKING: dict[str, Any] = {"parts": [{"text": "Let me", "thought": True}], "role": "model"}
NOTE = {"messageId": "m", "role": "ROLE_AGENT", "parts": [{"text": "Let me", "metadata": {"adk_thought": True}}]}
#: A piece of reasoning, in the dialects that tell it from speech.
THOUGHTS: dict[str, list[bytes]] = {
    "openai.chat": sse(chat({"reasoning_content": "Let me"})),
    "openai.responses": sse({"type": "response.reasoning_text.delta", "item_id": "r", "delta": "Let me"}),
    "anthropic.messages": sse(BLOCK | {"delta": {"type": "thinking_delta", "thinking": "Let me"}}),
    "ag-ui": sse({"type": "REASONING_MESSAGE_CONTENT", "messageId": "r", "delta": "Let me"}),
    "a2a": sse(status("WORKING", message=NOTE)),
    "langgraph": sse(
        (
            "messages",
            [{"content": [{"type": "thinking", "thinking": "Let me"}], "type": "AIMessageChunk", "id": "m1"}, {}],
        )
    ),
    "adk": sse(part("", partial=True, id="a") | {"content": THINKING}),
}


def written(dialect: str, more: str = "") -> str:
    return profile('post = "/"\njson = {}', pool=f'protocol = "sse"\ndialect = "{dialect}"', top=more)


def step_of(folder: Path, text: str) -> CompiledStep:
    pool, _, _ = pool_of(folder, text.replace("{port}", "1"))
    return pool.compiled.tasks[0].steps[0]


def test_every_dialect_that_knows_reasoning_is_here() -> None:
    measured = {"json", "custom"}  # these read what a profile says
    modules = {name: getmodule(type(dialect_named(name))) for name in set(DIALECTS) - measured}
    assert set(THOUGHTS) == {name for name, module in modules.items() if hasattr(module, "REASONING")}


@pytest.mark.parametrize("dialect", THOUGHTS)
async def test_reasoning_is_the_first_token_and_not_the_first_output(tmp_path: Path, dialect: str) -> None:
    step = step_of(tmp_path, written(dialect, "[objectives]\nttft = '15ms'\nttfo = '15ms'\n"))
    answer = Answer()
    answer.begin(step)
    assert answer.head(200, {"content-type": "text/event-stream"}, 5_000_000)
    for event in SPOKEN[dialect].quiet:
        answer.data(event, 6_000_000)
    assert (answer.first_output, answer.first_speech) == (0, 0)
    for event in THOUGHTS[dialect]:
        answer.data(event, 10_000_000)
    assert (answer.first_output, answer.first_speech) == (10_000_000, 0)
    said, more = SPOKEN[dialect].output
    answer.data(said, 20_000_000)
    answer.data(more, 30_000_000)
    assert (answer.first_output, answer.first_speech) == (10_000_000, 20_000_000)
    assert list(answer.gaps) == [10_000_000, 10_000_000]
    answer.ttft_ns = 10_000_000
    assert missed_objectives(step, answer, 30_000_000, 30_000_000, 0) == ["ttfo"]
    answer.begin(step)
    assert (answer.first_output, answer.first_speech, list(answer.gaps)) == (0, 0, [])


@pytest.mark.parametrize("dialect", THOUGHTS)
async def test_an_answer_of_reasoning_alone_has_no_first_output(tmp_path: Path, dialect: str) -> None:
    body = chunked(*THOUGHTS[dialect], *SPOKEN[dialect].end, headers=STREAM)
    leaf = (await play(tmp_path, written(dialect), body))[0].only
    assert leaf.outcomes == {"ok": 1}
    assert leaf.hists["ttft"].count == 1
    assert "ttfo" not in leaf.hists


async def test_what_is_recorded_is_the_time_to_the_first_output(tmp_path: Path) -> None:
    read = asyncio.Event()
    whole = chunked(*THOUGHTS["openai.chat"], *SPOKEN["openai.chat"].output, *sse("[DONE]"), headers=STREAM)
    middle = whole.index(b"We")  # within the event after the reasoning

    async def slowly(reader: Reader, writer: Writer) -> None:
        writer.write(whole[:middle])
        await read.wait()
        writer.write(whole[middle:])

    async with playing(tmp_path, written("openai.chat"), Script(slowly)) as (pool, layout, recorder):
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: user.answer.step is not None and user.answer.first_output)
        assert not user.answer.first_speech
        read.set()
        await ended(pool)
        leaf: LeafDelta = Play(layout, recorder).only
    assert leaf.outcomes == {"ok": 1}
    assert leaf.hists["ttft"].total < leaf.hists["ttfo"].total <= leaf.hists["latency"].total


@pytest.mark.parametrize("size", [3 << 20, MAX_BODY + 1])
async def test_a_large_body_is_held_once(tmp_path: Path, size: int) -> None:
    """Putting it together, or its beginning where it is too long, takes no more memory than the body itself."""
    step = step_of(tmp_path, profile('get = "/"\nchecks = { fine = "body contains \\"x\\"" }'))
    answer = Answer()
    answer.begin(step)
    assert answer.head(200, {}, 1)
    piece = bytearray(range(256)) * 256
    tracemalloc.start()
    try:
        for at in range(0, size, len(piece)):
            answer.data(bytes(piece[: size - at]), 1)
        body = answer.body
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    whole = (piece * (size // len(piece) + 1))[:size]
    assert answer.cut == (size > MAX_BODY)
    assert body == (whole[:MAX_EXCERPT] if answer.cut else whole)
    assert peak < 1.3 * size
    answer.begin(step)
    assert (answer.body, ROOM.used) == (b"", 0)


LARGE_JSON = b'{"usage":{"out":7},"reply":"' + b"x" * (2 << 20) + b'"}'
READ = 'get = "/"\nsave = { reply = "$.usage.out" }\nchecks = { "has one" = "$.reply" }'
PATHS = '[pools.measure]\noutput_tokens = "$.usage.out"'


async def test_what_decoding_a_large_body_takes_is_told_of_its_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder keeps the interpreter to itself in any thread, so that the loop waits for it."""
    turns = Turns()
    monkeypatch.setattr(record, "TURNS", turns)
    for body, whose in ((b'{"usage":{"out":7},"reply":"x"}', ""), (LARGE_JSON, "chat")):
        await play(tmp_path, profile(READ, pool=PATHS), ok(body))
        told, took = turns.busiest()
        assert (told, took > 0) == (whose, bool(whose))


async def test_a_body_that_is_checked_and_measured_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonReader, "body", None)
    for body in (LARGE_JSON, b'{"usage":{"out":7},"reply":"x"}'):
        played = await play(tmp_path, profile(READ, pool=PATHS), ok(body))
        assert played[0].only.outcomes == {"ok": 1}
        assert played[0].only.sums["output_tokens"] == 7
        assert played[0].checks == {"has one": (1, 0)}
    gone = await play(tmp_path, profile('get = "/"\nchecks = { ok = "$.a" }', pool=PATHS), ok(b"no JSON"))
    assert gone[0].only.outcomes == {"check_failed": 1}
    assert gc.isenabled()
