from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agenttop.metrics.snapshot import Ended, Reply, RunInfo, Snapshot
from agenttop.runs import control_socket
from agenttop.runs.control_socket import MAX_LINE, ControlSocket, SocketFeed
from agenttop.schedule.quantities import MAX_COMMAND
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=3)
AGGREGATE = RUN.aggregate()
SNAPSHOT = AGGREGATE.snapshot(RUN.situation(3))
ENDED = Ended(0, "completed", "summary.json")


@pytest.fixture
def path() -> Iterator[Path]:
    # Not tmp_path: the path of a Unix socket holds 107 bytes.
    with tempfile.TemporaryDirectory(prefix="att-") as name:
        yield Path(name) / "run.sock"


def info() -> RunInfo:
    return replace(RUN.info(), history=AGGREGATE.timeline.ticks())


def echo(text: str, source: str) -> Reply:
    return Reply(0, text != "no", f"{source}: {text}")


@asynccontextmanager
async def serving(path: Path, describe: Callable[[], RunInfo | None] = info) -> AsyncIterator[ControlSocket]:
    server = ControlSocket(path, echo, describe)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


async def first(feed: SocketFeed) -> RunInfo | Snapshot | Ended:
    async with asyncio.timeout(20):
        return await anext(feed.messages())


class Raw:
    """A viewer of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, path: Path) -> Raw:
        return cls(*await asyncio.open_unix_connection(path, limit=1 << 24))

    async def line(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            message: dict[str, Any] = json.loads(await self.reader.readline())
        return message


def mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


async def test_its_owner_alone_may_connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))  # as a run leaves it that was killed
    async with serving(path):
        assert mode(path) == 0o600
    assert mode(path) is None


async def test_every_viewer_sees_everything(path: Path) -> None:
    async with serving(path) as server:
        feeds = [SocketFeed(path) for _ in range(3)]
        for feed in feeds:
            assert (await feed.open()).run_id == RUN.info().run_id
        server.publish(SNAPSHOT)
        assert [await first(feed) for feed in feeds] == [SNAPSHOT] * 3
        await feeds[0].close()
        server.publish(ENDED)
        assert [await first(feed) for feed in feeds[1:]] == [ENDED] * 2
        for feed in feeds:
            await feed.close()


async def test_a_late_viewer_gets_the_history_and_the_newest(path: Path) -> None:
    async with serving(path) as server:
        server.publish(SNAPSHOT)
        feed = SocketFeed(path)
        assert len((await feed.open()).history) == 3
        assert await first(feed) == SNAPSHOT
        await feed.close()


async def test_a_viewer_that_is_too_early_waits(path: Path) -> None:
    known: list[RunInfo] = []
    async with serving(path, lambda: known[0] if known else None) as server:
        raw = await Raw.open(path)
        raw.writer.write(b'{"id": 1, "command": "hold"}\n')
        assert (await raw.line())["type"] == "reply"
        server.publish(SNAPSHOT)
        known.append(info())
        server.announce()
        server.announce()
        server.publish(ENDED)
        assert [(await raw.line())["type"] for _ in range(3)] == ["run", "snapshot", "ended"]
        raw.writer.close()


async def test_commands_are_answered_by_number(path: Path) -> None:
    async with serving(path):
        feed = SocketFeed(path)
        await feed.open()
        replies = await asyncio.gather(*(feed.command(text, source="api") for text in ("hold", "no", "next")))
        assert [(reply.applied, reply.message) for reply in replies] == [
            (True, "api: hold"),
            (False, "api: no"),
            (True, "api: next"),
        ]
        assert [reply.id for reply in replies] == [1, 2, 3]
        await feed.close()


async def test_garbage_is_answered_and_hurts_nobody(path: Path) -> None:
    async with serving(path) as server:
        feed = SocketFeed(path)
        await feed.open()
        raw = await Raw.open(path)
        assert (await raw.line())["type"] == "run"
        for line in (
            b"\n",
            b"hold\n",
            b"\xff\xfe\n",
            b"[]\n",
            b'{"id": "x", "command": 1}\n',
            b'{"id": 1}\n',
            b"{" * 9000 + b"\n",
        ):
            raw.writer.write(line)
            answer = await raw.line()
            assert (answer["id"], answer["applied"]) == (-1, False)
            assert '"command"' in answer["message"]
        raw.writer.write(b'{"id": 9, "command": "hold"}\n')
        assert (await raw.line())["message"] == "api: hold"
        server.publish(SNAPSHOT)
        assert await first(feed) == SNAPSHOT
        raw.writer.close()
        await feed.close()


async def test_a_hundred_commands_at_once_are_all_answered_in_order(path: Path) -> None:
    followed: list[str] = []

    def follow(text: str, source: str) -> Reply:
        followed.append(text)
        return Reply(0, True, text)

    server = ControlSocket(path, follow, info)
    await server.open()
    feeds = [SocketFeed(path), SocketFeed(path)]
    for feed in feeds:
        await feed.open()
    async with asyncio.timeout(20):
        replies = await asyncio.gather(*(feeds[n % 2].command(f"users {n}") for n in range(100)))
    assert [reply.message for reply in replies] == [f"users {n}" for n in range(100)]
    assert [text for text in followed if int(text.split()[1]) % 2] == [f"users {n}" for n in range(1, 100, 2)]
    for feed in feeds:
        await feed.close()
    await server.close()


async def test_whoever_floods_the_socket_gets_one_turn_of_the_loop_at_a_time(path: Path) -> None:
    async with serving(path) as server:
        flood = await Raw.open(path)
        flood.writer.write(b"garbage\n" * 8000)  # and never reads an answer
        feed = SocketFeed(path)
        async with asyncio.timeout(20):
            await feed.open()
            assert (await feed.command("hold")).applied
            server.publish(SNAPSHOT)
            assert await first(feed) == SNAPSHOT
        waiting = sum(writer.transport.get_write_buffer_size() for writer in server._viewers)
        assert waiting < 8000 * 50, "what it does not read is not piled up"
        flood.writer.transport.abort()
        await feed.close()


async def test_viewers_are_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "MAX_VIEWERS", 3)
    async with serving(path) as server:
        feeds = [SocketFeed(path) for _ in range(3)]
        for feed in feeds:
            await feed.open()
        with pytest.raises(ConnectionError, match="3 viewers look at this run already"):
            await SocketFeed(path).open()
        server.publish(SNAPSHOT)
        assert [await first(feed) for feed in feeds] == [SNAPSHOT] * 3
        await feeds[0].close()
        late = SocketFeed(path)
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(ConnectionError):  # until the server has seen that one has left
                    await late.open()
                    break
        for feed in (*feeds, late):
            await feed.close()


async def test_somebody_else_is_sent_away_without_a_word(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "peer_user", lambda connection: os.getuid() + 1)
    async with serving(path) as server:
        raw = await Raw.open(path)
        async with asyncio.timeout(20):
            assert await raw.reader.read() == b""
        assert not server._viewers
        raw.writer.close()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
async def test_the_kernel_says_who_it_is(path: Path) -> None:
    code = "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print(len(s.recv(1)))"
    async with serving(path):
        for directory in (path, path.parent):
            directory.chmod(0o777)  # as no umask and no mode would have it
        for user, expected in ((65534, b"0"), (0, b"1")):
            process = await asyncio.create_subprocess_exec(
                "/usr/bin/env", "python3", "-c", code, str(path), stdout=asyncio.subprocess.PIPE, user=user
            )
            said, _ = await process.communicate()
            assert said.strip() == expected


async def test_where_a_command_comes_from_is_one_of_few_words(path: Path) -> None:
    async with serving(path):
        feed = SocketFeed(path)
        await feed.open()
        said = [(await feed.command("  users   5 ", source=source)).message for source in ("key", "ctl", "x" * 9)]
        assert said == ["key: users 5", "ctl: users 5", "api: users 5"]
        await feed.close()


async def test_a_line_without_an_end_closes_that_viewer_alone(path: Path) -> None:
    async with serving(path) as server:
        feed = SocketFeed(path)
        await feed.open()
        raw = await Raw.open(path)
        await raw.line()
        raw.writer.write(b"x" * (4 * MAX_LINE))
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            async with asyncio.timeout(20):
                await raw.reader.readexactly(1)
        server.publish(SNAPSHOT)
        assert await first(feed) == SNAPSHOT
        raw.writer.close()
        await feed.close()


@pytest.mark.parametrize("size", [MAX_LINE - 200, MAX_LINE, 3 * MAX_LINE, 1 << 20])
async def test_a_line_that_is_too_long_is_answered_in_one(path: Path, size: int) -> None:
    async with serving(path):
        raw = await Raw.open(path)
        await raw.line()
        raw.writer.write(b'{"id": 1, "command": "' + b"9" * size + b'"}\n{"id": 2, "command": "no"}\n')
        if size >= MAX_LINE:
            refused = {"type": "reply", "id": -1, "applied": False}
            message = f"a line has {MAX_LINE} bytes at most, and a command {MAX_COMMAND} characters"
            assert await raw.line() == refused | {"message": message}
        else:
            assert (await raw.line())["id"] == 1
        assert (await raw.line())["id"] == 2
        raw.writer.close()


async def test_a_command_that_is_too_long_is_not_sent(path: Path) -> None:
    async with serving(path):
        feed = SocketFeed(path)
        await feed.open()
        reply = await feed.command("plan " + "9" * 1_000_000)
        assert not reply.applied
        assert reply.message == f"a command has {MAX_COMMAND} characters at most; this one has 1000005"
        assert (await feed.command("users 5")).applied
        await feed.close()


async def test_a_viewer_that_never_reads_only_misses_snapshots(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "BACKLOG", 4 * len(str(SNAPSHOT)))
    async with serving(path) as server:
        deaf = await Raw.open(path)
        assert (await deaf.line())["type"] == "run"
        feed = SocketFeed(path)
        await feed.open()
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        sent = 400
        messages = feed.messages()
        for seq in range(sent):
            server.publish(replace(SNAPSHOT, seq=seq))
            async with asyncio.timeout(20):
                got = await anext(messages)
            assert isinstance(got, Snapshot)
            assert got.seq == seq  # whoever reads misses nothing
        server.publish(ENDED)
        deaf.reader._transport.resume_reading()  # type: ignore[attr-defined]
        seen = []
        while (message := await deaf.line())["type"] != "ended":
            seen.append(message["seq"])
        assert seen == list(range(len(seen)))
        assert 0 < len(seen) < sent
        deaf.writer.close()
        await feed.close()


async def test_the_run_ends_while_somebody_waits(path: Path) -> None:
    async with serving(path):
        feed = SocketFeed(path)
        await feed.open()
    async with asyncio.timeout(20):
        assert [message async for message in feed.messages()] == []
        assert await feed.command("hold") == Reply(-1, False, "the run is gone")
    await feed.close()


async def test_a_feed_of_something_else(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await SocketFeed(path).open()

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps({"type": "reply", "id": 1, "applied": True, "message": ""}).encode() + b"\n")
        writer.close()

    async with await asyncio.start_unix_server(hello, path):
        feed = SocketFeed(path)
        with pytest.raises(ConnectionError, match="does not say what it is"):
            await feed.open()
        await feed.close()


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_line_whatever_is_in_it_goes_without_an_answer(line: bytes) -> None:
    server = ControlSocket(Path("unused"), echo, info)
    assert msgspec.json.encode(server._answer(line))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["id", "command", "source", "x"]), ANY_JSON))
def test_nor_does_anything_that_is_nearly_a_command(request: dict[str, object]) -> None:
    server = ControlSocket(Path("unused"), echo, info)
    assert msgspec.json.encode(server._answer(json.dumps(request).encode()))


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": 1, "command": "hold", "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
        b"[" * 60_000,
        b'{"id": ' + b"9" * 60_000 + b', "command": "hold"}',
        b'{"id": 99999999999999999999, "command": "hold"}',
        b'{"id": 1e400, "command": "hold"}',
        b'{"id": 1, "command": "\\ud800"}',
        b'{"id": 1, "command": "\xed\xa0\x80"}',
    ],
    ids=["deep", "deeper", "long number", "large number", "infinite number", "half a character", "half a byte"],
)
async def test_absurd_lines_are_answered_and_the_viewer_stays(path: Path, line: bytes) -> None:
    async with serving(path):
        raw = await Raw.open(path)
        await raw.line()
        raw.writer.write(line + b"\n")
        assert (await raw.line())["id"] == -1
        raw.writer.write(b'{"id": 9, "command": "hold"}\n')
        assert (await raw.line())["message"] == "api: hold"
        raw.writer.close()


async def test_half_a_line_waits_for_the_other_half_and_one_alone_is_garbage(path: Path) -> None:
    async with serving(path):
        raw, other = await Raw.open(path), await Raw.open(path)
        await raw.line()
        await other.line()
        raw.writer.write(b'{"id": 9, "comm')
        other.writer.write(b'{"id": 1, "command": "next"}\n')
        assert (await other.line())["message"] == "api: next"
        raw.writer.write(b'and": "hold"}\n{"id": 10, "command": "no')
        assert (await raw.line())["message"] == "api: hold"
        raw.writer.write_eof()
        assert (await raw.line())["id"] == -1
        assert await raw.reader.read() == b""
        for viewer in (raw, other):
            viewer.writer.close()


async def test_a_thousand_callers_leave_nothing_behind(path: Path) -> None:
    async with serving(path) as server:
        feed = SocketFeed(path)
        await feed.open()
        for number in range(1000):
            caller = await Raw.open(path)
            if number % 3:
                caller.writer.write(b'{"id": 1, "command": "hold"}\n' if number % 2 else b"half")
            caller.writer.transport.abort()
        server.publish(SNAPSHOT)
        assert await first(feed) == SNAPSHOT
        assert (await feed.command("hold")).applied
        async with asyncio.timeout(60):
            while len(server._viewers) > 1 or len(server._serving) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0)
        await feed.close()


async def test_who_has_missed_something_is_told_the_run_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_socket, "BACKLOG", 4 * len(str(SNAPSHOT)))
    async with serving(path) as server:
        deaf = SocketFeed(path)
        await deaf.open()
        assert deaf._writer is not None
        deaf._writer.transport.pause_reading()  # type: ignore[attr-defined]
        for seq in range(400):
            server.publish(replace(SNAPSHOT, seq=seq))
            await asyncio.sleep(0)
        assert server._behind
        deaf._writer.transport.resume_reading()  # type: ignore[attr-defined]
        seq, anew = 400, None
        async with asyncio.timeout(20):
            async for message in deaf.messages():
                if isinstance(message, RunInfo):
                    anew = message
                    break
                if server._behind and not any(w.transport.get_write_buffer_size() for w in server._behind):
                    server.publish(replace(SNAPSHOT, seq=seq))
                    seq += 1
        newest = await first(deaf)
        assert isinstance(newest, Snapshot)
        assert newest.seq == seq - 1
        assert not server._behind
        assert anew is not None
        assert len(anew.history) == 3
        await deaf.close()


async def test_a_command_waits_until_the_feed_is_open(path: Path) -> None:
    async with serving(path):
        feed = SocketFeed(path)
        early = asyncio.create_task(feed.command("hold"))
        await asyncio.sleep(0)
        await feed.open()
        async with asyncio.timeout(20):
            assert (await early).applied
        await feed.close()
