"""Sends one request of a user over HTTP, reads the answer, and records both."""

from __future__ import annotations

from agenttop.metrics.recorder import Leaf
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep
from agenttop.users.record import record_answer, record_times
from agenttop.users.redirects import REDIRECTS, follow_redirects
from agenttop.users.spending import afford, hold_again
from agenttop.wire.http1 import IDLE
from agenttop.wire.transport import Connection


async def request(user: UserBase, step: CompiledStep) -> bool:
    """Send a request and record its result; return whether the user can go on with the answer."""
    pool = user.pool
    if pool.reservations is not None and not await afford(user, step):
        return False
    connection = user.connection
    opened = 0
    if connection is None or connection.state != IDLE:
        connection = await user.ready(step)
        if connection is None:
            return False
        opened = connection.opened_ns
        user.back_to_back = False  # what opened the connection is recorded with what that took
    data = user.prepare(step)
    if user.cookies is not None and step.cookies:
        data = user.cookies.add(data, step.target)
    answer = user.answer
    if not step.lean:
        answer.begin(step)
    else:
        answer.step = None
    back_to_back = user.back_to_back
    await connection.send(data, user if step.lean else answer, step.lean)
    if back_to_back:
        # Others may have followed the one that was sent here.
        step = user.step or step
        data = user.sent
    leaf = user.leaf
    user.step = None
    if connection.lean and connection.failure is None:
        # The hot path: nothing to read, nothing to check but the time.
        latency = connection.end_ns - connection.sent_ns
        if latency <= step.limits.total and not step.checks and not opened and not user.scheduled_ns:
            record_times(leaf, connection, latency, len(data))
            return True
    if connection.unanswered and not opened and (pool.reservations is None or await hold_again(user, step)):
        again = await send_again(user, step, leaf, connection, data)
        if again is None:
            return False
        connection, data, opened = again
    if answer.step is None:
        answer.begin(step)
        answer.status = connection.status
    elif "set-cookie" in answer.headers:
        user.keep_cookies(data, step.target)
    if pool.redirects and connection.failure is None and answer.status in REDIRECTS:
        connection = await follow_redirects(user, step, leaf, connection)
    whole = record_answer(user, step, leaf, connection, len(data), opened)
    if pool.compiled.per_request:
        user.close()
    return whole


async def send_again(
    user: UserBase, step: CompiledStep, leaf: Leaf, lost: Connection, data: bytes
) -> tuple[Connection, bytes, int] | None:
    """Send a request once more after the keep-alive race (``wire.http1.RACE_NS``).

    A kept connection that the target closed while we wrote is not an error of the target (RFC 9112, 9.3.1). Times run
    from the first send.

    Returns:
        The connection that brought the answer or failed, the bytes as they went, and what opening it took (ns); None if
        there was no other connection, which is recorded.
    """
    leaf.connections_reopened += 1
    leaf.sent_again += 1
    leaf.attempts += 1
    leaf.bytes_sent += len(data)
    user.since_ns = lost.sent_ns
    connection = await user.ready(step)
    if connection is None:
        return None
    user.answer.begin(step)
    user.step = step
    data = user.sent_again(step, data)
    await connection.send(data, user.answer, False)
    user.step = None
    connection.sent_ns, user.since_ns = user.since_ns, 0
    return connection, data, connection.opened_ns
