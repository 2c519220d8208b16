"""A run that is over says the same again, on the screen and in lines."""

from __future__ import annotations

import re
from pathlib import Path

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import Place, Run
from tests.e2e.terminal import Terminal

PROFILE = """
target = "{url}"
users = 5
duration = "{duration}"
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""


def profile(place: Place, agent: AgentProcess, duration: str = "4s") -> Path:
    return place.write(PROFILE.format(url=agent.url, duration=duration))


def seconds(run: Run) -> list[str]:
    """The lines of a run's seconds."""
    return [line for line in run.out.lines if re.match(r"\d\d:\d\d ", line)]


def test_the_lines_are_those_of_the_run(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent), "--headless") as run:
        run.viewer().command("users +3")
        assert run.wait() == 0
    again = place.finish("replay", "--headless")
    assert again.wait() == 0
    assert len(seconds(run)) >= 4
    assert seconds(again) == seconds(run)
    assert again.err.text() == ""
    named = place.finish("replay", "p", "--speed", "50")
    assert named.wait() == 0
    assert named.out.lines == again.out.lines


def test_the_screen_and_its_cursor(place: Place, agent: AgentProcess) -> None:
    run = place.finish("--profile", profile(place, agent), "--headless")
    assert run.wait() == 0
    with Terminal(place, "replay", rows=40, columns=120) as terminal:
        terminal.wait_for("REPLAY 00:0")
        terminal.send(" ")
        terminal.wait_for("paused")
        terminal.send("\x1b[F")
        terminal.wait_for("REPLAY 00:04/00:04")
        terminal.wait_for("space play")
        terminal.send("\x1b[1;2D")  # shift and left
        terminal.wait_for("REPLAY 00:01/00:04 paused")
        terminal.send("\x1b[C")
        terminal.wait_for("REPLAY 00:02/00:04 paused")
        terminal.send("+")
        terminal.wait_for("rejected: this is a replay")
        terminal.send("\x1b[H")
        terminal.wait_for("REPLAY 00:01/00:04 paused")
        terminal.send("x ")
        terminal.wait_for(lambda text: "×10" in text or "at its end" in text)
        terminal.send("q")
        assert terminal.wait() == 0
        terminal.whole()


def test_a_run_that_goes_on_is_played_so_far(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent, "10m"), "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["t_s"] >= 3)
        again = place.finish("replay", "--headless")
        assert again.wait() == 0
        assert len(seconds(again)) >= 2
        assert "  ! the run goes on after 00:" in again.out.text()
        place.controller().kill()
        run.wait()
        cut = place.finish("replay", "--headless")
        assert cut.wait() == 0
        assert "  ! the run was cut off at 00:0" in cut.out.text()
        assert seconds(cut)[: len(seconds(again))] == seconds(again)
    place.gone()
