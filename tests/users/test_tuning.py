"""Tests of agenttop.users.policy, agenttop.users.compile, agenttop.users.compiled.

Pauses and policies that change while users live.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.metrics.delta import LeafDelta
from agenttop.profile.load import load_profile
from agenttop.schedule.control import Pauses
from agenttop.users.compile import compile_pools, layout_of
from agenttop.users.policy import RefusalPolicy, policy_of
from agenttop.users.pool import PoolRuntime
from agenttop.users.tuning import tuned
from tests.profile.writing import SMALL, load
from tests.users.playing import Action, Play, Script, ended, playing, profile
from tests.users.test_retries import AT_ONCE, LONG
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, ok

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "profiles").glob("*.toml"))
NONE = Pauses()
HONOR = RefusalPolicy("honor", 3, False, None, False)
RETRY = RefusalPolicy("retry", 3, False, None, False)
SAME = ok(b"x")


class Tuner:
    """Changes the pool of a play as an answer is sent."""

    def __init__(self) -> None:
        self.pool: PoolRuntime | None = None

    def then(self, answer: bytes, pauses: Pauses = NONE, policy: RefusalPolicy | None = None) -> Action:
        """Retune, then answer."""

        async def act(reader: Reader, writer: Writer) -> None:
            assert self.pool is not None
            self.pool.retune(pauses, policy)
            writer.write(answer)

        return act


async def play(folder: Path, text: str, tuner: Tuner, *answers: bytes | Action) -> tuple[LeafDelta, int]:
    """The one request's figures, and how many iterations there were."""
    script = Script(*answers)
    async with playing(folder, text, script) as (pool, layout, recorder):
        tuner.pool = pool
        pool.aim(1)
        await ended(pool)
        played = Play(layout, recorder)
        return played.only, played.pools[0].iterations


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
@pytest.mark.parametrize("on_429", ["count", "honor", "retry"])
def test_with_what_it_was_compiled_with_a_pool_is_what_it_was(path: Path, on_429: str) -> None:
    loaded = load_profile(path, env={"OPENAI_API_KEY": "x", "ANTHROPIC_API_KEY": "x", "API_KEY": "x", "TOKEN": "x"})
    other = loaded.profile.model_copy(update={"on_429": on_429})
    layout = layout_of(loaded.profile)
    for first, compiled in zip(compile_pools(loaded.profile, layout), compile_pools(other, layout), strict=True):
        pauses = Pauses(compiled.think_time, compiled.pacing)
        again = tuned(first, Pauses((1, 2)), HONOR)
        again = tuned(again, pauses, policy_of(loaded.profile, on_429))
        for name in ("think_time", "pacing", "refusals", "patient", "back_to_back"):
            assert getattr(again, name) == getattr(compiled, name), name
        assert [task.single for task in again.tasks] == [task.single for task in compiled.tasks]
        assert [[s.lean for s in t.steps] for t in again.tasks] == [[s.lean for s in t.steps] for t in compiled.tasks]


def test_policies_of_a_profile(tmp_path: Path) -> None:
    plain = load(tmp_path, SMALL).profile
    assert policy_of(plain) is policy_of(plain, "count") is None
    assert policy_of(plain, "retry") == RETRY
    judged = load(tmp_path, 'on_429 = "honor"' + SMALL + "[rate_limit]\nretry_after = true\n").profile
    assert policy_of(judged, "count") == RefusalPolicy("count", 3, True, None, True)


async def test_a_user_without_pauses_begins_to_think_and_stops_again(tmp_path: Path) -> None:
    tuner = Tuner()
    script = Script(SAME, SAME, SAME, tuner.then(SAME, Pauses((3600, 3600))), SAME, SAME)
    async with playing(tmp_path, profile(), script) as (pool, layout, recorder):
        tuner.pool = pool
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: user._thinking)
        assert len(script.requests) == 4
        pool.retune(NONE, None)
        await ended(pool)
        leaf = Play(layout, recorder).only
    assert leaf.outcomes == {"ok": 6}
    assert (leaf.sums["attempts"], leaf.sums["connections_opened"]) == (6, 1)


async def test_nobody_keeps_a_pause_that_is_too_long_now(tmp_path: Path) -> None:
    async def serve(reader: Reader, writer: Writer) -> None:
        writer.write(SAME)

    for pauses in (Pauses((0.001, 0.002)), Pauses(pacing=0.001)):
        script = Script(serve, serve, serve)
        async with playing(tmp_path, profile(pool='think_time = "1h"'), script) as (pool, _, _):
            pool.aim(1)
            (user,) = pool.tasks
            await until(lambda user=user: user._thinking)  # type: ignore[misc]
            pool.retune(Pauses((2.0 * 3600, 3.0 * 3600)), None)
            assert user._thinking  # not longer either
            pool.retune(pauses, None)
            await ended(pool)
            assert len(script.requests) == 3


@pytest.mark.parametrize("pool", ["", 'think_time = "1ms"'])
async def test_from_counting_to_sending_again(tmp_path: Path, pool: str) -> None:
    tuner = Tuner()
    pauses = Pauses((0.001, 0.001)) if pool else NONE
    # The one in flight at the change was sent by who only counts, so it is counted.
    answers: list[bytes | Action] = [SAME, SAME, tuner.then(AT_ONCE, pauses, RETRY), AT_ONCE, SAME, SAME]
    leaf, iterations = await play(tmp_path, profile(pool=pool), tuner, *answers)
    assert leaf.outcomes == {"rate_limited": 1, "ok": 4}
    assert [leaf.sums[name] for name in ("attempts", "retries", "recovered")] == [6, 1, 1]
    assert leaf.hists["response_time"].count == leaf.hists["latency"].count == 4
    assert iterations == 4


@pytest.mark.parametrize("judged", ["", "[rate_limit]\nretry_after = true\n"])
async def test_from_sending_again_to_counting(tmp_path: Path, judged: str) -> None:
    tuner = Tuner()
    text = profile(top='on_429 = "retry"\n' + judged)
    count = RefusalPolicy("count", 3, True, None, True) if judged else None
    answers: list[bytes | Action] = [AT_ONCE, SAME, AT_ONCE, tuner.then(AT_ONCE, NONE, count), AT_ONCE, SAME]
    leaf, _ = await play(tmp_path, text, tuner, *answers)
    assert leaf.outcomes == {"rate_limited": 2, "ok": 2}
    assert [leaf.sums[name] for name in ("attempts", "retries", "recovered")] == [6, 2, 1]
    assert leaf.hists["response_time"].count == leaf.hists["latency"].count == 2


async def test_whoever_waits_for_what_nobody_waits_for_any_more_goes_on(tmp_path: Path) -> None:
    for policy, outcomes in (("honor", {"rate_limited": 1, "ok": 1}), ("retry", {"rate_limited": 1, "ok": 1})):
        script = Script(LONG, SAME)
        async with playing(tmp_path, profile(top=f'on_429 = "{policy}"\n'), script) as (pool, layout, recorder):
            pool.aim(1)
            (user,) = pool.tasks
            await until(lambda user=user: user._sleep is not None)  # type: ignore[misc]
            pool.retune(NONE, None)
            await ended(pool)
            assert Play(layout, recorder).only.outcomes == outcomes


async def test_a_refusal_in_flight_is_honored_at_once(tmp_path: Path) -> None:
    for task in ("", 'steps = [{ get = "/a" }, { get = "/a" }]'):
        tuner = Tuner()
        script = Script(SAME, tuner.then(LONG, NONE, HONOR), SAME, SAME)
        async with playing(tmp_path, profile(task=task), script) as (pool, layout, recorder):
            tuner.pool = pool
            pool.aim(1)
            (user,) = pool.tasks
            await until(lambda user=user: user._sleep is not None)  # type: ignore[misc]
            assert len(script.requests) == 2
            pool.retune(NONE, None)
            await ended(pool)
            leaf = Play(layout, recorder).only
        assert leaf.outcomes == {"rate_limited": 1, "ok": 3}
        assert "retries" not in leaf.sums


async def test_from_sending_again_to_honoring(tmp_path: Path) -> None:
    tuner = Tuner()
    answers: list[bytes | Action] = [AT_ONCE, tuner.then(AT_ONCE, NONE, HONOR), SAME, SAME]
    leaf, _ = await play(tmp_path, profile(top='on_429 = "retry"\n'), tuner, *answers)
    # The first was sent again; what came of that is a failure, that is waited for, and no further attempt of it.
    assert leaf.outcomes == {"rate_limited": 1, "ok": 2}
    assert [leaf.sums.get(name, 0) for name in ("attempts", "retries", "recovered")] == [4, 1, 0]
