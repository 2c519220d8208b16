"""What is done about a refusal is said by the profile, by a pool, or by a request: the nearest one holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.schedule.control import Pauses
from agenttop.users.compile import layout_of
from agenttop.users.policy import policy_of
from agenttop.users.tuning import tuned
from tests.profile.writing import SMALL, load, problems
from tests.users.playing import Script, ended, play, playing, profile
from tests.wire.server import ok

BUSY = ok(b"", "retry-after: 0", status="429 x")
RETRY, COUNT, HONOR = 'on_429 = "retry"\n', 'on_429 = "count"\n', 'on_429 = "honor"\n'

# What the profile, the pool and the step say; how often the request is sent where each is refused.
SAID = {
    "pool instead of profile": ("", RETRY, "", 4),
    "count in a pool": (RETRY, COUNT, "", 1),
    "as often as the profile says": (RETRY + "max_retries = 2\n", "", "", 3),
    "as often as the pool says": (RETRY + "max_retries = 2\n", "max_retries = 1\n", "", 2),
    "a step": ("", "", RETRY, 4),
    "a step, as often as it says": (RETRY, "max_retries = 3\n", "max_retries = 1\n", 2),
    "a step of its own number": ("", "", RETRY + "max_retries = 2\n", 3),
    "a step, as often as its pool says": ("", "max_retries = 2\n", RETRY, 3),
    "count in a step": (RETRY, RETRY, COUNT, 1),
    "honor in a step": (RETRY, "", HONOR, 1),
}


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("place", ["tasks", "setup"])
async def test_the_nearest_policy_holds(tmp_path: Path, name: str, place: str) -> None:
    top, pool, step, sent = SAID[name]
    before = "" if place == "tasks" else f'[[pools.setup]]\nget = "/first"\n{step}'
    text = profile('get = "/"\n' + (step if place == "tasks" else COUNT), top=top, pool=pool, before=before)
    played, requests = await play(tmp_path, text, *[BUSY] * sent, *[ok(b"")] * (2 if before else 1))
    row = played.leaves["GET /first" if before else "ask"]
    assert row.sums.get("retries", 0) == sent - 1
    assert row.outcomes["rate_limited"] == 1
    assert len(requests) == sent + (2 if before else 1)


async def test_one_request_of_a_task_is_sent_again_and_the_other_is_not(tmp_path: Path) -> None:
    task = f'[[pools.tasks.steps]]\nget = "/a"\n{RETRY}[[pools.tasks.steps]]\nget = "/b"\n'
    played, requests = await play(tmp_path, profile(task=task), BUSY, ok(b""), BUSY, ok(b""), ok(b""))
    assert [request.split()[1] for request in requests] == [b"/a", b"/a", b"/b", b"/a", b"/b"]
    assert played.leaves["GET /a"].outcomes == {"ok": 2}
    assert played.leaves["GET /b"].outcomes == {"rate_limited": 1, "ok": 1}


@pytest.mark.parametrize(("command", "sent"), [("count", 1), ("retry", 4), (None, 2)])
async def test_what_is_changed_while_it_runs_holds_for_all_requests(
    tmp_path: Path, command: str | None, sent: int
) -> None:
    text = profile('get = "/"\non_429 = "retry"\nmax_retries = 1')
    script = Script(*[BUSY] * sent, ok(b""))
    if command == "retry":
        text = profile('get = "/"\n' + COUNT, pool="max_retries = 3\n" + RETRY)
    async with playing(tmp_path, text, script) as (pool, _, recorder):
        written = load(tmp_path, text.replace("{port}", "1")).profile
        pool.compiled = tuned(pool.compiled, Pauses(), policy_of(written, command, written.pools[0]))
        pool.aim(1)
        await ended(pool)
        assert sum(leaf.sums.get("retries", 0) for leaf in recorder.fold().leaves) == sent - 1


@pytest.mark.parametrize(("where", "told"), [("", False), ("pool", True), ("step", True), ("top", True)])
def test_whether_anything_is_sent_again_is_known_of_the_run(tmp_path: Path, where: str, told: bool) -> None:
    said = {name: RETRY if name == where else "" for name in ("top", "pool")}
    text = profile('get = "/"\n' + (RETRY if where == "step" else ""), top=said["top"], pool=said["pool"])
    assert layout_of(load(tmp_path, text.replace("{port}", "1")).profile).retries is told


WS = '\n[[pools]]\nname = "w"\nprotocol = "ws"\n{}[[pools.tasks]]\nsteps = [{{ connect = "/"{} }}]\n'
WRONG = [
    (SMALL.replace('name = "', 'max_retries = 1\nname = "', 1), 'max_retries: goes with on_429 = "retry"'),
    (SMALL + "max_retries = 1\n", 'max_retries: goes with on_429 = "retry"'),
    (RETRY + SMALL + COUNT + "max_retries = 1\n", 'max_retries: goes with on_429 = "retry"'),
    (SMALL + WS.format(RETRY, ""), "not supported yet in a WebSocket pool"),
    (SMALL + WS.format("", ', on_429 = "retry"'), "not supported yet in a WebSocket pool"),
    (RETRY + SMALL + WS.format("", ""), "not supported yet in a profile with a WebSocket pool"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_what_cannot_be_is_told(tmp_path: Path, text: str, words: str) -> None:
    (problem,) = problems(tmp_path, text)
    assert words in str(problem)


def test_a_websocket_pool_may_say_otherwise(tmp_path: Path) -> None:
    loaded = load(tmp_path, RETRY + SMALL + WS.format(HONOR, ""))
    policies = [policy_of(loaded.profile, None, pool) for pool in loaded.profile.pools]
    assert [policy.on_429 for policy in policies if policy is not None] == ["retry", "honor"]
