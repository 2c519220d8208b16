"""What a shell does to its jobs: ctrl+z, fg, bg, nohup; and what is typed before the screen is there."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

import psutil
import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import PATIENCE_S, Place, until
from tests.e2e.profiles import VOICE
from tests.e2e.terminal import Terminal

BASH = shutil.which("bash")
#: No line editor: with one the terminal would be in a mode of bash's own while it waits for a command.
SHELL = (str(BASH), "--norc", "--noprofile", "--noediting", "-i")
PROMPT = "ready> "
#: The alternate screen begins.
SCREEN = b"\x1b[?1049h"

pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash")

#: Sends its program a signal once the run is launched and before anybody handles signals.
EARLY = """
import os, signal, sys
if "agenttop" in sys.orig_argv:
    import agenttop.cli.run as module
    def launch(spec, real=module.launch):
        socket = real(spec)
        os.kill(os.getpid(), signal.{signal})
        return socket
    module.launch = launch
"""


def shell(place: Place) -> Terminal:
    return Terminal(place, program=SHELL, env={"PS1": PROMPT})


def type_run(terminal: Terminal, profile: Path, *more: str) -> None:
    """Start a run as one types it."""
    terminal.wait_for(PROMPT.strip())
    terminal.before = terminal.state()
    terminal.send(" ".join([sys.executable, "-m", "agenttop", "--profile", str(profile), *more]) + "\r")


def job(place: Place) -> psutil.Process:
    """The viewer."""
    return place.processes("-m agenttop --profile")[0]


@pytest.mark.parametrize("how", ["ctrl-z", "SIGTSTP", "SIGSTOP"])
def test_a_stopped_screen_gives_the_terminal_back_and_comes_again(place: Place, agent: AgentProcess, how: str) -> None:
    with shell(place) as terminal:
        type_run(terminal, place.write(VOICE.format(url=agent.url)))
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        terminal.wait_for("RUN")
        viewing = job(place)
        if how == "ctrl-z":
            terminal.send("\x1a")
        else:
            viewing.send_signal(getattr(signal, how))
        terminal.wait_for("Stopped")
        assert viewing.status() == psutil.STATUS_STOPPED
        if how != "SIGSTOP":  # of that nobody is told
            terminal.whole()
        before = agent.stats()["websocket"]["messages_in"]
        until(lambda: agent.stats()["websocket"]["messages_in"] > before + 20, "load while the viewer is stopped")
        terminal.send("echo typed-to-the-shell\r")
        terminal.wait_for(lambda text: text.count("typed-to-the-shell") == 2)
        resized = how == "ctrl-z"
        if resized:
            terminal.resize(40, 120)
        screens = terminal.raw.count(SCREEN)
        terminal.send("fg\r")
        until(lambda: terminal.raw.count(SCREEN) > screens, "the screen again")
        words = "time to first token" if resized else "voice/turn"
        left = ("Stopped", "typed-to-the-shell", PROMPT.strip())  # all of it is painted anew
        terminal.wait_for(lambda text: words in text and "q quit" in text and not any(word in text for word in left))
        terminal.send("]")
        viewer.wait(lambda s: s["users"] == 13)
        terminal.wait_for("13")
        terminal.send("d")
        terminal.wait_for("agenttop attach")
        until(lambda: not place.processes("-m agenttop --profile"), "the end of the viewer")
        terminal.whole()
        viewer.command("stop")
        viewer.drain()
    place.gone()


def test_a_job_in_the_background_draws_nothing_and_says_its_summary(place: Place, agent: AgentProcess) -> None:
    with shell(place) as terminal:
        type_run(terminal, place.write(VOICE.format(url=agent.url)), "&")
        viewer = terminal.viewer()
        viewer.wait(lambda s: s["t_s"] >= 2)
        assert job(place).status() != psutil.STATUS_STOPPED
        assert b"1049" not in terminal.raw
        terminal.send("fg\r")
        terminal.wait_for("RUN")
        terminal.send("\x1a")
        terminal.wait_for("Stopped")
        terminal.send("bg\r")
        until(lambda: job(place).status() != psutil.STATUS_STOPPED, "the job in the background")
        screens = terminal.raw.count(SCREEN)
        terminal.send("fg\r")  # a job that runs already is sent no signal
        until(lambda: terminal.raw.count(SCREEN) > screens, "the screen again")
        terminal.wait_for("q quit")
        terminal.send("\x1a")
        until(lambda: job(place).status() == psutil.STATUS_STOPPED, "a second stop")
        terminal.send("bg\r")
        viewer.command("stop")
        viewer.drain()
        terminal.wait_for("voice")
        until(lambda: not place.processes("-m agenttop --profile"), "the end of the job")
        terminal.whole()
        terminal.send("wait %1; echo code $?\r")
        terminal.wait_for("code 130")
    place.gone()


def test_a_stopped_job_that_loses_its_terminal_goes_and_the_run_stays(place: Place, agent: AgentProcess) -> None:
    with shell(place) as terminal:
        type_run(terminal, place.write(VOICE.format(url=agent.url)))
        viewer = terminal.viewer()
        terminal.wait_for("RUN")
        terminal.send("\x1a")
        terminal.wait_for("Stopped")
        terminal.drop()
        until(lambda: not place.processes("-m agenttop --profile"), "the end of the viewer")
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        viewer.command("stop")
        viewer.drain()
    place.gone()


def test_without_a_shell_ctrl_z_stops_nothing(place: Place, agent: AgentProcess) -> None:
    # Nobody could continue it: the terminal would be dead.
    with Terminal(place, "--profile", place.write(VOICE.format(url=agent.url))) as terminal:
        viewer = terminal.viewer()
        terminal.wait_for("RUN")
        terminal.send("\x1a")
        until(lambda: terminal.raw.count(SCREEN) == 2, "the screen again")
        terminal.send("]")
        viewer.wait(lambda s: s["users"] == 13)
        terminal.wait_for("users 3 → 13")
        terminal.send("\x03")
        assert terminal.wait() == 130
        terminal.whole()
    place.gone()


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("where", ["terminal", "pipe"])
def test_a_signal_before_the_viewer_is_there_stops_the_run(
    place: Place, agent: AgentProcess, name: str, where: str
) -> None:
    (place.root / "early").mkdir()
    place.write(EARLY.format(signal=name), "early/sitecustomize.py")
    env = {"PYTHONPATH": f"{place.root / 'early'}:{place.env()['PYTHONPATH']}"}
    profile = place.write(VOICE.format(url=agent.url))
    if where == "terminal":
        with Terminal(place, "--profile", profile, env=env) as terminal:
            assert terminal.wait() == 130
            terminal.whole()
    else:
        with place.start("--profile", profile, "--headless", env=env) as run:
            assert run.wait() == 130
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_nohup_keeps_a_viewer_going_after_a_hangup(place: Place, agent: AgentProcess) -> None:
    profile = place.write(VOICE.format(url=agent.url))
    ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)  # noqa: E731
    with place.start("--profile", profile, "--headless", preexec_fn=ignore) as run:
        run.line("00:01")
        run.signal(signal.SIGHUP)
        lines = len(run.out.lines)
        until(lambda: len(run.out.lines) > lines + 2, "more lines")
        assert run.process.poll() is None
        os.kill(run.process.pid, signal.SIGTERM)
        assert run.wait(PATIENCE_S) == 130
    place.gone()


def test_a_run_in_the_background_of_a_script_can_be_stopped_by_ctrl_c_all_the_same(
    place: Place, agent: AgentProcess
) -> None:
    # Such a shell has SIGINT ignored for its jobs. Who sends it means the run: a CI runner that cancels a step.
    profile = place.write(VOICE.format(url=agent.url))
    ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731
    with place.start("--profile", profile, "--headless", preexec_fn=ignore) as run:
        run.line("00:01")
        run.signal(signal.SIGINT)
        assert run.wait(PATIENCE_S) == 130
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()
