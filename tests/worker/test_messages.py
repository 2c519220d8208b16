from __future__ import annotations

import asyncio

import msgspec
import pytest

from agenttop.quality.answer import Answer, ToolCall
from agenttop.schedule.control import Control
from agenttop.schedule.shares import Members
from agenttop.worker.messages import (
    Answered,
    Broken,
    Dealt,
    Done,
    FromWorker,
    Go,
    Halt,
    Ready,
    Report,
    Start,
    Steer,
    ToWorker,
    pack,
    receive_from_controller,
    receive_from_worker,
)
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=3)
SAID = Answered((Answer("a", "peak", 3, text="nine", tools=(ToolCall("f", {"a": [1, None]}),)), Answer("b")))


def reader(data: bytes) -> asyncio.StreamReader:
    made = asyncio.StreamReader()
    made.feed_data(data)
    made.feed_eof()
    return made


async def test_what_a_controller_says_arrives_as_it_was() -> None:
    said: list[ToWorker] = [
        Start("id", b"pickle", ("secret",), RUN.layout, 1, 2),
        Go(123_456_789_012_345),
        Steer(1.5, Control(shift=2.0, held_at=3.0, paused=True, users=4, pool_users={0: 5}, pool_rates={1: 2.5})),
        Dealt(Members(1.5, (0, 2))),
        Halt("drain"),
    ]
    stream = reader(b"".join(map(pack, said)))
    assert [await receive_from_controller(stream) for _ in said] == said


async def test_what_a_worker_says_arrives_as_it_was() -> None:
    said: list[FromWorker] = [Ready(7), *map(Report, RUN.deltas(1)), Broken("no file"), SAID, Done()]
    stream = reader(b"".join(map(pack, said)))
    assert [await receive_from_worker(stream) for _ in said] == said


async def test_an_end_within_a_message_is_an_end() -> None:
    for cut in (1, 3, 4, 6):
        with pytest.raises(asyncio.IncompleteReadError):
            await receive_from_worker(reader(pack(Ready(7))[:cut]))


async def test_what_is_for_the_other_side_is_not_understood() -> None:
    with pytest.raises(msgspec.ValidationError):
        await receive_from_worker(reader(pack(Halt("drain"))))
