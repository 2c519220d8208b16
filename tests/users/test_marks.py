"""A request counts under the mark that held when it was sent, and is told of until it is recorded."""

from __future__ import annotations

from pathlib import Path

from tests.users.playing import ended, pool_of, profile
from tests.users.test_cut import asked, silent
from tests.wire.reading import until
from tests.wire.server import ok, serving


async def test_it_is_counted_where_it_was_sent_however_late_its_answer(tmp_path: Path) -> None:
    async with serving(silent) as server:
        pool, _, recorder = pool_of(tmp_path, profile().replace("{port}", str(server.port)))
        pool.enter(0, 3)
        connection = await asked(pool)
        pool.enter(0, 4)
        assert (pool.unanswered(3), pool.unanswered(4)) == (1, 0)
        (user,) = pool.tasks
        first = user.sent
        connection.data_received(ok(b"x"))
        await until(lambda: pool.unanswered(3) == 0 and pool.unanswered(4) == 1)
        pool.cancel()
        await ended(pool)
    leaves = {leaf.mark: leaf.outcomes for leaf in recorder.fold().leaves}
    assert leaves == {3: {"ok": 1}, 4: {"cancelled": 1}}
    assert first


async def test_arrivals_that_are_dropped_are_counted_under_their_mark(tmp_path: Path) -> None:
    pool, _, recorder = pool_of(tmp_path, profile().replace("{port}", "9"))
    pool.max_users = 0
    pool.enter(0, 3)
    pool.arrive(1)
    pool.enter(0)
    pool.arrive(2)
    pool.arrive(3)
    assert {count.mark: count.dropped_iterations for count in recorder.fold().pools} == {3: 1, 0: 2}
