"""Tests of agenttop.users.asking, agenttop.users.questions, agenttop.users.handover.

A case is asked, and its answer handed over.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import pytest

from agenttop.metrics.delta import WARMUP
from agenttop.quality.answer import MAX_TEXT, Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import grade
from agenttop.quality.levels import Level
from agenttop.schedule.quantities import MAX_NAME
from agenttop.users import handover
from agenttop.users.handover import Handover
from tests.users.playing import Action, Script, ended, nothing, playing, pool_of, profile, talking, then_close
from tests.wire.frames import TEXT, frame
from tests.wire.reading import until
from tests.wire.server import chunked, ok, serving

CASES = [
    {"id": "a", "input": "Hours?", "target": "nine", "vars": {"city": "Oslo"}},
    {"id": "b", "input": 'Say "hi"', "target": "hi", "vars": {"city": "Bern"}},
]
QUALITY = '[quality]\ncases = "golden.jsonl"\n'
STEP = (
    'graded = true\nanswer = "$.content"\npost = "/"\njson = { content = "{input}", city = "{vars.city}", id = "{id}" }'
)
HIGH = Level("peak", 7)


def graded(step: str = STEP, **parts: str) -> str:
    return profile(step, **{**parts, "top": parts.get("top", "")}) + QUALITY


async def asked(
    folder: Path,
    text: str,
    *answers: bytes | Action,
    cases: Sequence[dict[str, Any]] = CASES,
    level: Level = HIGH,
    stage: int = 0,
) -> tuple[list[Answer], list[bytes]]:
    """What one user's cases came to, until the script has ended."""
    (folder / "golden.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    script = Script(*answers)
    async with playing(folder, text, script) as (pool, _, _):
        pool.level = level
        pool.enter(stage)
        pool.aim(1)
        await ended(pool)
        return pool.answers.take(), script.requests


def bodies(requests: list[bytes]) -> list[Any]:
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]


def said(text: str) -> bytes:
    return ok(json.dumps({"content": text}).encode(), "content-type: application/json")


async def test_every_case_is_asked_and_its_answer_handed_over(tmp_path: Path) -> None:
    found, requests = await asked(tmp_path, graded(), said("nine"), said("ten"))
    sent = {body["id"]: body for body in bodies(requests)}
    assert sent == {
        "a": {"content": "Hours?", "city": "Oslo", "id": "a"},
        "b": {"content": 'Say "hi"', "city": "Bern", "id": "b"},
    }
    assert [(each.case, each.text) for each in found] == [
        (body["id"], text) for body, text in zip(bodies(requests), ("nine", "ten"), strict=True)
    ]
    for each in found:
        assert (each.level, each.users, each.step, each.last, each.outcome) == ("peak", 7, 0, True, "ok")
        assert (each.pool, each.task, each.error, each.cut) == ("chat", "ask", "", False)
        assert each.latency_ms is not None
        assert each.at_s >= each.latency_ms / 1000


async def test_ungraded_tasks_hand_nothing_over(tmp_path: Path) -> None:
    text = graded(task=STEP + '\nweight = 0.0000001\n[[pools.tasks]]\nget = "/other"')
    found, requests = await asked(tmp_path, text, ok(b"x"), ok(b"y"))
    assert found == []
    assert all(request.startswith(b"GET /other") for request in requests)


STREAM = (
    b'data: {"choices":[{"index":0,"delta":{"content":"ni"}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{"content":"ne","tool_calls":[{"index":0,"function":'
    b'{"name":"f","arguments":"{\\"a\\":1}"}}]},"finish_reason":"tool_calls"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":10}}\n\n'
)
CHAT = 'protocol = "sse"\ndialect = "openai.chat"'
CHAT_STEP = 'graded = true\npost = "/"\njson = { stream = true, messages = "{messages}" }'


def streamed(body: bytes) -> bytes:
    return chunked(body, headers=("content-type: text/event-stream",))


async def test_a_stream_has_its_text_calls_tokens_times_and_cost(tmp_path: Path) -> None:
    text = graded(CHAT_STEP, pool=CHAT, top="[budget]\nprice = { input = 1, output = 100 }")
    (found,), requests = await asked(tmp_path, text, streamed(STREAM + b"data: [DONE]\n\n"))
    assert bodies(requests)[0]["messages"][-1]["role"] == "user"
    assert (found.text, found.tools, found.finish) == ("nine", (ToolCall("f", {"a": 1}),), "tool_calls")
    assert (found.input_tokens, found.output_tokens) == (1000, 10)
    assert found.cost_usd == pytest.approx(0.002)
    assert found.ttft_ms is not None
    assert found.latency_ms is not None
    assert found.ttft_ms <= found.latency_ms


async def test_messages_are_json_in_the_place_of_a_text(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": 'Be "brief"'}, {"role": "user", "content": "Hi"}]
    cases = [{"id": "a", "input": turns, "target": "x"}]
    step = CHAT_STEP.replace('"{messages}"', '"{messages}", note = "said {input}"')
    _, requests = await asked(tmp_path, graded(step, pool=CHAT), streamed(b"data: [DONE]\n\n"), cases=cases)
    assert bodies(requests) == [{"stream": True, "messages": turns, "note": "said Hi"}]


@pytest.mark.parametrize(
    ("answer", "outcome", "text", "words"),
    [
        (ok(b"busy", status="503 Service Unavailable"), "server_error", "", "503 Service Unavailable: busy"),
        (ok(b"later", status="429 Too Many Requests"), "rate_limited", "", "429 Too Many Requests: later"),
        (streamed(STREAM), "truncated", "nine", "terminal event"),
        (streamed(STREAM + b'data: {"error":{"message":"overloaded"}}\n\n'), "stream_error", "nine", "overloaded"),
        (then_close(), "protocol_error", "", ""),
    ],
)
async def test_what_failed_is_an_answer_with_that_outcome(
    tmp_path: Path, answer: bytes | Action, outcome: str, text: str, words: str
) -> None:
    # A kept connection that ends without a byte is tried once more, so the last one is given twice.
    answers = [answer, answer] if outcome == "protocol_error" else [answer]
    found, _ = await asked(tmp_path, graded(CHAT_STEP, pool=CHAT), *answers)
    assert {(each.outcome, each.text) for each in found} == {(outcome, text)}
    assert words in found[0].error


async def test_what_takes_too_long_has_what_was_said_until_then(tmp_path: Path) -> None:
    async def slowly(reader: Any, writer: Any) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        writer.write(head + b"%x\r\n%b\r\n" % (len(STREAM), STREAM))
        await nothing(reader, writer)

    (tmp_path / "golden.jsonl").write_text("".join(json.dumps(case) + "\n" for case in CASES))
    script = Script(slowly)
    async with playing(tmp_path, graded(CHAT_STEP + '\ntimeout = "50ms"', pool=CHAT), script) as (pool, _, _):
        pool.aim(1)
        while pool.tasks:
            pool.watch(perf_counter_ns())
            await asyncio.sleep(0)
        (found,) = pool.answers.take()
    assert (found.outcome, found.text) == ("timeout", "nine")


async def test_refusals_that_are_sent_again_are_one_answer(tmp_path: Path) -> None:
    at_once = ok(b"later", "retry-after: 0", status="429 Too Many Requests")
    text = graded(top='on_429 = "retry"')
    found, requests = await asked(tmp_path, text, at_once, said("nine"))
    assert len(requests) == 2
    assert [(each.outcome, each.text) for each in found] == [("ok", "nine")]
    found, requests = await asked(tmp_path, text + "\n", at_once, at_once, at_once, at_once)
    assert len(requests) == 4
    assert [each.outcome for each in found] == ["rate_limited"]


async def test_what_our_own_end_cuts_is_nobodys_fault(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text(json.dumps(CASES[0]))
    script = Script(nothing)
    async with playing(tmp_path, graded(), script) as (pool, _, _):
        pool.aim(1)
        await until(lambda: bool(script.requests))
        pool.cancel()
        await ended(pool)
        assert pool.answers.take() == []


async def test_no_connection_is_an_answer(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text(json.dumps(CASES[0]))
    pool, _, _ = pool_of(tmp_path, graded().replace("{port}", "1"))
    pool.aim(1)
    await until(lambda: len(pool.answers) > 0)
    pool.cancel()
    await ended(pool)
    found = pool.answers.take()
    assert {(each.outcome, each.latency_ms, each.text) for each in found} == {("connect_error", None, "")}
    assert found[0].error


async def test_a_failed_check_is_an_answer_with_its_text(tmp_path: Path) -> None:
    (found,), _ = await asked(tmp_path, graded(STEP + "\nchecks = { nine = '$.content == \"nine\"' }"), said("ten"))
    assert (found.outcome, found.text, found.error) == ("check_failed", "ten", "check failed: nine")


async def test_in_the_warm_up_cases_are_asked_and_nothing_is_handed_over(tmp_path: Path) -> None:
    found, requests = await asked(tmp_path, graded(), said("nine"), stage=WARMUP)
    assert len(requests) == 1
    assert found == []


TURNS = """
graded = true
answer = "$.content"
  [[pools.tasks.steps]]
  name = "one"
  post = "/1"
  json = { content = "{input}" }
  [[pools.tasks.steps]]
  name = "two"
  post = "/2"
  GRADERS
  [[pools.tasks.steps]]
  name = "three"
  post = "/3"
"""


def turns(first: str = "", second: str = "", third: str = "") -> str:
    text = TURNS.replace("GRADERS", f"graders = {second}" if second else "")
    text = text.replace('post = "/1"', f'post = "/1"\n  graders = {first}') if first else text
    return graded(task=text + (f"  graders = {third}\n" if third else ""))


async def test_of_a_conversation_the_last_step_is_graded(tmp_path: Path) -> None:
    found, requests = await asked(tmp_path, turns(), said("1"), said("2"), said("3"))
    assert len(requests) == 3
    assert [(each.text, each.step, each.last) for each in found] == [("3", 0, True)]


async def test_or_each_step_that_has_graders(tmp_path: Path) -> None:
    found, _ = await asked(tmp_path, turns('["not-refusal"]', "[]"), said("1"), said("2"), said("3"))
    assert [(each.text, each.step, each.last) for each in found] == [("1", 0, False), ("2", 1, True)]
    assert len({each.case for each in found}) == 1


async def test_what_breaks_a_conversation_is_the_answer_to_all_that_was_to_come(tmp_path: Path) -> None:
    broken = ok(b"", status="500 Internal Server Error")
    found, requests = await asked(tmp_path, turns('["not-refusal"]', "", "[]"), said("1"), broken)
    assert len(requests) == 2
    assert [(each.outcome, each.step, each.last) for each in found] == [("ok", 0, False), ("server_error", 1, True)]
    assert found[1].error.startswith("not asked: two before it ended with server_error")
    assert found[1].latency_ms is None


async def test_a_conversation_of_history_collects_what_it_sends_back(tmp_path: Path) -> None:
    step = 'graded = true\nhistory = "task"\npost = "/"\n' + (
        'json = { stream = true, messages = [{ role = "user", content = "{input}" }] }'
    )
    (found,), _ = await asked(tmp_path, graded(step, pool=CHAT), streamed(STREAM + b"data: [DONE]\n\n"))
    assert (found.text, found.finish) == ("nine", "tool_calls")


async def test_what_a_socket_answers_is_handed_over(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text(json.dumps(CASES[0]))
    messages: list[bytes] = []
    reply = b"".join(
        frame(TEXT, json.dumps(each).encode())
        for each in (
            {"type": "response.created", "response": {}},
            {"type": "response.output_text.delta", "delta": "nine"},
            {
                "type": "response.done",
                "response": {"status": "completed", "usage": {"input_tokens": 3, "output_tokens": 1}},
            },
        )
    )
    text = graded(
        'graded = true\nsend = { type = "response.create", text = "{input}" }',
        pool='protocol = "ws"\ndialect = "openai.realtime"',
        before='[[pools.setup]]\nconnect = "/"',
    )
    pools: list[Any] = []
    async with serving(talking([[reply]], messages, lambda: pools[0].finish(sending=True))) as server:
        pool, _, _ = pool_of(tmp_path, text.replace("{port}", str(server.port)))
        pools.append(pool)
        pool.aim(1)
        await ended(pool)
        (found,) = pool.answers.take()
    assert json.loads(messages[0])["text"] == "Hours?"
    assert (found.case, found.text, found.finish, found.outcome) == ("a", "nine", "completed", "ok")
    assert (found.input_tokens, found.output_tokens) == (3, 1)


async def test_a_long_answer_is_cut_and_says_so(tmp_path: Path) -> None:
    (found,), _ = await asked(tmp_path, graded(), said("x" * (MAX_TEXT + 5)))
    assert (len(found.text), found.cut) == (MAX_TEXT, True)


async def test_all_of_a_plain_answer_may_be_its_text(tmp_path: Path) -> None:
    (found,), _ = await asked(tmp_path, graded(STEP.replace('"$.content"', '"body"')), ok(b"It is nine."))
    assert found.text == "It is nine."


async def test_why_a_plain_answer_ended_is_where_measure_says(tmp_path: Path) -> None:
    text = graded() + '[measure]\nfinish = "$.meta.why"\n'
    bodies = [
        {"content": "nine", "meta": {"why": "max_tokens"}},
        {"content": "ten"},
        {"content": "x", "meta": {"why": "w" * 500}},
    ]
    answers = [ok(json.dumps(body).encode(), "content-type: application/json") for body in bodies]
    found, _ = await asked(tmp_path, text, *answers, cases=[*CASES, {**CASES[0], "id": "c"}])
    assert [each.finish for each in found] == ["max_tokens", None, "w" * MAX_NAME]
    case = Case("any", target=("other",), graders=(GraderSpec("includes"), GraderSpec("finish-reason", "length")))
    scores = [grade(case, each) for each in found]
    assert [(score.cause, score.value) for score in scores] == [("truncated", 0.5), ("", None), ("wrong", 0.0)]


async def test_a_stream_of_named_events_has_its_text_and_why_it_ended_by_their_names(tmp_path: Path) -> None:
    paths = '[measure]\nfirst_token = "event token $.t"\ndone = "event end"\nfinish = "event end $.why"\n'
    step = 'graded = true\npost = "/"\njson = { content = "{input}" }'
    events = (
        b'event: note\ndata: {"t":"not this"}\n\nevent: token\ndata: {"t":"ni"}\n\n'
        b'event: token\ndata: {"t":"ne"}\n\nevent: end\ndata: {"why":"length"}\n\n'
    )
    (found,), _ = await asked(tmp_path, graded(step, pool='protocol = "sse"') + paths, streamed(events))
    assert (found.text, found.finish, found.outcome) == ("nine", "length", "ok")


async def test_an_event_by_its_name_alone_is_text(tmp_path: Path) -> None:
    paths = '[measure]\nfirst_token = "event token"\ndone = "event end"\nfinish = "event end"\n'
    step = 'graded = true\npost = "/"\njson = { content = "{input}" }'
    events = b"event: token\ndata: ni\n\nevent: token\ndata: ne\n\nevent: end\ndata: length\n\n"
    (found,), _ = await asked(tmp_path, graded(step, pool='protocol = "sse"') + paths, streamed(events))
    assert (found.text, found.finish, found.outcome) == ("nine", "length", "ok")


async def test_cases_of_an_open_pool_are_asked_too(tmp_path: Path) -> None:
    (tmp_path / "golden.jsonl").write_text(json.dumps(CASES[0]))
    script = Script(said("nine"))
    text = graded(pool='stages = [{ duration = "1s", rate = 1 }]').replace('users = 1\nduration = "1s"\n', "")
    async with playing(tmp_path, text, script) as (pool, _, _):
        pool.arrive(perf_counter_ns())
        await ended(pool)
        (found,) = pool.answers.take()
    assert (found.case, found.text) == ("a", "nine")


def test_answers_wait_in_order_and_go_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MAX_BATCH", 10)
    kept = Handover()
    for number in range(5):
        kept.put(Answer(str(number), text="four"))
    batches = []
    while batch := kept.take():
        batches.append([each.case for each in batch])
    assert batches == [["0", "1"], ["2", "3"], ["4"]]
    kept.put(Answer("long", text="x" * 50))
    assert [each.text for each in kept.take()] == ["x" * 50]


def test_what_nobody_takes_loses_its_text_but_not_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "MAX_WAITING", 10)
    kept = Handover()
    for number in range(4):
        kept.put(Answer(str(number), text="four", tools=(ToolCall("f"),)))
    found = kept.take()
    assert [(each.case, each.text, each.cut) for each in found] == [
        ("0", "four", False), ("1", "", True), ("2", "", True), ("3", "", True),
    ]  # fmt: skip
    kept.put(Answer("4", text="four"))
    assert kept.take()[0].text == "four"
