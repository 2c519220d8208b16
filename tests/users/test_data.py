"""Rows of data on their way into requests."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path
from time import perf_counter_ns

import pytest

from agenttop.users import user as users
from agenttop.users.user import VirtualUser
from tests.users.playing import Action, Play, Script, ended, path_of, play, playing, profile, then_close
from tests.users.test_user import CONNECT, DONE, SEND, WS, talk
from tests.wire.frames import CLOSE, frame
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, ok, read_request

SAME = ok(b"x")


def data(order: str, name: str = "a.csv") -> str:
    return f'data = {{ file = "{name}", order = "{order}" }}'


def task(order: str, step: str = 'get = "/{word}"') -> str:
    return f"{step}\n{data(order)}"


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("word\none\ntwo\nthree\n")
    (tmp_path / "b.jsonl").write_text('{"name": "ann"}\n{"name": "bob"}\n')


class Always(Script):
    """The same answer to everything, whoever asks; the run ends by itself."""

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        while True:
            self.requests.append(await read_request(reader))
            writer.write(SAME)


async def to_the_end(folder: Path, text: str, number: int = 1) -> tuple[Play, list[str], bool]:
    """So many users until nothing is left to do; the paths they asked for, and whether the pool says it is over."""
    script = Always()
    async with playing(folder, text, script) as (pool, layout, recorder):
        pool.aim(number)
        await ended(pool)
        pool.aim(number)  # as the worker goes on doing
        assert not pool.tasks
        return Play(layout, recorder), [path_of(request) for request in script.requests], pool.over


@pytest.mark.parametrize("pool", ["", 'think_time = "1ms"'], ids=["back_to_back", "woken"])
async def test_sequential_rows_come_one_after_the_other(tmp_path: Path, pool: str) -> None:
    played, requests = await play(tmp_path, profile(task("sequential"), pool=pool), *[SAME] * 7)
    assert [path_of(request) for request in requests] == ["/one", "/two", "/three"] * 2 + ["/one"]
    assert played.only.outcomes == {"ok": 7}


@pytest.mark.parametrize("pool", ["", 'think_time = "1ms"'], ids=["back_to_back", "woken"])
@pytest.mark.parametrize("number", [1, 2, 5])
async def test_each_row_is_used_once_then_users_end(tmp_path: Path, pool: str, number: int) -> None:
    played, paths, over = await to_the_end(tmp_path, profile(task("once"), pool=pool), number)
    assert sorted(paths) == ["/one", "/three", "/two"]
    assert played.only.outcomes == {"ok": 3}
    assert played.only.hists["latency"].count == 3
    assert sum(row.iterations for row in played.pools) == 3
    assert over


MIXED: dict[str, list[bytes | Action]] = {
    "all the same": [SAME] * 3,
    "an error in between": [SAME, ok(b"oh", status="500 x"), SAME],
    "closed as we send": [SAME, then_close(), SAME, SAME],
    "two heads": [SAME, ok(b"yy"), SAME],
}


@pytest.mark.parametrize("name", MIXED)
async def test_it_is_the_same_with_and_without_waking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    async def once() -> tuple[object, ...]:
        script = Script(*MIXED[name])
        async with playing(tmp_path, profile(task("once")), script) as (pool, layout, recorder):
            script.pool = None
            pool.aim(1)
            await ended(pool)
            played = Play(layout, recorder)
        leaf = played.only
        counts = {kind: hist.count for kind, hist in leaf.hists.items()}
        return [path_of(r) for r in script.requests], leaf.outcomes, counts, [row.iterations for row in played.pools]

    quick = await once()
    monkeypatch.setattr(VirtualUser, "again", lambda user: None)
    assert quick == await once()


async def test_random_rows_are_the_same_every_time(tmp_path: Path) -> None:
    text = profile(task("random"), top="seed = 4")
    first, second = [[path_of(r) for r in (await play(tmp_path, text, *[SAME] * 30))[1]] for _ in range(2)]
    assert first == second
    assert set(Counter(first)) == {"/one", "/two", "/three"}
    other = (await play(tmp_path, text.replace("seed = 4", "seed = 5"), *[SAME] * 30))[1]
    assert first != [path_of(request) for request in other]


async def test_a_row_stays_for_all_steps_of_its_task(tmp_path: Path) -> None:
    steps = f'steps = [{{ get = "/{{word}}" }}, {{ get = "/{{word}}/more" }}]\n{data("sequential")}'
    _, requests = await play(tmp_path, profile(task=steps), *[SAME] * 4)
    assert [path_of(request) for request in requests] == ["/one", "/one/more", "/two", "/two/more"]


async def test_a_task_that_is_used_up_leaves_the_others(tmp_path: Path) -> None:
    text = profile(task("once")) + '[[pools.tasks]]\nget = "/plain"\n'
    _, requests = await play(tmp_path, text, *[SAME] * 40)
    counts = Counter(path_of(request) for request in requests)
    assert counts == {"/one": 1, "/two": 1, "/three": 1, "/plain": 37}


async def test_each_task_has_a_place_of_its_own(tmp_path: Path) -> None:
    text = profile(task("once")) + "[[pools.tasks]]\n" + task("once", 'get = "/b/{word}"')
    _, paths, over = await to_the_end(tmp_path, text, 2)
    assert sorted(paths) == ["/b/one", "/b/three", "/b/two", "/one", "/three", "/two"]
    assert over


# -- sessions

SESSION = '[[pools.setup]]\npost = "/in/{name}"\n'
LEAVE = '[[pools.teardown]]\ndelete = "/out/{name}"\n'


async def test_a_session_has_one_row_from_setup_to_teardown(tmp_path: Path) -> None:
    text = profile('get = "/{name}"', pool=data("once", "b.jsonl"), before=SESSION) + LEAVE
    script = Always()
    async with playing(tmp_path, text, script) as (pool, _, _):
        pool.aim(3)
        await until(lambda: len(pool.tasks) == 2)  # the third finds no row
        first, second = pool.tasks
        assert not pool.over
        await until(lambda: {"/ann", "/bob"} <= {path_of(request) for request in script.requests})
        first.retire()
        second.retire()
        await ended(pool)
        assert pool.over
        assert pool.used_up == ("b.jsonl",)
    paths = [path_of(request) for request in script.requests]
    for name in ("ann", "bob"):
        own = [path for path in paths if path.endswith(name)]
        assert (own[0], own[-1]) == (f"/in/{name}", f"/out/{name}")
        assert set(own[1:-1]) == {f"/{name}"}


async def test_a_set_up_that_failed_is_tried_again_with_its_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "RETRY_S", 0.0)
    monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)
    text = profile('get = "/{name}"', pool=data("once", "b.jsonl"), before=SESSION)
    _, requests = await play(tmp_path, text, ok(status="503 x"), ok(status="503 x"), SAME, SAME)
    assert [path_of(request) for request in requests] == ["/in/ann", "/in/ann", "/in/ann", "/ann"]


async def test_a_session_that_is_lost_is_followed_by_one_with_the_next_row(tmp_path: Path) -> None:
    lost = frame(CLOSE, struct.pack("!H", 1012) + b"restart")
    text = profile(SEND.replace("{iteration}", "{name}"), pool=WS + data("sequential", "b.jsonl"), before=CONNECT)
    _, messages = await talk(tmp_path, text, [DONE, lost], [DONE])
    assert messages == [b'{"ask":"ann"}', b'{"ask":"ann"}', b'{"ask":"bob"}']


async def test_who_never_began_leaves_without_tear_down(tmp_path: Path) -> None:
    """Its variables may not be there yet."""
    text = profile('get = "/{id}"', before='[[pools.setup]]\npost = "/in"\nsave = { id = "$.id" }\n')
    script = Script(ok(status="503 x"))
    async with playing(tmp_path, text + '[[pools.teardown]]\ndelete = "/{id}"\n', script) as (pool, _, _):
        pool.aim(1)
        (life,) = pool.tasks.values()
        await ended(pool)
        assert life.exception() is None
    assert [path_of(request) for request in script.requests] == ["/in"]


# -- open pools

OPEN = 'stages = [{ duration = "1s", rate = 9 }]\n'


async def test_arrivals_take_rows_until_none_is_left(tmp_path: Path) -> None:
    script = Always()
    async with playing(tmp_path, profile(task("once"), pool=OPEN), script) as (pool, layout, recorder):
        for _ in range(5):
            pool.arrive(perf_counter_ns())
        await ended(pool)
        pool.arrive(perf_counter_ns())
        assert pool.over
        (row,) = Play(layout, recorder).pools
    assert sorted(path_of(request) for request in script.requests) == ["/one", "/three", "/two"]
    assert (row.iterations, row.dropped_iterations) == (3, 0)


async def test_an_arrival_without_a_session_is_dropped(tmp_path: Path) -> None:
    script = Always()
    text = profile('get = "/{name}"', pool=OPEN + data("once", "b.jsonl"))
    async with playing(tmp_path, text, script) as (pool, layout, recorder):
        for _ in range(3):
            pool.arrive(perf_counter_ns())
        await until(lambda: len(pool.idle) == 2)
        pool.arrive(perf_counter_ns())
        await until(lambda: len(pool.idle) == 2)
        played = Play(layout, recorder)
    (row,) = played.pools
    assert (row.sessions, row.iterations, row.dropped_iterations) == (2, 3, 1)
