"""Server-sent events: the WHATWG event-stream format, parsed as the bytes arrive.

HTML Living Standard, section 9.2.5 (parsing) and 9.2.6 (interpretation). Everything stays bytes: line breaks are only
CR, LF and CRLF, so UTF-8 may be cut anywhere and U+2028 is text like any other.
"""

from __future__ import annotations

_BOM = b"\xef\xbb\xbf"

#: Bytes one event may hold before it is taken for an attack or a mistake.
MAX_EVENT = 4 * 1024 * 1024


class SseError(ValueError):
    """The stream is none that can be read: an event exceeds the limit. The parser is of no use afterwards."""


# How a line is read (a line ends with CR, LF or CRLF; one optional space after the colon is not part of the value):
#
#     line            what it does
#     (empty)         dispatch: if there was a data line, the event is out; data and event type are forgotten
#     :…              nothing, a comment
#     data: v         one more line of data; lines are joined with LF
#     event: v        the event's type
#     id: v           the last event id from the next dispatch on, unless v holds a NUL
#     retry: digits   the reconnection time in ms, at once
#     error: v        an event called error with that data, though the standard knows no such field: llama.cpp's server
#                     tells its failures so
#     anything else   nothing


class SseParser:
    """Parses one stream. An event is (type, data); the type is empty where the stream names none ("message")."""

    __slots__ = (
        "_clean",
        "_data",
        "_event",
        "_id",
        "_limit",
        "_parts",
        "_size",
        "_skip_lf",
        "_started",
        "last_event_id",
        "retry_ms",
    )

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self.last_event_id = b""
        """As of the last event dispatched; a client sends it when it reconnects."""
        self.retry_ms: int | None = None
        """The reconnection time the server asked for."""
        self._limit = limit
        self._started = False
        """The stream's first bytes are known to be a byte order mark, or not."""
        self._clean = False
        """Between two events, and nothing of the next is here."""
        self._skip_lf = False
        """The last byte was the CR of what may be a CRLF."""
        self._parts: list[bytes] = []
        """Of the line that has not ended; joined once, so that a long line costs no quadratic time."""
        self._size = 0
        """Bytes in ``_parts`` and ``_data``."""
        self._data: list[bytes] = []
        self._event = b""
        self._id: bytes | None = None

    @property
    def pending(self) -> bool:
        """An event has begun and not ended. At the end of the stream it is lost, as the standard wants it."""
        return bool(self._data or self._event) or bool(self._parts and not b"".join(self._parts).startswith(b":"))

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Parse the next bytes, cut wherever the network cut them, and return the events they complete.

        Raises:
            SseError: an event exceeds the limit.
        """
        # Nearly all of what a token stream sends: one event, one line, one chunk.
        if (
            self._clean
            and data.find(b"\n") == (end := len(data) - 2)
            and data[-1] == 10
            and data[:6] == b"data: "
            and b"\r" not in data
            and end <= self._limit
        ):
            return [(b"", data[6:end])]
        events = self._feed(data)
        self._clean = (
            self._started and self._id is None and not (self._parts or self._data or self._event or self._skip_lf)
        )
        return events

    def _feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        if self._skip_lf and data:
            self._skip_lf = False
            if data[0] == 10:
                data = data[1:]
        if not data:
            return []
        if not self._started:
            data = b"".join((*self._parts, data))
            self._parts = []
            self._size = 0
            if len(data) < 3 and _BOM.startswith(data):
                self._parts = [data]
                return []
            self._started = True
            if data.startswith(_BOM):
                data = data[3:]
        if b"\n" not in data and b"\r" not in data:
            if data:
                self._grow(len(data))
                self._parts.append(data)
            return []
        if self._parts:
            self._parts.append(data)
            data = b"".join(self._parts)
            self._parts = []
            self._size = sum(map(len, self._data)) + len(self._data)
        # bytes, unlike str, break lines at exactly CR, LF and CRLF.
        lines = data.splitlines()
        last = data[-1]
        tail = b"" if last == 10 or last == 13 else lines.pop()
        self._skip_lf = last == 13
        events = self._read(lines, len(data) > self._limit)
        if tail:
            self._grow(len(tail))
            self._parts.append(tail)
        return events

    def _read(self, lines: list[bytes], long: bool) -> list[tuple[bytes, bytes]]:
        events: list[tuple[bytes, bytes]] = []
        held = self._data
        for line in lines:
            if not line:
                if self._id is not None:
                    self.last_event_id, self._id = self._id, None
                if held:
                    events.append((self._event, held[0] if len(held) == 1 else b"\n".join(held)))
                    held.clear()
                    self._size = 0
                self._event = b""
            elif line[:6] == b"data: ":
                self._grow(len(line) - 5)  # and a line end, so that empty lines are something
                held.append(line[6:])
            else:
                if long and len(line) > self._limit:
                    raise SseError(f"a line of the event stream is longer than {self._limit} bytes")
                name, _, value = line.partition(b":")
                if value[:1] == b" ":
                    value = value[1:]
                if name == b"data":
                    self._grow(len(value) + 1)
                    held.append(value)
                elif name == b"event":
                    self._event = value
                elif name == b"error" and value:
                    self._grow(len(value) + 1)
                    held.append(value)
                    self._event = name
                elif name == b"id":
                    if b"\0" not in value:
                        self._id = value
                elif name == b"retry" and value.isdigit() and len(value) < 19:
                    self.retry_ms = int(value)
        return events

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._limit:
            raise SseError(f"an event of the stream is longer than {self._limit} bytes")
