"""Sends the questions: one after the other, each on a connection of its own, with an end to each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter_ns
from urllib.parse import urlsplit

from agenttop import __version__
from agenttop.profile.model import Profile
from agenttop.quick.exchange import Answer, Ask
from agenttop.quick.finding import Found, NotFoundError, Wanted, find
from agenttop.quick.look import Look, look_at
from agenttop.users.connectors import Connectors
from agenttop.wire.target import parse_target
from agenttop.wire.transport import Connection

#: Seconds of one question, bytes of one answer that are read.
TIMEOUT_S = 30.0
_MAX_BYTES = 1 << 20
#: By these a stream says that it is over, though its connection may stay open.
_ENDS = (b"data: [DONE]", b"data:[DONE]", b'"message_stop"', b'"response.completed"', b'"RUN_FINISHED"', b'"RUN_ERROR"')
#: Looks end when they have taken so long together: one that takes long is not asked three times.
_LOOKS_S = 12.0


@dataclass(slots=True)
class Probed:
    """What the questions have shown, and how many were sent."""

    found: Found
    looks: list[Look]
    asked: int
    seconds: float


@dataclass(slots=True)
class _Sink:
    """Reads one answer."""

    began_ns: int = 0
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    size: int = 0
    tail: bytes = b""

    def head(self, status: int, headers: dict[str, str], now: int) -> bool:
        self.status, self.headers = status, headers
        return True

    def data(self, data: bytes, now: int) -> bool:
        self.pieces.append(((now - self.began_ns) / 1e9, data))
        self.size += len(data)
        seen = self.tail + data
        self.tail = seen[-256:]
        return self.size >= _MAX_BYTES or any(end in seen and seen.endswith(b"\n\n") for end in _ENDS)

    def trailers(self, headers: dict[str, str]) -> None:
        pass

    def again(self) -> bytes | None:
        return None


class Prober:
    """Asks one target.

    Args:
        profile: how it is reached: target, ``[tls]``, proxy, version.
        headers: of every question, as they are sent.
    """

    def __init__(self, profile: Profile, headers: Mapping[str, str]) -> None:
        self._profile = profile
        self._headers = dict(headers)
        self._target = parse_target(profile.target)
        self._connectors = Connectors(asyncio.get_running_loop(), profile)
        self.asked = 0

    async def probe(self, wanted: Wanted, looks: int) -> Probed:
        """Find how it is asked, and look at one user: ``looks`` answers, fewer where they take long.

        Raises:
            NotFoundError: it cannot be asked.
        """
        began_ns, finding = perf_counter_ns(), find(wanted)
        ask = next(finding)
        while True:
            answer = await self.ask(ask)
            try:
                ask = finding.send(answer)
            except StopIteration as end:
                found: Found = end.value
                break
        seen, spent_s = [look_at(found.dialect, found.answer)], found.answer.seconds
        while len(seen) < looks and spent_s < _LOOKS_S:
            answer = await self.ask(found.ask)
            spent_s += answer.seconds
            seen.append(look_at(found.dialect, answer))
        return Probed(found, seen, self.asked, (perf_counter_ns() - began_ns) / 1e9)

    async def ask(self, ask: Ask) -> Answer:
        """Send one question, and return what came within :data:`TIMEOUT_S`."""
        self.asked += 1
        protocol = self._profile.pools[0].protocol
        connection = await self._connectors.of(protocol).connect(self._target)
        if connection.failure is not None:
            return Answer(failure=connection.failure[1])
        sink = _Sink()
        try:
            return await self._exchange(connection, ask, sink)
        finally:
            connection.close()

    async def _exchange(self, connection: Connection, ask: Ask, sink: _Sink) -> Answer:
        sink.began_ns = perf_counter_ns()
        failure = ""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await connection.send(self._bytes(ask), sink, False)
            if connection.failure is not None:
                failure = connection.failure[1]
        except TimeoutError:
            failure = f"no whole answer within {TIMEOUT_S:g}s"
        seconds = ((connection.end_ns or perf_counter_ns()) - sink.began_ns) / 1e9
        status = 0 if failure and not sink.pieces else sink.status
        return Answer(status, sink.headers, tuple(sink.pieces), seconds, failure)

    def _bytes(self, ask: Ask) -> bytes:
        parts = urlsplit(ask.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"host": self._target.authority, "accept": "*/*", "user-agent": f"agenttop/{__version__}"}
        body = b"" if ask.body is None else ask.body.encode()
        if ask.body is not None:
            headers |= {"content-type": "application/json", "accept": "text/event-stream, application/json, */*"}
        headers |= dict(line.lower().split(": ", 1) for line in ask.headers)
        headers |= {name.lower(): value for name, value in self._headers.items()}
        if ask.body is not None:
            headers["content-length"] = str(len(body))
        lines = [f"{ask.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body


async def probe(profile: Profile, headers: Mapping[str, str], wanted: Wanted, looks: int) -> Probed:
    """Ask a target; see :class:`Prober`.

    Raises:
        NotFoundError: it cannot be asked.
        OSError: a file of ``[tls]`` cannot be read.
    """
    return await Prober(profile, headers).probe(wanted, looks)


__all__ = ["NotFoundError", "Probed", "Prober", "probe"]
