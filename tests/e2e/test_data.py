"""Rows of a data file over a whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place

ROWS = 120
PROFILE = """
target = "{url}"
users = {users}
duration = "5m"
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/{{session}}/messages"
  json = {{ content = "{{prompt}}" }}
  data = {{ file = "prompts.csv", order = "once" }}
"""


@pytest.fixture
def agent() -> Iterator[AgentProcess]:
    """One of its own: it remembers sessions, and counts those that it did not know."""
    with AgentProcess({"preset": "quiet"}) as process:
        yield process


def test_two_workers_use_each_row_once_and_the_run_is_over(place: Place, agent: AgentProcess) -> None:
    # The agent makes a session for every id it does not know: as many as there are different rows.
    rows = "".join(f'row-{number},"Hello, private {number}"\n' for number in range(ROWS))
    file = place.write("session,prompt\n" + rows, "prompts.csv")
    profile = place.write(PROFILE.format(url=agent.url, users=4))
    with place.start("--profile", profile, "--headless", "--workers", 2) as run:
        run.viewer().wait(lambda s: s["requests"])
        file.unlink()  # the workers have read it
        assert run.wait() == 0, run.err.text()
    summary, stats = place.summary(), agent.stats()
    assert stats["sessions_auto_created"] == ROWS
    assert summary["requests"]["chat/message"]["status"] == {"200": ROWS}
    assert summary["totals"]["outcomes"]["ok"] == ROWS
    assert summary["run"]["stop_reason"] == "completed"
    assert any("chat: every row of prompts.csv has been used" in text for text in summary["generator"]["warnings"])
    assert "private" not in (place.directory() / "summary.json").read_text()


def test_workers_without_users_hold_no_rows_back(place: Place, agent: AgentProcess) -> None:
    place.write("session,prompt\n" + "".join(f"row-{number},hi\n" for number in range(9)), "prompts.csv")
    profile = place.write(PROFILE.format(url=agent.url, users=1))
    run = place.finish("--profile", profile, "--headless", "--workers", 3)
    assert run.wait() == 0, run.err.text()
    assert agent.stats()["sessions_auto_created"] == 9
    assert place.summary()["requests"]["chat/message"]["requests"] == 9


def test_rows_of_a_worker_that_was_killed_are_not_used_again(place: Place, agent: AgentProcess) -> None:
    place.write("session,prompt\n" + "".join(f"row-{number},hi\n" for number in range(600)), "prompts.csv")
    profile = place.write(PROFILE.format(url=agent.url, users=4))
    with place.start("--profile", profile, "--headless", "--workers", 2) as run:
        run.viewer().wait(lambda s: s["users"] == 4)
        place.workers(2)[0].kill()
        assert run.wait() == 0, run.err.text()
    stats = agent.stats()
    served = sum(stats["requests"]["POST /api/sessions/{id}/messages"].values())
    assert 300 <= served <= stats["sessions_auto_created"] < 600
    summary = place.summary()
    assert summary["run"]["stop_reason"] == "completed"
    assert any("a worker that is gone had not used is lost" in text for text in summary["generator"]["warnings"])
