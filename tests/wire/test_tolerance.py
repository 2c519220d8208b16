"""Tests of agenttop.profile.asked_headers.

What every client of a target reads is read; what is not is named as what it is.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from agenttop.metrics.outcome import Outcome
from agenttop.users.shared import PoolShared
from agenttop.wire.inflate import decoder
from tests.profile.writing import load
from tests.users.playing import Play, play, profile, then_close
from tests.wire.reading import Keeper, connected, exchange
from tests.wire.server import Reader, Writer, answering, chunked, ok, read_request, serving

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
TOLERATED = {
    "padded chunk sizes": CHUNKED + b"3   \r\nabc\r\n0000\r\n\r\n",
    "padded to a width": CHUNKED + b"3\t\r\nabc\r\n0 \r\n\r\n",
    "padded before an extension": CHUNKED + b"3 ;x=y\r\nabc\r\n0\r\n\r\n",
    "leading zeros": CHUNKED + b"00000003\r\nabc\r\n0\r\n\r\n",
    "folded": HEAD + b"x-a: one\r\n two\r\n\tthree\r\ncontent-length: 3\r\n\r\nabc",
    "folded at once": HEAD + b"x-a:\r\n one\r\ncontent-length: 3\r\n\r\nabc",
    "folded twice": HEAD + b"x-a: one\r\n  \r\n two\r\ncontent-length: 3\r\n\r\nabc",
    "line feeds alone": b"HTTP/1.1 200 OK\ncontent-length: 3\nx-a: b\n\nabc",
    "line feeds and folded": b"HTTP/1.1 200 OK\nx-a: one\n two\ncontent-length: 3\n\nabc",
    "line feeds here and there": b"HTTP/1.1 200 OK\r\nx-a: b\ncontent-length: 3\n\r\nabc",
    "folded coding": HEAD + b"transfer-encoding:\r\n chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("name", TOLERATED)
async def test_what_curl_reads_is_read(name: str, lean: bool) -> None:
    async with serving(answering(TOLERATED[name])) as server:
        connection = await connected(server.port)
        for _ in range(3):
            sink = Keeper()
            assert await exchange(connection, sink, lean=lean) is None
            assert connection.status == 200
            assert connection.lean or sink.body == b"abc"
        assert server.connections == 1
        if name == "folded" and not lean:
            assert sink.headers["x-a"].split() == ["one", "two", "three"]
        connection.close()


@pytest.mark.parametrize("lean", [False, True])
async def test_a_body_behind_line_feeds_that_is_cut_is_truncated(lean: bool) -> None:
    """An empty line of the other kind within the body does not hide the length."""

    async def cut(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\ncontent-length: 30\n\nabc\r\n\r\nabc")
        writer.close()

    async with serving(cut) as server:
        connection = await connected(server.port)
        failure = await exchange(connection, Keeper(), lean=lean)
        assert failure is not None
        assert failure[0] is Outcome.TRUNCATED


CODED = {
    "gzip, gzip": gzip.compress(gzip.compress(b"abc")),
    "deflate, gzip": gzip.compress(zlib.compress(b"abc")),
    "identity, gzip": gzip.compress(b"abc"),
    " GZIP ,": gzip.compress(b"abc"),
    "identity": b"abc",
    "": b"abc",
}


@pytest.mark.parametrize("coding", CODED)
def test_codings_in_codings(coding: str) -> None:
    for step in (1, 1000):
        read, unread = decoder(coding)
        assert unread == ""
        data = CODED[coding]
        pieces = [data[at : at + step] for at in range(0, len(data), step)]
        found = b"".join(out for piece in pieces for out in (read.feed(piece) if read else [piece]))
        assert found == b"abc"
        assert read is None or read.finished


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, br", ", ".join(["gzip"] * 6)])
async def test_a_coding_that_is_not_read_is_named(tmp_path: Path, coding: str) -> None:
    step = 'get = "/"\nchecks = { fine = "$.id" }'
    answer = ok(b"\x1b\x03\x00", f"content-encoding: {coding}")
    played, _ = await play(
        tmp_path, profile(step), answer, then_close(ok(b"{", f"content-encoding: {coding}", status="500 x"))
    )
    assert played.only.outcomes == {"protocol_error": 1, "server_error": 1}
    assert any("not read here" in error.message for error in played.errors)
    timed, _ = await play(tmp_path, profile(), answer)
    assert timed.only.outcomes == {"ok": 1}  # whose body is not looked at


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ('accept-encoding = "br"', "asks for br"),
        ('Accept-Encoding = "gzip, zstd;q=0.5"', "asks for zstd"),
        ('sec-websocket-extensions = "permessage-deflate"', "not spoken here"),
        ('accept-encoding = "gzip, br;q=0, *"', ""),
        ('accept-encoding = "{uuid}"', ""),
    ],
)
@pytest.mark.parametrize("place", ["top", "step"])
def test_what_is_asked_for_and_not_read_is_told_at_once(tmp_path: Path, header: str, words: str, place: str) -> None:
    text = profile(
        f'get = "/"\nheaders = {{ {header} }}' if place == "step" else 'get = "/"',
        top=f"headers = {{ {header} }}" if place == "top" else "",
    ).replace("{port}", "1")
    if not words:
        load(tmp_path, text)
        return
    with pytest.raises(Exception, match=words):
        load(tmp_path, text)


EVENTS = b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: [DONE]\n\n'
SSE = 'protocol = "sse"\ndialect = "openai.chat"'


async def streamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, body: list[bytes], *headers: str, step: str = "", pool: str = SSE
) -> tuple[Play, list[str]]:
    told: list[str] = []
    monkeypatch.setattr(PoolShared, "note", lambda pool, text: told.append(text))
    played, _ = await play(folder, profile(f'post = "/"\n{step}', pool=pool), chunked(*body, headers=headers))
    return played, told


@pytest.mark.parametrize("type_", ["", "text/plain", "text/plain; charset=utf-8", "application/octet-stream"])
@pytest.mark.parametrize("cut", [1, 4, 1000])
@pytest.mark.parametrize("begin", [b"", b": hello\n\n", b"\xef\xbb\xbf", b"\n", b"event: message\n", b"id: 1\n"])
async def test_a_stream_without_its_type_is_a_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, type_: str, cut: int, begin: bytes
) -> None:
    body = begin + EVENTS
    headers = [f"content-type: {type_}"] if type_ else []
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
    played, told = await streamed(tmp_path, monkeypatch, pieces, *headers)
    assert played.only.outcomes == {"ok": 1}
    assert played.only.hists["ttft"].count == 1
    assert "read as streams" in told[0]


async def test_who_means_it_hears_no_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played, told = await streamed(tmp_path, monkeypatch, [EVENTS], step="stream = true", pool='dialect = "openai.chat"')
    assert (played.only.outcomes, played.only.hists["ttft"].count, told) == ({"ok": 1}, 1, [])


@pytest.mark.parametrize("body", [b'{"choices": []}', b"<html>", b"d", b"datum: 1\n\n"])
async def test_what_begins_no_stream_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    played, told = await streamed(tmp_path, monkeypatch, [body], "content-type: text/plain")
    assert "ok" not in played.only.outcomes
    assert told == []


async def test_a_step_that_is_no_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    json = b'{"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}'
    played, _ = await streamed(tmp_path, monkeypatch, [json], "content-type: application/json", step="stream = false")
    assert played.only.outcomes == {"ok": 1}


INTERIM = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"


@pytest.mark.parametrize("together", [True, False])
async def test_an_interim_answer_is_no_first_byte(tmp_path: Path, together: bool) -> None:
    from tests.wire.test_http1_cuts import offline

    connection, _ = offline()
    waiter = connection.send(b"GET / HTTP/1.1\r\n\r\n", Keeper(), False)
    if together:
        connection.data_received(INTERIM * 2 + ok(b"x"))
        assert connection.first_ns == connection.interim_ns == connection.last_ns
    else:
        connection.data_received(INTERIM)
        interim = connection.last_ns
        assert (connection.first_ns, connection.interim_ns) == (0, interim)
        connection.data_received(INTERIM)
        connection.data_received(ok(b"x"))
        assert (connection.first_ns, connection.interim_ns) == (connection.last_ns, interim)
    await waiter
    assert connection.status == 200
    played, _ = await play(tmp_path, profile(), INTERIM + ok(b"x"), ok(b"y"))
    assert (played.only.hists["interim"].count, played.only.hists["ttfb"].count) == (1, 2)
