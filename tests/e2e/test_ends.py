"""How a run ends, and what survives what."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import PATIENCE_S, Place, Run, until

PROFILE = """
target = "{url}"
users = {users}
duration = "{duration}"
graceful_stop = "{grace}"
timeout = "60s"
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""
LONG = "10m"


def profile(place: Place, url: str, *, users: int = 6, duration: str = LONG, grace: str = "30s") -> Path:
    return place.write(PROFILE.format(url=url, users=users, duration=duration, grace=grace))


def answering(run: Run) -> None:
    """Wait until the run has had answers."""
    run.viewer().wait(lambda s: s["requests"] > 10)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_gracefully(place: Place, agent: AgentProcess, number: int) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless") as run:
        answering(run)
        run.signal(number)
        assert run.wait() == 130
    summary = place.summary()
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("stopped_by_user", 130)
    assert summary["totals"]["cancelled"] == 0
    assert summary["totals"]["requests"] == agent.stats()["requests"]["POST /api/sessions/{id}/messages"]["200"]
    assert "stopping" in run.out.text()
    assert str(summary["totals"]["requests"]) in run.out.text().replace(",", "").replace(" ", "")
    assert run.err.text() == ""
    place.gone()
    assert place.sockets() == []


def test_a_second_signal_cuts_what_is_in_flight(place: Place) -> None:
    with (
        AgentProcess({"preset": "quiet", "first_token": "1h", "spread": 0}) as slow,
        place.start("--profile", profile(place, slow.url), "--headless") as run,
    ):
        viewer = run.viewer()
        viewer.wait(lambda s: s["in_flight"] == 6)
        run.signal(signal.SIGINT)
        viewer.wait(lambda s: s["state"] == "draining")
        assert run.process.poll() is None
        run.signal(signal.SIGINT)
        assert run.wait() == 130
        summary = place.summary()
        assert summary["totals"]["cancelled"] == 6
        assert summary["totals"]["requests"] == 0
        until(lambda: slow.stats()["in_flight"] == 0, "the target to notice")
    place.gone()


def test_what_does_not_end_in_time_is_cut(place: Place) -> None:
    with AgentProcess({"preset": "quiet", "first_token": "1h", "spread": 0}) as slow:
        run = place.finish("--profile", profile(place, slow.url, duration="1s", grace="1s"), "--headless")
    assert run.wait() == 0
    assert place.summary()["totals"]["cancelled"] == 6
    assert "graceful_stop is over" in run.out.text()


def test_a_hangup_does_not_end_a_run(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless") as run:
        answering(run)
        controller = place.controller()
        run.signal(signal.SIGHUP)
        assert run.wait() == 0
        assert "the run goes on" in run.out.text()
        viewer = run.viewer()
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        assert controller.is_running()
        attached = place.start("attach", "--headless")
        with attached:
            attached.line("00:")
            assert viewer.command("stop")["applied"]
            assert attached.wait() == 130
            assert "report --full" in attached.out.text()
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_a_hangup_ends_a_run_that_is_to_stop_then(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless", "--on-hangup", "stop") as run:
        answering(run)
        run.signal(signal.SIGHUP)
        run.wait()
    assert place.summary()["run"]["stop_reason"] == "stopped_by_user"
    place.gone()


def test_the_load_comes_before_the_sums(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless", "--workers", 2) as run:
        answering(run)
        assert place.controller().nice() > max(worker.nice() for worker in place.workers(2))
        run.signal(signal.SIGTERM)
        assert run.wait() == 130


def test_a_reader_who_has_stopped_reading_keeps_nobody_from_ending_the_run(place: Place, agent: AgentProcess) -> None:
    # As in a pager: ctrl-c reaches us, and our output nobody.
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    viewing = subprocess.Popen(
        [sys.executable, "-m", "agenttop", "--profile", profile(place, agent.url), "--headless"],
        env=place.env(), cwd=place.root, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    viewer = place.viewer()
    try:
        viewer.wait(lambda s: s["t_s"] >= 3)
        viewing.send_signal(signal.SIGINT)
        assert viewer.drain()["exit_code"] == 130
        with open(ours) as lines:
            said = lines.read()
        assert viewing.wait(PATIENCE_S) == 130
    finally:
        viewer.close()
        if viewing.poll() is None:
            viewing.kill()
            viewing.wait()
    assert "00:01" in said
    assert "report --full" in said, "the summary, too"
    place.gone()


def test_a_run_outlives_its_viewer(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless") as run:
        answering(run)
        run.process.kill()
        run.wait()
        viewer = run.viewer()
        before = viewer.wait(lambda s: True)["requests"]
        viewer.wait(lambda s: s["requests"] > before)
        viewer.command("stop")
        assert viewer.drain()["exit_code"] == 130
    check_summary(place.summary())
    place.gone()


def test_a_killed_controller_loses_a_second_at_most(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless", "--workers", 2) as run:
        viewer = run.viewer()
        seen = viewer.wait(lambda s: s["t_s"] >= 3 and s["requests"] > 50)
        place.workers(2)
        place.controller().kill()
        assert run.wait() == 1
        assert "agenttop report" in run.err.text()
        place.gone()  # the workers stop by themselves
        served = agent.stats()["requests"]["POST /api/sessions/{id}/messages"]
        directory = place.directory()
        assert not (directory / "summary.json").exists()
        report = place.finish("report", directory)
        assert report.wait() == 0, report.err.text()
    summary = place.summary()
    check_summary(summary)
    assert summary["run"]["incomplete"] is True
    # Every second that was shown is there; what was served since is what may be lost.
    assert summary["run"]["duration_s"] >= seen["t_s"]
    assert seen["requests"] <= summary["totals"]["requests"] <= sum(served.values())
    assert place.finish("report", directory.name).wait() == 0
    ps = place.finish("ps")
    (row,) = ps.out.lines[1:]
    assert "cut off" in row, "a dead run is not live"


def test_a_killed_worker_is_told_of_and_replaced_by_the_others(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, users=9), "--headless", "--workers", 2) as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 9 and s["requests"] > 20)
        place.workers(2)[0].kill()
        snapshot = viewer.wait(lambda s: s["generator"]["alive"] == 1)
        told = viewer.wait(lambda s: any("SIGKILL" in event["text"] for event in s["events"]))
        assert any("worker" in event["text"] and event["level"] == "error" for event in told["events"])
        viewer.wait(lambda s: s["users"] == 9 and s["requests"] > snapshot["requests"])
        assert viewer.command("users 4")["applied"]
        viewer.wait(lambda s: s["users"] == 4)
        viewer.command("stop")
        assert run.wait() == 130
    assert any("SIGKILL" in line for line in run.out.lines)
    warnings = place.summary()["generator"]["warnings"]
    assert any("SIGKILL" in warning for warning in warnings)


def test_a_run_that_lost_a_worker_is_done_all_the_same(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url, duration="5s"), "--headless", "--workers", 2) as run:
        run.viewer().wait(lambda s: s["users"] == 6)
        place.workers(2)[1].kill()
        assert run.wait() == 0, run.err.text()
    summary = place.summary()
    assert (summary["run"]["exit_code"], summary["run"]["stop_reason"]) == (0, "completed")
    assert summary["run"]["duration_s"] >= 5


def test_without_workers_a_run_has_failed(place: Place, agent: AgentProcess) -> None:
    with place.start("--profile", profile(place, agent.url), "--headless", "--workers", 2) as run:
        answering(run)
        for worker in place.workers(2):
            worker.kill()
        assert run.wait() == 1
    assert run.err.text() == "agenttop: every worker died"
    summary = place.summary()
    assert (summary["run"]["exit_code"], summary["run"]["stop_reason"]) == (1, "error")
    assert summary["totals"]["requests"] > 0
    place.gone()
