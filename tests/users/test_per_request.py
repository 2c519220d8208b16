"""Tests of agenttop.users.connectors.

``connection = "per_request"``: a connection for every request, closed after its answer.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agenttop.wire.httpx_transport import HttpxTransport
from tests.users.playing import Script, ended, header, path_of, play, playing, pool_of, profile, then_close
from tests.wire.h2_server import Stream, speaking_h2
from tests.wire.server import Handler, Reader, Writer, chunked, ok, serving

PER_REQUEST = 'connection = "per_request"'
EVENTS = ("content-type: text/event-stream",)


class Counting(Script):
    """It keeps its connections, whatever the client says."""

    def __init__(self, *answers: bytes) -> None:
        super().__init__(*answers)
        self.connections = 0

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        self.connections += 1
        await super().__call__(reader, writer)


@pytest.mark.parametrize("answer", [ok(b"x"), ok(b"x", "connection: close"), chunked(b"x"), ok(b"no", status="500 x")])
async def test_every_request_has_a_connection_of_its_own(answer: bytes, tmp_path: Path) -> None:
    script = Counting(*[answer] * 5)
    async with playing(tmp_path, profile(top=PER_REQUEST), script) as (pool, _, recorder):
        assert not pool.compiled.back_to_back
        pool.aim(1)
        await ended(pool)
        (leaf,) = recorder.fold().leaves
    assert (script.connections, len(script.requests)) == (5, 5)
    assert {header(request, "connection") for request in script.requests} == {"close"}
    assert leaf.hists["connect"].count == leaf.sums["connections_opened"] == leaf.sums["attempts"] == 5
    assert leaf.sums.get("connections_reused", 0) == leaf.sums.get("connections_reopened", 0) == 0
    assert sum(leaf.outcomes.values()) == 5


async def test_a_pool_says_so_for_itself(tmp_path: Path) -> None:
    for top, pool, opened in ((PER_REQUEST, 'connection = "per_user"', 1), ("", PER_REQUEST, 3)):
        played, requests = await play(tmp_path, profile(top=top, pool=pool), *[ok(b"x")] * 3)
        assert played.only.sums["connections_opened"] == opened
        assert header(requests[0], "connection") == ("close" if opened > 1 else None)


async def test_an_answer_that_ends_before_its_last_byte_is_not_waited_for(tmp_path: Path) -> None:
    text = profile(
        'post = "/"\njson = { stream = true }', top=PER_REQUEST, pool='protocol = "sse"\ndialect = "openai.chat"'
    )
    stream = chunked(b'data: {"choices":[{"delta":{"content":"x"}}]}\n\ndata: [DONE]\n\n', headers=EVENTS)
    open_end = stream.removesuffix(b"0\r\n\r\n")
    played, _ = await play(tmp_path, text, open_end, open_end, open_end)
    assert played.only.outcomes == {"ok": 3}
    assert played.only.sums["connections_opened"] == 3


async def test_a_connection_that_is_lost_is_an_error_of_its_request(tmp_path: Path) -> None:
    played, requests = await play(tmp_path, profile(top=PER_REQUEST), ok(b"x"), then_close(), ok(b"x"))
    assert played.only.outcomes == {"ok": 2, "protocol_error": 1}
    assert len(requests) == played.only.sums["connections_opened"] == 3


async def test_set_up_redirects_and_retries_open_their_own(tmp_path: Path) -> None:
    text = profile(
        top=PER_REQUEST + '\nfollow_redirects = true\non_429 = "retry"', before='[[pools.setup]]\nget = "/login"\n'
    )
    busy = ok(b"", "retry-after: 0", status="429 x")
    played, requests = await play(
        tmp_path, text, ok(b""), ok(b"", "location: /x", status="302 Found"), busy, busy, ok(b"")
    )
    assert [path_of(request) for request in requests] == ["/login", "/", "/x", "/", "/"]
    assert {name: leaf.sums["connections_opened"] for name, leaf in played.leaves.items()} == {
        "GET /login": 1,
        "ask": 4,
    }
    assert played.leaves["ask"].hists["connect"].count == 4


async def test_the_same_over_http2(tmp_path: Path) -> None:
    seen: list[Stream] = []

    async def script(stream: Stream) -> None:
        seen.append(stream)
        if len(seen) == 3:
            pool.finish(sending=True)
        stream.answer(end=True)

    handler: Handler = speaking_h2(script)
    async with serving(handler) as server:
        pool, _, recorder = pool_of(tmp_path, profile(top=PER_REQUEST).replace("{port}", str(server.port)))
        pool.transport = HttpxTransport(asyncio.get_running_loop(), None, 5.0, http2=True)
        pool.aim(1)
        await ended(pool)
        assert server.connections == len(seen) == 3
    (leaf,) = recorder.fold().leaves
    assert (leaf.outcomes, leaf.sums["connections_opened"], leaf.hists["connect"].count) == ({"ok": 3}, 3, 3)
    assert all(b"connection" not in stream.headers for stream in seen)
