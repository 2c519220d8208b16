"""Viewers that are killed, terminals that go or are not read: the load does not know, and nothing is lost."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import PATIENCE_S, Place, until
from tests.e2e.terminal import Terminal

TASK = """
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = { content = "hours?" }
"""
#: Users who go on until they are stopped.
CLOSED = 'target = "{url}"\nusers = 3\nduration = "10m"\n[[pools]]\nname = "chat"\nthink_time = "20ms"\n' + "{task}"
#: So many requests, whatever happens.
RATE, SECONDS = 50, 3
OPEN = (
    'target = "{url}"\n[[pools]]\nname = "chat"\narrivals = "constant"\nmax_users = 40\n'
    f'stages = [ {{{{ duration = "{SECONDS}s", rate = {RATE}, ramp = "step" }}}} ]\n' + "{task}"
)


def profile(place: Place, agent: AgentProcess, text: str = CLOSED) -> Path:
    return place.write(text.format(url=agent.url, task=TASK))


def served(agent: AgentProcess) -> int:
    """Requests, as the server counts them."""
    return sum(agent.stats()["requests"].get("POST /api/sessions/{id}/messages", {}).values())


def clock(text: str) -> int:
    """Seconds of the run, as the screen has them."""
    found = re.search(r"(\d\d):(\d\d)/", text)
    return 60 * int(found[1]) + int(found[2]) if found else -1


@pytest.mark.parametrize("how", ["killed", "dropped"])
def test_the_load_goes_on_and_the_next_viewer_sees_all_of_it(place: Place, agent: AgentProcess, how: str) -> None:
    with Terminal(place, "--profile", profile(place, agent)) as terminal:
        viewer = terminal.viewer()
        terminal.wait_for("RUN")
        lost = viewer.wait(lambda s: s["t_s"] >= 2)["t_s"]
        if how == "killed":
            terminal.process.kill()
        else:
            terminal.drop()
        assert terminal.process.wait(PATIENCE_S) == (-signal.SIGKILL if how == "killed" else 0)
        before = served(agent)
        until(lambda: served(agent) > before + 30, "requests after the viewer had gone")
        viewer.wait(lambda s: s["t_s"] >= lost + 2)
        with Terminal(place, "attach", rows=40, columns=120) as again:
            history = again.viewer().info["history"]
            assert [tick["t_s"] for tick in history] == [float(second) for second in range(1, len(history) + 1)]
            assert history[-1]["t_s"] >= lost + 2
            assert all(tick["rps"] > 0 for tick in history), "not one second without its requests"
            again.send("6")  # the small pane has three events, and the newest may be of anything
            again.wait_for("stage 1 ")  # what was said before this viewer came
            assert viewer.command("stop")["applied"]
            assert again.wait() == 130
            again.whole()
            assert "stopped by" in again.after()
    summary = place.summary()
    check_summary(summary)
    assert summary["totals"]["requests"] == served(agent)
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("stopped_by_user", 130)
    place.gone()
    assert place.sockets() == []


@pytest.mark.parametrize("how", ["read", "not read", "killed", "dropped"])
def test_not_one_request_more_or_less(place: Place, agent: AgentProcess, how: str) -> None:
    with Terminal(place, "--profile", profile(place, agent, OPEN)) as terminal:
        terminal.viewer().wait(lambda s: s["t_s"] >= 1)
        terminal.wait_for("RUN")
        if how == "not read":
            terminal.stall()
        elif how == "killed":
            terminal.process.kill()
        elif how == "dropped":
            terminal.drop()
        summary = place.summary()
        if how in ("read", "not read"):
            terminal.process.wait(PATIENCE_S)  # it ends, though nobody has read its last words
            if how == "not read":
                terminal.go_on()
            assert terminal.wait() == 0
            terminal.whole()
            assert "completed" in terminal.after()
    check_summary(summary)
    assert summary["totals"]["requests"] == served(agent) == RATE * SECONDS
    assert summary["pools"]["chat"]["dropped_iterations"] == 0
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("completed", 0)
    place.gone()


def test_a_terminal_that_is_read_again_is_current_and_its_keys_were_heard(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent)) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        terminal.wait_for("RUN")
        terminal.stall()
        since = viewer.wait(lambda s: True)["t_s"]
        terminal.send("]")
        now = viewer.wait(lambda s: s["users"] == 13 and s["t_s"] >= since + 4)["t_s"]
        terminal.go_on()
        shown = terminal.wait_for(lambda text: clock(text) >= now and "13" in text)
        assert "RUN" in shown
        assert "you: users 3 → 13" in shown
        terminal.send("d")
        assert terminal.wait() == 0
        terminal.whole()
        viewer.command("stop")
        viewer.drain()
    place.gone()


@pytest.mark.parametrize("how", ["q", "ctrl-c", "SIGTERM"])
def test_a_terminal_that_is_not_read_keeps_nobody_from_ending(place: Place, agent: AgentProcess, how: str) -> None:
    with Terminal(place, "--profile", profile(place, agent)) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["requests"] > 5)
        terminal.wait_for("q quit")
        terminal.stall()
        viewer.wait(lambda s: True)
        if how == "q":
            terminal.send("qs")
        elif how == "ctrl-c":
            terminal.send("\x03")
        else:
            terminal.process.send_signal(signal.SIGTERM)
        assert viewer.drain()["exit_code"] == 130
        assert terminal.process.wait(PATIENCE_S) == 130
        terminal.go_on()
        assert terminal.wait() == 130
        terminal.whole()
        assert "report --full" in terminal.after()
    place.gone()
