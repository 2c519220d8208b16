"""Serves one text over HTTP to whoever scrapes it, without ever waiting for them.

It is made at most once a second, however many ask. Few connections are open at a time, each for one question and a few
seconds: a slow or hostile reader costs the run nothing but the file that its connection is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable

#: Connections at a time; further ones are closed at once.
MAX_CONNECTIONS = 16
#: Seconds for a question and its answer.
PATIENCE_S = 5.0
#: A text is as new as this.
FRESH_S = 1.0
#: Seconds at most that the last figures wait for somebody to fetch them.
MAX_LINGER_S = 60.0
_MAX_HEAD = 8192


def reason_of(error: OSError) -> str:
    """Return why a port cannot be had, without the address that some put behind it."""
    if error.errno is not None and error.errno > 0:  # those of names are below 0
        return os.strerror(error.errno)
    return str(error.strerror or error)


class ScrapeServer:
    """Serves what ``text`` returns under ``/metrics``.

    Args:
        text: makes it.
        content_type: of it.
        clock: monotonic seconds.
    """

    def __init__(self, text: Callable[[], str], content_type: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._text = text
        self._type = content_type
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()
        self._made: tuple[float, bytes] | None = None
        self._asked_s: list[float] = []
        """When the last two were answered."""
        self._scraped = asyncio.Event()

    async def open(self, host: str, port: int) -> str:
        """Begin to serve, and return the address.

        Raises:
            OSError: the port is taken, or no address of this machine.
        """
        self._server = await asyncio.start_server(self._connected, host, port, limit=_MAX_HEAD)
        name, bound, *_ = self._server.sockets[0].getsockname()
        return f"http://{f'[{name}]' if ':' in name else name}:{bound}/metrics"

    async def linger(self) -> None:
        """Wait until the figures as they are now were fetched once: as long as it was between the last two fetches and
        half as long again, and not at all where nobody fetched any.
        """
        if self._server is None or not self._asked_s:
            return
        between = self._asked_s[-1] - self._asked_s[0] if len(self._asked_s) > 1 else MAX_LINGER_S
        self._made = None
        self._scraped.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._scraped.wait(), min(MAX_LINGER_S, 1.5 * between + 1.0))

    async def close(self) -> None:
        """Stop."""
        if self._server is not None:
            self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._open) >= MAX_CONNECTIONS:
            writer.transport.abort()
            return
        self._open.add(task)
        try:
            async with asyncio.timeout(PATIENCE_S):
                head = await reader.readuntil(b"\r\n\r\n")
                whole = self._answer(head)
                writer.write(whole)
                await writer.drain()
                if whole.startswith(b"HTTP/1.1 200") and not head.startswith(b"HEAD"):
                    self._asked_s = [*self._asked_s[-1:], self._clock()]
                    self._scraped.set()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method not in (b"GET", b"HEAD"):
            return _response(b"405 Method Not Allowed", "text/plain", b"only GET\n")
        if path != b"/metrics":
            return _response(b"404 Not Found", "text/plain", b"/metrics\n")
        whole = _response(b"200 OK", self._type, self._current())
        return whole if method == b"GET" else whole.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _current(self) -> bytes:
        now = self._clock()
        if self._made is None or now - self._made[0] >= FRESH_S:
            self._made = (now, self._text().encode("utf-8", "replace"))
        return self._made[1]


def _response(status: bytes, content_type: str, body: bytes) -> bytes:
    head = b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    return head % (status, content_type.encode(), len(body)) + body
