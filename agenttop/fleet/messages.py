"""What controller and boxes say to each other: lines of JSON over SSH until a box has joined, msgpack in calls of Dask
after that. Bytes only, so that no class is pickled by value.
"""

from __future__ import annotations

import msgspec

from agenttop.budget.ledger import Grant
from agenttop.controller.items import Item
from agenttop.metrics.layout import Layout
from agenttop.worker.messages import Dealt, Go, Halt, Steer


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """The first line of a box: what it is. What other versions do not say has a default, so that they can be named."""

    agenttop: str
    python: str = ""
    """Major and minor version."""
    distributed: str = ""
    host: str = ""
    pid: int = 0
    """Of its agent, whose process group its workers are in."""
    folder: str = ""
    """What it keeps there for the run."""
    cores: int = 0
    workers: int = 0
    """Workers it would have by default."""
    file_limit: int = 0
    """Open files that each of its workers may have."""
    ports: int = 0
    """Ephemeral ports: the most connections to one address; 0 if the system does not say."""
    port: int = 0
    """A port of its loopback interface that is free: it will listen there when it joins."""


class Ask(msgspec.Struct, frozen=True, tag="clock"):
    """To a box: what is your clock?"""

    number: int


class Clock(msgspec.Struct, frozen=True, tag="clock"):
    """The answer to :class:`Ask`."""

    number: int
    ns: int


class Join(msgspec.Struct, frozen=True, tag="join"):
    """To a box: join the run. Answered by :class:`Joined` or :class:`Failed`."""

    name: str
    scheduler: str
    """Where the scheduler is, seen from the box."""
    contact: str
    """Where the controller reaches the box."""
    port: int
    """Where it is to listen."""
    ca: str
    cert: str
    key: str


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """It has joined."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It cannot go on."""

    message: str


class Leave(msgspec.Struct, frozen=True, tag="leave"):
    """To a box: end."""


ToBox = Ask | Join | Leave
FromBox = Hello | Clock | Joined | Failed

_encode = msgspec.json.Encoder().encode
_to_box: msgspec.json.Decoder[ToBox] = msgspec.json.Decoder(ToBox)
_from_box: msgspec.json.Decoder[FromBox] = msgspec.json.Decoder(FromBox)


def line(message: ToBox | FromBox) -> bytes:
    """Return a message as a line."""
    return _encode(message) + b"\n"


def read_to_box(text: bytes) -> ToBox:
    """Return the message of a line. Raises msgspec.DecodeError."""
    return _to_box.decode(text)


def read_from_box(text: bytes) -> FromBox:
    """Return the message of a line. Raises msgspec.DecodeError."""
    return _from_box.decode(text)


# -- in calls


class Begin(msgspec.Struct, frozen=True):
    """Start these workers; as :meth:`Box.start <agenttop.controller.box.Box.start>`. ``profile`` is pickled."""

    run_id: str
    profile: bytes
    secrets: tuple[str, ...]
    layout: Layout
    first: int
    count: int
    total: int
    limit_s: float | None


class Granted(msgspec.Struct, frozen=True, tag="grant"):
    """What one worker may spend."""

    worker: int
    grant: Grant


class Kill(msgspec.Struct, frozen=True, tag="kill"):
    """End the workers that are still there."""


class Told(msgspec.Struct, frozen=True):
    """One thing that a box is told; ``seq`` is its number, from 1, and each is done once."""

    seq: int
    what: Go | Steer | Dealt | Halt | Granted | Kill


def pack(value: Begin | list[Told] | list[Item]) -> bytes:
    """Return it as bytes."""
    return msgspec.msgpack.encode(value)


begin_of = msgspec.msgpack.Decoder(Begin).decode
told_of = msgspec.msgpack.Decoder(list[Told]).decode
items_of = msgspec.msgpack.Decoder(list[Item]).decode
