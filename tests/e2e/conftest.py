from __future__ import annotations

from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e import harness


@pytest.fixture
def place() -> Iterator[harness.Place]:
    """A place for runs that is empty afterwards, of processes too."""
    with harness.place() as made:
        yield made


@pytest.fixture(scope="session")
def _agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


@pytest.fixture
def agent(_agent: AgentProcess) -> AgentProcess:
    """An agent that answers at once and never fails. One for all tests: nobody is there any more, and its counts begin
    with the test.
    """

    def left() -> bool:
        stats = _agent.stats()
        return not stats["in_flight"] and not stats["websocket"]["open"]

    harness.until(left, "everybody of the test before to leave")
    with urlopen(Request(f"{_agent.url}/stats/reset", method="POST"), timeout=harness.PATIENCE_S) as answer:
        assert answer.status == 200
    return _agent
