"""Tests of agenttop.fleet.sweep, and of whole runs over boxes of which one dies, hangs or lies: the load ends, what was
counted stays, nothing is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed.comm.core import connect

from agenttop.agent.process import AgentProcess
from agenttop.fleet.certificates import Authority
from agenttop.fleet.settings import security
from agenttop.fleet.sweep import FOLDER, sweep
from tests.e2e.harness import Viewer, frozen, until
from tests.e2e.test_liveness import load_ends
from tests.fleet.conftest import AGENT, WORKER, Fleet
from tests.fleet.test_fleet import profile, served

pytestmark = pytest.mark.fleet


def begun(viewer: Viewer) -> None:
    """Wait until both boxes send."""
    viewer.wait(lambda s: all(box["rps"] > 0 for box in s["boxes"]))


def test_a_killed_worker_is_said_with_its_box_and_its_users_go_to_the_other(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url, users=8)) as run:
        viewer = run.viewer()
        begun(viewer)
        fleet.worker(1).kill()
        viewer.wait(lambda s: s["generator"]["alive"] == 1 and s["boxes"][0]["users"] == 8)
        viewer.command("stop")
        assert run.wait() == 130
    assert "b2 worker 1 killed by SIGKILL: its users go to the other 1" in run.out.text()
    assert 0 <= served(agent) - fleet.place.summary()["totals"]["requests"] < served(agent) / 2
    fleet.gone()


@pytest.mark.parametrize("on_loss", ["share", "shrink", "stop"])
def test_a_killed_agent_is_a_lost_box(fleet: Fleet, agent: AgentProcess, on_loss: str) -> None:
    more = f'[fleet]\non_loss = "{on_loss}"\n'
    with fleet.start("--profile", profile(fleet.place, agent.url, users=8, more=more)) as run:
        viewer = run.viewer()
        begun(viewer)
        fleet.agent(1).kill()
        if on_loss == "stop":
            assert run.wait() == 1
        else:
            lost = viewer.wait(lambda s: s["boxes"][1]["state"] == "lost")
            users = 8 if on_loss == "share" else 4
            viewer.wait(lambda s: s["boxes"][0]["users"] == users and s["users"] == users)
            assert lost["boxes"][1]["users"] == 0
            until(lambda: not fleet.boxes[1].processes("agenttop"), "the end of what was on the box")
            viewer.command("stop")
            assert run.wait() == 130
    summary = fleet.place.summary()
    (told,) = [text for text in summary["generator"]["warnings"] if "b2 was lost" in text]
    assert "b2 was lost: its agent was killed by SIGKILL: what its workers sent after" in told
    assert {"share": "go to the 1 workers left", "shrink": "the others keep theirs", "stop": "the run ends"}[
        on_loss
    ] in told
    box = summary["generator"]["boxes"][1]
    assert (box["state"], box["lost_s"] > 0) == ("lost", True)
    # Nothing is counted that was not sent, and of the other box everything.
    counted = summary["totals"]["requests"] + summary["totals"]["cancelled"]
    assert counted <= served(agent)
    assert summary["run"]["stop_reason"] == ("error" if on_loss == "stop" else "stopped_by_user")
    fleet.gone()


def test_a_stopped_box_is_lost_and_swept(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url, users=8)) as run:
        viewer = run.viewer()
        begun(viewer)
        there = fleet.agent(1)
        with frozen(there):
            viewer.wait(lambda s: s["boxes"][1]["state"] == "silent")
            viewer.wait(lambda s: s["boxes"][1]["state"] == "lost" and s["boxes"][0]["users"] == 8)
            until(lambda: not fleet.boxes[1].processes("agenttop"), "the end of what was on the box")
        viewer.command("stop")
        assert run.wait() == 130
    text = run.out.text()
    assert "b2 does not answer" in text
    assert " b2=lost" in text
    assert "b2 was lost: it has not answered for" in text
    fleet.gone()


def test_a_link_that_is_cut_and_heals_counts_nothing_twice(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url, users=8)) as run:
        viewer = run.viewer()
        begun(viewer)
        with fleet.boxes[1].cut_off():
            viewer.wait(lambda s: s["boxes"][1]["state"] == "silent")
        viewer.wait(lambda s: s["boxes"][1]["state"] == "up" and s["users"] == 8)
        viewer.command("stop")
        assert run.wait() == 130
    summary = fleet.place.summary()
    assert "b2 answers again" in run.out.text() or "b2 does not answer" in run.out.text()
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] == served(agent)
    assert [box["state"] for box in summary["generator"]["boxes"]] == ["up", "up"]
    fleet.gone()


def test_a_link_that_stays_cut_is_the_end_of_its_box(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url, users=8)) as run:
        viewer = run.viewer()
        begun(viewer)
        worker = fleet.worker(1)
        with fleet.boxes[1].cut_off():
            viewer.wait(lambda s: s["boxes"][1]["state"] == "lost" and s["boxes"][0]["users"] == 8)
            until(lambda: not worker.is_running(), "the end of its worker, which stops with its lease")
        # Healed: it is not taken back, and what nobody read of it is in no figure.
        until(lambda: not fleet.boxes[1].processes("agenttop"), "the end of what was on the box")
        viewer.wait(lambda s: s["boxes"][1]["state"] == "lost" and s["users"] == 8)
        viewer.command("stop")
        assert run.wait() == 130
    summary = fleet.place.summary()
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] < served(agent)
    fleet.gone()


def test_the_load_ends_with_a_killed_controller_and_nothing_is_left(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url)) as run:
        begun(run.viewer())
        until(lambda: fleet.place.processes("agenttop.fleet"), "a controller")[0].kill()
        load_ends(agent)
        fleet.gone()
        assert run.wait() == 1


def test_the_load_ends_with_the_lease_of_a_stopped_controller_and_every_count_is_kept(
    fleet: Fleet, agent: AgentProcess
) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url)) as run:
        begun(run.viewer())
        controller = until(lambda: fleet.place.processes("agenttop.fleet"), "a controller")[0]
        with frozen(controller):
            load_ends(agent)
        assert run.wait() == 1
    summary = fleet.place.summary()
    assert "the controller stood still" in run.out.text()
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] == served(agent)
    assert [box["state"] for box in summary["generator"]["boxes"]] == ["up", "up"]
    fleet.gone()


def test_a_box_that_talks_without_end_is_read(fleet: Fleet, agent: AgentProcess) -> None:
    spill = "yes a line of a loud program | head -c 8000000 >&2"
    loud = fleet.place.write(f'#!/bin/sh\ncase "$*" in *host) ({spill}) & esac\nexec {sys.executable} "$@"\n', "loud")
    loud.chmod(0o755)
    with fleet.start("--profile", profile(fleet.place, agent.url, duration="3s"), python=loud) as run:
        assert run.wait() == 0, run.err.text()
    assert fleet.place.summary()["totals"]["requests"] == served(agent)
    log = (fleet.place.directory() / "controller.log").stat().st_size
    assert 1_000_000 < log < 3_000_000, "of each box the first of it is kept"
    fleet.gone()


def listening(processes: list[psutil.Process]) -> set[tuple[str, int]]:
    """Where these processes accept connections."""
    found = [each.net_connections("inet") for each in processes]
    return {(c.laddr.ip, c.laddr.port) for each in found for c in each if c.status == psutil.CONN_LISTEN}


async def test_strangers_are_refused_and_ports_are_on_loopback(fleet: Fleet, agent: AgentProcess) -> None:
    stranger = security(Authority("another run").identity("controller")).get_connection_args("client")
    with fleet.start("--profile", profile(fleet.place, agent.url)) as run:
        viewer = run.viewer()
        begun(viewer)
        agents = [fleet.agent(0), fleet.agent(1)]
        controller = until(lambda: fleet.place.processes("agenttop.fleet"), "a controller")
        ports = listening([*controller, *agents])
        assert len(ports) >= 4  # the scheduler, both agents, tunnels
        assert {address for address, _ in ports} == {"127.0.0.1"}
        for address, port in ports:
            with pytest.raises((OSError, TimeoutError)):
                await _identity(f"tls://{address}:{port}", stranger)
            assert await _answer_to_plain_text(address, port) == b"", "nobody speaks without TLS"
        viewer.command("stop")
        assert run.wait() == 130
    fleet.gone()


async def _identity(address: str, arguments: dict[str, Any]) -> object:
    """What Dask says there of itself, to whoever is let in."""
    comm = await connect(address, timeout=5, **arguments)  # type: ignore[no-untyped-call]
    await comm.write({"op": "identity", "reply": True})
    return await comm.read()


async def _answer_to_plain_text(address: str, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(address, port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n" * 4)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                return await reader.read(1)
        return b""
    finally:
        writer.close()


def test_secrets_are_in_no_process_list(fleet: Fleet, agent: AgentProcess) -> None:
    secret = "sk-fleet-0123456789"
    file = profile(fleet.place, agent.url, more='[headers]\nauthorization = "Bearer ${API_KEY}"\n')
    env = fleet.env
    fleet.env = env | {"API_KEY": secret}
    kept = fleet.place.root / "boxes"
    kept.mkdir()
    loud = fleet.place.write(f'#!/bin/sh\necho {secret} >&2\nTMPDIR={kept} exec {sys.executable} "$@"\n', "loud")
    loud.chmod(0o755)
    with fleet.start("--profile", file, python=loud) as run:
        viewer = run.viewer()
        begun(viewer)
        there = [*fleet.boxes[0].processes("agenttop"), *fleet.boxes[1].processes("agenttop")]
        assert len([each for each in there if AGENT in each.cmdline()]) == 2
        assert len([each for each in there if WORKER in each.cmdline()]) == 2
        here = fleet.place.processes("agenttop.fleet")
        told = [" ".join(each.cmdline()) for each in [*there, *here]]
        told += [f"{each.environ()}" for each in there]
        for text in told:
            assert secret not in text
            assert "PRIVATE KEY" not in text
        folders = list(kept.glob(f"{FOLDER}*"))
        assert len(folders) == 2
        for folder in folders:
            assert folder.stat().st_mode & 0o077 == 0
        viewer.command("stop")
        assert run.wait() == 130
    log = (fleet.place.directory() / "controller.log").read_text()
    assert "b1: ***" in log
    assert secret not in log
    fleet.gone()
    assert not [folder for folder in folders if folder.exists()]


def test_a_sweep_ends_processes_of_ours_alone(tmp_path: Path) -> None:
    sleep = "import time; time.sleep(600)"
    ours = subprocess.Popen([sys.executable, "-c", sleep, "agenttop.worker.worker"], process_group=0)
    theirs = subprocess.Popen([sys.executable, "-c", sleep, "another"], process_group=ours.pid)
    folder = tmp_path / f"{FOLDER}x"
    folder.mkdir()
    try:
        assert sweep(ours.pid, str(folder)) == [ours.pid]
        assert ours.wait() == -signal.SIGKILL
        assert theirs.poll() is None
        assert folder.exists(), "it is not where such folders are"
    finally:
        theirs.kill()
        theirs.wait()
