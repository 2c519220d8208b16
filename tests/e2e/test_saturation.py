"""A run past what its own machine can give says so; a light one does not."""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import Second, read_journal
from tests.e2e.harness import ROOT, Place

PROFILE = """
target = "{url}"
users = {users}
duration = "{seconds}s"
graceful_stop = "2s"
[[pools]]
name = "chat"
think_time = "50ms..150ms"
  [[pools.tasks]]
  name = "ask"
  get = "{path}"
"""
ARRIVALS = """
target = "{url}"
[[pools]]
name = "open"
stages = [ {{ duration = "2s", rate = 100, ramp = "step" }} ]
  [[pools.tasks]]
  get = "/health"
"""
#: In a network of its own with 40 ephemeral ports: a server, and the program with its arguments.
FEW_PORTS = """
import pathlib, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").write_text("50000 50039")
from agenttop.agent.process import AgentProcess
with AgentProcess({"preset": "quiet"}) as agent:
    command = [sys.executable, "-m", "agenttop", *sys.argv[1:], "--target", agent.url]
    sys.exit(subprocess.run(command).returncode)
"""


def profile_of(place: Place, url: str, users: int, seconds: int = 3) -> str:
    """The profile's file."""
    return str(place.write(PROFILE.format(url=url, users=users, seconds=seconds, path="/health")))


def test_a_run_without_enough_open_files(place: Place, agent: AgentProcess) -> None:
    def few() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    file = profile_of(place, agent.url, 100)
    with place.start("--profile", file, "--workers", "1", "--headless", preexec_fn=few) as run:
        snapshot = run.viewer().wait(lambda s: s["generator"]["saturated"])
        assert any("of 64 open files" in reason for reason in snapshot["generator"]["reasons"])
        assert run.wait() == 0
    assert "100 users need 200 files, this shell allows 64: ulimit -n 200" in run.err.text()
    assert "! generator saturated: worker 0: " in run.out.text()
    assert "SATURATED" in run.out.text()
    summary = place.summary()
    assert summary["generator"]["saturated"]
    (warning,) = [text for text in summary["generator"]["warnings"] if "of 64 open files" in text]
    assert "not at the target" in warning
    assert summary["generator"]["open_files_max"] <= 64
    assert summary["totals"]["ok"] > 0
    (error,) = summary["totals"]["errors"]
    assert (error["outcome"], error["message"]) == ("connect_error", "too many open files")


def test_a_run_without_enough_ephemeral_ports(place: Place) -> None:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and ip (Linux) for a network of its own")
    unshare = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*unshare, "ip", "link"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this system does not allow a network of one's own")
    file = profile_of(place, "http://127.0.0.1:1", 60)
    done = subprocess.run(
        [*unshare, sys.executable, "-c", FEW_PORTS, "--profile", file, "--workers", "1", "--headless"],
        env=place.env(PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "! generator saturated: no ephemeral port left of 40" in done.stdout
    generator = place.summary()["generator"]
    assert generator["saturated"]
    assert any("net.ipv4.ip_local_port_range" in warning for warning in generator["warnings"])


def test_the_lateness_of_every_arrival_is_measured(place: Place, agent: AgentProcess) -> None:
    run = place.finish("--profile", place.write(ARRIVALS.format(url=agent.url)), "--workers", "2", "--headless")
    assert run.wait() == 0
    seconds = [record for record in read_journal(place.directory()) if isinstance(record, Second)]
    health = [delta.health for second in seconds for delta in second.deltas]
    totals = place.summary()["totals"]
    arrived = totals["iterations"] + totals["dropped_iterations"]
    assert sum(one.arrival_lag.count for one in health if one.arrival_lag is not None) == arrived >= 200
    assert any(one.network is not None for one in health)


def test_a_light_run_is_not_called_saturated(place: Place, agent: AgentProcess) -> None:
    run = place.finish("--profile", profile_of(place, agent.url, 5, 4), "--workers", "1", "--headless")
    assert run.wait() == 0
    # How late a worker is, others may have to answer for: tests share their cores. What it takes is its own.
    assert not [text for text in place.summary()["generator"]["warnings"] if "lag p99" not in text]
