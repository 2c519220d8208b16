"""A pool without pauses sends the next request without waking its user: nothing else may differ."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agenttop.users.user import VirtualUser
from tests.users.playing import Action, Play, Script, counting_again, ended, path_of, play, playing, profile, then_close
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, chunked, ok, read_request

SAME = ok(b"x")
BUSY = ok(b"later", "retry-after: 0", status="429 Too Many Requests")


async def in_two_pieces(reader: Reader, writer: Writer) -> None:
    """The body comes after its head."""
    writer.write(SAME[:-1])
    await writer.drain()
    await asyncio.sleep(0)
    writer.write(SAME[-1:])


# Answers as a target may mix them. The last one ends the run.
MIXED: dict[str, list[bytes | Action]] = {
    "all the same": [SAME] * 12,
    "two heads in turn": [SAME, ok(b"yy")] * 5,
    "refused in between": [SAME, SAME, SAME, BUSY, SAME, SAME, BUSY, BUSY, SAME],
    "an error in between": [SAME, SAME, ok(b"oh", status="500 x"), SAME, SAME],
    "closed as we send": [SAME, SAME, SAME, then_close(), SAME, SAME],
    "closed twice": [SAME, SAME, then_close(), then_close(), SAME, SAME],
    "closed by the target's own word": [SAME, SAME, ok(b"x", "connection: close"), SAME, SAME],
    "closed within an answer": [SAME, SAME, then_close(SAME[:-1]), SAME],
    "chunks in between": [SAME, SAME, chunked(b"x"), SAME, SAME],
    "phases in between": [SAME, SAME, ok(b"x", "server-timing: a;dur=1"), SAME, SAME],
    "pieces": [SAME, SAME, in_two_pieces, SAME, SAME],
    "a surplus byte": [SAME, SAME, SAME + b"x", SAME, SAME],
    "nonsense": [SAME, SAME, b"nonsense\r\n\r\n", SAME, SAME],
}

TASKS = """
weight = 3
[[pools.tasks]]
post = "/b?n={iteration}"
json = { content = "{random} of {user}" }
"""


async def play_once(folder: Path, answers: list[bytes | Action]) -> tuple[object, ...]:
    """What came of it, without the times."""
    played, requests = await play(folder, profile(task='get = "/a"\n' + TASKS), *answers)
    leaves = {
        name: (leaf.outcomes, leaf.status, leaf.sums, {kind: hist.count for kind, hist in leaf.hists.items()})
        for name, leaf in played.leaves.items()
    }
    errors = [(error.outcome, error.message, error.count) for error in played.errors]
    # The port differs from one target to the next, and with it, perhaps, the length of a request.
    paths = [(path_of(request), request.partition(b"\r\n\r\n")[2]) for request in requests]
    for _, _, sums, _ in leaves.values():
        del sums["bytes_sent"]
    return paths, leaves, errors, [(pool.sessions, pool.iterations) for pool in played.pools]


@pytest.mark.parametrize("name", MIXED)
async def test_it_is_the_same_with_and_without_waking(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = counting_again(monkeypatch)
    quick = await play_once(tmp_path, MIXED[name])
    assert any(followed)
    monkeypatch.setattr(VirtualUser, "again", lambda user: None)
    assert quick == await play_once(tmp_path, MIXED[name])


@pytest.mark.parametrize(
    "pool", ['think_time = "1ms"', 'pacing = "1ms"', 'arrivals = "constant"\nstages = [{ duration = "1s", rate = 9 }]']
)
async def test_who_pauses_is_woken(pool: str, tmp_path: Path) -> None:
    script = Script(SAME)
    async with playing(tmp_path, profile(pool=pool), script) as (runtime, _, _):
        assert not runtime.compiled.back_to_back


async def test_who_looks_at_answers_is_woken(tmp_path: Path) -> None:
    step = 'get = "/"\nchecks = { fine = "status == 200" }'
    async with playing(tmp_path, profile(step), Script(SAME)) as (runtime, _, _):
        assert not runtime.compiled.back_to_back


class Endless(Script):
    """The same answer for ever, one for each permission."""

    def __init__(self) -> None:
        super().__init__(SAME)
        self.permitted = asyncio.Semaphore(0)

    async def __call__(self, reader: Reader, writer: Writer) -> None:
        while True:
            self.requests.append(await read_request(reader))
            await self.permitted.acquire()
            writer.write(SAME)

    async def answer(self, count: int) -> None:
        """Answer so many; wait until the next request is there."""
        wanted = len(self.requests) + count
        for _ in range(count):
            self.permitted.release()
        await until(lambda: len(self.requests) >= wanted)


async def test_a_pause_a_stage_and_a_retirement_take_effect_at_once(tmp_path: Path) -> None:
    script = Endless()
    text = profile() + '[[pools.teardown]]\ndelete = "/session"\n'
    async with playing(tmp_path, text, script) as (pool, layout, recorder):
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: script.requests)
        await script.answer(5)
        pool.enter(1)
        await script.answer(3)
        pool.pause(True)
        script.permitted.release()  # the one in flight
        await until(lambda: user.step is None)
        assert len(script.requests) == 9
        pool.pause(False)
        await until(lambda: len(script.requests) == 10)
        user.retire()
        script.permitted.release()
        script.permitted.release()
        await ended(pool)
        batch = recorder.fold()
        names = [layout.requests[leaf.request].name for leaf in batch.leaves]
        counted = {
            (name, leaf.stage): leaf.outcomes["ok"]
            for name, leaf in zip(names, batch.leaves, strict=True)
            if leaf.outcomes
        }
        # The sixth request was sent before the stage began.
        assert counted == {("ask", 0): 6, ("ask", 1): 4, ("DELETE /session", 1): 1}
        assert {row.stage: row.iterations for row in batch.pools} == {0: 6, 1: 4}
    assert [request.split(b" ")[0] for request in script.requests] == [b"GET"] * 10 + [b"DELETE"]


async def test_what_is_folded_is_whole(tmp_path: Path) -> None:
    """A fold between two requests takes the first one and leaves the second."""
    script = Endless()
    async with playing(tmp_path, profile(), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: script.requests)
        await script.answer(4)
        first = Play(layout, recorder)
        await script.answer(2)
        second = Play(layout, recorder)
    assert (first.only.outcomes, second.only.outcomes) == ({"ok": 4}, {"ok": 2})
    assert (first.pools[0].iterations, second.pools[0].iterations) == (4, 2)
