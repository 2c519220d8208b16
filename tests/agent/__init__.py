"""Tests of the embedded agent."""

from agenttop.agent.process import AgentProcess


def until_in_flight(agent: AgentProcess, count: int) -> None:
    """Asks the agent until `count` requests are in flight; fails instead of hanging."""
    for _ in range(20_000):
        if agent.stats()["in_flight"] == count:
            return
    raise AssertionError(f"never {count} in flight: {agent.stats()}")
