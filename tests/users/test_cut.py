"""A run that is cut loses nobody: not who has just begun, not what has just been answered."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter_ns

import pytest

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.worker_budget import WorkerBudget
from agenttop.users.pool import WATCH_CALLS, PoolRuntime
from agenttop.users.user import VirtualUser
from agenttop.wire import http1
from agenttop.wire.http1 import DRAINING, Http1Connection
from agenttop.wire.target import Target
from agenttop.wire.turns import Turns
from tests.users.playing import Play, Script, ended, playing, pool_of, profile, then_close
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, chunked, ok, serving

BUSY = ok(b"later", "retry-after: 0", status="429 Too Many Requests")


async def silent(reader: Reader, writer: Writer) -> None:
    await reader.read()


async def never(target: Target) -> Http1Connection:
    """A connection that is not made."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def asked(pool: PoolRuntime) -> Http1Connection:
    """The connection of the one user, its request under way."""
    pool.aim(1)
    (user,) = pool.tasks
    await until(lambda: user.step is not None)
    assert isinstance(user.connection, Http1Connection)
    return user.connection


async def test_who_has_not_begun_yet_leaves_too(tmp_path: Path) -> None:
    pool, _, _ = pool_of(tmp_path, profile().replace("{port}", "9"))
    pool.aim(3)
    pool.cancel()
    await ended(pool)
    assert not pool.tasks


async def test_an_answer_that_came_just_before_is_counted(tmp_path: Path) -> None:
    step = 'get = "/"\nchecks = { fine = "status == 200" }'
    async with serving(silent) as server:
        pool, layout, recorder = pool_of(tmp_path, profile(step).replace("{port}", str(server.port)))
        connection = await asked(pool)
        connection.data_received(ok(b"x"))
        pool.cancel()
        await ended(pool)
        assert Play(layout, recorder).only.outcomes == {"ok": 1}


async def test_a_retry_that_is_cut_while_it_connects_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(then_close(BUSY), BUSY)
    async with playing(tmp_path, profile(top='on_429 = "retry"\n'), script) as (pool, layout, recorder):
        await asked(pool)
        monkeypatch.setattr(pool.transport, "connect", never)
        await until(lambda: pool.leaves[0].retries)
        pool.cancel()
        await ended(pool)
        assert Play(layout, recorder).only.outcomes == {"cancelled": 1}


async def test_a_token_that_nobody_waits_for_is_not_missed(tmp_path: Path) -> None:
    async with serving(silent) as server:
        text = profile(top='timeout = "7s"\nfirst_token_timeout = "1s"').replace("{port}", str(server.port))
        pool, layout, recorder = pool_of(tmp_path, text)
        connection = await asked(pool)
        for _ in range(12):
            pool.watch(connection.sent_ns + 2_000_000_000)
        assert pool.in_flight[0] == 1
        pool.cancel()
        await ended(pool)
        assert Play(layout, recorder).only.outcomes == {"cancelled": 1}


async def test_a_user_that_raises_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def mistaken(user: VirtualUser) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(VirtualUser, "_task", mistaken)
    async with playing(tmp_path, profile(), Script(ok(b"x"))) as (pool, _, _):
        told: list[BaseException] = []
        pool.broken = told.append
        pool.aim(1)
        await ended(pool)
        await until(lambda: told)
        assert repr(told) == "[ZeroDivisionError('ours')]"


async def test_a_redirect_that_is_cut_while_it_connects_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = ok(b"", "location: http://localhost:9/", status="302 Found")
    async with playing(tmp_path, profile(top="follow_redirects = true"), Script(elsewhere, b"")) as played:
        pool, layout, recorder = played
        connection = await asked(pool)
        monkeypatch.setattr(pool.transport, "connect", never)
        (user,) = pool.tasks
        await until(lambda: not connection.waiting and user.step is None)
        pool.enter(1)  # it counts where it was sent
        pool.cancel()
        await ended(pool)
        leaf = Play(layout, recorder).only
        assert (leaf.outcomes, leaf.stage) == ({"cancelled": 1}, 0)


async def test_who_waits_for_the_rest_of_an_answer_is_cancelled_with_the_request_that_waits(tmp_path: Path) -> None:
    done = b'data: {"done": true}\n\n'
    text = profile(pool='protocol = "sse"\n[pools.measure]\ndone = "$.done"\n')
    async with serving(silent) as server:
        pool, layout, recorder = pool_of(tmp_path, text.replace("{port}", str(server.port)))
        connection = await asked(pool)
        connection.data_received(chunked(done, headers=("content-type: text/event-stream",))[:-5])
        await until(lambda: connection.state == DRAINING and connection.waiting)
        pool.cancel()
        await ended(pool)
        assert Play(layout, recorder).only.outcomes == {"ok": 1, "cancelled": 1}


async def test_a_request_that_waits_for_budget_to_be_sent_again_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, gone, waits = WorkerBudget.hold, asyncio.Event(), asyncio.Event()

    def hold(budget: WorkerBudget, worst: Amount) -> bool:
        if gone.is_set():
            waits.set()
            return False
        return real(budget, worst)

    async def close(reader: Reader, writer: Writer) -> None:
        gone.set()
        writer.close()

    monkeypatch.setattr(WorkerBudget, "hold", hold)
    script = Script(ok(b"x"), close, ok(b"x"))
    async with playing(tmp_path, profile(top="[budget]\nrequests = 100"), script) as (pool, layout, recorder):
        pool.aim(1)
        await waits.wait()
        pool.cancel()
        await ended(pool)
        assert Play(layout, recorder).only.outcomes == {"ok": 1, "cancelled": 1}
        assert pool.reservations is not None
        assert pool.reservations.budget.held == NOTHING


@pytest.mark.parametrize("limit", ['timeout = "1s"', 'idle_timeout = "1s"', 'first_token_timeout = "1s"'])
async def test_what_has_come_in_time_is_not_late_for_being_looked_at_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(http1, "TURNS", turns := Turns())
    async with serving(silent) as server:
        pool, layout, recorder = pool_of(tmp_path, profile(top=limit).replace("{port}", str(server.port)))
        connection = await asked(pool)
        turns.reporting = True  # nothing is parsed for now
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-type: text/event-stream\r\n\r\n"
        connection.data_received(head + b"2\r\n:\n\r\n" * 1000)
        for _ in range(WATCH_CALLS):
            pool.watch(perf_counter_ns() + 1_500_000_000)
        assert connection.failure is None
        turns.reporting = False
        await until(lambda: not connection.behind_ns)
        pool.finish(sending=False)
        for _ in range(WATCH_CALLS):
            pool.watch(perf_counter_ns() + 1_500_000_000)
        await ended(pool)
        assert Play(layout, recorder).only.outcomes["timeout"] == 1
