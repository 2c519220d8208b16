"""Users who do not just count a refusal: they wait as long as it asks, and perhaps send the same request again."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from agenttop.metrics.outcome import Outcome
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep
from agenttop.users.record import record_answer
from agenttop.users.redirects import REDIRECTS, follow_redirects
from agenttop.users.refusals import Refusal
from agenttop.users.request import request, send_again
from agenttop.users.spending import hold, hold_again
from agenttop.wire.http1 import IDLE

#: Nobody waits longer, whatever a target asks for.
MAX_WAIT_S = 300.0
#: The wait where a target says nothing; before each further attempt twice as long.
DEFAULT_WAIT_S = 1.0


async def request_patiently(user: UserBase, step: CompiledStep) -> bool:
    """Send a request of a pool with an ``on_429`` other than ``count``; return whether it is ok in the end.

    ``honor``: a refused request has failed; its user waits before it goes on. ``retry``: the same bytes are sent again
    after a wait, as long as there are retries left and the user goes on. The latency recorded is that of the last
    attempt; the response time runs from when the first was planned or sent, waits included.
    """
    policy = user.pool.compiled.refusals
    assert policy is not None
    on_429 = policy.of(step.on_429)
    if on_429 == "count":
        return await request(user, step)
    if on_429 == "honor":
        whole = await request(user, step)
        await pause_after_refusal(user)
        return whole
    planned_ns = user.scheduled_ns
    most = policy.max_retries if step.max_retries is None else step.max_retries
    user.retries_left = most
    try:
        whole = await request(user, step)
        if user.refusal is not None and retries(user, step):
            user.began_ns = planned_ns or user.refusal.sent_ns
            whole = await _retry(user, step, most, planned_ns > 0)
    finally:
        user.began_ns = user.retries_left = 0
    return whole


def retries(user: UserBase, step: CompiledStep) -> bool:
    """Return whether what is refused now is sent again, if retries are left.

    The policy may have changed under way, and a refusal under another one has been counted.
    """
    policy = user.pool.compiled.refusals
    return policy is not None and policy.of(step.on_429) == "retry"


async def pause_after_refusal(user: UserBase) -> None:
    """Wait as long as the last answer asks, if it was a refusal."""
    refusal, user.refusal = user.refusal, None
    if refusal is not None:
        await _wait(user, refusal, DEFAULT_WAIT_S)


async def _retry(user: UserBase, step: CompiledStep, most: int, planned: bool) -> bool:
    """Wait and send again, at most ``most`` times; return whether it is ok in the end. ``planned``: it was an
    arrival.
    """
    data = user.sent
    whole = False
    for attempt in range(most):
        if user.refusal is None or not retries(user, step):
            break
        refusal, user.refusal = user.refusal, None
        try:
            waited = await _wait(user, refusal, DEFAULT_WAIT_S * 2.0**attempt)
            waited = waited and (user.pool.reservations is None or await hold(user, step))
        except asyncio.CancelledError:
            _give_up(user, step, refusal)
            raise
        if not waited:
            _give_up(user, step, refusal)
            return False
        refusal.leaf.retries += 1
        user.retries_left = most - attempt - 1
        whole = await _attempt(user, step, data, planned)
    return whole


async def _attempt(user: UserBase, step: CompiledStep, data: bytes, planned: bool) -> bool:
    """Send bytes that were sent before, and record the result."""
    pool, answer = user.pool, user.answer
    connection, opened = user.connection, 0
    if user.cookies is not None and step.cookies:
        data = user.cookies.add(data, step.target)
    if connection is None or connection.state != IDLE:
        connection = await user.ready(step)
        if connection is None:
            return False
        opened = connection.opened_ns
    leaf = user.leaf = pool.leaves[step.request]
    answer.begin(step)
    user.step = step
    data = user.sent_again(step, data)
    await connection.send(data, answer, False)
    user.step = None
    if connection.unanswered and not opened and (pool.reservations is None or await hold_again(user, step)):
        again = await send_again(user, step, leaf, connection, data)
        if again is None:
            return False
        connection, data, opened = again
    user.keep_cookies(data, step.target)
    if pool.redirects and connection.failure is None and answer.status in REDIRECTS:
        connection = await follow_redirects(user, step, leaf, connection)
    whole = record_answer(user, step, leaf, connection, len(data), opened)
    if whole:
        leaf.recovered += 1
        leaf.resent(connection.end_ns - user.began_ns, planned=planned)
    if pool.compiled.per_request:
        user.close()
    return whole


async def _wait(user: UserBase, refusal: Refusal, default_s: float) -> bool:
    """Wait out a refusal. Return False if the run ends, the user leaves or waiting is over by another policy."""
    asked = default_s if refusal.asked_s is None else refusal.asked_s
    until_ns = refusal.end_ns + int(min(asked, MAX_WAIT_S) * 1e9)
    pool = user.pool
    while pool.working and not user.retiring and pool.compiled.patient:
        # The loop's timers may go off a little early, and a user is woken for other reasons too.
        rest_ns = until_ns - perf_counter_ns()
        if rest_ns <= 0:
            return True
        await user.sleep(rest_ns / 1e9)
    return False


def _give_up(user: UserBase, step: CompiledStep, refusal: Refusal) -> None:
    """Record the refusal as the result of its request."""
    leaf, pool = refusal.leaf, user.pool
    for name, check in step.checks:
        pool.recorder.check(name, check(user.answer))
    leaf.outcomes["rate_limited"] = leaf.outcomes.get("rate_limited", 0) + 1
    leaf.time_to_failure.append(refusal.end_ns - refusal.sent_ns)
    pool.recorder.error(leaf, Outcome.RATE_LIMITED, refusal.message, pool.elapsed())
