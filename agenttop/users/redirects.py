"""Following redirects (RFC 9110, 15.4), where the profile says ``follow_redirects = true``."""

from __future__ import annotations

from time import perf_counter_ns
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users.compile import CompiledStep, fill_pieces
from agenttop.users.spending import hold, release
from agenttop.users.trace import TRACEPARENT, next_span
from agenttop.wire.http1 import IDLE
from agenttop.wire.target import Target, parse_target
from agenttop.wire.transport import Connection

if TYPE_CHECKING:
    from agenttop.users.user import VirtualUser

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


async def follow_redirects(user: VirtualUser, step: CompiledStep, leaf: Leaf, connection: Connection) -> Connection:
    """Go where the answer points, and on from there; the time runs from the first request on.

    Returns:
        The connection that brought the last answer; its ``failure`` says what went wrong on the way.
    """
    answer = user.answer
    sent = connection.sent_ns
    url = step.target.origin + b"".join(fill_pieces(step.url, user.variables)).decode("latin-1")
    method = step.method
    home = here = (step.target.host, step.target.port, step.target.tls)
    for _ in range(MAX_REDIRECTS):
        location = answer.headers.get("location")
        if connection.failure is not None or answer.status not in REDIRECTS or not location:
            break
        keep = answer.status in (307, 308) or method == "GET"
        method = method if keep else "GET"
        url = urljoin(url, location)
        target = _target(url)
        if target is None:
            connection.failure = (Outcome.PROTOCOL_ERROR, "redirected to something that is no http or https URL")
            break
        if user.pool.till is not None and not await hold(user, step):
            connection.failure = (Outcome.CANCELLED, "the budget was used up on the way")
            break
        there = (target.host, target.port, target.tls)
        if there != here or connection.state != IDLE or user.pool.compiled.per_request:
            connection.close()
            connection = user.connection = await user.pool.connect(target)
            here = there
            if connection.failure is not None:
                connection.end_ns = perf_counter_ns()
                release(user)
                break
            leaf.connections_opened += 1
            leaf.connect.append(connection.opened_ns)
        if TRACEPARENT in step.made:
            user.variables[TRACEPARENT] = next_span(user.variables[TRACEPARENT])
        request = _request(user, step, method, url, target, keep_body=keep, at_home=there == home)
        if user.cookies is not None and step.cookies:
            request = user.cookies.add(request, target)
        answer.begin(step)
        user.step = step
        leaf.attempts += 1
        await connection.send(request, answer, False)
        user.step = None
        user.keep_cookies(request, target)
    else:
        if connection.failure is None and answer.status in REDIRECTS:
            connection.failure = (Outcome.PROTOCOL_ERROR, f"more than {MAX_REDIRECTS} redirects")
    if here != home:
        # The next request is for the target again.
        connection.close()
    connection.sent_ns = sent
    return connection


def _request(
    user: VirtualUser, step: CompiledStep, method: str, url: str, target: Target, *, keep_body: bool, at_home: bool
) -> bytes:
    parts = urlsplit(url)
    where = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    body = step.body.fill(user.variables) if step.body is not None and keep_body else b""
    lines = [f"{method} {where} HTTP/1.1".encode("latin-1"), b"host: " + target.authority.encode("latin-1")]
    for name, value in step.headers:
        # Credentials are for the target they were given for.
        if name != "host" and (at_home or name not in ("authorization", "cookie")):
            lines.append(name.encode("latin-1") + b": " + value.fill(user.variables))
    if body or method != "GET":
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _target(url: str) -> Target | None:
    """Where a redirect leads; None where that is no http or https."""
    try:
        return parse_target(url) if urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
