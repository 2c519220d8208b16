"""The WebSocket steps of a user: opening the connection, and messages on it."""

from __future__ import annotations

import asyncio

from agenttop.metrics.outcome import Outcome
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep
from agenttop.users.record import record_answer
from agenttop.users.spending import afford
from agenttop.wire.dial import Failure
from agenttop.wire.http1 import Http1Connection
from agenttop.wire.websocket import WebSocket, upgrade_key


async def open_socket(user: UserBase, step: CompiledStep) -> bool:
    """Open the user's WebSocket. The row's latency is the upgrade's; ``connect`` holds TCP and TLS too."""
    user.close()
    if user.pool.reservations is not None and not await afford(user, step):
        return False
    connection = await user.ready(step)
    if connection is None:
        return False
    assert isinstance(connection, Http1Connection)  # whatever requests go over, a WebSocket goes over HTTP/1.1
    key, accept = upgrade_key()
    user.variables["sec_websocket_key"] = key
    user.make(step)
    data = step.fill(user.variables)
    if user.cookies is not None and step.cookies:
        data = user.cookies.add(data, step.target)
    user.sent = data
    leaf = user.leaf = user.pool.leaves[step.request]
    answer = user.answer
    answer.begin(step)
    socket = WebSocket(connection)
    connection.on_upgraded = socket.receive
    user.step = step
    await connection.send(data, answer, False)
    user.step = None
    user.keep_cookies(data, step.target)
    if connection.failure is None and connection.status == 101:
        if answer.headers.get("sec-websocket-accept") != accept:
            connection.fail(Outcome.PROTOCOL_ERROR, "the WebSocket handshake is answered with a wrong key")
        else:
            user.socket = socket
            socket.unasked = answer.unasked
    elif connection.failure is None and answer.status < 400:
        connection.failure = (Outcome.PROTOCOL_ERROR, f"no WebSocket: status {answer.status} instead of 101")
    opened = connection.opened_ns + connection.end_ns - connection.sent_ns
    return record_answer(user, step, leaf, connection, len(data), opened)


def _found_closed(user: UserBase, step: CompiledStep, ended: Failure) -> None:
    """Record that a message could not be sent, for the target had closed the WebSocket since the one before it."""
    leaf = user.leaf = user.pool.leaves[step.request if step.request >= 0 else user.leaf.request]
    outcome, message = user.answer.outcome = ended
    leaf.outcomes[outcome.value] = leaf.outcomes.get(outcome.value, 0) + 1
    leaf.time_to_failure.append(0)
    user.session_goes_on()
    user.pool.recorder.error(leaf, outcome, message, user.pool.elapsed())
    user.scheduled_ns = 0


async def send_message(user: UserBase, step: CompiledStep) -> bool:
    """Send a message, and record the answer if one is awaited. Return False if the WebSocket is gone."""
    if step.wait and user.pool.reservations is not None and not await afford(user, step):
        return False
    socket = user.socket
    if socket is None or not socket.open:
        user.release()
        if socket is not None and socket.ended is not None:
            _found_closed(user, step, socket.ended)
        return False
    user.make(step)
    data = step.static or step.fill(user.variables)
    pool = user.pool
    if not step.wait:
        # No request of its own: its bytes are those of the one before it.
        pool.leaves[user.leaf.request].bytes_sent += socket.write(data)
        await asyncio.sleep(0)  # a task may wait for nothing else, and the loop must turn
        return True
    leaf = user.leaf = pool.leaves[step.request]
    user.answer.begin(step)
    user.step = step
    await socket.send(data, user.answer, pool.loop)
    user.step = None
    return record_answer(user, step, leaf, socket, socket.sent, 0)
