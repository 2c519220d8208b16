from __future__ import annotations

from collections.abc import Iterator

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e import harness


@pytest.fixture
def place() -> Iterator[harness.Place]:
    """A place for runs that is empty afterwards, of processes too."""
    with harness.place() as made:
        yield made


@pytest.fixture
def agent() -> Iterator[AgentProcess]:
    """An agent that answers at once and never fails."""
    with AgentProcess({"preset": "quiet"}) as process:
        yield process
