"""A fast server of chat completion streams that keeps its own times: ``python -m tests.benchmarks.sse_server``.

    POST …?tokens=N&rate=R     openai.chat: the role, N content chunks (the first after ``FIRST_S``, R a second),
                               finish, usage, [DONE]
    POST /probe?tokens=1&rate=1
                               json: one event, first token and end at once, that says how long it took by our clock
    GET /stats                 what it sent so far, in its own times

Every content chunk carries ``sent_ns`` (``perf_counter_ns``, one clock on one machine). Of a probe ``latency`` is
``ttft``, and our time is a phase of it: what the program calls ``unattributed`` is the error of its TTFT, request by
request. The error is an upper bound: it holds what a request waits in our own socket buffer before we read it.

It stands in for ``stream_server.c``, which can do more and costs less, where that cannot be compiled.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from array import array
from time import perf_counter_ns, process_time_ns
from typing import cast
from urllib.parse import parse_qs

import numpy as np

from tests.benchmarks.serve import serve

FIRST_S = 0.2
TICK_NS = 1_000_000

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def _chunk(text: bytes) -> bytes:
    """One chunk of the transfer encoding."""
    return b"%x\r\n%s\r\n" % (len(text), text)


def _event(**fields: object) -> bytes:
    shared = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "benchmark"}
    return b"data: " + json.dumps(shared | fields, separators=(",", ":")).encode() + b"\n\n"


def _choice(delta: dict[str, str], finish: str | None = None) -> list[dict[str, object]]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


_ROLE = _HEAD + _chunk(_event(choices=_choice({"role": "assistant", "content": ""}), usage=None))
#: 19 digits whatever the clock says, so that the chunk's length never changes.
_SENT = "@" * 19
_CONTENT = _chunk(_event(sent_ns=_SENT, choices=_choice({"content": " token"}), usage=None))
_CONTENT = _CONTENT.replace(_SENT.encode(), b"%019d")
_FINISH = _chunk(_event(choices=_choice({}, "stop"), usage=None))
_END = b"0\r\n\r\n"
_DONE = _chunk(b"data: [DONE]\n\n") + _END
_PROBE = b'data: {"delta":" token","total_s":%.9f,"done":true}\n\n'


class Book:
    """What was sent, in ``perf_counter_ns``."""

    def __init__(self) -> None:
        self.ttft = array("q")
        self.gaps = array("q")
        self.latency = array("q")
        self.lags = array("q")
        self.seconds: dict[int, int] = {}
        self.cpu: dict[int, int] = {}
        self.requests = 0
        self.streams = 0
        self.broken = 0

    def count(self, now: int) -> None:
        """One chunk more."""
        second = now // 1_000_000_000
        if second not in self.seconds:
            self.cpu[second] = process_time_ns()
        self.seconds[second] = self.seconds.get(second, 0) + 1

    def as_dict(self) -> dict[str, object]:
        """Times in ms."""
        # The busier seconds: the first and the last ones are of the ramp and of the end.
        rates = list(self.seconds.values())
        cpu = [self.cpu[second + 1] - at for second, at in self.cpu.items() if second + 1 in self.cpu]
        return {
            "requests": self.requests,
            "streams": self.streams,
            "broken": self.broken,
            "chunks": len(self.ttft) + len(self.gaps),
            "chunks_per_s": float(np.percentile(rates, 75)) if rates else 0.0,
            "ttft_ms": _percentiles(self.ttft),
            "gap_ms": _percentiles(self.gaps),
            "latency_ms": _percentiles(self.latency),
            "lag_ms": _percentiles(self.lags),
            "cpu_percent": float(np.percentile(cpu, 75)) / 1e7 if cpu else 0.0,
        }


def _percentiles(values: array[int]) -> dict[str, float]:
    if not values:
        return {"p50": 0.0, "p90": 0.0, "p99": 0.0}
    p50, p90, p99 = np.percentile(np.frombuffer(values, np.int64), [50, 90, 99]) / 1e6
    return {"p50": float(p50), "p90": float(p90), "p99": float(p99)}


class Stream(asyncio.Protocol):
    """A connection, and the stream that is under way on it."""

    __slots__ = ("due", "fd", "last", "left", "probe", "received", "step", "tokens", "transport", "wheel")

    def __init__(self, wheel: Wheel) -> None:
        self.wheel = wheel
        self.left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.fd = transport.get_extra_info("socket").fileno()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.left:
            self.wheel.book.broken += 1
            self.left = 0

    def data_received(self, data: bytes) -> None:
        now = perf_counter_ns()
        if data.startswith(b"GET"):
            body = json.dumps(self.wheel.book.as_dict()).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            return
        head, _, body = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        # The program's requests are small and come whole; anything else is a mistake of the benchmark.
        assert length is not None
        assert len(body) == int(length[1])
        query = parse_qs(head.split(b" ", 2)[1].partition(b"?")[2].decode())
        self.tokens = self.left = int(query["tokens"][0])
        self.step = int(1e9 / float(query["rate"][0]))
        self.probe = head.startswith(b"POST /probe")
        self.received = now
        self.last = 0
        self.wheel.book.requests += 1
        self.write(_ROLE)
        self.due = now + int(FIRST_S * 1e9)
        self.wheel.add(self)

    def write(self, data: bytes) -> None:
        """Hand bytes to the socket now: uvloop's own write would wait for the end of the loop's turn."""
        sent = 0
        if not self.transport.get_write_buffer_size():
            try:
                sent = os.write(self.fd, data)
            except BlockingIOError:
                pass
            except OSError:
                self.transport.abort()
                return
        if sent < len(data):
            self.transport.write(data[sent:])

    def go_on(self) -> None:
        """Send the chunk that is due."""
        book = self.wheel.book
        now = perf_counter_ns()
        book.lags.append(now - self.due)
        book.count(now)
        if self.last:
            book.gaps.append(now - self.last)
        else:
            book.ttft.append(now - self.received)
        self.last = now
        self.left -= 1
        if self.left:
            self.write(_CONTENT % now)
            self.due += self.step
            self.wheel.add(self)
            return
        book.streams += 1
        book.latency.append(now - self.received)
        if self.probe:
            self.write(_chunk(_PROBE % ((now - self.received) / 1e9)) + _END)
            return
        self.write(_CONTENT % now)
        usage = {"prompt_tokens": 8, "completion_tokens": self.tokens, "total_tokens": 8 + self.tokens}
        self.write(_FINISH + _chunk(_event(choices=[], usage=usage)) + _DONE)


class Wheel:
    """All streams, by the millisecond in which their next chunk is due: one timer for all."""

    def __init__(self) -> None:
        self.book = Book()
        self._slots: dict[int, list[Stream]] = {}
        self._next = perf_counter_ns() // TICK_NS

    def add(self, stream: Stream) -> None:
        """Wake the stream in the tick after its time, never before it."""
        self._slots.setdefault(max(stream.due // TICK_NS + 1, self._next), []).append(stream)

    def start(self) -> None:
        """Begin to turn."""
        self._loop = asyncio.get_running_loop()
        self._turn()

    def _turn(self) -> None:
        now = perf_counter_ns() // TICK_NS
        while self._next <= now:
            due = self._slots.pop(self._next, ())
            self._next += 1
            for stream in due:
                if stream.left:
                    stream.go_on()
        self._loop.call_later(0.001, self._turn)


if __name__ == "__main__":
    wheel = Wheel()
    serve(lambda: Stream(wheel), wheel.start)
