"""An agent that answers at once, and one whose limits are used up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agenttop.agent.process import AgentProcess


@pytest.fixture(scope="module")
def agent() -> Iterator[AgentProcess]:
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


@pytest.fixture
def failing() -> Iterator[AgentProcess]:
    with AgentProcess(
        {"preset": "quiet", "server_errors": "100%", "requests_per_minute": 1, "burst": "60s"}
    ) as process:
        yield process
