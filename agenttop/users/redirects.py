"""Follows redirects (RFC 9110, 15.4), if the profile says ``follow_redirects = true``."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from urllib.parse import quote, urljoin, urlsplit

from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep, fill_pieces
from agenttop.users.origin import body_may_leave, may_leave
from agenttop.users.spending import hold_again
from agenttop.users.trace import TRACEPARENT, next_span
from agenttop.wire.http1 import IDLE
from agenttop.wire.target import Target, parse_target
from agenttop.wire.transport import Connection

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})

# What a request line can hold as it is (RFC 3986), and "%", which is there already.
_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"


async def follow_redirects(user: UserBase, step: CompiledStep, leaf: Leaf, connection: Connection) -> Connection:
    """Go where the answer points, and on from there; times run from the first request on.

    Returns:
        The connection that brought the last answer; its ``failure`` says what went wrong on the way.
    """
    answer = user.answer
    sent = connection.sent_ns
    url = step.target.origin + b"".join(fill_pieces(step.url, user.variables)).decode("latin-1")
    method = step.method
    home = here = (step.target.host, step.target.port, step.target.tls)
    user.since_ns = sent  # timeouts are of the whole chain
    deadline = sent + step.limits.total
    for _ in range(MAX_REDIRECTS):
        location = answer.headers.get("location")
        if connection.failure is not None or answer.status not in REDIRECTS or not location:
            break
        method = _method(answer.status, method)
        url = _joined(url, location)
        target = _target(url)
        if target is None:
            connection.failure = (Outcome.PROTOCOL_ERROR, "redirected to something that is no http or https URL")
            break
        there = (target.host, target.port, target.tls)
        if there != home and (kept := _kept_back(user, step, url, method == step.method)):
            connection.failure = (Outcome.PROTOCOL_ERROR, f"redirected to another origin, {target.origin}: {kept}")
            break
        if user.pool.reservations is not None and not await hold_again(user, step):
            connection.failure = (Outcome.CANCELLED, "the budget was used up on the way")
            break
        if there != here or connection.state != IDLE or user.pool.compiled.per_request:
            connection.close()
            try:
                async with asyncio.timeout(max(deadline - perf_counter_ns(), 0) / 1e9):
                    connection = user.connection = await user.pool.connect(target)
            except TimeoutError:
                user.release()
                connection.failure = (Outcome.TIMEOUT, f"no whole answer within {step.limits.total / 1e9:g}s")
                connection.end_ns = perf_counter_ns()
                break
            except asyncio.CancelledError:
                user.cut(step, leaf)
                raise
            here = there
            if connection.failure is not None:
                connection.end_ns = perf_counter_ns()
                user.release()
                break
            leaf.connections_opened += 1
            leaf.connect.append(connection.opened_ns)
        if TRACEPARENT in step.made:
            user.variables[TRACEPARENT] = next_span(user.variables[TRACEPARENT])
        request = _request(user, step, method, url, target, keep_body=method == step.method, at_home=there == home)
        if user.cookies is not None and step.cookies:
            with_cookies = user.cookies.add(request, target)
            cookie = with_cookies.partition(b"\r\n\r\n")[0].rpartition(b"\r\n")[2]
            if there == home or not user.pool.recorder.safe.holds(cookie.decode("latin-1")):
                request = with_cookies
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
    connection.sent_ns, user.since_ns = sent, 0
    return connection


def _request(
    user: UserBase, step: CompiledStep, method: str, url: str, target: Target, *, keep_body: bool, at_home: bool
) -> bytes:
    parts = urlsplit(url)
    where = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), _AS_IT_IS, "latin-1", "replace")
    body = step.body.fill(user.variables) if step.body is not None and keep_body else b""
    lines = [f"{method} {where} HTTP/1.1".encode("latin-1"), b"host: " + target.authority.encode("latin-1")]
    for name, value in step.headers:
        if name == "host" or (name == "content-type" and not keep_body):
            continue
        if at_home or may_leave(name, value, user.variables, user.pool.recorder.safe):
            lines.append(name.encode("latin-1") + b": " + value.fill(user.variables))
    if body or method != "GET":
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def _kept_back(user: UserBase, step: CompiledStep, url: str, keep_body: bool) -> str:
    """Why a redirect to another origin is not followed: a secret would have to go there. Empty where none would."""
    safe = user.pool.recorder.safe
    parts = urlsplit(url)
    if safe.holds(f"{parts.path}?{parts.query}"):
        return "its URL holds a secret, which stays with its own"
    if keep_body and step.body is not None and not body_may_leave(step.body.fill(user.variables), safe):
        return "the body holds a secret, which stays with its own"
    return ""


def _method(status: int, method: str) -> str:
    """Return the method of the next request (RFC 9110, 15.4, and what browsers do).

    Only a POST becomes a GET, and everything whose answer is elsewhere (303).
    """
    return "GET" if status == 303 or (status in (301, 302) and method == "POST") else method


def _joined(url: str, location: str) -> str:
    """Return where a location leads from a URL; empty if that is no URL at all."""
    try:
        return urljoin(url, location)
    except ValueError:  # such as http://[::1
        return ""


def _target(url: str) -> Target | None:
    """Return the target of a redirect; None if that is no http or https URL."""
    try:
        return parse_target(url) if urlsplit(url).scheme in ("http", "https") else None
    except ValueError:
        return None
