"""What one event costs from the socket's read to what it means, without a socket, a loop or a server.

A program of its own, so that it can run with the ``agenttop`` of another checkout on its path: it imports nothing else
of ours. It answers lines on its standard input: the name of a case and how many answers to read come in, nanoseconds of
CPU time per event go out.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import Callable
from time import process_time_ns
from types import SimpleNamespace
from typing import Any

import uvloop

from agenttop.dialects import dialect_named
from agenttop.users.answer import Answer
from agenttop.wire.http1 import Http1Connection

#: Events of an answer that are output; the few others are not counted.
EVENTS = 100
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CHAT = (
    b'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"benchmark",'
    b'"sent_ns":"1234567890123456789","choices":[{"index":0,"delta":{"content":" token"},"finish_reason":null}],'
    b'"usage":null}\n\n'
)
_MESSAGES = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" token"}}\n\n'
)
_MESSAGES_END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_LEAN = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\nok\n"


class _Transport(asyncio.Transport):
    """Takes everything and is never lost."""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        pass

    def abort(self) -> None:
        pass

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


def _chunk(data: bytes) -> bytes:
    """One chunk of the transfer encoding."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def _reader(dialect: str, reads: list[bytes], *, lean: bool) -> Callable[[int], None]:
    """Read so many answers that come in these reads."""
    loop = uvloop.new_event_loop()
    connection = Http1Connection(loop)
    connection.connection_made(_Transport())
    # As much of a compiled step as reading an answer looks at.
    step: Any = SimpleNamespace(
        request=0, dialect=dialect_named(dialect, None), checks=(), save=(), reads_body=False, stream=True, expect=None
    )
    answer = Answer()

    def read(answers: int) -> None:
        for _ in range(answers):
            answer.begin(step)
            done = connection.send(b"", None if lean else answer, lean)
            receive = connection.data_received
            for data in reads:
                receive(data)
            if not lean:
                loop.run_until_complete(done)  # a turn, in which what had to wait is read
            if not done.done() or connection.failure is not None:
                raise AssertionError(f"{dialect}: not a whole answer: {connection.failure}")
        if not lean and len(answer.gaps) != EVENTS - 1:
            raise AssertionError(f"{dialect}: {len(answer.gaps)} gaps between {EVENTS} events")

    return read


def cases() -> dict[str, Callable[[int], None]]:
    """What can be read, by name."""
    chat, end = _chunk(_CHAT), _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    messages, messages_end = _chunk(_MESSAGES), _chunk(_MESSAGES_END) + b"0\r\n\r\n"
    return {
        "chat, an event a read": _reader("openai.chat", [_HEAD, *[chat] * EVENTS, end], lean=False),
        "chat, ten events a read": _reader("openai.chat", [_HEAD, *[chat * 10] * (EVENTS // 10), end], lean=False),
        "messages, an event a read": _reader(
            "anthropic.messages", [_HEAD, *[messages] * EVENTS, messages_end], lean=False
        ),
        "lean answers": _reader("openai.chat", [_LEAN], lean=True),
    }


def main() -> None:
    """Answer until the input ends."""
    readers = cases()
    for read in readers.values():
        read(5)
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        name, _, answers = line.strip().rpartition(":")
        read, count = readers[name], int(answers)
        began = process_time_ns()
        read(count)
        spent = process_time_ns() - began
        events = count if name.startswith("lean") else count * EVENTS
        print(spent / events, flush=True)


if __name__ == "__main__":
    main()
