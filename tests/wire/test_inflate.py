"""Decompression as the bytes arrive."""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.outcome import Outcome
from agenttop.wire.http1 import CLOSED, DRAINING, IDLE
from agenttop.wire.inflate import MAX_CHAINED, PIECE, Inflate, InflateError, decoder
from tests.wire.reading import GET, Keeper, connected, exchange, until
from tests.wire.server import answering, chunked, ok, serving
from tests.wire.test_http1_cuts import offline


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "bare deflate": ("deflate", raw_deflate),
    "gzip called deflate": ("deflate", gzip.compress),
    "zlib called gzip": ("gzip", zlib.compress),
    "two members": ("gzip", lambda data: gzip.compress(data[: len(data) // 2]) + gzip.compress(data[len(data) // 2 :])),
    "padding": ("gzip", lambda data: gzip.compress(data) + b"\0" * 7),
}


@pytest.mark.parametrize("kind", PACKERS)
@given(data=st.binary(max_size=2000), step=st.integers(1, 50))
def test_any_cut_gives_the_same(kind: str, data: bytes, step: int) -> None:
    encoding, pack = PACKERS[kind]
    packed = pack(data)
    inflate = Inflate(encoding)
    out = b"".join(
        piece for start in range(0, len(packed), step) for piece in inflate.feed(packed[start : start + step])
    )
    assert out == data
    assert inflate.finished


@pytest.mark.parametrize("kind", ["gzip", "zlib", "bare deflate"])
def test_a_piece_missing_is_noticed(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    inflate = Inflate(encoding)
    b"".join(inflate.feed(pack(b"something" * 50)[:-1]))
    assert not inflate.finished


def test_nothing_at_all_is_whole() -> None:
    assert Inflate("gzip").finished
    assert Inflate("deflate").finished


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_nonsense_is_an_error(encoding: str) -> None:
    with pytest.raises(InflateError):
        list(Inflate(encoding).feed(b"\xff\xff\xff\xff"))


def test_pieces_are_bounded_and_a_bomb_goes_off_outside() -> None:
    pieces = Inflate("gzip").feed(gzip.compress(bytes(3 * PIECE + 5)))
    assert [len(piece) for piece in pieces] == [PIECE, PIECE, PIECE, 5]
    bomb = Inflate("gzip").feed(gzip.compress(bytes(80 << 20)))
    with pytest.raises(InflateError, match="200 times"):
        deque(bomb, maxlen=0)


@pytest.mark.parametrize("codings", ["gzip, gzip", "gzip, deflate", "gzip, gzip, gzip"])
def test_a_bomb_within_another_goes_off_early(codings: str) -> None:
    packed = bytes(30 << 20)
    for coding in codings.split(", "):
        packed = gzip.compress(packed) if coding == "gzip" else zlib.compress(packed)
    reads, _ = decoder(codings)
    assert reads is not None
    came: list[int] = []
    with pytest.raises(InflateError, match="200 times"):
        came.extend(len(piece) for piece in reads.feed(packed))
    assert sum(came) <= MAX_CHAINED


def test_a_bomb_within_another_that_comes_to_nothing_goes_off_too() -> None:
    reads, _ = decoder("gzip, gzip")
    assert reads is not None
    with pytest.raises(InflateError, match="200 times"):
        list(reads.feed(gzip.compress(gzip.compress(b"abc") + bytes(30 << 20))))


async def test_a_bomb_behind_a_large_plain_answer_is_looked_at_in_small_pieces() -> None:
    connection, _ = offline()
    plain, sink = Keeper(), Keeper()
    waiter = connection.send(GET, plain, False)
    connection.data_received(ok(bytes(4 << 20)))
    await until(waiter.done)
    waiter = connection.send(GET, sink, False)
    connection.data_received(ok(gzip.compress(bytes(60 << 20)), "content-encoding: gzip"))
    assert len(sink.body) < 16 << 20, "of one turn"
    await until(waiter.done)
    assert (connection.failure, len(sink.body)) == (None, 60 << 20)


@pytest.mark.parametrize("kind", PACKERS)
async def test_over_a_connection(kind: str) -> None:
    encoding, pack = PACKERS[kind]
    body = b'{"text": "' + b"word " * 1000 + b'"}'
    async with serving(answering(ok(pack(body), f"content-encoding: {encoding}"))) as server:
        connection = await connected(server.port)
        sink = Keeper()
        assert await exchange(connection, sink) is None
        assert (sink.body, connection.state) == (body, IDLE)
        connection.close()


BROKEN = {
    "malformed": (ok(b"no gzip at all", "content-encoding: gzip"), Outcome.PROTOCOL_ERROR, "malformed compression"),
    "cut": (ok(gzip.compress(b"x" * 99)[:-4], "content-encoding: gzip"), Outcome.TRUNCATED, "ends early"),
    "bomb": (ok(gzip.compress(bytes(80 << 20)), "content-encoding: gzip"), Outcome.PROTOCOL_ERROR, "200 times"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_compression_is_a_failure(name: str) -> None:
    raw, outcome, words = BROKEN[name]
    async with serving(answering(raw)) as server:
        connection = await connected(server.port)
        failure = await exchange(connection, Keeper())
        assert failure is not None
        assert failure[0] is outcome
        assert words in failure[1]
        assert connection.state == CLOSED


async def test_broken_compression_nobody_reads_is_no_failure() -> None:
    async with serving(answering(ok(b"no gzip", "content-encoding: gzip"))) as server:
        connection = await connected(server.port)
        assert await exchange(connection, Keeper(wanted=False)) is None
        connection.close()


async def test_an_empty_body_is_not_compressed() -> None:
    async with serving(answering(ok(b"", "content-encoding: gzip"))) as server:
        connection = await connected(server.port)
        assert await exchange(connection, Keeper()) is None
        connection.close()


async def test_events_under_gzip_end_with_their_terminal_event() -> None:
    packer = zlib.compressobj(wbits=31)
    events = [b"data: a\n\n", b"data: b\n\n", b"data: [DONE]\n\n"]
    chunks = [packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in events]
    raw = chunked(*chunks, headers=("content-encoding: gzip", "content-type: text/event-stream"))
    async with serving(answering(raw[:-5])) as server:
        connection = await connected(server.port)
        sink = Keeper(until=b"[DONE]")
        assert await exchange(connection, sink) is None
        assert sink.body == b"".join(events)
        assert connection.state == DRAINING
        connection.close()
