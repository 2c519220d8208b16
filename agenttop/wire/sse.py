"""Parses server-sent events, the WHATWG event-stream format, as the bytes arrive.

HTML Living Standard, section 9.2.5 (parsing) and 9.2.6 (interpretation). Everything stays bytes: line breaks are only
CR, LF and CRLF, so UTF-8 may be cut anywhere and U+2028 is text like any other.
"""

from __future__ import annotations

from agenttop.wire.room import MAX_HELD, ROOM

_BOM = b"\xef\xbb\xbf"

#: Bytes that a line of an event takes beside its own.
_LINE = 48


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


#: Bytes that are not looked at again for their number.
_SMALL = 1 << 10


class SseParser:
    """Parses one stream. An event is (type, data); the type is empty if the stream names none ("message")."""

    __slots__ = (
        "_clean",
        "_data",
        "_event",
        "_id",
        "_left_out",
        "_limit",
        "_part",
        "_size",
        "_skip_lf",
        "_started",
        "_took",
        "last_event_id",
        "left_out",
        "retry_ms",
    )

    def __init__(self, limit: int = MAX_HELD) -> None:
        self.last_event_id = b""
        """The id as of the last event dispatched; a client sends it when it reconnects."""
        self.retry_ms: int | None = None
        """The reconnection time in ms that the server asked for."""
        self._limit = limit
        self._started = False
        """It is known whether the stream's first bytes are a byte order mark."""
        self._clean = False
        """Between two events, with nothing of the next received."""
        self._skip_lf = False
        """The last byte was a CR, so an LF that follows belongs to it."""
        self._part = bytearray()
        """Bytes of the line that has not ended."""
        self._size = 0
        """Bytes of memory that ``_data`` takes."""
        self._took = 0
        """Bytes that room was taken for (``wire.room``)."""
        self._left_out = False
        """The event under way is larger than the limit, or than there is room for."""
        self.left_out = 0
        """Events that were not read because of that limit of ours, which says nothing about the stream."""
        self._data: list[bytes] = []
        self._event = b""
        self._id: bytes | None = None

    @property
    def pending(self) -> bool:
        """Return whether an event has begun and not ended. At the end of the stream it is lost, as the
        standard says.
        """
        return bool(self._data or self._event) or bool(self._part and self._part[:1] != b":")

    def close(self) -> None:
        """Forget what has not ended, and free its room."""
        self._part, self._data, self._size = bytearray(), [], 0
        self._bounded()

    def feed(self, data: bytes) -> list[tuple[bytes, bytes]]:
        """Parse the next bytes, cut wherever the network cut them, and return the events they complete."""
        # Nearly all of what a token stream sends: one event, one line, one chunk.
        if (
            self._clean
            and data.find(b"\n") == (end := len(data) - 2)
            and data[-1] == 10
            and data[:6] == b"data: "
            and 13 not in data  # looked for as a number: bytes in bytes first raise, and catch, a TypeError
        ):
            return [(b"", data[6:end])]
        events = self._feed(data)
        self._clean = (
            self._started
            and self._id is None
            and not (self._part or self._data or self._event or self._skip_lf or self._left_out)
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
            data = bytes(self._part) + data
            self._part = bytearray()
            if len(data) < 3 and _BOM.startswith(data):
                self._part += data
                return []
            self._started = True
            if data.startswith(_BOM):
                data = data[3:]
        if 10 not in data and 13 not in data:
            if data:
                self._part += data
                self._bounded()
            return []
        if self._part:
            self._part += data
            data, self._part = bytes(self._part), bytearray()
        # bytes, unlike str, break lines at exactly CR, LF and CRLF.
        lines = data.splitlines()
        last = data[-1]
        tail = b"" if last == 10 or last == 13 else lines.pop()
        self._skip_lf = last == 13
        del data
        events = self._read(lines)
        if tail:
            self._part += tail
        if self._took or len(self._part) + self._size > _SMALL:
            self._bounded()
        return events

    def _read(self, lines: list[bytes]) -> list[tuple[bytes, bytes]]:
        events: list[tuple[bytes, bytes]] = []
        held = self._data
        for line in lines:
            if not line:
                if self._id is not None:
                    self.last_event_id, self._id = self._id, None
                if self._left_out:
                    self._left_out = False
                    held.clear()
                    self._size = 0
                elif held:
                    events.append((self._event, held[0] if len(held) == 1 else b"\n".join(held)))
                    held.clear()
                    self._size = 0
                self._event = b""
            elif line[:6] == b"data: ":
                held.append(line[6:])
                self._size += len(line) + _LINE
                if self._size > self._limit:
                    self._leave_out()
            else:
                name, _, value = line.partition(b":")
                if value[:1] == b" ":
                    value = value[1:]
                if name == b"data" or (name == b"error" and value):
                    if name == b"error":
                        self._event = name
                    held.append(value)
                    self._size += len(value) + _LINE
                    if self._size > self._limit:
                        self._leave_out()
                elif name == b"event":
                    self._event = value
                elif name == b"id":
                    if 0 not in value:
                        self._id = value
                elif name == b"retry" and value.isdigit() and len(value) < 19:
                    self.retry_ms = int(value)
        return events

    def _bounded(self) -> None:
        """Take room for what is held, or leave out the event under way."""
        takes = len(self._part) + self._size
        if takes > self._limit or not ROOM.change(self._took, takes):
            self._leave_out()
            takes = len(self._part)
            ROOM.change(self._took, takes)
        self._took = takes

    def _leave_out(self) -> None:
        """Leave out the event under way: it ends with the next empty line."""
        if not self._left_out:
            self._left_out = True
            self.left_out += 1
        self._data.clear()
        self._size = 0
        if self._part:
            self._part = bytearray(b":")  # what comes of its line is as good as a comment
