"""Users who wait after a refusal, and those who then send the same request again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agenttop.users import retries as patience
from agenttop.users.compile import compile_pools, layout_of
from agenttop.users.pool import PoolRuntime
from agenttop.users.refusals import Refusal
from agenttop.users.user import VirtualUser
from tests.profile.writing import SMALL, load
from tests.users.playing import Action, Play, Script, ended, play, playing, profile, then_close
from tests.users.test_outcomes import CHAT, POST, events
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, chunked, ok

WAIT_MS = 30
BUSY = ok(b"later", f"retry-after-ms: {WAIT_MS}", status="429 Too Many Requests")
LONG = ok(b"later", "retry-after: 200", status="429 Too Many Requests")
AT_ONCE = ok(b"later", "retry-after: 0", status="429 Too Many Requests")
HONOR, RETRY = 'on_429 = "honor"\n', 'on_429 = "retry"\n'
OPEN = 'stages = [{ duration = "1s", rate = 1 }]'


class Clock:
    """When the server refused, and when the next request came, in seconds."""

    def __init__(self) -> None:
        self.refused: list[float] = []
        self.came: list[float] = []

    def answering(self, answer: bytes) -> Action:
        """Notes when the request came, and when its answer left."""

        async def act(reader: Reader, writer: Writer) -> None:
            self.came.append(time.perf_counter())
            self.refused.append(time.perf_counter())
            writer.write(answer)

        return act

    def waits(self) -> list[float]:
        """Seconds between an answer and the next request."""
        return [came - refused for refused, came in zip(self.refused, self.came[1:], strict=False)]


@pytest.mark.parametrize("policy", [HONOR, RETRY])
@pytest.mark.parametrize("pool", ["", 'think_time = "1ms"'])
async def test_nothing_is_sent_before_retry_after_has_passed(tmp_path: Path, policy: str, pool: str) -> None:
    clock = Clock()
    answers = [clock.answering(answer) for answer in (BUSY, BUSY, ok(b"x"))]
    await play(tmp_path, profile(top=policy, pool=pool), *answers)
    assert len(clock.came) == 3
    assert all(wait >= WAIT_MS / 1000 for wait in clock.waits())


async def test_who_honors_has_failed_and_goes_on(tmp_path: Path) -> None:
    task = 'steps = [{ get = "/a" }, { get = "/b" }]'
    played, requests = await play(tmp_path, profile(task=task, top=HONOR), BUSY, ok(b"x"), BUSY, ok(b"x"), ok(b"x"))
    assert [request.split(b" ")[1] for request in requests] == [b"/a", b"/a", b"/b", b"/a", b"/b"]
    assert played.leaves["GET /a"].outcomes == {"rate_limited": 1, "ok": 2}
    assert played.leaves["GET /b"].outcomes == {"rate_limited": 1, "ok": 1}
    assert played.pools[0].iterations == 1
    assert not {"retries", "recovered"} & set(played.leaves["GET /a"].sums)


async def test_a_refused_handshake_is_honored(tmp_path: Path) -> None:
    clock = Clock()
    task = 'steps = [{ connect = "/ws" }, { send = "x" }]'
    text = profile(task=task, top=HONOR, pool='protocol = "ws"\ndialect = "openai.realtime"')
    played, _ = await play(tmp_path, text, clock.answering(BUSY), clock.answering(BUSY))
    assert played.leaves["CONNECT /ws"].outcomes == {"rate_limited": 2}
    assert [wait >= WAIT_MS / 1000 for wait in clock.waits()] == [True]


async def test_the_same_request_is_sent_until_it_is_taken(tmp_path: Path) -> None:
    step = 'post = "/{iteration}"\njson = { id = "{uuid}" }'
    played, requests = await play(tmp_path, profile(step, top=RETRY), BUSY, BUSY, ok(b"x"), ok(b"x"))
    assert requests[0] == requests[1] == requests[2] != requests[3]
    leaf = played.only
    assert leaf.outcomes == {"ok": 2}
    assert leaf.status == {429: 2, 200: 2}
    assert [leaf.sums[name] for name in ("attempts", "retries", "recovered")] == [4, 2, 1]
    counts = {name: hist.count for name, hist in leaf.hists.items()}
    assert counts["latency"] == counts["response_time"] == counts["retry_after"] == 2
    assert "time_to_failure" not in counts
    # Both waits are part of what the user waited for, and of no latency.
    assert leaf.hists["response_time"].total >= leaf.hists["latency"].total + 2 * WAIT_MS * 1000
    assert played.pools[0].iterations == 2
    assert played.errors == []


async def test_retries_end(tmp_path: Path) -> None:
    text = profile(top=RETRY + "max_retries = 2\n")
    played, requests = await play(tmp_path, text, *[AT_ONCE] * 3, ok(b"x"))
    leaf = played.only
    assert len(requests) == 4
    assert leaf.outcomes == {"rate_limited": 1, "ok": 1}
    assert [leaf.sums.get(name, 0) for name in ("attempts", "retries", "recovered")] == [4, 2, 0]
    assert (leaf.hists["time_to_failure"].count, played.errors[0].count) == (1, 1)


async def test_none_are_made_where_none_are_wanted(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(top=RETRY + "max_retries = 0\n"), AT_ONCE, ok(b"x"))
    assert played.only.outcomes == {"rate_limited": 1, "ok": 1}
    assert "retries" not in played.only.sums


async def test_what_comes_of_a_retry_is_what_counts(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(top=RETRY), AT_ONCE, ok(status="500 x"), ok(b"x"))
    leaf = played.only
    assert leaf.outcomes == {"server_error": 1, "ok": 1}
    assert [leaf.sums.get(name, 0) for name in ("attempts", "retries", "recovered")] == [3, 1, 0]


async def test_checks_and_saving_are_of_the_last_answer(tmp_path: Path) -> None:
    task = 'steps = [{ get = "/a", save = { id = "$.id" }, checks = { fine = "status == 200" } }, { get = "/{id}" }]'
    played, requests = await play(tmp_path, profile(task=task, top=RETRY), AT_ONCE, ok(b'{"id": 7}'), ok(b"x"))
    assert requests[-1].startswith(b"GET /7 ")
    assert played.checks == {"fine": (1, 0)}


async def test_streams_are_sent_again(tmp_path: Path) -> None:
    error = b'data: {"error": {"code": "rate_limit_exceeded", "retry_after": 0}}\n\n'
    refused = chunked(error, headers=("content-type: text/event-stream",))
    played, _ = await play(tmp_path, profile(POST, top=RETRY, pool=CHAT), refused, events("a", "b"))
    leaf = played.only
    assert leaf.outcomes == {"ok": 1}
    assert [leaf.sums[name] for name in ("attempts", "retries", "recovered")] == [2, 1, 1]
    assert (leaf.hists["ttft"].count, leaf.hists["retry_after"].count) == (1, 1)


@pytest.mark.parametrize(
    ("answers", "reopened"),
    [([then_close(BUSY), ok(b"x")], 0), ([AT_ONCE, then_close(), ok(b"x")], 1)],
    ids=["while waiting", "as we send"],
)
async def test_a_connection_may_be_closed_meanwhile(
    tmp_path: Path, answers: list[bytes | Action], reopened: int
) -> None:
    played, requests = await play(tmp_path, profile(top=RETRY), *answers)
    leaf = played.only
    assert leaf.outcomes == {"ok": 1}
    assert leaf.sums["attempts"] == len(requests) == 2 + reopened
    assert leaf.sums.get("connections_reopened", 0) >= reopened
    assert (leaf.sums["retries"], leaf.sums["recovered"], leaf.sums["connections_opened"]) == (1, 1, 2)


async def test_arrivals_wait_from_when_they_were_planned(tmp_path: Path) -> None:
    text = profile(pool=OPEN, top=RETRY).replace('users = 1\nduration = "1s"\n', "")
    async with playing(tmp_path, text, Script(BUSY, ok(b"x"))) as (pool, layout, recorder):
        pool.arrive(time.perf_counter_ns() - 10**10)
        await ended(pool)
        leaf = Play(layout, recorder).only
    assert leaf.outcomes == {"ok": 1}
    assert leaf.hists["response_time"].total >= 10**7, "in µs, from ten seconds ago"
    assert [leaf.hists[name].count for name in ("schedule_lag", "response_time", "latency")] == [1, 1, 1]
    assert leaf.hists["response_time"].total >= leaf.hists["latency"].total + WAIT_MS * 1000


def leave(pool: PoolRuntime) -> None:
    pool.aim(0)


def finish(pool: PoolRuntime) -> None:
    pool.finish(sending=True)


def cancel(pool: PoolRuntime) -> None:
    pool.cancel()


@pytest.mark.parametrize("policy", [HONOR, RETRY])
@pytest.mark.parametrize("end", [leave, finish, cancel])
async def test_waits_end_with_the_user_and_with_the_run(
    tmp_path: Path, policy: str, end: Callable[[PoolRuntime], None]
) -> None:
    step = 'get = "/"\nchecks = { fine = "status == 200" }'
    async with playing(tmp_path, profile(step, top=policy), Script(LONG, LONG)) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: pool.leaves[0].attempts)
        (user,) = pool.tasks
        sleep = user._sleep
        pool.wake()  # to no avail: there is nothing to leave for
        await until(lambda: user._sleep is not sleep)
        end(pool)
        await ended(pool)
        played = Play(layout, recorder)
    assert played.only.outcomes == {"rate_limited": 1}
    assert (played.only.sums["attempts"], played.only.hists["time_to_failure"].count) == (1, 1)
    assert "retries" not in played.only.sums
    assert played.checks == {"fine": (0, 1)}
    assert played.message() == "429 Too Many Requests: later"


async def test_waits_are_as_long_as_asked_or_double(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[tuple[float | None, float]] = []

    async def at_once(user: VirtualUser, refusal: Refusal, default_s: float) -> bool:
        waits.append((refusal.asked_s, default_s))
        return True

    monkeypatch.setattr(patience, "_wait", at_once)
    silent = ok(b"later", status="429 x")
    await play(tmp_path, profile(top=RETRY), silent, silent, silent, LONG, silent, ok(b"x"))
    assert waits == [(None, 1.0), (None, 2.0), (None, 4.0), (None, 1.0)]
    waits.clear()
    await play(tmp_path, profile(top=HONOR), silent, LONG, ok(b"x"))
    assert waits == [(None, 1.0), (200.0, 1.0)]


async def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "MAX_WAIT_S", 0.001)
    played, _ = await play(tmp_path, profile(top=RETRY), LONG, ok(b"x"))
    assert played.only.sums["recovered"] == 1


def test_who_only_counts_pays_nothing(tmp_path: Path) -> None:
    found = {}
    for policy in ("count", "honor", "retry"):
        loaded = load(tmp_path, f'on_429 = "{policy}"' + SMALL).profile
        (pool,) = compile_pools(loaded, layout_of(loaded))
        task = pool.tasks[0]
        found[policy] = (pool.back_to_back, task.single, task.steps[0].lean, pool.refusals is None)
    assert found == {
        "count": (True, True, True, True),
        "honor": (False, False, True, False),
        "retry": (False, False, True, False),
    }


async def test_an_objective_of_response_time_has_the_wait_in_it(tmp_path: Path) -> None:
    for limit, good in ((f"{WAIT_MS}ms", 0), ("1h", 1)):
        objectives = f'objectives = {{ response_time = "{limit}" }}\n'
        played, _ = await play(tmp_path, profile(top=RETRY + objectives), BUSY, ok(b"x"))
        assert played.only.outcomes == {"ok": 1}
        assert (played.only.sums.get("good", 0), played.only.sums.get("missed.response_time", 0)) == (good, 1 - good)


async def test_a_wait_is_what_was_asked_for_and_else_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(user: VirtualUser, seconds: float) -> None:
        slept.append(seconds)
        now[0] += int(seconds * 1e9)

    now = [time.perf_counter_ns()]
    monkeypatch.setattr(patience, "perf_counter_ns", lambda: now[0])
    monkeypatch.setattr(VirtualUser, "sleep", sleep)
    for asked_s, waited in ((7.0, 7.0), (0.0, None), (None, 40.0), (1e9, patience.MAX_WAIT_S)):
        slept.clear()
        async with playing(tmp_path, profile(top=RETRY), Script(ok(b"x"))) as (pool, _, _):
            user = VirtualUser(pool, 0)
            refusal = Refusal(pool.leaves[0], now[0] - 1, now[0], asked_s, "")
            assert await patience._wait(user, refusal, 40.0)
            assert slept == ([] if waited is None else [pytest.approx(waited)])
            pool.finish(sending=True)


async def test_how_often_is_the_steps_own_word_before_the_profiles(tmp_path: Path) -> None:
    step = 'get = "/"\nmax_retries = {}'
    for most, sent in ((0, 1), (1, 2), (2, 3)):
        played, requests = await play(tmp_path, profile(step.format(most), top=RETRY), *[AT_ONCE] * sent, ok(b"x"))
        assert (len(requests), played.only.sums.get("retries", 0)) == (sent + 1, most)
        assert played.only.outcomes == {"rate_limited": 1, "ok": 1}, "the next request is another one"
        assert "recovered" not in played.only.sums


async def test_a_retry_counts_in_the_stage_whose_request_it_is_and_its_answer_in_that_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def meanwhile(user: VirtualUser, refusal: Refusal, default_s: float) -> bool:
        pool.enter(1)
        return True

    monkeypatch.setattr(patience, "_wait", meanwhile)
    stages = 'stages = [{ duration = "1s", users = 1 }, { duration = "1s", users = 1 }]\n'
    text = profile(top=RETRY + stages).replace('users = 1\nduration = "1s"\n', "")
    async with playing(tmp_path, text, Script(BUSY, ok(b"x"))) as (pool, _, recorder):
        pool.aim(1)
        await ended(pool)
        leaves = {leaf.stage: leaf for leaf in recorder.fold().leaves}
    assert (leaves[0].outcomes, leaves[0].sums["retries"]) == ({}, 1)
    assert (leaves[1].outcomes, leaves[1].sums.get("retries"), leaves[1].sums["recovered"]) == ({"ok": 1}, None, 1)
