"""What a worker knows of its target's limits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.dialects.quota import MAX_QUOTAS, Quota
from agenttop.metrics.delta import WARMUP, QuotaState
from agenttop.users.answer import Answer
from agenttop.users.quotas import LOOK_NS, Quotas
from tests.users.playing import Script, ended, playing, pool_of, profile, realtime
from tests.wire.server import ok

SECOND = 1_000_000_000


def told(remaining: int) -> dict[str, str]:
    return {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": str(remaining)}


def test_the_newest_stands_and_the_lowest_is_kept() -> None:
    quotas = Quotas(0)
    quotas.look(0, told(5), SECOND)
    quotas.look(0, told(2), 2 * SECOND)
    assert quotas.states() == (QuotaState("requests", 10, 2, 2, 2.0),)
    quotas.look(0, told(9), 3 * SECOND)
    assert quotas.states() == quotas.states() == (QuotaState("requests", 10, 9, 2, 3.0),)


def test_headers_that_are_older_than_what_is_known_do_not_replace_it() -> None:
    quotas = Quotas(0)
    quotas.take([Quota("tokens", 10, 5, 1.0)], 5 * SECOND)
    quotas.take([Quota("tokens", 10, 3, 9.0)], 4 * SECOND)
    assert quotas.states() == (QuotaState("tokens", 10, 5, 3, 5.0, 6.0),)


def test_who_tells_nothing_is_looked_at_ten_times_a_second() -> None:
    quotas = Quotas(0)
    quotas.look(0, {"content-type": "text/plain"}, SECOND)
    assert quotas.due_ns[0] == SECOND + LOOK_NS
    assert quotas.states() == ()
    quotas.look(1, told(1), SECOND)
    assert quotas.due_ns[1] == 0


def test_the_warm_up_is_in_no_figure() -> None:
    quotas = Quotas(0)
    quotas.measured = False
    quotas.look(0, told(1), SECOND)
    quotas.look(0, told(2), 2 * SECOND)
    quotas.measured = True
    assert quotas.states() == (QuotaState("requests", 10, 2, None, 2.0),)
    quotas.look(0, told(3), 3 * SECOND)
    assert quotas.states() == (QuotaState("requests", 10, 3, 3, 3.0),)


def test_names_are_bounded() -> None:
    quotas = Quotas(0)
    quotas.take([Quota(str(number), None, 1, None) for number in range(1000)], 0)
    assert len(quotas.states()) == MAX_QUOTAS


HEAD = ("x-ratelimit-limit-requests: 5", "x-ratelimit-remaining-requests: {}", "x-ratelimit-reset-requests: 6m0s")


@pytest.mark.parametrize("check", ["", 'checks = { "ok" = "status == 200" }'], ids=["lean", "read"])
@pytest.mark.parametrize("last", ["200 OK", "429 Too Many Requests"])
async def test_answers_and_refusals_alike_tell(tmp_path: Path, check: str, last: str) -> None:
    answers = [ok(b"x", *(line.format(left) for line in HEAD)) for left in (4, 3)]
    answers.append(ok(b"x", *(line.format(0) for line in HEAD), status=last))
    async with playing(tmp_path, profile(f'get = "/"\n{check}'), Script(*answers)) as (pool, _, _):
        pool.aim(1)
        await ended(pool)
        (state,) = pool.quotas.states()
    assert (state.name, state.limit, state.remaining, state.lowest) == ("requests", 5, 0, 0)
    assert state.reset_at_s == pytest.approx(state.seen_s + 360)


async def test_a_stage_of_warm_up_says_so(tmp_path: Path) -> None:
    answer = ok(b"x", *(line.format(4) for line in HEAD))
    async with playing(tmp_path, profile(), Script(answer)) as (pool, _, _):
        pool.enter(WARMUP)
        pool.aim(1)
        await ended(pool)
        (state,) = pool.quotas.states()
    assert (state.remaining, state.lowest) == (4, None)


@pytest.mark.parametrize("after", [False, True])
async def test_the_realtime_event_tells_before_or_after_the_end(tmp_path: Path, after: bool) -> None:
    pool, _, _ = pool_of(tmp_path, realtime())
    quotas = Quotas(0)
    answer = Answer(quotas)
    answer.unasked(b"", SECOND)  # before anything was asked
    answer.begin(pool.compiled.tasks[0].steps[0])
    limits = [{"name": "tokens", "limit": 100, "remaining": 7, "reset_seconds": 2}, {"name": "odd"}, 5]
    event = json.dumps({"type": "rate_limits.updated", "rate_limits": limits}).encode()
    if after:
        answer.unasked(b'{"type": "session.updated"}', SECOND)
        answer.unasked(event, SECOND)
    else:
        assert not answer.message(event, SECOND)
    assert quotas.states() == (QuotaState("tokens", 100, 7, 7, 1.0, 3.0),)
