"""Reads the answer in flight of one user, and combines the dialect's meaning with the connection's times.

Reused for every request of the user. It is the ``answer`` that checks look at, too. Longer than most files, for it is
one object: every piece of an answer goes through it, and a call more on the way is paid for by each.
"""

from __future__ import annotations

import gc
from array import array
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, QUOTA, REASONING, STEP, Reader
from agenttop.dialects.encoding import utf8
from agenttop.dialects.json_ import JsonReader
from agenttop.dialects.transcript import Listening
from agenttop.profile.checks import INVALID
from agenttop.users.compiled import CompiledStep
from agenttop.users.quotas import Quotas
from agenttop.wire.room import LARGE, MAX_HELD, ROOM
from agenttop.wire.sse import SseParser

#: Bytes of one answer that are kept for saving, checking and the dialect, where there is room for them.
MAX_BODY = MAX_HELD
#: Bytes of a failed answer that are kept to say what it said, and of one that is too long (``cut``).
MAX_EXCERPT = 64 * 1024
#: Pieces of a body that are smaller are put together: each would take 40 bytes beside its own.
SMALL = 1024
#: Bytes in which a stream must have begun that its head does not call one.
LOOKED_AT = 4096
#: Names of the target's own steps that are timed, how long they may be, and how many may be under way of each.
MAX_STEPS, MAX_STEP_NAME, MAX_STEP_DEPTH = 50, 200, 1000

#: What an event stream begins with.
_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
_NOTHING: Mapping[str, str] = {}


class Answer:
    """The answer to one request. Times are ``perf_counter_ns``; 0 is never."""

    __slots__ = (
        "_json",
        "_keep",
        "_large",
        "_last_output",
        "_looking",
        "_parser",
        "_parts",
        "_size",
        "_steps",
        "_took",
        "content_type",
        "cut",
        "end_ns",
        "first_output",
        "first_speech",
        "flags",
        "gaps",
        "headers",
        "latency_ns",
        "left_out",
        "outcome",
        "quotas",
        "reader",
        "status",
        "step",
        "step_ns",
        "streamed",
        "ttfb_ns",
        "ttft_ns",
        "untyped",
    )

    def __init__(self, quotas: Quotas | None = None) -> None:
        self.quotas = quotas
        """Keeps what remains of the target's limits."""
        self.gaps: array[int] = array("q")
        """Nanoseconds between consecutive output chunks."""
        self.step: CompiledStep | None = None
        self._parser: SseParser | None = None
        self._took = 0
        self.status = 0
        self.latency_ns = 0
        self.end_ns = 0
        """When the last request that was judged ended."""
        self.ttft_ns: int | None = None
        self.ttfb_ns: int | None = None
        self.outcome: tuple[str, str] | None = None
        """Outcome and message of the last request that was judged."""

    def begin(self, step: CompiledStep) -> None:
        """Forget the last answer; await the one to this step."""
        self.step = step
        self.reader: Reader | None = None
        self.status = 0
        self.headers: Mapping[str, str] = _NOTHING
        self.content_type = ""
        self.streamed = self.untyped = self._looking = False
        self.flags = 0
        self.first_output = self.first_speech = self._last_output = 0
        self.left_out = 0
        """Steps of the target's own that were not timed, because there were too many."""
        self.cut = False
        """The body is longer than what is kept of it: a limit of ours, so that nothing is read out of the rest."""
        if self._parser is not None or self._took:
            self.give_back()
        self._parts: list[bytes | bytearray] = []
        self._large: BytesIO | None = None
        """A body that is large: whole, so that putting it together does not take its size once more."""
        self._keep = 0
        self._size = 0
        self._json: Any = None
        self.step_ns: dict[str, int] | None = None
        if self.gaps:
            self.gaps = array("q")

    def give_back(self) -> None:
        """Give back the room that the last answer took; it cannot be read any more."""
        if self._parser is not None:
            self._parser.close()
            self._parser = None
        ROOM.change(self._took, 0)
        self._took = 0
        self._parts = []
        self._large = None

    # -- wire.http1.Sink

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        """Decide how the body is read."""
        step = self.step
        assert step is not None
        self.status = status
        self.headers = headers
        quotas = self.quotas
        if quotas is not None and now >= quotas.due_ns.get(step.request, 0):
            quotas.look(step.request, headers, now)
        self.content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        if status >= 400:
            self._keep = MAX_BODY if step.checks or step.save else MAX_EXCERPT
            return True
        if self.content_type == "text/event-stream":
            self.streamed = True
            self._parser = SseParser()
            self.reader = step.dialect.reader()
            self._keep = MAX_BODY if step.reads_body and step.checks else 0
            return True
        if step.stream:
            self._keep, self._looking = MAX_BODY, status < 300
            return True
        self._keep = MAX_BODY if step.reads_body else 0
        return self._keep > 0

    def data(self, data: bytes, now: int) -> bool:
        """Read a piece of the body."""
        parser = self._parser
        if self._keep and not self.cut:
            self._keep_piece(data)
        if parser is None:
            if not self._looking:
                return False
            parser, data = self._looked_at()
            if parser is None:
                return False
        for event, text in parser.feed(data):  # noqa: SIM110 (a generator for any() costs 0.3 µs a chunk)
            if self._event(text, event, now):
                return True
        return False

    def _looked_at(self) -> tuple[SseParser | None, bytes]:
        """Return a parser and its bytes if the body begins an event stream without being called one; else None."""
        head = self.body
        beginning = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
        if b"\xef\xbb\xbf".startswith(head) or any(name.startswith(beginning) for name in _FIELDS):
            self._looking = len(head) < LOOKED_AT
            return None, head  # not enough of them
        self._looking = False
        if not beginning.startswith(_FIELDS):
            return None, head
        step = self.step
        assert step is not None
        self.streamed = self.untyped = True
        self._parser = SseParser()
        self.reader = step.dialect.reader()
        self._keep = MAX_BODY if step.reads_body and step.checks else 0
        if not self._keep:
            self._parts, self._large = [], None
        return self._parser, head

    def _keep_piece(self, data: bytes) -> None:
        parts = self._parts
        self._size = size = self._size + len(data)
        if size > MAX_EXCERPT:
            if size > self._keep or not ROOM.change(self._took, size):
                self.cut = True
                large, self._large = self._large, None
                self._parts = [_beginning(parts if large is None else [large.getbuffer()[:MAX_EXCERPT]], data)]
                ROOM.change(self._took, 0)
                self._took = 0
                return
            self._took = size
            if size > LARGE:
                if self._large is None:
                    self._large = BytesIO()
                    self._large.writelines(parts)
                    self._parts = []
                self._large.write(data)
                return
        if len(data) >= SMALL or not parts:
            parts.append(data)
        elif isinstance(last := parts[-1], bytearray):
            last += data
        else:
            parts.append(bytearray(data))

    def trailers(self, headers: dict[str, str]) -> None:
        """Take trailers: Server-Timing may come as one, and as a header before it."""
        merged = dict(self.headers)
        for name, value in headers.items():
            merged[name] = f"{merged[name]}, {value}" if name in merged else value
        self.headers = merged

    def again(self) -> None:
        """Return None: what is read is judged before anything else is sent."""

    # -- wire.websocket.MessageSink

    def message(self, data: bytes, now: int) -> bool:
        """Read a WebSocket message."""
        step = self.step
        assert step is not None
        self.streamed = True
        if self.reader is None:
            self.reader = step.dialect.reader()
        if step.reads_body or step.expect is not None:
            self._parts = [data]
            self._json = None
        self._event(data, b"", now)
        if step.expect is not None and step.expect.first(self.json)[0]:
            self.flags |= DONE
        # An error need not be the end: its terminal message, still to come, must not end the next exchange.
        return bool(self.flags & DONE)

    def unasked(self, data: bytes, now: int) -> None:
        """Read a WebSocket message of no exchange: what remains of limits may be told after one has ended."""
        if self.step is not None and self.quotas is not None:
            reader = self.step.dialect.reader()
            if reader.event(data) & QUOTA:
                self.quotas.take(reader.quotas, now)

    def _event(self, data: bytes, event: bytes, now: int) -> bool:
        reader = self.reader
        assert reader is not None
        flags = reader.event(data, event)
        if not flags:
            return False
        if flags & OUTPUT:
            if self.first_output:
                self.gaps.append(now - self._last_output)
            else:
                self.first_output = now
            self._last_output = now
            if not self.first_speech and not flags & REASONING:
                self.first_speech = now
        self.flags |= flags
        if not flags & (DONE | ERROR | STEP | QUOTA):
            return False
        if flags & QUOTA and self.quotas is not None:
            self.quotas.take(reader.quotas, now)
        if flags & STEP and reader.step is not None:
            self._step(*reader.step, now)
        return bool(flags & (DONE | ERROR))

    def _step(self, name: str, begins: bool, now: int) -> None:
        """Time a step of the target's own: an end belongs to the last open beginning of its name."""
        if self.step_ns is None:
            self.step_ns = {}
            self._steps: dict[str, list[int]] = {}
        name = name[:MAX_STEP_NAME]
        if begins:
            begun = self._steps.get(name)
            if begun is None and len(self._steps) < MAX_STEPS:
                begun = self._steps[name] = []
            if begun is None or len(begun) >= MAX_STEP_DEPTH:
                self.left_out += 1
            else:
                begun.append(now)
        elif begun := self._steps.get(name):
            self.step_ns[name] = self.step_ns.get(name, 0) + now - begun.pop()

    # -- profile.checks.Answer

    @property
    def body(self) -> bytes:
        """Return the kept part of the body, or the last WebSocket message."""
        if self._large is not None:
            return self._large.getvalue()  # which is no copy
        parts = self._parts
        if not parts:
            return b""
        if len(parts) > 1 or isinstance(parts[0], bytearray):
            parts = self._parts = [b"".join(parts)]
        return parts[0]  # type: ignore[return-value]

    @property
    def size(self) -> int:
        """Return how long the body is, in bytes."""
        return self._size

    @property
    def json(self) -> Any:
        """Return the body as JSON, parsed once; :data:`~agenttop.profile.checks.INVALID` if it is none."""
        if self._json is None:
            try:
                if self.cut:
                    raise msgspec.DecodeError
                self._json = _decoded(utf8(self.body))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._json = INVALID
        return self._json

    @property
    def span_ns(self) -> int:
        """Return the time from the first output to the last, in ns."""
        return self._last_output - self.first_output

    @property
    def events_left_out(self) -> int:
        """Return how many events of the stream were longer than a limit of ours, so that they were not read."""
        return self._parser.left_out if self._parser is not None else 0

    @property
    def unfinished(self) -> bool:
        """Return whether the stream ended within an event."""
        return self._parser is not None and self._parser.pending

    def finish_body(self) -> None:
        """Let the dialect read an answer that was not streamed."""
        step = self.step
        assert step is not None
        if self.streamed or not step.dialect.reads_body or self.cut or not (self._parts or self._large):
            return
        self.reader = reader = step.dialect.reader()
        # Who listens as well reads the bytes by itself.
        if step.reads_json and isinstance(reader, JsonReader) and not isinstance(reader, Listening):
            value = self.json
            self.flags |= DONE if value is INVALID else reader.decoded(value, self.body)
        else:
            self.flags |= reader.body(utf8(self.body))


def _decoded(data: bytes) -> Any:
    """Decode JSON. What is made of a large text is no garbage: a collector that looks through it takes most of the
    time.
    """
    if len(data) <= LARGE or not gc.isenabled():
        return msgspec.json.decode(data)
    gc.disable()
    try:
        return msgspec.json.decode(data)
    finally:
        gc.enable()


def _beginning(parts: Iterable[bytes | bytearray | memoryview], data: bytes) -> bytes:
    """The first :data:`MAX_EXCERPT` bytes of these pieces; the whole is not put together for that, it is large."""
    head = bytearray()
    for part in (*parts, data):
        head += part[: MAX_EXCERPT - len(head)]
    return bytes(head)
