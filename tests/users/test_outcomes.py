"""Tests of agenttop.users.record, agenttop.users.request, agenttop.users.pool, agenttop.users.saving,
agenttop.users.step, agenttop.users.tokens.

One request for each outcome there is, and the figures it leaves.
"""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from time import perf_counter_ns

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users import record
from agenttop.users.answer import Answer
from agenttop.users.pool import WATCH_CALLS, PoolRuntime
from agenttop.users.tokens import MAX_COUNTED
from tests.users.playing import (
    Action,
    Play,
    Script,
    ended,
    flying,
    nothing,
    play,
    playing,
    pool_of,
    profile,
    then_close,
)
from tests.wire.reading import until
from tests.wire.server import chunked, ok, serving

FAR = 10**13
"""Nanoseconds after which any timeout has passed."""


def events(*texts: str, done: bool = True) -> bytes:
    """A stream of chat chunks."""
    chunks = [json.dumps({"choices": [{"delta": {"content": text}}]}) for text in texts]
    lines = [f"data: {chunk}\n\n".encode() for chunk in [*chunks, *(["[DONE]"] if done else [])]]
    return chunked(*lines, headers=("content-type: text/event-stream",))


CHAT = 'protocol = "sse"\ndialect = "openai.chat"'
POST = 'post = "/chat"\njson = { content = "hello" }'
CHECK = 'get = "/"\nchecks = { "has an id" = "$.id" }'
SAVE = 'get = "/"\nsave = { id = "$.id" }'
SAVE_HEADER = 'get = "/"\nsave = { id = "header X-Id" }'

# A profile and what the target does to its one request; then outcome, status, and words of the message.
OUTCOMES: dict[str, tuple[str, bytes | Action, Outcome, int | None, str]] = {
    "ok": (profile(), ok(b"x"), Outcome.OK, 200, ""),
    "ok, checked": (profile(CHECK), ok(b'{"id": 1}'), Outcome.OK, 200, ""),
    "ok, streamed": (profile(POST, pool=CHAT), events("a", "b"), Outcome.OK, 200, ""),
    "ok, until the end": (profile(), then_close(b"HTTP/1.0 200 OK\r\n\r\nx"), Outcome.OK, 200, ""),
    "rate_limited": (profile(), ok(b"slow", status="429 x"), Outcome.RATE_LIMITED, 429, "429 Too Many Requests: slow"),
    "client_error": (profile(), ok(status="404 x"), Outcome.CLIENT_ERROR, 404, "404 Not Found"),
    "server_error": (
        profile(),
        ok(b"oops", status="503 x"),
        Outcome.SERVER_ERROR,
        503,
        "503 Service Unavailable: o",
    ),
    "overloaded": (profile(), ok(status="529 x"), Outcome.SERVER_ERROR, 529, "529"),
    "protocol_error": (profile(), b"nonsense\r\n\r\n", Outcome.PROTOCOL_ERROR, None, "malformed response"),
    "closed at once": (profile(), then_close(), Outcome.PROTOCOL_ERROR, None, "connection closed before an answer"),
    "no stream": (profile(POST, pool=CHAT), ok(b"{}"), Outcome.PROTOCOL_ERROR, 200, "asked for an event stream"),
    "a page in place of a stream": (
        profile(POST, pool=CHAT),
        ok(b"<html>Bad Gateway</html>", "content-type: text/html"),
        Outcome.PROTOCOL_ERROR,
        200,
        "asked for an event stream, got text/html",
    ),
    "an error in place of a stream": (
        profile(POST, pool=CHAT),
        ok(b'{"error": {"message": "no such model"}}'),
        Outcome.STREAM_ERROR,
        200,
        "no such model",
    ),
    "stream_error": (
        profile(POST, pool=CHAT),
        chunked(b'data: {"error": {"message": "broken"}}\n\n', headers=("content-type: text/event-stream",)),
        Outcome.STREAM_ERROR,
        200,
        "broken",
    ),
    "truncated body": (
        profile(),
        then_close(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"),
        Outcome.TRUNCATED,
        200,
        "in the middle of the answer",
    ),
    "truncated stream": (
        profile(POST, pool=CHAT),
        events("a", done=False),
        Outcome.TRUNCATED,
        200,
        "without its terminal event",
    ),
    "check_failed": (profile(CHECK), ok(b"{}"), Outcome.CHECK_FAILED, 200, "check failed: has an id"),
    "nothing to save": (profile(SAVE), ok(b"{}"), Outcome.CHECK_FAILED, 200, "the answer has no id"),
    "no header to save": (profile(SAVE_HEADER), ok(b"{}"), Outcome.CHECK_FAILED, 200, "the answer has no header x-id"),
    "no JSON to save from": (profile(SAVE), ok(b"<html>"), Outcome.CHECK_FAILED, 200, "the answer is no JSON"),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_outcomes(tmp_path: Path, name: str) -> None:
    text, answer, outcome, status, words = OUTCOMES[name]
    played, (request,) = await play(tmp_path, text, answer)
    leaf = played.only
    assert leaf.outcomes == {outcome.value: 1}
    assert leaf.status == ({status: 1} if status else {})
    assert leaf.sums["attempts"] == leaf.sums["connections_opened"] == leaf.hists["connect"].count == 1
    assert leaf.sums["bytes_sent"] == len(request)
    if isinstance(answer, bytes) and outcome is not Outcome.PROTOCOL_ERROR:
        assert leaf.sums["bytes_received"] == len(answer)
    timed = {"latency", "ttfb"} if outcome is Outcome.OK else {"time_to_failure"}
    assert timed <= set(leaf.hists)
    assert ("latency" in leaf.hists) == (outcome is Outcome.OK)
    assert ("time_to_failure" in leaf.hists) == (outcome is not Outcome.OK)
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, int(outcome is Outcome.OK))
    if outcome is Outcome.OK:
        assert played.errors == []
    else:
        assert words in played.message()


async def test_a_stream_is_taken_apart(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(POST, pool=CHAT), events("", "a", "b", "c"))
    hists = played.only.hists
    assert {name: hists[name].count for name in ("ttft", "ttfo", "inter_chunk", "latency", "ttfb")} == {
        "ttft": 1,
        "ttfo": 1,
        "inter_chunk": 2,
        "latency": 1,
        "ttfb": 1,
    }
    assert hists["ttfb"].total <= hists["ttft"].total <= hists["latency"].total
    assert played.only.sums["token_estimates"] == 1


async def test_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        pool, layout, recorder = pool_of(tmp_path, profile().replace("{port}", str(taken.getsockname()[1])))
        pool.aim(1)
        await until(lambda: pool.leaves[0].outcomes)
        pool.finish(sending=False)
        await ended(pool)
    played = Play(layout, recorder)
    assert played.only.outcomes == {"connect_error": 1}
    assert set(played.only.hists) == {"time_to_failure"}
    assert played.only.sums == {}
    assert "refused" in played.message() or "connect" in played.message()


async def _late(answer: bytes, text: str, folder: Path) -> Play:
    """The one request waits for ever, and so runs into a timeout once the clock says so."""

    async def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await nothing(reader, writer)

    async with playing(folder, text, Script(begin)) as (pool, layout, recorder):
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: user.step is not None and user.exchange is not None and user.exchange.waiting)
        await until(lambda: user.exchange is not None and user.exchange.received == len(answer))
        await until(lambda: flying(pool) == 1)
        pool.watch(perf_counter_ns() + FAR)
        await until(lambda: pool.leaves[0].outcomes)
        return Play(layout, recorder)


HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx"
EVENT_STREAM = ("content-type: text/event-stream",)
ROLE = chunked(b'data: {"choices": [{"delta": {"role": "assistant"}}]}\n\n', headers=EVENT_STREAM)
LONG = 'timeout = "100000s"\n'


@pytest.mark.parametrize(
    ("answer", "text", "words"),
    [
        (b"", profile(top='timeout = "7s"'), "no whole answer within 7s"),
        (HALF, profile(top='timeout = "7s"'), "no whole answer within 7s"),
        (b"", profile(top=LONG + 'first_byte_timeout = "6s"'), "no first byte within 6s"),
        (HALF, profile(top=LONG + 'first_byte_timeout = "6s"\nidle_timeout = "5s"'), "nothing more for 5s"),
        (ROLE[:-5], profile(POST, top=LONG + 'first_token_timeout = "4s"', pool=CHAT), "no first token within 4s"),
    ],
    ids=["total", "total, midway", "first byte", "idle", "first token"],
)
async def test_timeouts(tmp_path: Path, answer: bytes, text: str, words: str) -> None:
    played = await _late(answer, text, tmp_path)
    assert played.only.outcomes == {"timeout": 1}
    assert played.message() == words
    assert played.only.status == ({200: 1} if answer else {})
    assert set(played.only.hists) == {"connect", "time_to_failure"}


async def test_the_end_of_the_run_cuts_what_is_in_flight(tmp_path: Path) -> None:
    async with playing(tmp_path, profile(), Script(nothing, nothing)) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: flying(pool) == 1)
        pool.cancel()
        await ended(pool)
        played = Play(layout, recorder)
    assert played.only.outcomes == {"cancelled": 1}
    assert not {"latency", "time_to_failure", "ttfb"} & set(played.only.hists)
    assert played.errors == []


async def test_an_arrival_without_a_free_user_is_dropped(tmp_path: Path) -> None:
    text = profile(pool='max_users = 1\nstages = [{ duration = "1s", rate = 1 }]').replace(
        'users = 1\nduration = "1s"\n', ""
    )
    async with playing(tmp_path, text, Script(nothing, ok(b"x"))) as (pool, layout, recorder):
        planned = perf_counter_ns()
        pool.arrive(planned)
        pool.arrive(planned)
        await until(lambda: flying(pool) == 1)
        pool.watch(perf_counter_ns() + FAR)
        await until(lambda: pool.idle)
        pool.arrive(planned)
        await ended(pool)
        played = Play(layout, recorder)
    assert played.only.outcomes == {"timeout": 1, "ok": 1}
    counts = {name: hist.count for name, hist in played.only.hists.items()}
    assert (counts["schedule_lag"], counts["response_time"], counts["latency"]) == (2, 1, 1)
    assert played.only.hists["response_time"].total >= played.only.hists["latency"].total
    (pools,) = played.pools
    assert (pools.sessions, pools.iterations, pools.dropped_iterations) == (1, 1, 1)


async def test_every_arrival_after_a_pause_is_served(tmp_path: Path) -> None:
    text = profile(pool='stages = [{ duration = "1s", rate = 1 }]').replace('users = 1\nduration = "1s"\n', "")
    async with playing(tmp_path, text, Script(*[ok(b"x")] * 3)) as (pool, layout, recorder):
        pool.arrive(perf_counter_ns())
        await until(lambda: pool.idle)
        pool.pause(True)
        pool.pause(False)
        await asyncio.sleep(0)  # for whoever was woken to look
        assert len(pool.idle) == 1
        pool.arrive(perf_counter_ns())
        pool.arrive(perf_counter_ns())
        await ended(pool)
        played = Play(layout, recorder)
    assert played.only.outcomes == {"ok": 3}
    (pools,) = played.pools
    assert (pools.iterations, pools.dropped_iterations) == (3, 0)


def test_a_user_has_a_number(tmp_path: Path) -> None:
    async def numbers() -> list[int]:
        pool: PoolRuntime
        pool, _, _ = pool_of(tmp_path, profile().replace("{port}", "9"))
        pool.aim(3)
        found = sorted(user.number for user in pool.tasks)
        pool.cancel()
        await ended(pool)
        return found

    assert asyncio.run(numbers()) == [1, 2, 3]


async def test_all_users_are_looked_at_within_five_calls(tmp_path: Path) -> None:
    users = 23
    text = profile(top='timeout = "7s"').replace("users = 1", f"users = {users}")

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving(silent) as server:
        pool, layout, recorder = pool_of(tmp_path, text.replace("{port}", str(server.port)))
        pool.aim(users)
        await until(lambda: all(user.step is not None and user.exchange is not None for user in pool.tasks))
        await until(lambda: flying(pool) == users)
        oldest = min(user.exchange.sent_ns for user in pool.tasks if user.exchange is not None)
        assert pool.in_flight == (users, oldest)
        pool.finish(sending=False)
        late = perf_counter_ns() + FAR
        for _ in range(WATCH_CALLS * 2):  # the round under way may have begun before
            pool.watch(late)
        await ended(pool)
        assert pool.in_flight == (0, 0)
        assert Play(layout, recorder).only.outcomes == {"timeout": users}


STREAM = ("content-type: text/event-stream",)


def told(*values: object) -> list[bytes]:
    return [f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode() for value in values]


def unended(*values: object, rest: bytes = b"") -> bytes:
    """A stream whose body has no end, with something else behind what there is of it."""
    return chunked(*told(*values), headers=STREAM).removesuffix(b"0\r\n\r\n") + rest


WORD = {"choices": [{"index": 0, "delta": {"content": "a"}}]}
FAULT = {"error": {"message": "broken"}}


@pytest.mark.parametrize("rest", [b"", b"no size of a chunk\r\n", b"5\r\nab"])
@pytest.mark.parametrize(("end", "outcome"), [("[DONE]", "ok"), (FAULT, "stream_error")])
async def test_what_an_answer_has_said_counts_before_how_its_connection_ended(
    tmp_path: Path, end: object, outcome: str, rest: bytes
) -> None:
    played, _ = await play(tmp_path, profile(POST, pool=CHAT), then_close(unended(WORD, end, rest=rest)))
    assert played.only.outcomes == {outcome: 1}
    assert [error.message for error in played.errors] == ([] if outcome == "ok" else ["broken"])


async def test_tokens_of_0_that_were_told_before_anything_was_said_are_not_believed(tmp_path: Path) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 0}}
    played, _ = await play(
        tmp_path, profile(POST, pool=CHAT), chunked(*told(usage, WORD, WORD, "[DONE]"), headers=STREAM)
    )
    sums = played.only.sums
    assert (sums["input_tokens"], sums.get("output_told"), sums["estimated_tokens"]) == (5, None, 2)


async def test_tokens_of_a_refusal_whose_request_is_sent_again_are_counted(tmp_path: Path) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    busy = {"error": {"message": "slow down", "code": 429, "retry_after": 0}}
    played, requests = await play(
        tmp_path,
        profile(POST, pool=CHAT, top='on_429 = "retry"\n'),
        chunked(*told(WORD, usage, busy), headers=STREAM),
        chunked(*told(WORD, usage, "[DONE]"), headers=STREAM),
    )
    leaf = played.only
    assert (len(requests), leaf.outcomes, leaf.sums["retries"]) == (2, {"ok": 1}, 1)
    assert (leaf.sums["input_tokens"], leaf.sums["output_tokens"], leaf.sums["token_requests"]) == (14, 6, 2)


async def test_the_time_of_a_token_is_of_those_after_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def earlier(leaf: Leaf, answer: Answer, latency: int) -> None:
        """As if the first output had come 20 ms before the end."""
        answer.ttft_ns = latency - 20_000_000

    monkeypatch.setattr(record, "count_stream", earlier)
    for tokens, each_us in ((5, 5_000), (2, 20_000), (1, None), (0, None)):
        usage = {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": tokens}}
        stream = chunked(*told(WORD, WORD, usage, "[DONE]"), headers=STREAM)
        played, _ = await play(tmp_path, profile(POST, pool=CHAT), stream)
        found = played.only.hists.get("tpot")
        assert (None if found is None else found.total) == each_us


async def test_counts_that_nobody_can_believe_are_the_most_that_a_recorder_holds(tmp_path: Path) -> None:
    many = 9 * 10**14
    usage = {
        "prompt_tokens": many, "completion_tokens": many, "prompt_tokens_details": {"cached_tokens": many},
        "completion_tokens_details": {"reasoning_tokens": many},
    }  # fmt: skip
    stream = chunked(*told(WORD, {"choices": [], "usage": usage}, "[DONE]"), headers=STREAM)
    played, _ = await play(tmp_path, profile(POST, pool=CHAT), stream)
    sums = played.only.sums
    assert [sums[f"{kind}_tokens"] for kind in ("input", "output", "cached", "reasoning")] == [MAX_COUNTED] * 4
    assert [sums[f"{kind}_told"] for kind in ("input", "output", "cached", "reasoning")] == [1] * 4
    measure = "measure = { llm_calls = '$.n', tool_calls = '$.n' }"
    played, _ = await play(tmp_path, profile(pool=f'dialect = "json"\n{measure}'), ok(b'{"n": %d}' % many))
    sums = played.only.sums
    assert (sums["llm_calls"], sums["tool_calls"]) == (MAX_COUNTED, MAX_COUNTED)


async def test_tokens_of_an_answer_that_was_not_streamed_are_not_estimated(tmp_path: Path) -> None:
    message = {"result": {"message": {"parts": [{"text": "a"}]}}}
    body = ok(json.dumps(message).encode(), "content-type: application/json")
    played, _ = await play(tmp_path, profile(POST, pool='dialect = "a2a"'), body)
    assert played.only.outcomes == {"ok": 1}
    assert not {"token_estimates", "estimated_tokens"} & set(played.only.sums)


@pytest.mark.parametrize(
    ("more", "headers", "notes"),
    [
        ("", (), [record.UNTYPED]),
        ("\nstream = true", (), []),
        ("", STREAM, []),
        ("", ("content-type: text/plain",), [record.UNTYPED]),
    ],
)
async def test_a_stream_that_is_not_called_one_is_read_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, headers: tuple[str, ...], notes: list[str]
) -> None:
    noted: list[str] = []
    monkeypatch.setattr("agenttop.users.shared.PoolShared.note", lambda pool, text: noted.append(text))
    played, _ = await play(tmp_path, profile(POST + more, pool=CHAT), chunked(*told(WORD, "[DONE]"), headers=headers))
    assert played.only.outcomes == {"ok": 1}
    assert played.only.hists["ttft"].count == 1
    assert noted == notes


async def test_an_arrivals_response_time_is_from_when_it_was_planned(tmp_path: Path) -> None:
    text = profile(pool='stages = [{ duration = "1s", rate = 1 }]').replace('users = 1\nduration = "1s"\n', "")
    async with playing(tmp_path, text, Script(ok(b"x"))) as (pool, layout, recorder):
        pool.arrive(perf_counter_ns() - 5_000_000)
        await ended(pool)
        hists = Play(layout, recorder).only.hists
    lag, latency, response = (hists[name].total for name in ("schedule_lag", "latency", "response_time"))
    assert lag >= 5_000
    assert response == pytest.approx(latency + lag, abs=0.01)
