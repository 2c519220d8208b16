"""A worker that can no longer hear or tell must not go on as if nothing were."""

from __future__ import annotations

import asyncio
import pickle
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import cast
from unittest.mock import Mock

import pytest

from agenttop.schedule.control import Control
from agenttop.schedule.shares import Members
from agenttop.users.compile import layout_of
from agenttop.users.pool import PoolRuntime
from agenttop.worker import worker as module
from agenttop.worker.messages import Broken, Dealt, Go, Halt, Ready, Start, Steer, pack, receive_from_worker
from agenttop.worker.messages import Lease as Renewed
from agenttop.worker.worker import Worker, obey
from tests.steering.plans import TASK, profile_of

TEXT = f'users = 1\nduration = "1s"\n[[pools]]\nname = "a"\n{TASK}'


class Writer:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)


def worker_of(folder: Path, text: str = TEXT, number: int = 0, of: int = 1) -> tuple[Worker, Writer]:
    profile = profile_of(folder, text)
    start = Start("id", pickle.dumps(profile), (), layout_of(profile), number, of)
    writer = Writer()
    return Worker(asyncio.get_running_loop(), cast("asyncio.StreamWriter", writer), start), writer


def said(*messages: bytes, end: bool = True) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(b"".join(messages))
    if end:
        reader.feed_eof()
    return reader


async def test_without_a_controller_it_ends(tmp_path: Path) -> None:
    worker, _ = worker_of(tmp_path)
    await obey(worker, said(pack(Steer(0.0, Control()))))
    assert worker.finished.result() is None


async def test_what_it_cannot_understand_is_its_end(tmp_path: Path) -> None:
    worker, _ = worker_of(tmp_path)
    await obey(worker, said(b"\x00\x00\x00\x01\xff", end=False))
    assert worker.finished.exception() is not None


async def test_an_order_that_fails_is_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(self: Worker, mode: str) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(Worker, "halt", wrong)
    worker, _ = worker_of(tmp_path)
    await obey(worker, said(pack(Halt("finish")), end=False))
    assert isinstance(worker.finished.exception(), ZeroDivisionError)


async def test_figures_that_cannot_be_folded_are_its_end(tmp_path: Path) -> None:
    worker, writer = worker_of(tmp_path)

    def folding() -> Iterator[None]:
        yield
        raise ZeroDivisionError("ours")

    worker._delta = folding()
    next(worker._delta)
    worker._report()  # there was no time to fold the last ones before these
    assert isinstance(worker.finished.exception(), ZeroDivisionError)
    assert writer.sent == []


async def test_nothing_comes_after_the_last_report(tmp_path: Path) -> None:
    worker, writer = worker_of(tmp_path)
    worker.obey(Go(1))
    worker.obey(Halt("finish"))
    worker.finished.set_result(None)
    worker.report()
    last = len(writer.sent)
    assert last
    worker._report()
    assert len(writer.sent) == last


async def test_workers_begin_every_arrival_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However late they are, and also when one of them is gone."""
    text = f'[[pools]]\nname = "a"\nstages = [{{ rate = 100, duration = "10s", ramp = "step" }}]\n{TASK}'
    begun: list[int] = []
    monkeypatch.setattr(PoolRuntime, "arrive", lambda self, wanted: begun.append(wanted))
    now = [0]
    monkeypatch.setattr(module, "perf_counter_ns", lambda: now[0])
    workers = [worker_of(tmp_path, text, number, 3)[0] for number in range(3)]
    for worker in workers:
        worker.obey(Go(1))
        for pool in worker._pools:
            pool.enter(0, 0)
    for number, worker in enumerate(workers):
        for now[0] in (1_000_000_001 + number * 250_000_000, 4_005_000_001):  # each looks at its own time
            worker._drive(0)
    assert [round(wanted / 1e7) for wanted in sorted(begun)] == list(range(1, 401))
    workers[2].obey(Halt("cancel"))
    for worker in workers[:2]:
        worker.obey(Dealt(Members(4.005, (0, 1))))
    now[0] = 9_005_000_001
    for worker in workers[:2]:
        worker._drive(0)
        worker.obey(Halt("cancel"))
    assert [round(wanted / 1e7) for wanted in sorted(begun)] == list(range(1, 901))


@pytest.mark.parametrize("stalled_s", [4.1, 4.3, 5.0, 6.9])
async def test_who_stood_still_as_another_was_lost_begins_what_it_inherited_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stalled_s: float
) -> None:
    """Its loop goes on with what is due, and only then hears of the loss."""
    text = f'[[pools]]\nname = "a"\nstages = [{{ rate = 100, duration = "10s", ramp = "step" }}]\n{TASK}'
    begun: list[int] = []
    monkeypatch.setattr(PoolRuntime, "arrive", lambda self, wanted: begun.append(wanted))
    now = [0]
    monkeypatch.setattr(module, "perf_counter_ns", lambda: now[0])
    workers = [worker_of(tmp_path, text, number, 3)[0] for number in range(3)]
    for worker in workers:
        worker.obey(Go(1))
        for pool in worker._pools:
            pool.enter(0, 0)
    now[0] = 4_000_000_001
    for worker in workers:
        worker._drive(0)
        worker.obey(Renewed(3.5))
    workers[2].obey(Halt("cancel"))
    workers[0].obey(Dealt(Members(4.0, (0, 1))))
    for now[0] in (int(stalled_s * 1e9) + 1, 7_000_000_001):
        for worker in workers[:2]:
            worker._drive(0)
        if len(workers[1]._deal._changes) == 1:
            workers[1].obey(Dealt(Members(4.0, (0, 1))))
    assert [round(wanted / 1e7) for wanted in sorted(begun)] == list(range(1, 701))
    for worker in workers[:2]:
        worker.obey(Renewed(7.0))
        assert len(worker._dealt[0]) == 0
        worker.obey(Halt("cancel"))


async def test_its_last_word_is_heard_whatever_was_said_to_it_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that is closed with something unread in it takes what was said with it: who broke an order, too, waits
    until the controller has read its last word and closes.
    """
    profile = profile_of(tmp_path, TEXT)
    monkeypatch.setattr(module, "wake_first", lambda: None)  # what this process is to be spared
    monkeypatch.setattr(module, "gc", Mock())
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    serving = asyncio.ensure_future(module.main(theirs.detach()))
    writer.write(pack(Start("id", pickle.dumps(profile), (), layout_of(profile), 0, 1)))
    assert isinstance(await receive_from_worker(reader), Ready)
    writer.write(b"\x00\x00\x00\x01\xff")  # no order there is
    message = await receive_from_worker(reader)
    assert isinstance(message, Broken)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not serving.done()
    assert not reader.at_eof()
    writer.write(pack(Halt("cancel")))
    writer.write_eof()
    await serving
    assert await reader.read() == b""
    writer.close()
