"""Servers that do exactly what a test says, byte for byte."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Reader = asyncio.StreamReader
Writer = asyncio.StreamWriter
Handler = Callable[[Reader, Writer], Awaitable[None]]


class Server:
    """A listening server. ``connections`` counts those accepted."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self.port = 0
        self.connections = 0
        self.errors: list[BaseException] = []
        self.tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: Reader, writer: Writer) -> None:
        """One connection, closed when its handler returns."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self._handler(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client has gone; what it saw is what the test looks at
        except asyncio.CancelledError:
            pass  # the end of the test
        except BaseException as error:
            self.errors.append(error)
        finally:
            self.tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


@asynccontextmanager
async def serving(handler: Handler, context: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a free port of 127.0.0.1, gone with all its connections at the end."""
    server = Server(handler)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        tasks = list(server.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await listening.wait_closed()
    assert not server.errors, server.errors


async def read_request(reader: Reader) -> bytes:
    """One request with its body, as it came.

    Raises:
        asyncio.IncompleteReadError: there is none any more.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + await reader.readexactly(int(line[15:]))
    return head


def answering(*answers: bytes, then_close: bool = False) -> Handler:
    """Each request gets the next answer, the last one again and again."""

    async def handle(reader: Reader, writer: Writer) -> None:
        for number in range(1 << 30):
            await read_request(reader)
            writer.write(answers[min(number, len(answers) - 1)])
            await writer.drain()
            if then_close and number == len(answers) - 1:
                return

    return handle


def reset(writer: Writer) -> None:
    """Close with a RST instead of a FIN."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


def ok(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """A plain answer with its length."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def chunked(*chunks: bytes, headers: tuple[str, ...] = (), trailers: tuple[str, ...] = ()) -> bytes:
    """A chunked answer."""
    lines = ["HTTP/1.1 200 OK", "transfer-encoding: chunked", *headers]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return head + body + b"0\r\n" + "".join(f"{line}\r\n" for line in trailers).encode() + b"\r\n"
