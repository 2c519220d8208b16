"""The end of a run, of a user and of its own patience: whatever code is waiting for, nothing it sent is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agenttop.budget.amount import NOTHING, Amount
from agenttop.users.pool import PoolRuntime
from agenttop.users.scripted import ScriptedUser
from tests.users.playing import Play, Script, ended, nothing, path_of, playing, then_close
from tests.users.scripts import log_of, play, profile, write
from tests.users.test_cut import never
from tests.users.test_redirects import moved
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, ok

GIVEN_UP = "given up by the user's own code"


@asynccontextmanager
async def begun(folder: Path, body: str, *answers: Any) -> AsyncIterator[tuple[PoolRuntime, Script, Any]]:
    """One user of a pool; the answers do not end it. The last value gives what has been recorded."""
    write(folder, body)
    script = Script(*answers, nothing)
    async with playing(folder, profile(), script) as (pool, layout, recorder):
        pool.aim(1)
        yield pool, script, lambda: Play(layout, recorder)


async def cut(pool: PoolRuntime) -> None:
    """End a run as a worker does: it is cut again and again until all have gone."""
    pool.cancel()
    while pool.tasks:
        await asyncio.sleep(0)
        pool.cancel()


SLEEPS = """
@task
async def buy(self):
    await self.client.get("/a")
    self.log.append("waits")
    try:
        await {wait}
        self.log.append("goes on")
        await self.client.get("/b")
    finally:
        self.log.append("ends")
"""


@pytest.mark.parametrize("wait", ["asyncio.sleep(3600)", "self.sleep(3600)", "asyncio.to_thread(str)"])
async def test_a_run_that_is_cut_ends_whatever_code_waits_for(tmp_path: Path, wait: str) -> None:
    async with begun(tmp_path, SLEEPS.format(wait=wait), ok(b"")) as (pool, _, played):
        await until(lambda: log_of(pool))
        await cut(pool)
        assert log_of(pool) == ["waits", "ends"]
        assert played().errors == []
        assert pool.tasks == {}


async def test_code_that_will_not_hear_of_the_end_is_ended_all_the_same(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        while True:
            try:
                await self.client.get("/a")
            except BaseException as error:
                self.log.append(type(error).__name__)
                if len(self.log) >= 3: raise
    """
    async with begun(tmp_path, body, ok(b""), ok(b"")) as (pool, script, played):
        await until(lambda: len(script.requests) == 3)
        await cut(pool)
        assert set(log_of(pool)) <= {"RunOver", "CancelledError"}
        assert played().only.outcomes == {"ok": 2, "cancelled": 1}


async def test_who_leaves_ends_its_task_with_its_pauses(tmp_path: Path) -> None:
    body = SLEEPS.format(wait="self.sleep(0.2)") + "\nasync def teardown(self): await self.client.get('/bye')\n"
    async with begun(tmp_path, body, ok(b""), ok(b""), ok(b"")) as (pool, script, played):
        await until(lambda: log_of(pool))
        pool.aim(0)
        assert log_of(pool) == ["waits"]
        await ended(pool)
        assert log_of(pool) == ["waits", "goes on", "ends"]
        assert [path_of(request) for request in script.requests] == ["/a", "/b", "/bye"]
        (counts,) = played().pools
        assert counts.iterations == 1


async def test_a_drained_run_sends_nothing_more(tmp_path: Path) -> None:
    async with begun(tmp_path, SLEEPS.format(wait="self.sleep(3600)"), ok(b"")) as (pool, script, played):
        await until(lambda: log_of(pool))
        pool.finish(sending=False)
        await ended(pool)
        assert log_of(pool) == ["waits", "ends"]
        assert len(script.requests) == 1
        assert played().errors == []


async def test_an_answer_in_flight_is_waited_for_when_a_run_is_drained(tmp_path: Path) -> None:
    answering = asyncio.Event()

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering.wait()
        writer.write(ok(b"late"))

    body = """
    @task
    async def buy(self):
        self.log.append((await self.client.get("/a")).text)
        await self.client.get("/b")
    """
    async with begun(tmp_path, body, late) as (pool, script, played):
        await until(lambda: script.requests)
        pool.finish(sending=False)
        answering.set()
        await ended(pool)
        assert log_of(pool) == ["late"]
        assert played().only.outcomes == {"ok": 1}
        assert played().errors == []


# -- a user's own patience, which ends when the request has arrived

IMPATIENT = """
async def arrived(self):
    while not self.log:
        await asyncio.sleep(0)

async def tire(self, patience):
    await self.arrived()
    patience.reschedule(0)

@task
async def buy(self):
    try:
        async with asyncio.timeout(None) as patience:
            self.tiring = asyncio.ensure_future(self.tire(patience))
            await self.client.get("/a")
    except TimeoutError:
        self.log.append("tired")
    await self.client.get("/b", name="ask")
"""
WAITING_FOR = """
@task
async def buy(self):
    asking = asyncio.ensure_future(self.client.get("/a"))
    await self.arrived()
    try:
        await asyncio.wait_for(asking, 0.001)
    except TimeoutError:
        self.log.append("tired")
    await self.client.get("/b", name="ask")
"""


@asynccontextmanager
async def given_up(folder: Path, body: str, top: str = "") -> AsyncIterator[tuple[PoolRuntime, Play, list[bytes]]]:
    """One user to the end of its task; the requests that came."""

    async def silent(reader: Reader, writer: Writer) -> None:
        assert script.pool is not None
        log_of(script.pool).append("arrived")
        await reader.read()

    write(folder, body)
    script = Script(silent, ok(b""))
    async with playing(folder, profile(top=top), script) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
        assert log_of(pool) == ["arrived", "tired"]
        assert [path_of(request) for request in script.requests] == ["/a", "/b"]
        yield pool, Play(layout, recorder), script.requests


@pytest.mark.parametrize("how", ["timeout", "wait_for"])
async def test_what_code_gives_up_is_a_timeout(tmp_path: Path, how: str) -> None:
    body = IMPATIENT if how == "timeout" else IMPATIENT.partition("async def tire")[0] + WAITING_FOR
    async with given_up(tmp_path, body) as (_, played, requests):
        pass
    leaf = played.leaves["buy"]
    assert leaf.outcomes == {"timeout": 1}
    assert (leaf.sums["attempts"], leaf.sums["connections_opened"], leaf.hists["time_to_failure"].count) == (1, 1, 1)
    assert leaf.sums["bytes_sent"] == len(requests[0])
    assert played.leaves["ask"].sums["connections_opened"] == 1
    assert played.message() == GIVEN_UP


@pytest.mark.parametrize("again", ["redirected", "sent again"])
async def test_the_time_of_what_code_gives_up_is_its_own(tmp_path: Path, again: str) -> None:
    """From when it was first sent; the request after it is timed by itself."""
    since: list[int] = []

    async def silent(reader: Reader, writer: Writer) -> None:
        since.append(user_of().since_ns)
        log_of(pool).append("arrived")
        await reader.read()

    async def asked(reader: Reader, writer: Writer) -> None:
        since.append(user_of().since_ns)
        writer.write(ok(b""))

    def user_of() -> ScriptedUser:
        (user,) = pool.tasks
        assert isinstance(user, ScriptedUser)
        return user

    body = IMPATIENT if again == "redirected" else IMPATIENT.replace("try:", 'await self.client.get("/0")\n    try:', 1)
    way = (moved("/c"), silent) if again == "redirected" else (ok(b""), then_close(), silent)
    write(tmp_path, body)
    script = Script(*way, asked)
    top = "follow_redirects = true\ntimeout = '1h'"
    async with playing(tmp_path, profile(top=top), script) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
        assert log_of(pool) == ["arrived", "tired"]
        played = Play(layout, recorder)
    assert since[0] > 0
    assert since[1] == 0
    assert played.leaves["buy"].outcomes["timeout"] == 1


async def test_a_connection_that_code_gives_up_is_a_timeout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = """
    @task
    async def buy(self):
        try:
            async with asyncio.timeout(0.02):
                await self.client.get("/a")
        except TimeoutError:
            self.log.append("tired")
        await self.sleep(3600)
    """
    write(tmp_path, body)
    async with playing(tmp_path, profile(), Script(nothing)) as (pool, layout, recorder):
        monkeypatch.setattr(pool.transport, "connect", never)
        pool.aim(1)
        await until(lambda: log_of(pool))
        await cut(pool)
        played = Play(layout, recorder)
        assert played.only.outcomes == {"timeout": 1}
        assert played.message() == GIVEN_UP


async def test_a_request_that_is_cut_is_cancelled_even_while_code_waits_for_it_elsewhere(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await asyncio.gather(self.client.get("/a"), asyncio.sleep(3600))
    """
    async with begun(tmp_path, body) as (pool, script, played):
        await until(lambda: script.requests)
        await cut(pool)
        assert played().only.outcomes == {"cancelled": 1}
        assert played().errors == []


async def test_a_retry_that_code_gives_up_stays_refused(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        asking = asyncio.ensure_future(self.client.get("/a"))
        while not self._life.pool.leaves[0].retry_after:
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        self.log.append("tired")
        await self.client.get("/b", name="ask")
    """
    busy = ok(b"", "retry-after: 60", status="429 Too Many Requests")
    played, _, log = await play(tmp_path, body, busy, ok(b""), top='on_429 = "retry"')
    assert log == ["tired"]
    assert played.leaves["buy"].outcomes == {"rate_limited": 1}
    assert played.leaves["ask"].outcomes == {"ok": 1}


async def test_what_outlives_its_user_sends_nothing(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        self.log.append(self.client)
        await self.client.get("/a")
    """
    async with begun(tmp_path, body, ok(b"")) as (pool, _, _):
        await until(lambda: log_of(pool))
        pool.finish(sending=True)
        await asyncio.sleep(0)
        pool.cancel()
        await ended(pool)
        with pytest.raises(RuntimeError, match="this user has left"):
            await log_of(pool)[0].get("/b")


# -- budgets

BUDGET = "[budget]\ntokens = 1_000\nmax_output_tokens = 100\nmax_input_tokens = 50"


async def test_what_code_gives_up_is_paid_for_once(tmp_path: Path) -> None:
    body = IMPATIENT.replace('"/b"', '"/b", max_output_tokens=0')
    async with given_up(tmp_path, body, BUDGET) as (pool, _, _):
        assert pool.reservations is not None
        budget = pool.reservations.budget
        # Of the first nobody knows what it made the target read and write; the second has no part in the tokens.
        assert (budget.held, budget.spent, budget.kept) == (NOTHING, Amount(2, 150), 1)


async def test_a_request_that_the_budget_refuses_is_an_answer(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        for _ in range(2):
            answer = await self.client.get("/a")
            self.log.append((answer.outcome, answer.error))
    """
    write(tmp_path, body)
    script = Script(ok(b""), nothing)
    async with playing(tmp_path, profile(top="[budget]\nrequests = 1"), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: pool.leaves[0].outcomes)
        pool.finish(sending=True)
        await ended(pool)
        assert log_of(pool) == [("ok", ""), ("budget_refused", "the budget has no more for it")]
        assert Play(layout, recorder).only.outcomes == {"ok": 1, "budget_refused": 1}


# -- pauses


async def test_who_is_tired_of_a_pause_leaves_when_it_is_to(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/a")
        try:
            async with asyncio.timeout(0.01):
                await self.sleep(3600)
        except TimeoutError:
            self.log.append("tired")
    """
    write(tmp_path, body)
    text = profile(pool='stages = [{ duration = "1s", rate = 1 }]').replace('users = 1\nduration = "1s"', "")
    async with playing(tmp_path, text, Script(ok(b""), nothing)) as (pool, _, _):
        pool.arrive(1)
        await until(lambda: pool.idle)
        pool.finish(sending=True)
        await ended(pool)
        assert log_of(pool) == ["tired"]


async def test_two_pauses_at_once_both_end(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await asyncio.gather(self.sleep(0.001), self.sleep(0.02), self.sleep(0.01))
        self.log.append("rested")
        await self.client.get("/a")
    """
    _, _, log = await play(tmp_path, body, ok(b""))
    assert log == ["rested"]


async def test_code_that_tries_until_it_is_sent_does_not_keep_the_loop(tmp_path: Path) -> None:
    body = """
    @task
    async def buy(self):
        await self.client.get("/a")
        while not (await self.client.get("/b")).ok:
            self.log.append("again")
    """
    write(tmp_path, body)
    async with playing(tmp_path, profile(top="[budget]\nrequests = 1"), Script(ok(b""), nothing)) as (pool, _, _):
        pool.aim(1)
        await until(lambda: pool.leaves[0].outcomes)  # the first refusal
        pool.finish(sending=True)  # from now on no refusal is waited out
        await until(lambda: len(log_of(pool)) > 3)
        await cut(pool)


# -- what code has begun and not waited for

LEFT = """
@task
async def buy(self):
    await self.client.get("/a")
    self.left = asyncio.ensure_future(self.client.get("/b"))
    while not ({under_way}):
        await asyncio.sleep(0)
"""


async def test_a_request_that_nobody_waits_for_is_given_up_with_its_user(tmp_path: Path) -> None:
    played, requests, _ = await play(tmp_path, LEFT.format(under_way="self.leaving"), ok(b""), nothing)
    assert [path_of(request) for request in requests] == ["/a", "/b"]
    assert played.only.outcomes == {"ok": 1, "timeout": 1}
    assert played.only.hists["latency"].count == played.only.hists["time_to_failure"].count == 1
    assert played.message() == GIVEN_UP


async def test_a_request_that_nobody_waits_for_and_that_has_no_connection_yet_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, LEFT.format(under_way="self._life.busy"))
    async with playing(tmp_path, profile(), Script(ok(b"", "connection: close"), nothing)) as (pool, layout, recorder):
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: user.connection is not None)
        monkeypatch.setattr(pool.transport, "connect", never)
        pool.finish(sending=True)
        await ended(pool)
        await until(lambda: pool.leaves[0].outcomes)
        assert Play(layout, recorder).only.outcomes == {"ok": 1, "timeout": 1}
