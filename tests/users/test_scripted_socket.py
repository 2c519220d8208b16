"""WebSockets of users written in Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.users import scripted
from agenttop.users import user as users
from tests.users.playing import Play, ended, pool_of, talking
from tests.users.scripts import log_of, profile, write
from tests.wire.frames import CLOSE, TEXT, accept, frame, read_frame
from tests.wire.server import Reader, Writer, serving

WS = 'protocol = "ws"\n'
DONE = frame(TEXT, b'{"part": 1}') + frame(TEXT, b'{"done": true}')
TALK = """
async def setup(self):
    answer = await self.client.connect("/ws", query={"model": "m"}, headers={"x-a": "b"})
    self.log.append((answer.ok, answer.outcome, answer.status))

@task
async def turn(self):
    await self.client.send("first", wait=False)
    a = await self.client.send({"ask": self.iteration}, expect="$.done", name="ask")
    self.log.append((a.ok, a.events, a.json(), a.status))
"""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before he tries again."""
    monkeypatch.setattr(scripted, "RETRY_S", 0.0)
    monkeypatch.setattr(users, "RETRY_S", 0.0)
    monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)


async def talk(
    folder: Path, body: str, *connections: list[bytes | None], pool: str = ""
) -> tuple[Play, list[bytes], list[object]]:
    """The replies (None: no reply) to the messages of each connection, which then ends. The last one ends the run."""
    messages: list[bytes] = []
    handle = talking(connections, messages, lambda: runtime.finish(sending=True))
    write(folder, body)
    async with serving(handle) as server:
        text = profile(pool=WS + pool).replace("{port}", str(server.port))
        runtime, layout, recorder = pool_of(folder, text)
        runtime.aim(1)
        await ended(runtime)
        return Play(layout, recorder), messages, log_of(runtime)


async def test_messages_are_requests(tmp_path: Path) -> None:
    played, messages, log = await talk(tmp_path, TALK, [None, DONE, None, DONE])
    assert messages == [b"first", b'{"ask":1}', b"first", b'{"ask":2}']
    answer = (True, ['{"part": 1}', '{"done": true}'], {"done": True}, 0)
    assert log == [(True, "ok", 101), answer, answer]
    connect, ask = played.leaves["setup"], played.leaves["ask"]
    assert (connect.outcomes, connect.status, connect.hists["connect"].count) == ({"ok": 1}, {101: 1}, 1)
    assert (ask.outcomes, ask.sums["attempts"], ask.hists["latency"].count) == ({"ok": 2}, 2, 2)
    assert ask.sums["bytes_received"] == 2 * len(DONE)
    assert "turn" not in played.leaves
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, 2)


async def test_a_lost_websocket_is_set_up_again(tmp_path: Path) -> None:
    lost = frame(CLOSE, b"\x03\xe8bye")
    body = TALK.replace("a.events, a.json()", "a.outcome, a.error")
    body += "    if not a.ok: self.log.append((await self.client.send('x', wait=False)).outcome)\n"
    played, _, log = await talk(tmp_path, body, [None, lost], [None, DONE])
    assert log == [
        (True, "ok", 101),
        (False, "truncated", "closed by the target with code 1000: bye", 0),
        "not_sent",
        (True, "ok", 101),
        (True, "ok", "", 0),
    ]
    assert played.leaves["ask"].outcomes == {"ok": 1, "truncated": 1}
    (pool,) = played.pools
    assert pool.sessions == 2


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("send('x', expect='$.a')", "RuntimeError: nothing is connected; await self.client.connect(path) first"),
        ("send('x')", "ValueError: its answer would never end: give expect=, wait=False or dialect="),
        ("send('x', expect='a')", "ValueError: expect: bad JSONPath"),
        ("get('/')", 'ValueError: a pool with protocol = "ws" connects and sends; get has no place in it'),
    ],
)
async def test_what_cannot_be_done_says_what_to_write(tmp_path: Path, call: str, expected: str) -> None:
    body = f"""
    async def setup(self):
        try:
            await self.client.{call}
        except Exception as error:
            self.log.append(f"{{type(error).__name__}}: {{error}}")
        await self.client.connect("/ws")

    @task
    async def turn(self): await self.client.send("x", wait=False)
    """
    _, messages, log = await talk(tmp_path, body, [None])
    assert str(log[0]).startswith(expected)
    assert messages == [b"x"]


async def test_a_dialect_says_when_an_answer_ends(tmp_path: Path) -> None:
    response = {"type": "response.done", "response": {"status": "completed", "usage": {"output_tokens": 5}}}
    done = frame(TEXT, json.dumps(response).encode())
    body = """
    @task
    async def turn(self):
        await self.client.connect("/ws", name="ask")
        answer = await self.client.send({"type": "response.create"})
        self.log.append((answer.ok, answer.output_tokens))
        self.client.close()
    """
    played, _, log = await talk(tmp_path, body, [done], [done], pool='dialect = "openai.realtime"')
    assert log == [(True, 5)] * 2
    assert played.leaves["turn"].sums["output_tokens"] == 10
    assert played.leaves["ask"].status == {101: 2}


async def test_a_message_that_code_gives_up_counts_where_it_was_sent(tmp_path: Path) -> None:
    body = """
    async def tire(self, patience):
        while not self.log:
            await asyncio.sleep(0)
        patience.reschedule(0)

    async def setup(self):
        await self.client.connect("/ws")

    @task
    async def turn(self):
        async with asyncio.timeout(None) as patience:
            self.tiring = asyncio.ensure_future(self.tire(patience))
            await self.client.send("x", expect="$.done", name="ask")
    """

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        await read_frame(reader)
        runtime.enter(1, 7)
        runtime.finish(sending=True)
        log_of(runtime).append("arrived")
        await reader.read()

    write(tmp_path, body)
    async with serving(handle) as server:
        runtime, layout, recorder = pool_of(tmp_path, profile(pool=WS).replace("{port}", str(server.port)))
        runtime.aim(1)
        await ended(runtime)
    asked = Play(layout, recorder).leaves["ask"]
    assert (asked.outcomes, asked.stage, asked.mark) == ({"timeout": 1}, 0, 0)
    assert asked.sums["bytes_sent"] == len(frame(TEXT, b"x", mask=True))


async def test_messages_that_await_no_answer_have_their_bytes_too(tmp_path: Path) -> None:
    body = """
    @task
    async def turn(self):
        await self.client.connect("/ws", name="ask")
        for _ in range(2):
            await self.client.send("x" * 50, wait=False)
        while not self.leaving:
            await asyncio.sleep(0)
    """
    played, messages, _ = await talk(tmp_path, body, [None, None])
    assert messages == [b"x" * 50] * 2
    (leaf,) = played.leaves.values()
    assert leaf.outcomes == {"ok": 1}
    assert leaf.sums["bytes_sent"] > 150 + 2 * (50 + 6)  # the upgrade is more than 150
