"""Tests of agenttop.controller.armed.

A run that waits to be started: listed, left, looked at again, also from a browser; and a search that waits.
"""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

from websockets.sync.client import connect

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import PATIENCE_S, Place, until
from tests.e2e.terminal import Terminal

TASK = """
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = { content = "hours?" }
"""
SHORT = 'target = "{url}"\nname = "short"\nusers = 2\nduration = "1s"\n'
SEARCH = """target = "{url}"
name = "search"
[search]
from = 1
to = 2
settle = "0s"
measure = "1s"
max_measure = "1s"
[objectives]
latency = "10s"
"""


def profile(place: Place, agent: AgentProcess, head: str) -> Path:
    return place.write(head.replace("{url}", agent.url) + TASK)


def served(agent: AgentProcess) -> int:
    """Requests for which users came, as the server counts them."""
    return sum(agent.stats()["requests"].get("POST /api/sessions/{id}/messages", {}).values())


def listed(place: Place) -> dict[str, object]:
    """The only run, as ``agenttop ps --json`` has it."""
    (entry,) = json.loads(place.finish("ps", "--json").out.text())
    found: dict[str, object] = entry
    return found


def in_a_browser(place: Place, *words: str) -> str:
    """What a browser is shown, as soon as all of these words have been in it."""
    with place.start("serve") as serving:
        parts = urlsplit(serving.line("http://").split()[0])
        shown = ""
        with connect(f"ws://{parts.netloc}{parts.path}ws?width=120&height=40", max_size=1 << 24) as socket:

            def complete() -> bool:
                nonlocal shown
                message = socket.recv(timeout=PATIENCE_S)
                shown += message.decode(errors="replace") if isinstance(message, bytes) else ""
                shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
                return all(word in shown for word in words)

            until(complete, f"{words} in the browser")
        serving.process.send_signal(signal.SIGINT)
        assert serving.wait() == 0
    return shown


def test_it_is_listed_left_and_found_again_and_begins_when_told(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent, SHORT), "--armed") as terminal:
        terminal.wait_for("ARMED: press enter to start")
        entry = listed(place)
        assert (entry["state"], entry["live"], entry["requests"]) == ("armed", True, 0)
        assert re.search(r"  armed 00:00/00:01 +short ", place.finish("ps").out.text())
        terminal.send("d")
        assert terminal.wait() == 0
        terminal.whole()
    with Terminal(place, "attach", rows=40, columns=120) as again:
        again.wait_for("ARMED: press enter to start")
        again.hang_up()
        again.process.wait(PATIENCE_S)
    with Terminal(place, "attach", "short") as last:
        last.wait_for("ARMED: press enter to start")
        assert served(agent) == 0
        started = place.finish("ctl", "short", "start")
        assert json.loads(started.out.text()) == {"applied": True, "message": "starting"}
        assert last.wait() == 0
        last.whole()
        assert "completed" in last.after()
    summary = place.summary()
    check_summary(summary)
    assert summary["totals"]["requests"] == served(agent) > 0
    place.gone()


def test_a_terminal_that_goes_ends_it_where_it_is_to_stop_then(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent, SHORT), "--armed", "--on-hangup", "stop") as terminal:
        terminal.wait_for("ARMED: press enter to start")
        terminal.drop()
        terminal.process.wait(PATIENCE_S)
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    assert served(agent) == 0
    place.gone()


def test_a_search_waits_as_well_and_a_browser_shows_both(place: Place, agent: AgentProcess) -> None:
    file = profile(place, agent, SEARCH)
    with place.start("capacity", "--profile", file, "--headless", "--armed") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["state"] == "armed")
        run.line("ARMED: nothing is sent before")
        assert listed(place)["state"] == "armed"
        in_a_browser(place, "ARMED", "search")
        refused = viewer.command("users 5")
        assert (refused["applied"], "search" in refused["message"]) == (False, True)
        assert served(agent) == 0
        assert viewer.command("start")["applied"]
        viewer.wait(lambda s: s["state"] == "running" and s["search"]["now"])
        viewer.drain()
        assert run.wait() == 0
    summary = place.summary()
    check_summary(summary)
    assert (summary["search"]["capacity"], summary["search"]["stopped"]) == (2, "at_max")
    assert [step["level"] for step in summary["search"]["steps"]] == [1, 2]
    assert summary["totals"]["requests"] == served(agent)
    place.gone()


def test_a_browser_shows_a_search_under_way(place: Place, agent: AgentProcess) -> None:
    file = profile(place, agent, SEARCH.replace('measure = "1s"', 'measure = "5m"'))
    with place.start("--profile", file, "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["state"] == "running")
        in_a_browser(place, "RUN", "search", "1 user")
        assert viewer.command("stop")["applied"]
        assert run.wait() == 130
    place.gone()
