"""One counted HTTP request: reads its body, answers it, notices that its client left."""

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Any

import msgspec
from starlette.types import Message, Receive, Scope, Send

from agenttop.agent.stats import Served, Stats

Headers = list[tuple[bytes, bytes]]
MAX_BODY_BYTES = 1_000_000
CALL = "agenttop.call"  # where an ASGI scope carries its Call
UNKNOWN_ROUTE = "(no such route)"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class BadRequest(Exception):
    """A request that cannot be served; answered with `status` and the message."""

    def __init__(self, message: str, status: int = 400, code: str = "invalid_request") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ClientGone(Exception):
    """The client left before its answer was complete."""


def event(data: object) -> bytes:
    """Return one SSE event with `data` as JSON."""
    return b"data: " + _encode(data) + b"\n\n"


class Call:
    """Wraps receive and send of one request and counts how it ended, before its last byte is handed on.

    Counting first means that a client that has its whole answer never finds it missing in /stats.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, stats: Stats) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._stats = stats
        self._status = 0
        self._ended = False
        self._gone = False
        self.template = UNKNOWN_ROUTE
        self.served: Served | None = None
        self.buffers = False
        """Events are kept until the stream ends, as some proxies do."""
        self._kept = b""
        stats.begin()

    def header(self, name: bytes) -> bytes:
        """Return the value of a header (its name in lower case), empty when absent."""
        return next((value for key, value in self._scope["headers"] if key == name), b"")

    async def send(self, message: Message) -> None:
        """Send an ASGI message and count the end of the answer."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif not message.get("more_body", False):
            self._end(str(self._status))
        await self._send(message)

    def close(self) -> None:
        """Note that the application is done with the request: without an answer, its client had gone."""
        self._end("disconnected")

    def cut(self) -> None:
        """Count a stream that is about to be dropped; returning without a last body does that."""
        self._stats.cut_streams += 1
        self.served = None
        self._end(str(self._status))

    def _end(self, status: str) -> None:
        if not self._ended:
            self._ended = True
            served = self.served if status == "200" else None
            self._stats.end_request(f"{self._scope['method']} {self.template}", status, served)

    async def json(self) -> dict[str, Any]:
        """Return the body, a JSON object. Raises BadRequest for anything else, ClientGone when it does not
        come whole.
        """
        body = b""
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY_BYTES:
                raise BadRequest(f"the body is larger than {MAX_BODY_BYTES} bytes", 413)
        try:
            data = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(f"the body is not JSON: {error}") from None
        if not isinstance(data, dict):
            raise BadRequest("the body should be a JSON object")
        return data

    async def answer(self, status: int, body: object, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        """Send a whole JSON answer."""
        content = _encode(body)
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode()), *headers]
        await self.send({"type": "http.response.start", "status": status, "headers": head})
        await self.send({"type": "http.response.body", "body": content})

    async def accept(self) -> None:
        """Send a 202 with no body."""
        await self.send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
        await self.send({"type": "http.response.body", "body": b""})

    async def start_stream(self, headers: Headers) -> None:
        """Send the head of an event stream."""
        head = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache"), *headers]
        await self.send({"type": "http.response.start", "status": 200, "headers": head})

    async def stream(self, data: bytes, *, last: bool = False) -> None:
        """Send events; with `last` the stream ends in the same write."""
        if self.buffers:
            self._kept += data
            if not last:
                return
            data = self._kept
        await self.send({"type": "http.response.body", "body": data, "more_body": not last})

    async def unless_client_leaves(self, work: Awaitable[None]) -> None:
        """Run `work`, given up (and its slot with it) as soon as the client leaves. Raises ClientGone then."""
        task = asyncio.current_task()
        assert task is not None
        watcher = asyncio.create_task(self._watch(task))
        try:
            await work
        except asyncio.CancelledError:
            # Shutting down cancels too; only a cancellation of our own making is swallowed.
            if self._gone and task.uncancel() == 0:
                raise ClientGone from None
            raise
        finally:
            watcher.cancel()

    async def _watch(self, task: asyncio.Task[Any]) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        # A complete answer is told as a disconnect as well.
        if not self._ended:
            self._gone = True
            task.cancel()
