"""Tests of agenttop.wire.room.

Limits stand before the work, and say what they have left out.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from agenttop.dialects.ratelimit_field import parse_policies, parse_ratelimit
from agenttop.dialects.server_timing import parse_server_timing
from agenttop.metrics.outcome import Outcome
from agenttop.users.answer import LOOKED_AT, MAX_STEPS, Answer
from agenttop.users.cookies import MAX_SET, Cookies
from agenttop.users.saving import TOO_LONG
from agenttop.wire import http1
from agenttop.wire.room import ROOM
from agenttop.wire.sse import SseParser
from agenttop.wire.target import parse_target
from agenttop.wire.turns import Turns
from tests.users.playing import play, pool_of, profile
from tests.wire.reading import GET, Keeper, until
from tests.wire.server import chunked, ok
from tests.wire.test_http1_cuts import offline

LINES = {
    "many names": [f"x-{n}: {n}" for n in range(10_000)],
    "one name": ["a: b"] * 30_000,
    "long values": ["x: " + "y" * 4000] * 50,
    "cookies": [f"set-cookie: c{n}=v" for n in range(9_000)],
    "server-timing": [f"server-timing: p{n};dur=1" for n in range(8_000)],
}


@pytest.mark.parametrize("name", LINES)
async def test_header_lines_are_bounded(name: str) -> None:
    raw = ok(b"body", *LINES[name])
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, False)
    connection.data_received(raw)
    await until(lambda: waiter.done() or not connection.behind_ns)
    await waiter
    assert (connection.failure, sink.body) == (None, b"body")
    assert sum(map(len, sink.headers.values())) <= http1.MAX_HEADER_TEXT + http1.MAX_HEADERS * 2
    assert len(sink.headers) <= http1.MAX_HEADERS
    assert connection.left_out > 0
    # And the next answer is read as any.
    waiter = connection.send(GET, sink, False)
    connection.data_received(ok(b"x", "x-a: 1"))
    await waiter
    assert (sink.headers["x-a"], connection.left_out) == ("1", 0)


async def test_what_was_left_out_is_said(tmp_path: Path) -> None:
    from agenttop.users.shared import PoolShared

    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PoolShared, "note", lambda pool, text: told.append(text))
        text = profile('get = "/"\nchecks = { fine = "status == 200" }', top="cookies = true")
        many = [*LINES["cookies"][:300], "server-timing: " + ",".join(f"p{n};dur=1" for n in range(2000))]
        played, _ = await play(tmp_path, text, ok(b"x", *many), ok(b"y", *LINES["many names"]))
    assert played.only.outcomes == {"ok": 2}
    for words in ("header lines", "cookies", "Server-Timing"):
        assert any(words in line for line in told), told


def test_the_last_cookies_of_many_are_kept() -> None:
    cookies = Cookies()
    target = parse_target("http://a.test")
    cookies.keep("\n".join(f"c{n}=v" for n in range(9_000)), GET, target)
    sent = cookies.add(GET, target)
    assert sent.count(b"=v") == MAX_SET
    assert b"c8999=v" in sent


@pytest.mark.parametrize("bomb", ["a;dur=1,", '"', '"\\', "a;dur=", ";", '"a"b', "a;" * 3 + ","])
def test_a_bomb_of_timings_costs_no_more_than_its_beginning(bomb: str) -> None:
    parse_server_timing(bomb * 1_000_000)
    parse_ratelimit(bomb * 1_000_000)
    parse_policies(bomb * 1_000_000)


async def test_steps_are_bounded(tmp_path: Path) -> None:
    pool, _, _ = pool_of(tmp_path, profile().replace("{port}", "1"))
    answer = Answer()
    answer.begin(pool.compiled.tasks[0].steps[0])
    for number in range(20_000):
        answer._step(f"step {number}", True, number)
        answer._step(f"step {number}", False, number + 5)
    assert answer.step_ns is not None
    assert (len(answer.step_ns), answer.left_out) == (MAX_STEPS, 20_000 - MAX_STEPS)
    assert set(answer.step_ns.values()) == {5}


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_a_body_of_tiny_chunks_takes_what_it_says(tmp_path: Path, size: int) -> None:
    text = profile('get = "/"\nchecks = { fine = "body contains \\"x\\"" }').replace("{port}", "1")
    pool, _, _ = pool_of(tmp_path, text)
    answer = Answer()
    answer.begin(pool.compiled.tasks[0].steps[0])
    answer.head(200, {}, 1)
    whole = 60_000
    tracemalloc.start()
    try:
        for number in range(whole // size):
            answer.data(bytes([120 + number % 2] * size), 1)
        taken = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert taken < 2 * whole
    assert len(answer.body) == whole // size * size
    answer.begin(pool.compiled.tasks[0].steps[0])
    assert ROOM.used == 0


@pytest.mark.parametrize("breaks", [b"\n", b"\r\n"])
async def test_what_may_begin_a_stream_is_looked_for_in_its_first_bytes_alone(tmp_path: Path, breaks: bytes) -> None:
    """Looking at all that has come with every piece of it takes time with the square of its length."""
    text = profile('post = "/"\nstream = true').replace("{port}", "1")
    pool, _, _ = pool_of(tmp_path, text)
    answer = Answer()
    for padding, streamed in ((0, True), (1000, True), (LOOKED_AT, False)):
        answer.begin(pool.compiled.tasks[0].steps[0])
        answer.head(200, {}, 1)
        for _ in range(padding // len(breaks)):
            answer.data(breaks, 1)
        answer.data(b"data: x\n\n", 1)
        assert answer.streamed is streamed


@pytest.mark.parametrize("part", ["a body", "an event"])
async def test_who_leaves_gives_back_what_its_last_answer_took(tmp_path: Path, part: str) -> None:
    large = b"x" * (3 << 20)
    if part == "a body":
        text, answer = profile('get = "/"\nchecks = { fine = "body contains \\"x\\"" }'), ok(large)
    else:
        text, answer = (
            profile('get = "/"', pool='protocol = "sse"'),
            ok(b"data: " + large, "content-type: text/event-stream"),
        )
    await play(tmp_path, text, answer)
    assert ROOM.used == 0


async def test_what_is_not_kept_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A check of a body that is longer than our limit has neither passed nor failed; others are judged."""
    monkeypatch.setattr("agenttop.users.answer.MAX_BODY", 100_000)
    told: list[str] = []
    monkeypatch.setattr("agenttop.users.shared.PoolShared.note", lambda pool, text: told.append(text))
    step = 'get = "/"\nchecks = { id = "$.id", fine = "status == 200" }'
    large = b'{"pad": "' + b"x" * 200_000 + b'", "id": 1}'
    played, _ = await play(tmp_path, profile(step), ok(large), chunked(large), ok(b'{"id": 2}'))
    assert played.only.outcomes == {"ok": 3}
    assert played.checks == {"id": (1, 0), "fine": (3, 0)}
    assert "a limit of agenttop" in told[0]


async def test_what_cannot_be_saved_of_a_body_that_is_not_kept_is_our_limits_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agenttop.users.answer.MAX_BODY", 100_000)
    large = ok(b'{"pad": "' + b"x" * 200_000 + b'", "id": 1}', "x-id: 1")
    played, _ = await play(tmp_path, profile('get = "/"\nsave = { id = "$.id" }'), large)
    (error,) = played.errors
    assert (error.outcome, error.message) == ("check_failed", f"nothing to save: {TOO_LONG}")
    played, _ = await play(tmp_path, profile('get = "/"\nsave = { id = "header x-id" }'), large)
    assert played.only.outcomes == {"ok": 1}


async def test_an_event_that_is_too_long_decides_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agenttop.users.answer.SseParser", lambda: SseParser(1000))
    told: list[str] = []
    monkeypatch.setattr("agenttop.users.shared.PoolShared.note", lambda pool, text: told.append(text))
    text = profile('post = "/"', pool='protocol = "sse"\ndialect = "openai.chat"')
    event = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n'
    done = b'data: {"choices": [{"finish_reason": "stop", "delta": {}}], "pad": "' + b"x" * 5000 + b'"}\n\n'
    answer = chunked(event, done, headers=("content-type: text/event-stream",))
    played, _ = await play(tmp_path, text, answer)
    assert played.only.outcomes == {"ok": 1}
    assert "events of more than" in told[0]


@pytest.mark.parametrize("size", [500, 5_000])
async def test_a_head_has_an_end(size: int) -> None:
    """However it comes: in reads that are parsed at once, and in those that are not."""
    connection, _ = offline()
    waiter = connection.send(GET, Keeper(), False)
    line = b"x-" + b"y" * 97 + b"\r\n"
    connection.data_received(b"HTTP/1.1 200 OK\r\n")
    for _ in range(2 * http1.MAX_HEAD // size):
        connection.data_received(line[:-2] * (size // 100) if size < 1000 else b"x: " + b"y" * (size - 5) + b"\r\n")
    await waiter
    assert connection.failure == (Outcome.PROTOCOL_ERROR, "more than 256 KiB of headers")


@pytest.mark.parametrize("trailers", [False, True])
async def test_a_head_has_an_end_though_the_answer_ends_in_the_same_piece(
    monkeypatch: pytest.MonkeyPatch, trailers: bool
) -> None:
    connection, _ = offline()
    waiter = connection.send(GET, Keeper(), False)
    lines = b"".join(b"set-cookie: a%d=b\r\n" % n for n in range(13_000))
    assert http1.MAX_HEAD < len(lines) < http1.MAX_HEAD + 40_000
    begin = b"HTTP/1.1 200 OK\r\n" + (b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n" if trailers else b"")
    whole = begin + lines + (b"\r\n" if trailers else b"content-length: 0\r\n\r\n")
    monkeypatch.setattr(http1, "TURNS", Turns())
    monkeypatch.setattr(http1, "SLOW_NS", 1 << 60)
    monkeypatch.setattr(http1, "FAST_NS", 1 << 60)
    cut = http1.MAX_HEAD - 1_000
    for at in range(0, cut, 4_096):
        connection.data_received(whole[at : min(at + 4_096, cut)])
    connection._piece = len(whole)
    connection.data_received(whole[cut:])
    await waiter
    assert connection.failure == (Outcome.PROTOCOL_ERROR, "more than 256 KiB of headers")


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("size", [500, 5_000])
async def test_a_body_is_no_head(lean: bool, size: int) -> None:
    """The bytes of a lean answer's body are told from none, and it may have as many as any."""
    connection, _ = offline()
    sink = Keeper()
    waiter = connection.send(GET, sink, lean)
    raw = ok(b"y" * 2 * http1.MAX_HEAD)
    for at in range(0, len(raw), size):
        connection.data_received(raw[at : at + size])
        await until(lambda: not connection.behind_ns)
    await waiter
    assert (connection.failure, connection.status, connection.lean) == (None, 200, lean)
    assert len(sink.body) == (0 if lean else 2 * http1.MAX_HEAD)
