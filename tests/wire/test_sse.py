from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.wire import room
from agenttop.wire.sse import SseParser

Events = list[tuple[bytes, bytes]]


def reference(stream: bytes) -> tuple[Events, bytes, int | None]:
    """The standard's algorithm word by word, on the whole stream: (events, last event id, retry)."""
    if stream.startswith(b"\xef\xbb\xbf"):
        stream = stream[3:]
    lines, line, position = [], bytearray(), 0
    while position < len(stream):
        byte = stream[position : position + 1]
        position += 1
        if byte in (b"\r", b"\n"):
            if byte == b"\r" and stream[position : position + 1] == b"\n":
                position += 1
            lines.append(bytes(line))
            line.clear()
        else:
            line += byte
    events: Events = []
    data, kind, id_buffer, last_id, retry = b"", b"", b"", b"", None
    for text in lines:
        if text == b"":
            last_id = id_buffer
            if data:
                events.append((kind, data[:-1]))
            data, kind = b"", b""
        elif not text.startswith(b":"):
            field, value = text.split(b":", 1) if b":" in text else (text, b"")
            value = value[1:] if value.startswith(b" ") else value
            if field == b"data":
                data += value + b"\n"
            elif field == b"event":
                kind = value
            elif field == b"id" and b"\x00" not in value:
                id_buffer = value
            elif field == b"retry" and value and all(48 <= digit <= 57 for digit in value) and len(value) < 19:
                retry = int(value)
    return events, last_id, retry


def parse(*chunks: bytes) -> tuple[Events, bytes, int | None]:
    parser = SseParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events, parser.last_event_id, parser.retry_ms


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\n", [(b"", b"a")]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [(b"", b"a"), (b"", b"b"), (b"", b"c")]),
        (b"data: one\ndata:two\ndata:  three\n\n", [(b"", b"one\ntwo\n three")]),
        (b"data\n\ndata\ndata\n\ndata:", [(b"", b""), (b"", b"\n")]),
        (b"event: add\ndata: 1\n\ndata: 2\n\n", [(b"add", b"1"), (b"", b"2")]),
        (b"event: lost\n\ndata: 2\n\n", [(b"", b"2")]),
        (b": ping\n\n:\ndata: x\n: in between\ndata: y\n\n", [(b"", b"x\ny")]),
        (b"\xef\xbb\xbfdata: bom\n\n\xef\xbb\xbfdata: none\n\n", [(b"", b"bom")]),
        (b"data: a\xe2\x80\xa8b\xc2\x85c\x0bd\x0c\n\n", [(b"", b"a\xe2\x80\xa8b\xc2\x85c\x0bd\x0c")]),
        (b" data: x\nDATA: y\ndatum: z\n\n", []),
        (b"data: a:b: c\n\n", [(b"", b"a:b: c")]),
        (b"data: lost\n", []),
        (b"data: lost", []),
        (b"", []),
    ],
)
def test_streams_of_the_standard(stream: bytes, events: Events) -> None:
    assert reference(stream)[0] == events
    for cut in range(len(stream) + 1):
        assert parse(stream[:cut], stream[cut:])[0] == events
    assert parse(*(stream[at : at + 1] for at in range(len(stream))))[0] == events


def test_id_and_retry() -> None:
    parser = SseParser()
    parser.feed(b"id: 1\nretry: 250\n")
    assert (parser.last_event_id, parser.retry_ms) == (b"", 250)
    parser.feed(b"\n")
    assert parser.last_event_id == b"1"
    parser.feed(b"id: a\0b\nretry: 1e3\nretry:\nretry: -1\nretry: " + b"9" * 5000 + b"\n\n")
    assert (parser.last_event_id, parser.retry_ms) == (b"1", 250)
    parser.feed(b"id\ndata: x\n\n")
    assert parser.last_event_id == b""


@pytest.mark.parametrize(
    ("stream", "pending"),
    [
        (b"", False),
        (b"data: a\n\n", False),
        (b"data: a\r\n\r", False),
        (b"data: a\n\n: ping", False),
        (b"data: a\n\n: ping\nid: 4\n", False),
        (b"data: a\n\nda", True),
        (b"data: a\n", True),
        (b"event: message_stop\n", True),
    ],
)
def test_tells_of_an_event_that_never_ended(stream: bytes, pending: bool) -> None:
    for cut in range(len(stream) + 1):
        parser = SseParser()
        parser.feed(stream[:cut])
        parser.feed(stream[cut:])
        assert parser.pending is pending


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"x" * 200,
        b"data: xxxxxxxxxx\n" * 20,
        b"data:\n" * 102,
        b"event: a\ndata: " + b"x" * 300 + b"\ndata: b",
    ],
)
@pytest.mark.parametrize("end", [b"\n\n", b"\r\r", b"\r\n\r\n"])
def test_an_event_that_is_too_long_is_left_out_and_counted(stream: bytes, end: bytes) -> None:
    whole = b"data: before\n\n" + stream.removesuffix(b"\n") + end + b"data: after\n\n"
    for step in (1, 7, 90, len(whole)):
        parser = SseParser(limit=100)
        events = [event for at in range(0, len(whole), step) for event in parser.feed(whole[at : at + step])]
        assert events == [(b"", b"before"), (b"", b"after")]
        assert (parser.left_out, parser.pending) == (1, False)


def test_all_that_is_large_has_one_room() -> None:
    parsers = [SseParser() for _ in range(4)]
    piece = b"x" * (1 << 20)
    for parser in parsers:
        parser.feed(b"data: ")
    for _ in range(40):
        for parser in parsers:
            parser.feed(piece)
    assert room.ROOM.used <= room.MAX_ROOM
    whole = [parser for parser in parsers if not parser.left_out]
    assert 1 <= len(whole) < 4
    for parser in whole:
        assert len(parser.feed(b"\n\n")[0][1]) == 40 << 20
    for parser in parsers:
        parser.close()
    assert room.ROOM.used == 0


def test_the_limit_is_of_one_event_not_of_the_stream() -> None:
    parser = SseParser(limit=130)
    stream = (b"data: " + b"x" * 60 + b"\n\n" + b": " + b"p" * 60 + b"\n") * 50
    assert sum(len(parser.feed(stream[at : at + 33])) for at in range(0, len(stream), 33)) == 50


_pieces = st.sampled_from(
    [b"data", b"event", b"id", b"retry", b"x", b":", b": ", b" ", b"\n", b"\n", b"\r", b"\r\n", b"\n\n",
     b"data: {}\n\n", b"\0", b"12", "é\u2028".encode(), b"\xef\xbb\xbf", b"data: a\n"]
)  # fmt: skip


@given(st.lists(_pieces, max_size=40).map(b"".join), st.lists(st.integers(0, 200), max_size=12))
def test_any_cut_gives_what_the_standard_gives(stream: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert parse(*(stream[a:b] for a, b in itertools.pairwise(at))) == reference(stream)
