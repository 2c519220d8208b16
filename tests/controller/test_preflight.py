from __future__ import annotations

import socket
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from pathlib import Path

import pytest

from agenttop.controller.preflight import unreachable
from agenttop.metrics.outcome import Outcome
from agenttop.wire import transport
from agenttop.wire.http1 import Http1Connection
from tests.steering.plans import STAGES, TASK, profile_of


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def pool(target: str = "", name: str = "a") -> str:
    return f'[[pools]]\nname = "{name}"\n' + (f'target = "{target}"\n' if target else "") + TASK


async def test_a_target_that_listens(tmp_path: Path, listening: int) -> None:
    assert await unreachable(profile_of(tmp_path, STAGES + pool(), f"http://127.0.0.1:{listening}")) is None


async def test_a_target_that_does_not(tmp_path: Path, closed: int) -> None:
    problem = await unreachable(profile_of(tmp_path, STAGES + pool(), f"http://127.0.0.1:{closed}"))
    assert problem is not None
    assert problem.startswith(f"cannot connect to 127.0.0.1:{closed}: ")
    assert problem.endswith("is it running, and is target (or --target) right?")


async def test_every_pools_target_is_tried(tmp_path: Path, listening: int, closed: int) -> None:
    text = STAGES + pool() + pool(f"http://127.0.0.1:{closed}", "b")
    problem = await unreachable(profile_of(tmp_path, text, f"http://127.0.0.1:{listening}"))
    assert problem is not None
    assert str(closed) in problem


async def test_an_ipv6_address_is_told_in_brackets(tmp_path: Path, closed: int) -> None:
    problem = await unreachable(profile_of(tmp_path, STAGES + pool(), f"http://[::1]:{closed}"))
    assert problem is not None
    assert f"[::1]:{closed}" in problem


async def test_who_does_not_answer_a_handshake(tmp_path: Path, listening: int) -> None:
    text = 'connect_timeout = "200ms"\n' + STAGES + pool()
    problem = await unreachable(profile_of(tmp_path, text, f"https://127.0.0.1:{listening}"))
    assert problem is not None
    assert "connect_timeout says how long to wait" in problem


async def test_a_proxy_is_asked_instead(tmp_path: Path, listening: int, closed: int) -> None:
    text = STAGES + f'[proxy]\nurl = "http://127.0.0.1:{listening}"\n' + pool()
    assert await unreachable(profile_of(tmp_path, text, f"http://127.0.0.1:{closed}")) is None


@pytest.mark.parametrize(
    ("outcome", "why"),
    [
        (Outcome.PROTOCOL_ERROR, "connection closed before an answer"),
        (Outcome.PROTOCOL_ERROR, "the target spoke before it was asked"),
        (Outcome.CONNECT_ERROR, "connection reset by peer"),
    ],
)
async def test_who_closes_or_speaks_at_once_was_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listening: int, outcome: Outcome, why: str
) -> None:
    """Whether that is heard of before the check is over is chance."""

    def opened(loop: AbstractEventLoop, made: Http1Connection, began_ns: int) -> Http1Connection:
        made.close()
        connection = Http1Connection(loop)
        connection.failure = (outcome, why)
        return connection

    monkeypatch.setattr(transport, "opened_connection", opened)
    assert await unreachable(profile_of(tmp_path, STAGES + pool(), f"http://127.0.0.1:{listening}")) is None
