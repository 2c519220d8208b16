"""Writes and reads journals: what a summary needs, appended once a second; a killed controller loses a second at most.

A file begins with :data:`MAGIC` and is a row of records: length (4 bytes), CRC-32 (4 bytes), flag (1 byte, 1 for zlib),
all little-endian, and a msgpack payload: first a :class:`.RunHeader`, then :class:`Second` by second. A last record
that is torn, or whatever follows a damaged one, is not read. Of a closed pool's leaf ``response_time`` is left out
where it is the ``latency``, and there again when it is read.

What is written has its secrets masked before it gets here.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from agenttop.journal.figures import Span
from agenttop.journal.refold import Refold
from agenttop.journal.refold import Second as Second
from agenttop.journal.summarize import RunHeader, build_summary
from agenttop.journal.verdicts import summed
from agenttop.metrics.compact import compact
from agenttop.metrics.delta import Delta, LeafDelta
from agenttop.metrics.run_state import RunState
from agenttop.metrics.scope import clean_text
from agenttop.metrics.snapshot import Edited, Event
from agenttop.quality.curve import JudgeUse
from agenttop.quality.score import Score
from agenttop.report.model import Gate
from agenttop.report.summary import check_summary, encode_summary

MAGIC = b"agenttop-journal/1\n"
FILE_NAME = "journal.bin"
_PREFIX = struct.Struct("<IIB")
_RAW, _ZLIB = 0, 1
#: No record has more bytes; a damaged length may say 4 GB.
_MAX_RECORD_BYTES = 1 << 28
#: Below this many bytes compressing does not pay.
_SMALL = 256


T = TypeVar("T")


class JournalError(ValueError):
    """The file is no journal, or has no header; the message names it."""


#: What reading and folding may raise where a record is whole and says what no run of this version does.
BROKEN = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError),
    *(msgspec.MsgspecError, zlib.error),
)


@contextlib.contextmanager
def as_journal(path: str | os.PathLike[str]) -> Iterator[None]:
    """Whatever is wrong with the records of a journal within is a :class:`JournalError` that names it."""
    try:
        yield
    except JournalError:
        raise
    except BROKEN as error:
        why = clean_text(str(error), 120) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
        raise JournalError(f"{path}: not a journal of this version, or damaged: {why}") from error


class JournalWriter:
    """Writes ``journal.bin`` of a run directory. A context manager."""

    def __init__(self, directory: str | os.PathLike[str], header: RunHeader) -> None:
        """Create the file with its header.

        Raises:
            FileExistsError: the directory has a journal.
            OSError: it cannot be written.
        """
        self.path = Path(directory) / FILE_NAME
        # Unbuffered: a record is in the kernel's hands when write returns, and survives the process.
        self._file = self.path.open("xb", buffering=0)
        self._encoder = msgspec.msgpack.Encoder()
        self._closed = header.layout.closed
        self.size = 0
        """Bytes written."""
        try:
            self.begin_anew(header)
        except OSError:
            self.close()
            raise

    def begin_anew(self, header: RunHeader) -> None:
        """Write another header, before the first second.

        Raises:
            OSError: it cannot be written.
        """
        self._file.truncate(0)
        self._file.seek(0)
        self.size = 0
        self._append(MAGIC)
        self._append(_record(self._encoder.encode(header)))

    def second(
        self,
        run_state: RunState,
        deltas: Sequence[Delta],
        *,
        controls: Sequence[Mapping[str, Any]] = (),
        events: Sequence[Event] = (),
        gone: Sequence[int] = (),
        search: Mapping[str, Any] | None = None,
        edited: Edited | None = None,
        spans: Mapping[int, Span] | None = None,
        sending_ended_s: float | None = None,
        answers: int = 0,
        scores: Sequence[Score] = (),
        judge: JudgeUse | None = None,
    ) -> None:
        """Append a second.

        ``deltas``, ``controls``, ``events``, ``gone`` (workers lost), ``answers`` (their number) and ``scores`` are
        those new in it; ``judge`` is what it has done so far, if that has changed; ``search`` is the
        summary's, if it has news; ``edited`` the plan, if it was edited in this second; ``spans`` when stages were, if
        that has changed.

        Raises:
            OSError: it cannot be written; what was written before stays readable and the writer can go on.
        """
        run_state = msgspec.structs.replace(run_state, events=())  # the last fifty, again every second
        second = Second(
            run_state,
            [_left_out(delta, self._closed) for delta in compact(deltas)],
            [dict(control) for control in controls],
            list(events),
            list(gone),
            None if search is None else dict(search),
            edited,
            dict(spans or {}),
            sending_ended_s,
            answers,
            list(scores),
            judge,
        )
        self._append(_record(self._encoder.encode(second)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> JournalWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError:
            self._file.truncate(self.size)  # a torn record in the middle would hide all that follows
            self._file.seek(self.size)
            raise
        self.size += len(data)


def read_journal(path: str | os.PathLike[str]) -> Generator[RunHeader | Second, None, None]:
    """Yield the header, then every whole second.

    Args:
        path: the journal, or the run directory it lies in.

    Raises:
        OSError: it cannot be read.
        JournalError: it is no journal of this version, or has not even a header.
    """
    return read_seconds(path, Second)


def read_seconds(path: str | os.PathLike[str], kind: type[T]) -> Generator[RunHeader | T, None, None]:
    """Yield the header, then of every whole second what ``kind`` has. Raises like :func:`read_journal`."""
    path = Path(path)
    if path.is_dir():
        path = path / FILE_NAME
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise JournalError(f"{path}: not a journal of this version")
        payload = next_payload(file.read)
        if payload is None:
            raise JournalError(f"{path}: the journal ends before its header")
        with as_journal(path):
            header = msgspec.msgpack.decode(payload, type=RunHeader)
        yield header
        seconds = msgspec.msgpack.Decoder(kind)
        while (payload := next_payload(file.read)) is not None:
            with as_journal(path):
                second = seconds.decode(payload)
                if isinstance(second, Second):
                    put_back(second, header.layout.closed)
            yield second


def _left_out(delta: Delta, closed: Sequence[bool]) -> Delta:
    """Return the delta without response times of closed pools that equal the latencies: these need not be stored
    twice.
    """
    leaves = [
        msgspec.structs.replace(leaf, hists={name: leaf.hists[name] for name in leaf.hists if name != "response_time"})
        if _waits_as_answered(leaf, closed) and leaf.hists.get("response_time") == leaf.hists["latency"]
        else leaf
        for leaf in delta.leaves
    ]
    return msgspec.structs.replace(delta, leaves=leaves)


def put_back(second: Second, closed: Sequence[bool]) -> Second:
    """Put into a second the response times that :func:`_left_out` left out, and return it."""
    for delta in second.deltas:
        for leaf in delta.leaves:
            if _waits_as_answered(leaf, closed):
                leaf.hists.setdefault("response_time", leaf.hists["latency"])
    return second


def _waits_as_answered(leaf: LeafDelta, closed: Sequence[bool]) -> bool:
    return "latency" in leaf.hists and leaf.request < len(closed) and closed[leaf.request]


def read_header(path: str | os.PathLike[str]) -> RunHeader:
    """Return the header alone. Raises like :func:`read_journal`."""
    records = read_journal(path)
    header = next(records)
    records.close()
    assert isinstance(header, RunHeader)
    return header


def rebuild(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the summary of a run that was cut off, marked incomplete, from its journal.

    Raises:
        OSError: there is no journal that can be read.
        JournalError: it is none.
    """
    with as_journal(directory):
        summary = _folded(read_journal(directory))
        check_summary(summary)
        encode_summary(summary)  # a number may have none of its JSON
        return summary


def _folded(records: Generator[RunHeader | Second, None, None]) -> dict[str, Any]:
    header = next(records)
    assert isinstance(header, RunHeader)
    fold = Refold(header)
    controls: list[dict[str, Any]] = []
    for second in records:
        assert isinstance(second, Second)
        fold.add(second)
        controls += second.controls
    summary = build_summary(
        fold.figures.aggregate,
        header,
        duration_s=fold.end_s,
        sending_ended_s=fold.sending_s,
        stop_reason="error",
        exit_code=1,
        stage_spans=fold.stage_spans,
        controls=controls,
        thresholds=summed(fold.figures.judge.verdicts),
        quality=None if fold.figures.quality is None else fold.figures.quality.summary(),
        search=None if fold.search is None else fold.search | {"stopped": fold.search["stopped"] or "aborted"},
        assessor=fold.figures.assessor,
        incomplete=True,
    )
    if header.profile.get("gate") is not None:
        words = "the run was cut off, and is compared with nothing"
        summary["gate"] = msgspec.to_builtins(Gate(verdict="not_compared", blocked=True, words=words))
    return summary


def _record(payload: bytes) -> bytes:
    flag = _RAW
    if len(payload) >= _SMALL:
        packed = zlib.compress(payload, 1)
        if len(packed) < len(payload):
            payload, flag = packed, _ZLIB
    return _PREFIX.pack(len(payload), zlib.crc32(payload), flag) + payload


def next_payload(read: Callable[[int], bytes], *, unpack: bool = True) -> bytes | None:
    """Return the next payload, packed as in the file without ``unpack``; None at the end or at a torn or damaged
    record.
    """
    prefix = read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    length, checksum, flag = _PREFIX.unpack(prefix)
    if not 0 < length <= _MAX_RECORD_BYTES:  # a disk that lost its power may leave zeros
        return None
    payload = read(length)
    if len(payload) < length or zlib.crc32(payload) != checksum or flag != _flag_of(payload):
        return None
    return _unpacked(payload) if unpack and flag == _ZLIB else payload


def _unpacked(payload: bytes) -> bytes | None:
    """The payload, None where it is no zlib after all, or too much."""
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(payload, _MAX_RECORD_BYTES)
    except zlib.error:
        return None
    return data if inflate.eof else None


def _flag_of(payload: bytes) -> int:
    """Return the flag that a payload must have. No checksum covers the flag, but msgpack's maps never begin as zlib
    does.
    """
    return _ZLIB if payload.startswith(b"\x78") else _RAW
