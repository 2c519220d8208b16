"""A small HTTP/2 server: each request gets what a script says, event by event."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from tests.wire.server import Handler, Reader, Writer

Headers = list[tuple[bytes, bytes]]


class Stream:
    """One request, and the means to answer it. Nothing is flow-controlled: bodies are small."""

    def __init__(self, state: h2.connection.H2Connection, writer: Writer, number: int, headers: Headers) -> None:
        self.state = state
        self.writer = writer
        self.number = number
        self.headers = dict(headers)
        self.body = b""

    def answer(self, *headers: tuple[str, str], status: int = 200, end: bool = False) -> None:
        self.state.send_headers(self.number, [(":status", str(status)), *headers], end_stream=end)
        self.flush()

    def data(self, data: bytes, *, end: bool = False) -> None:
        self.state.send_data(self.number, data, end_stream=end)
        self.flush()

    def flush(self) -> None:
        self.writer.write(self.state.data_to_send())


Script = Callable[[Stream], Awaitable[None]]


def speaking_h2(script: Script) -> Handler:
    """The script is run for each request once it is whole."""

    async def handle(reader: Reader, writer: Writer) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        writer.write(state.data_to_send())
        streams: dict[int, Stream] = {}
        while data := await reader.read(1 << 16):
            try:
                events = state.receive_data(data)
            except h2.exceptions.ProtocolError:
                return  # what a client still sends after we went away
            for event in events:
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = Stream(state, writer, event.stream_id, event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id].body += event.data or b""
                elif isinstance(event, h2.events.StreamEnded):
                    await script(streams.pop(event.stream_id))
            writer.write(state.data_to_send())
            if writer.is_closing():
                return

    return handle


async def hold(stream: Stream) -> None:
    """No answer at all, until the client goes."""


def plain(body: bytes, *headers: tuple[str, str], status: int = 200) -> Script:
    """The same answer to every request."""

    async def script(stream: Stream) -> None:
        stream.answer(*headers, status=status, end=not body)
        if body:
            stream.data(body, end=True)

    return script
