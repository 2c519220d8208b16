from __future__ import annotations

import asyncio
import contextlib
import io
import os
import signal
from collections.abc import AsyncIterator, Callable

import pytest
from msgspec.structs import replace

from agenttop.metrics.assessment import Assessment
from agenttop.metrics.snapshot import Ended, Event, Reply, RunInfo, Snapshot
from agenttop.view import lines as plain
from agenttop.view.lines import Lines, Outcome, follow
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=10, storm=None)
ENDED = Ended(0, "completed", "summary.json")


def snapshots(count: int, *events: Event) -> list[Snapshot]:
    aggregate = RUN.aggregate()
    base = aggregate.snapshot(RUN.situation(5))
    return [
        replace(base, seq=n, t_s=float(n), events=tuple(e for e in events if e.t_s <= n)) for n in range(1, count + 1)
    ]


class FakeFeed:
    """A run that says what it is told to say; ``react`` makes more of a command."""

    can_detach = True
    attached = False

    def __init__(self, *messages: Snapshot | Ended | None) -> None:
        self.queue: asyncio.Queue[Snapshot | Ended | None] = asyncio.Queue()
        for message in messages:
            self.queue.put_nowait(message)
        self.commands: list[str] = []
        self.react: Callable[[str], None] = lambda text: None
        self.closed = False

    async def open(self) -> RunInfo:
        return RUN.info()

    async def messages(self) -> AsyncIterator[Snapshot | Ended]:
        while (message := await self.queue.get()) is not None:
            yield message

    async def command(self, text: str, *, source: str = "key") -> Reply:
        self.commands.append(text)
        self.react(text)
        return Reply(1, True, text)

    async def kill(self) -> str:
        reply = await self.command("stop now")
        return "" if reply.applied else reply.message

    async def close(self) -> None:
        self.closed = True


async def watch(feed: FakeFeed) -> tuple[Outcome, list[str]]:
    out = io.StringIO()
    async with asyncio.timeout(30):
        outcome = await follow(feed, out)
    assert feed.closed
    return outcome, out.getvalue().splitlines()


async def test_a_line_a_second_until_the_end() -> None:
    outcome, lines = await watch(FakeFeed(*snapshots(3), ENDED))
    assert outcome == Outcome(ENDED)
    assert lines[0] == "agenttop peak.toml: http://127.0.0.1:8000, 10s planned, 2 workers"
    assert [line[:5] for line in lines[1:]] == ["00:01", "00:02", "00:03"]


async def test_what_went_wrong_is_told_once() -> None:
    events = (Event(1.0, "warn", "first timeout"), Event(2.0, "info", "stage 2"), Event(2.0, "error", "no answer"))
    _, lines = await watch(FakeFeed(*snapshots(4, *events), ENDED))
    assert [line for line in lines if "!" in line] == ["  ! first timeout", "  ! no answer"]


async def test_every_change_of_the_verdict_is_told_a_good_one_too() -> None:
    events = (Event(1.0, "info", "verdict: KEEPS UP · p95 620ms"), Event(3.0, "warn", "verdict: QUEUES · p95 6.32s"))
    _, lines = await watch(FakeFeed(*snapshots(4, *events), ENDED))
    told = [line for line in lines if "verdict: " in line]
    assert told == ["  · verdict: KEEPS UP · p95 620ms", "  ! verdict: QUEUES · p95 6.32s"]


async def test_a_line_has_the_state_for_who_reads_by_key() -> None:
    queues = Assessment("queues", 42.0, 40.0, "users", "p95 6.32s")
    told = [replace(one, verdict=queues) for one in snapshots(2)]
    _, lines = await watch(FakeFeed(*told, ENDED))
    assert all(" verdict=queues" in line for line in lines[1:])
    unknown = [replace(one, verdict=replace(queues, state="unknown")) for one in snapshots(1)]
    _, lines = await watch(FakeFeed(*unknown, ENDED))
    assert "verdict=" not in lines[1]


async def test_a_run_without_an_end() -> None:
    outcome, _ = await watch(FakeFeed(*snapshots(2), None))
    assert outcome == Outcome(None, left=False)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_and_a_second_one_stops_now(number: signal.Signals) -> None:
    feed = FakeFeed(*snapshots(1))

    def react(text: str) -> None:
        if text == "stop":
            os.kill(os.getpid(), number)
        else:
            feed.queue.put_nowait(ENDED)

    feed.react = react
    asyncio.get_running_loop().call_soon(lambda: asyncio.get_running_loop().call_soon(os.kill, os.getpid(), number))
    outcome, lines = await watch(feed)
    assert feed.commands == ["stop", "stop now"]
    assert outcome == Outcome(ENDED)
    assert [line for line in lines if line.startswith("stopping")] == [
        "stopping: requests in flight may end; once more ends at once",
        "stopping now",
    ]
    assert [signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)] == [signal.SIG_DFL] * 2


async def test_a_hangup_leaves_the_run() -> None:
    feed = FakeFeed(*snapshots(1))
    asyncio.get_running_loop().call_soon(
        lambda: asyncio.get_running_loop().call_soon(os.kill, os.getpid(), signal.SIGHUP)
    )
    outcome, _ = await watch(feed)
    assert outcome == Outcome(None, left=True)
    assert feed.commands == []


class Gone(io.StringIO):
    """A pipe whose reader has had enough."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


async def test_a_reader_that_is_gone_does_not_matter() -> None:
    async with asyncio.timeout(30):
        assert await follow(FakeFeed(*snapshots(3), ENDED), Gone()) == Outcome(ENDED)


async def test_lines_wait_for_a_reader_and_signals_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    reads, writes = os.pipe()
    feed = FakeFeed(*snapshots(3))

    def react(text: str) -> None:
        feed.queue.put_nowait(ENDED)

    feed.react = react
    with os.fdopen(reads, encoding="utf-8") as reader, os.fdopen(writes, "w", encoding="utf-8") as out:
        os.set_blocking(writes, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(writes, b"." * 1000)
        os.set_blocking(writes, True)
        following = asyncio.create_task(follow(feed, out))
        while not feed.queue.empty():  # noqa: ASYNC110
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGTERM)
        monkeypatch.setattr(plain, "GRACE_S", 0.0)
        async with asyncio.timeout(30):
            assert await following == Outcome(ENDED)
        assert feed.commands == ["stop"]
        os.set_blocking(reads, False)
        assert "00:01" not in reader.read()


def test_a_reader_who_comes_back_misses_nothing() -> None:
    reads, writes = os.pipe()
    with open(reads, encoding="utf-8") as reader, open(writes, "w", encoding="utf-8") as out:
        lines = Lines(out)
        said = [f"line {number}" for number in range(3000)]  # more than a pipe holds
        for line in said:
            lines.say(line + "." * 80)
        assert not lines.flush()
        got = []
        while not lines.flush():
            got.append(reader.readline().split(".")[0])
        out.close()
        got += [line.split(".")[0] for line in reader]
    assert got == said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_run_of_somebody_else_is_left_going(number: int) -> None:
    feed = FakeFeed(*snapshots(1))
    feed.attached = True
    loop = asyncio.get_running_loop()
    loop.call_soon(lambda: loop.call_soon(os.kill, os.getpid(), number))
    outcome, lines = await watch(feed)
    assert outcome == Outcome(None, left=True)
    assert feed.commands == []
    assert any(line.startswith("the run goes on; to stop it: agenttop ctl ") for line in lines)
