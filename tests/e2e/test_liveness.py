"""Load stops, and who looks on is told, whoever of a run is stopped or starved: viewer, controller, worker."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psutil
import pytest

from agenttop.agent.process import AgentProcess
from agenttop.worker.lease import LEASE_S
from tests.e2e.harness import Place, Run, frozen, until
from tests.e2e.terminal import Terminal

PROFILE = """
target = "{url}"
{plan}
graceful_stop = "1s"
{more}
[[pools]]
name = "chat"
{pool}
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""


def profile(place: Place, url: str, duration: str, *, rate: int = 0, more: str = "") -> Path:
    plan = "" if rate else f'duration = "{duration}"\nusers = 4'
    stage = f'max_users = 10\nstages = [{{ duration = "{duration}", rate = {rate} }}]'
    pool = stage if rate else 'think_time = "50ms"'
    return place.write(PROFILE.format(url=url, plan=plan, pool=pool, more=more))


def begun(run: Run) -> psutil.Process:
    """The controller of a run that has had answers."""
    run.viewer().wait(lambda s: s["requests"] > 10)
    return run.place.controller()


def load_ends(agent: AgentProcess) -> None:
    """Wait until nothing more comes in, and the lease is over: what was drawn of a budget may end before it."""
    seen: list[int] = []
    over = time.monotonic() + LEASE_S + 1.0

    def quiet() -> bool:
        seen.append(sum(agent.stats()["requests"]["POST /api/sessions/{id}/messages"].values()))
        return time.monotonic() > over and len(seen) > 40 and len(set(seen[-40:])) == 1

    until(quiet, "the end of the load")


@pytest.mark.parametrize(
    ("more", "rate"),
    [("", 0), ("", 30), ("[budget]\nrequests = 1000000", 0)],
    ids=["closed", "open", "budget"],
)
def test_workers_of_a_stopped_controller_stop_by_themselves(
    place: Place, agent: AgentProcess, more: str, rate: int
) -> None:
    with place.start("--profile", profile(place, agent.url, "10m", more=more, rate=rate), "--headless") as run:
        controller = begun(run)
        with frozen(controller):
            load_ends(agent)
        assert run.wait() == 1
    summary = place.summary()
    assert summary["run"]["stop_reason"] == "error"
    assert "stood still" in run.out.text()
    assert any("stood still" in warning for warning in summary["generator"]["warnings"])
    sent = sum(agent.stats()["requests"]["POST /api/sessions/{id}/messages"].values())
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] == sent
    # What nobody heard for three seconds is in the seconds in which it ended, not in the one in which it was read.
    timeline = summary["timeline"]
    begins = [0.0, *timeline["t_s"]]
    counts = [rps * (end - begin) for rps, begin, end in zip(timeline["rps"], begins, timeline["t_s"], strict=False)]
    assert sum(counts) == pytest.approx(summary["totals"]["requests"], abs=1)
    if rate:
        assert max(counts) < 2.5 * rate
    place.gone()


def test_a_plan_ends_without_its_controller(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, "4s"), "--headless") as run:
        with frozen(begun(run)):
            load_ends(agent)
        assert run.wait() == 1
    assert place.summary()["run"]["stop_reason"] == "error"


def test_the_second_ctrl_c_ends_the_load_whatever_the_controller_does(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, "10m"), "--headless") as run:
        controller = begun(run)
        workers = place.workers()
        with frozen(controller):
            run.signal(signal.SIGINT)
            run.line("the run does not answer")
            run.signal(signal.SIGINT)
            run.line("was killed")
            assert run.wait() != 0
            assert not any(worker.is_running() for worker in workers)
    place.gone()


def test_so_it_does_where_the_worker_is_stopped_too(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, "10m"), "--headless") as run:
        controller = begun(run)
        (worker,) = place.workers()
        with frozen(controller), frozen(worker):
            run.signal(signal.SIGTERM)
            run.line("the run does not answer")
            run.signal(signal.SIGTERM)
            assert run.wait() != 0
    place.gone()


def test_on_the_screen_too(place: Place, agent: AgentProcess) -> None:
    with Terminal(place, "--profile", profile(place, agent.url, "10m")) as terminal:
        terminal.viewer().wait(lambda s: s["requests"] > 10)
        terminal.wait_for("RUN")
        with frozen(place.controller()):
            terminal.send("\x03")
            terminal.wait_for("does not answer")
            terminal.wait_for("no news from the run")
            terminal.send("\x03")
            assert terminal.wait() != 0
            terminal.whole()
    place.gone()


def test_a_stopped_worker_is_said_and_its_users_are_not_counted(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, "10m"), "--headless", "--workers", "2") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 4 and s["requests"] > 10)
        worker = place.workers(2)[0]
        with frozen(worker):
            told = viewer.wait(lambda s: any("has said nothing" in reason for reason in s["generator"]["reasons"]))
            assert told["users"] == 2
            run.line("has said nothing")
        viewer.wait(lambda s: s["users"] == 4 and "has said nothing" not in str(s["generator"]["reasons"]))
        viewer.command("stop")
        assert run.wait() == 130
    generator = place.summary()["generator"]
    assert generator["saturated"]
    assert any("has said nothing" in warning for warning in generator["warnings"])
    place.gone()
