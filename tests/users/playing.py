"""A pool of one user against a server that follows a script: request by request, to the end of the script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from time import perf_counter_ns

import pytest

from agenttop.budget.ledger import Draw, Ledger
from agenttop.metrics.delta import ErrorDelta, LeafDelta, PoolDelta
from agenttop.metrics.layout import Layout
from agenttop.metrics.recorder import Recorder
from agenttop.profile.model import Profile
from agenttop.users.compile import compile_pools, layout_of, makers_of
from agenttop.users.pool import PoolRuntime
from agenttop.users.reservations import Reservations
from agenttop.users.terms import terms_of
from agenttop.users.user import VirtualUser
from agenttop.wire.transport import Transport
from tests.profile.writing import load
from tests.wire.frames import TEXT, accept, read_frame
from tests.wire.server import Handler, Reader, Writer, read_request, serving

Action = Callable[[Reader, Writer], Awaitable[None]]


class Play:
    """What came of it: everything the recorder holds, by the names of requests."""

    def __init__(self, layout: Layout, recorder: Recorder) -> None:
        batch = recorder.fold()
        names = [request.name for request in layout.requests]
        self.leaves: dict[str, LeafDelta] = {names[leaf.request]: leaf for leaf in batch.leaves}
        self.pools: list[PoolDelta] = batch.pools
        self.errors: list[ErrorDelta] = batch.errors
        self.checks: dict[str, tuple[int, int]] = batch.checks

    @property
    def only(self) -> LeafDelta:
        """The figures of the one request there is."""
        (leaf,) = self.leaves.values()
        return leaf

    def message(self) -> str:
        """The one error there is."""
        (error,) = self.errors
        assert error.count == 1
        return error.message


def pool_of(folder: Path, text: str, env: Mapping[str, str] | None = None) -> tuple[PoolRuntime, Layout, Recorder]:
    """The first pool of a profile, ready to begin; ``env`` is its environment."""
    loaded = load(folder, text, env=env)
    profile = loaded.profile
    layout = layout_of(profile)
    recorder = Recorder(layout.closed, loaded.secrets)
    loop = asyncio.get_running_loop()
    compiled = compile_pools(profile, layout)
    pool = PoolRuntime(
        compiled[0],
        loop=loop,
        recorder=recorder,
        transport=Transport(loop, None, 5.0),
        epoch_ns=perf_counter_ns(),
        seed=profile.seed,
        worker=0,
        workers=1,
        redirects=profile.follow_redirects,
        reservations=reservations_of(profile, loop),
        make=makers_of(profile, layout, compiled).get(0, VirtualUser),
    )
    pool.enter(0)
    return pool, layout, recorder


def reservations_of(profile: Profile, loop: asyncio.AbstractEventLoop) -> Reservations | None:
    """What a worker has for a profile with a budget, and the controller that answers it."""
    terms = terms_of(profile)
    if terms is None:
        return None
    ledger = Ledger(terms.cap, 1)

    def ask(draw: Draw) -> None:
        loop.call_soon(lambda: reservations.take(ledger.draw(0, draw)))

    reservations = Reservations(terms, ask)
    return reservations


async def ended(pool: PoolRuntime) -> None:
    """Wait until the users of a pool have gone."""
    async with asyncio.timeout(20):
        await asyncio.gather(*pool.tasks.values(), return_exceptions=True)


def flying(pool: PoolRuntime) -> int:
    """How many requests of a pool with few users are in flight; its timeouts are looked at on the way."""
    pool.watch(perf_counter_ns())
    return pool.in_flight[0]


class Script:
    """The answers in order, whatever connections they go over; the last one ends the run, after its task."""

    def __init__(self, *answers: bytes | Action) -> None:
        self._answers = list(answers)
        self._left = list(answers)
        self.requests: list[bytes] = []
        self.pool: PoolRuntime | None = None

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        while True:
            request = await read_request(reader)
            self.requests.append(request)
            assert self._left, request
            answer = self._left.pop(0)
            if not self._left and self.pool is not None:
                self.pool.finish(sending=True)
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(reader, writer)
            if writer.is_closing():
                return


def then_close(answer: bytes = b"") -> Action:
    """Answer, or not, and close."""

    async def act(reader: Reader, writer: Writer) -> None:
        writer.write(answer)
        writer.close()

    return act


async def nothing(reader: Reader, writer: Writer) -> None:
    """No answer; the connection stays."""
    await reader.read()


def talking(
    connections: Sequence[Sequence[bytes | None]], messages: list[bytes], finish: Callable[[], object]
) -> Handler:
    """A WebSocket server: the replies (None: no reply) to the messages of each connection, which then ends; ``finish``
    is called before the last reply of all. What is said goes to ``messages``.
    """
    left = list(connections)

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        replies = left.pop(0)
        for number, reply in enumerate(replies):
            opcode, message = await read_frame(reader)
            if opcode != TEXT:
                return
            messages.append(message)
            if not left and number == len(replies) - 1:
                finish()
            if reply is not None:
                writer.write(reply)
        if not left:
            await reader.read()

    return handle


def counting_again(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of every answer in a pool without pauses, whether the next request followed without waking its user."""
    followed: list[bool] = []
    again = VirtualUser.again

    def counted(user: VirtualUser) -> bytes | None:
        request = again(user)
        followed.append(request is not None)
        return request

    monkeypatch.setattr(VirtualUser, "again", counted)
    return followed


@asynccontextmanager
async def playing(
    folder: Path, text: str, script: Script, env: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[PoolRuntime, Layout, Recorder]]:
    """A pool whose target follows the script; ``{port}`` in the profile is the target's."""
    async with serving(script) as server:
        pool, layout, recorder = pool_of(folder, text.replace("{port}", str(server.port)), env)
        script.pool = pool
        try:
            yield pool, layout, recorder
        finally:
            pool.cancel()
            await ended(pool)


async def play(
    folder: Path, text: str, *answers: bytes | Action, env: Mapping[str, str] | None = None
) -> tuple[Play, list[bytes]]:
    """One user, until the script has ended. Returns what was recorded and the requests that came."""
    script = Script(*answers)
    async with playing(folder, text, script, env) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
        return Play(layout, recorder), script.requests


def profile(
    step: str = 'get = "/"',
    *,
    top: str = "",
    pool: str = "",
    task: str = "",
    before: str = "",
) -> str:
    """A profile of one pool with one task of one step (or of the ``task`` given)."""
    return f"""
target = "http://127.0.0.1:{{port}}"
users = 1
duration = "1s"
{top}
[[pools]]
name = "chat"
{pool}
{before}
[[pools.tasks]]
name = "ask"
{task or step}
"""


def realtime(top: str = "") -> str:
    """A profile whose target is spoken to in messages, and is not there."""
    pool, before = 'protocol = "ws"\ndialect = "openai.realtime"', '[[pools.setup]]\nconnect = "/"'
    return profile('send = { type = "response.create" }', top=top, pool=pool, before=before).replace("{port}", "1")


def path_of(request: bytes) -> str:
    """Where a request goes."""
    return request.split(b" ")[1].decode()


def header(request: bytes, name: str) -> str | None:
    """A header of a request, None where it has none."""
    for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
        key, _, value = line.partition(b": ")
        if key.lower() == name.encode():
            return value.decode()
    return None
