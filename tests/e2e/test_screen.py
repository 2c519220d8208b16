"""The live screen on a real terminal: keys reach the run, and the terminal comes back whole however it ends."""

from __future__ import annotations

import base64
import re
import signal
import time
from pathlib import Path

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place, until
from tests.e2e.profiles import VOICE
from tests.e2e.terminal import Terminal

SIZES = [(24, 80), (40, 120)]


#: Makes the screen fail once it has drawn something; Python imports a module of this name by itself.
CRASH = """
import sys
if "agenttop" in sys.orig_argv:
    import agenttop.tui.app as module
    drawn = 0
    def draw(self, *, force=True, real=module.AgenttopApp.draw):
        global drawn
        drawn += 1
        real(self, force=force)
        if drawn > 3:
            raise RuntimeError("made to fail")
    module.AgenttopApp.draw = draw
"""


def profile(place: Place, agent: AgentProcess) -> Path:
    return place.write(VOICE.format(url=agent.url))


def test_the_terminals_own_size_counts_whatever_the_shell_exports(place: Place, agent: AgentProcess) -> None:
    exported = {"COLUMNS": "140", "LINES": "50"}
    with Terminal(place, "--profile", profile(place, agent), rows=24, columns=80, env=exported) as terminal:
        terminal.wait_for("q quit")
        terminal.send("q")
        terminal.wait_for("stop and summarise")


@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_keys_reach_the_server(place: Place, agent: AgentProcess, rows: int, columns: int) -> None:
    with Terminal(place, "--profile", profile(place, agent), rows=rows, columns=columns) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        terminal.wait_for("RUN")
        before = agent.stats()["websocket"]["open"]
        sent = time.monotonic()
        terminal.send("]")
        until(lambda: agent.stats()["websocket"]["open"] == before + 10, "ten more connections")
        # A second on a machine with nothing else to do; this only tells it from a refresh that never comes.
        assert time.monotonic() - sent < 10
        viewer.wait(lambda s: s["target_users"] == s["users"] == 13)
        terminal.wait_for("13")
        terminal.send("-")
        viewer.wait(lambda s: s["target_users"] == s["users"] == 12)
        until(lambda: agent.stats()["websocket"]["open"] == 12, "a connection less")
        terminal.send(":")
        terminal.wait_for("esc closes")
        terminal.send("users 5\r")
        viewer.wait(lambda s: s["users"] == 5)
        terminal.send("\x1b")
        terminal.wait_for("q quit")
        terminal.send("q")
        terminal.wait_for("stop and summarise")
        terminal.send("s")
        assert terminal.wait() == 130
        terminal.whole()
        assert "report --full" in terminal.after()
    controls = place.summary()["controls"]
    assert [control["to"] for control in controls[:3]] == [13, 12, 5]
    assert {control["source"] for control in controls[:3]} == {"key"}
    place.gone()


def test_y_sends_the_enlarged_pane_to_the_clipboard(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent), rows=24, columns=80) as terminal:
        terminal.viewer().wait(lambda s: s["requests"] > 5)
        terminal.wait_for("RUN")
        terminal.send("5")
        terminal.wait_for("enter only this one")
        terminal.send("y")
        terminal.wait_for("copied: 21 lines, to the terminal's clipboard")
        (copied,) = re.findall(rb"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", terminal.raw)
        lines = base64.b64decode(copied).decode().splitlines()
        assert len(lines) == 21
        assert "5 requests" in lines[0]
        assert "voice/turn" in lines[2]
        terminal.send("q")
        terminal.wait_for("stop and summarise")
        terminal.send("s")
        assert terminal.wait() == 130
        terminal.whole()


@pytest.mark.parametrize("how", ["ctrl-c", "SIGINT", "SIGTERM"])
def test_the_terminal_is_whole_after_a_stop(place: Place, agent: AgentProcess, how: str) -> None:
    with Terminal(place, "--profile", profile(place, agent), rows=30, columns=100) as terminal:
        terminal.viewer().wait(lambda s: s["requests"] > 5)
        terminal.wait_for("RUN")
        if how == "ctrl-c":
            terminal.send("\x03")
        else:
            terminal.process.send_signal(getattr(signal, how))
        assert terminal.wait() == 130
        terminal.whole()
        assert "report --full" in terminal.after()
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_detached_and_attached_again(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent)) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["requests"] > 5)
        terminal.wait_for("RUN")
        terminal.send("d")
        assert terminal.wait() == 0
        terminal.whole()
        assert "agenttop attach" in terminal.after()
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        with Terminal(place, "attach", rows=40, columns=120) as again:
            again.wait_for("voice/turn")
            viewer.command("stop")
            assert again.wait() == 130
            again.whole()
    place.gone()


def test_a_hangup_leaves_the_run(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent)) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["requests"] > 5)
        terminal.wait_for("RUN")
        terminal.hang_up()
        terminal.process.wait(30)
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        viewer.command("stop")
        viewer.drain()
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_a_hangup_ends_a_run_that_is_to_stop_then(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent), "--on-hangup", "stop") as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["requests"] > 5)
        terminal.wait_for("RUN")
        terminal.hang_up()
        terminal.process.wait(30)
        viewer.drain()
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_a_screen_that_fails_leaves_terminal_and_run_whole(place: Place, agent: AgentProcess) -> None:
    (place.root / "crash").mkdir()
    place.write(CRASH, "crash/sitecustomize.py")
    path = f"{place.root / 'crash'}:{place.env()['PYTHONPATH']}"
    with Terminal(place, "--profile", profile(place, agent), env={"PYTHONPATH": path}) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["requests"] > 5)
        code = terminal.wait()
        terminal.whole()
        assert "made to fail" in terminal.after()
        assert code == 1
        assert "agenttop attach" in terminal.after(), "the run goes on, and the user is told how to see it"
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        viewer.command("stop")
        viewer.drain()
    place.gone()


def test_no_screen_where_the_terminal_cannot_show_one(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent), env={"TERM": "dumb"}) as terminal:
        terminal.wait_for("rps=")
        terminal.send("\x03")
        assert terminal.wait() == 130
        assert b"1049" not in terminal.raw
    place.gone()


def test_resized_while_it_runs(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent), rows=24, columns=80) as terminal:
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        terminal.wait_for("RUN")
        for rows, columns, words in (
            (40, 120, "time to first token"),
            (60, 200, "percentiles"),
            (10, 40, "needs 60"),
            (24, 80, "q quit"),
        ):
            terminal.resize(rows, columns)
            terminal.wait_for(words)
        shown = terminal.wait_for("RUN")
        assert "time to first token" not in shown
        assert "needs 60" not in shown
        before = viewer.wait(lambda s: True)["t_s"]
        viewer.wait(lambda s: s["t_s"] > before)
        terminal.send("d")
        assert terminal.wait() == 0
        terminal.whole()
        viewer.command("stop")
        viewer.drain()
    place.gone()
