"""The messages between the controller and its workers, as length-prefixed msgpack over a socket pair."""

from __future__ import annotations

import asyncio
import struct

import msgspec

from agenttop.budget.ledger import Draw, Grant
from agenttop.metrics.delta import Delta
from agenttop.metrics.layout import Layout
from agenttop.quality.answer import Answer
from agenttop.schedule.control import Control
from agenttop.schedule.shares import Members


class Start(msgspec.Struct, tag="start"):
    """To a worker: its run and its part of it. Answered by :class:`Ready`."""

    run_id: str
    profile: bytes
    """The pickled profile, secrets included: it goes over a pipe to a process of our own, never to a disk."""
    secrets: tuple[str, ...]
    """Must not appear in any text that comes back."""
    layout: Layout
    worker: int
    workers: int
    limit_s: float | None = None
    """The run ends after so many seconds, whatever the plan says."""
    here: tuple[int, ...] = ()
    """Numbers of the workers on its machine; empty for all."""


class Go(msgspec.Struct, tag="go"):
    """To a worker: the ``perf_counter_ns`` at which the run's clock began, or begins."""

    epoch_ns: int


class Steer(msgspec.Struct, tag="steer"):
    """To a worker: the controls from ``at_s`` on; always the whole state, so that nothing is lost or doubled."""

    at_s: float
    control: Control


class Dealt(msgspec.Struct, tag="dealt"):
    """To a worker: another was lost, and users and arrivals are dealt to these from that moment on. It may be past."""

    members: Members


class Halt(msgspec.Struct, tag="halt"):
    """To a worker: ``finish`` (tasks under way go on), ``drain`` (requests in flight go on) or ``cancel``."""

    mode: str


class Granted(msgspec.Struct, tag="granted"):
    """To a worker: what it may spend of the budget; the answer to :class:`Drawn`."""

    grant: Grant


class Lease(msgspec.Struct, tag="lease"):
    """To a worker: go on (:mod:`agenttop.worker.lease`)."""

    told_s: float = -1.0
    """Whoever was lost before this moment, in seconds since the run began, has been told (:class:`Dealt`)."""


class Ready(msgspec.Struct, tag="ready"):
    """From a worker: compiled, waiting for :class:`Go`."""

    pid: int


class Done(msgspec.Struct, tag="done"):
    """From a worker: every user has left; the last delta has been sent."""

    why: str = ""
    """Why it stopped by itself; empty if it was told to."""
    stopped_s: float = 0.0
    """When that was, in seconds since the run began."""


class Broken(msgspec.Struct, tag="broken"):
    """From a worker: it cannot go on."""

    message: str


class Report(msgspec.Struct, tag="report"):
    """From a worker: a delta."""

    delta: Delta


class Drawn(msgspec.Struct, tag="drawn"):
    """From a worker: a draw on the budget. Answered by :class:`Granted`."""

    draw: Draw


class Answered(msgspec.Struct, tag="answered"):
    """From a worker: graded answers that have ended, the oldest first."""

    answers: tuple[Answer, ...]


ToWorker = Start | Go | Steer | Dealt | Halt | Granted | Lease
FromWorker = Ready | Done | Broken | Report | Drawn | Answered

_LENGTH = struct.Struct(">I")
_encoder = msgspec.msgpack.Encoder()
_to_worker: msgspec.msgpack.Decoder[ToWorker] = msgspec.msgpack.Decoder(ToWorker)
_from_worker: msgspec.msgpack.Decoder[FromWorker] = msgspec.msgpack.Decoder(FromWorker)


def pack(message: ToWorker | FromWorker) -> bytes:
    """Return a message as the bytes that go over the socket."""
    body = _encoder.encode(message)
    return _LENGTH.pack(len(body)) + body


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(4))
    return await reader.readexactly(length)


async def receive_from_worker(reader: asyncio.StreamReader) -> FromWorker:
    """Return the next message of a worker.

    Raises:
        asyncio.IncompleteReadError: the worker is gone.
    """
    return _from_worker.decode(await _frame(reader))


async def receive_from_controller(reader: asyncio.StreamReader) -> ToWorker:
    """Return the next message of the controller. Raises like :func:`receive_from_worker`."""
    return _to_worker.decode(await _frame(reader))
