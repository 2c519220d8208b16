"""Whatever code gives up and wherever a run ends: what was asked for is in one outcome, and in one only."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from agenttop.users import retries as patience
from agenttop.users import scripted
from agenttop.users import user as users
from agenttop.users.scripted import ScriptedUser
from tests.users.playing import Play, pool_of
from tests.users.scripts import profile, write
from tests.wire.server import Reader, Writer, chunked, ok, read_request, serving

IMPATIENT = """
@task
async def in_time(self):
    try:
        async with asyncio.timeout(self.random.choice([0.0005, 0.003, 1])):
            await self.client.get("/a")
    except TimeoutError:
        pass

@task
async def beside_a_pause(self):
    await asyncio.gather(self.client.get("/b"), self.sleep(self.random.random() * 0.005))

@task
async def cut(self):
    asking = asyncio.ensure_future(self.client.post("/c", json={}))
    await self.sleep(self.random.random() * 0.004)
    asking.cancel()
    await asyncio.wait([asking])

@task
async def left(self):
    self.asking = asyncio.ensure_future(self.client.get("/d"))
    await self.sleep(0.002)
    await asyncio.wait([self.asking])
"""
#: Its end comes without the last bytes of its body, so that its connection is not free yet.
STREAM = chunked(b"data: [DONE]\n\n", headers=("content-type: text/event-stream",))
MORE = ["follow_redirects = true", 'on_429 = "retry"', 'on_429 = "honor"', 'connection = "per_request"']


class Moody:
    """A target that answers as it likes."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.port = 0

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        while not writer.is_closing():
            await read_request(reader)
            if self._random.random() < 0.4:
                await asyncio.sleep(self._random.random() * 0.006)
            elsewhere = f"location: http://localhost:{self.port}/z"
            answer = self._random.choice([
                ok(b"x"), ok(b"x"), ok(b"x"), ok(b"oh", status="500 x"), STREAM[:-5], b"", ok(b"xx")[:-1],
                ok(b"", "location: /z", status="302 x"), ok(b"", elsewhere, status="302 x"),
                ok(b"", "retry-after-ms: 3", status="429 x"),
            ])  # fmt: skip
            writer.write(answer)
            if answer in (b"", ok(b"xx")[:-1]):
                writer.close()


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (users, scripted):
        monkeypatch.setattr(module, "RETRY_S", 0.0)
        monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)
    monkeypatch.setattr(patience, "MAX_WAIT_S", 0.01)


@pytest.mark.parametrize("seed", range(12))
async def test_all_that_was_asked_for_is_counted_once(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    write(tmp_path, IMPATIENT)
    more = [MORE[index] for index in (0, 1 + seed % 2, 3) if random.random() < 0.6]
    top = "\n".join(['dialect = "openai.chat"', *more])
    target = Moody(random)
    async with serving(target) as server:
        target.port = server.port
        pool, layout, recorder = pool_of(tmp_path, profile(top=top).replace("{port}", str(server.port)))
        pool.aim(5)
        lives = [user for user in pool.tasks if isinstance(user, ScriptedUser)]
        for turn in range(random.randrange(5, 30)):
            await asyncio.sleep(0.004)
            pool.enter(turn % 3)
        if random.random() < 0.5:
            pool.finish(sending=random.random() < 0.5)
            await asyncio.sleep(0.005)
        async with asyncio.timeout(20):
            while pool.tasks:
                pool.cancel()
                await asyncio.sleep(0)
        asked = sum(user._asked for user in lives)
        assert asked
        assert asked == sum(sum(leaf.outcomes.values()) for leaf in recorder.fold().leaves)
        assert Play(layout, recorder).leaves == {}
        await asyncio.sleep(0.005)  # the server has connections yet to accept, which it would not close


ABANDONED = {
    "in flight": "asking = asyncio.ensure_future(self.client.get('/'))",
    "in flight, shielded": "asking = asyncio.shield(asyncio.ensure_future(self.client.get('/')))",
    "in flight, waited for by another": (
        "asking = asyncio.ensure_future(asyncio.wait([asyncio.ensure_future(self.client.get('/'))]))"
    ),
}


@pytest.mark.parametrize("how", ABANDONED)
@pytest.mark.parametrize("awaits", ["users", "tasks"])
@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("sending", [True, False])
async def test_who_has_left_is_counted(tmp_path: Path, how: str, awaits: str, connected: bool, sending: bool) -> None:
    came = asyncio.Event()

    async def mute(reader: Reader, writer: Writer) -> None:
        await read_request(reader)
        came.set()
        await reader.read()

    body = f"@task\nasync def ask(self):\n    {ABANDONED[how]}\n    self.log.append(asking)\n    await self.sleep(9)\n"
    write(tmp_path, body)
    async with serving(mute) as server:
        pool, _, recorder = pool_of(tmp_path, profile().replace("{port}", str(server.port)))
        pool.aim(1)
        (user,) = pool.tasks
        assert isinstance(user, ScriptedUser)
        while not (came.is_set() if connected else user._asked):  # noqa: ASYNC110
            await asyncio.sleep(0)
        pool.finish(sending=sending)
        task = pool.tasks[user]
        pool.cancel()
        async with asyncio.timeout(20):
            while pool.tasks if awaits == "users" else not task.done():  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert sum(sum(leaf.outcomes.values()) for leaf in recorder.fold().leaves) == user._asked == 1
        assert pool.tasks == {}
        await asyncio.sleep(0.005)
