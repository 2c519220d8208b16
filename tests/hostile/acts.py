"""What the hostile server does, as the pieces that the rows of its table are put together from."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from typing import Any

from tests.hostile.peer import Act, Peer

OK = b'{"ok": true}'
TEXT = b"text/plain"
JSON = b"application/json"
STREAM = b"text/event-stream"
ENDLESS = 1 << 40


# -- answers


def head(*lines: bytes, status: bytes = b"200 OK") -> bytes:
    """A head of these header lines."""
    return b"\r\n".join([b"HTTP/1.1 " + status, *lines, b"", b""])


def answer(body: bytes = OK, *lines: bytes, status: bytes = b"200 OK", kind: bytes = JSON) -> bytes:
    """A whole answer."""
    return head(*lines, b"content-type: " + kind, b"content-length: %d" % len(body), status=status) + body


def coded(coding: bytes, body: bytes) -> bytes:
    """An answer with a content coding, whatever the body is."""
    return answer(body, b"content-encoding: " + coding)


def chunked(*chunks: bytes, kind: bytes = JSON, end: bytes = b"0\r\n\r\n", lines: tuple[bytes, ...] = ()) -> bytes:
    """An answer in chunks."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head(b"content-type: " + kind, b"transfer-encoding: chunked", *lines) + body + end


def as_chunks(body: bytes) -> bytes:
    """An answer in chunks whose body is written out, sizes and all."""
    return head(b"content-type: " + JSON, b"transfer-encoding: chunked") + body


def zipped(data: bytes) -> bytes:
    """gzip."""
    return gzip.compress(data, mtime=0)


def bare_deflate(data: bytes) -> bytes:
    """What some servers call deflate: without zlib's frame."""
    deflate = zlib.compressobj(wbits=-15)
    return deflate.compress(data) + deflate.flush()


# -- event streams


def stream(*events: bytes, kind: bytes = STREAM) -> bytes:
    """An event stream that ends with the connection's chunk: each of the events with its empty line."""
    return chunked(b"".join(events), kind=kind)


def data(value: Any, event: str = "") -> bytes:
    """One event: bytes as they are, anything else as JSON."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return (f"event: {event}\n".encode() if event else b"") + b"data: " + text + b"\n\n"


def word(text: str = "hello", **more: Any) -> bytes:
    """A chunk of a chat completion."""
    return data({"choices": [{"index": 0, "delta": {"content": text}, **more}]})


DONE = b"data: [DONE]\n\n"
CHAT = word() + word(" there", finish_reason="stop") + DONE


# -- how it is said


def closing(said: bytes) -> Act:
    """Say it, and close."""

    async def act(peer: Peer) -> None:
        await peer.send(said)
        await peer.close()

    return act


def resetting(said: bytes, after_s: float = 0.0) -> Act:
    """Say it, let it arrive, and reset."""

    async def act(peer: Peer) -> None:
        await peer.send(said)
        await asyncio.sleep(after_s)
        await peer.reset()

    return act


def silent(said: bytes = b"") -> Act:
    """Say it, and nothing more until the client leaves."""

    async def act(peer: Peer) -> None:
        await peer.send(said)
        await peer.left()

    return act


def half_closing(said: bytes = b"") -> Act:
    """Say it, end what can be said, and go on listening."""

    async def act(peer: Peer) -> None:
        await peer.send(said)
        peer.writer.write_eof()
        await peer.left()

    return act


def drip(said: bytes, size: int = 1, pause_s: float = 0.0) -> Act:
    """Say it in pieces, each in a packet of its own."""

    async def act(peer: Peer) -> None:
        for at in range(0, len(said), size):
            await peer.send(said[at : at + size])
            await asyncio.sleep(pause_s)

    return act


def repeat(before: bytes, piece: bytes, times: int, after: bytes = b"", pause_s: float = 0.0) -> Act:
    """Say a piece many times; with :data:`ENDLESS` until the client leaves, or has had what it may have."""
    at_once = 1 if pause_s else max((1 << 16) // len(piece), 1)

    async def act(peer: Peer) -> None:
        await peer.send(before)
        left = times
        while left > 0:
            await peer.send(piece * min(at_once, left))
            left -= at_once
            if pause_s:
                await asyncio.sleep(pause_s)
        await peer.send(after)

    return act


def in_turn(*acts: Act, pause_s: float = 0.0) -> Act:
    """One after the other, with a pause between them."""

    async def act(peer: Peer) -> None:
        for index, each in enumerate(acts):
            if index:
                await asyncio.sleep(pause_s)
            await peer.act(each)

    return act


def first(once: Act, then: Act) -> Act:
    """One answer on every connection, then something else."""

    async def act(peer: Peer) -> None:
        await peer.act(once if peer.turn == 1 else then)

    return act


# -- redirects


def redirect(location: bytes, status: bytes = b"302 Found") -> bytes:
    """Elsewhere."""
    return answer(b"", b"location: " + location, status=status)


def chain(path: bytes, length: int, pause_s: float = 0.0) -> Act:
    """So many redirects to the same path, then the answer."""

    async def act(peer: Peer) -> None:
        await asyncio.sleep(pause_s)
        step = peer.query
        await peer.send(answer() if step == length else redirect(b"%b?%d" % (path, step + 1)))

    return act


def to_origin(there: bytes) -> Act:
    """To the same server under another name, so that it is another origin."""

    async def act(peer: Peer) -> None:
        port = peer.writer.get_extra_info("sockname")[1]
        await peer.send(redirect(b"http://localhost:%d%b" % (port, there)))

    return act


def to_listener(name: str, scheme: bytes = b"http") -> Act:
    """To one of those that misbehave before anything was asked."""

    async def act(peer: Peer) -> None:
        await peer.send(redirect(b"%b://127.0.0.1:%d/" % (scheme, peer.ports[name])))

    return act


# -- WebSocket

TEXT_FRAME, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
TOLD = b'{"done": true}'


def frame(
    payload: bytes = TOLD, opcode: int = TEXT_FRAME, *, fin: bool = True, rsv: int = 0, mask: bool = False
) -> bytes:
    """A frame as a server sends it, and not only those that it may send."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big") if size < 1 << 16 else b""
    length = length or b"\x7f" + size.to_bytes(8, "big")
    if mask:
        length = bytes([length[0] | 0x80]) + length[1:] + bytes(4)
    return bytes([fin << 7 | rsv << 4 | opcode]) + length + payload


def bye(code: int, reason: bytes = b"") -> bytes:
    """A close frame."""
    return frame(code.to_bytes(2, "big") + reason, CLOSE)


def upgrade(*acts: Act, lines: tuple[bytes, ...] = (), at_once: Act = b"", key: bytes | None = None) -> Act:
    """Upgrade, do at once what is to be done, then answer each message with the next of the acts, the last of them
    again and again.
    """

    async def act(peer: Peer) -> None:
        accept = peer.accept if key is None else key
        said = head(
            b"upgrade: websocket",
            b"connection: upgrade",
            b"sec-websocket-accept: " + accept,
            *lines,
            status=b"101 Switching Protocols",
        )
        if isinstance(at_once, bytes):
            await peer.send(said + at_once)  # in one packet
        else:
            await peer.send(said)
            await peer.act(at_once)
        left = list(acts)
        while True:
            await peer.message()
            await peer.act(left.pop(0) if len(left) > 1 else left[0])

    return act
