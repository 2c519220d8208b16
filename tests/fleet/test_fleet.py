"""Tests of agenttop.fleet.ssh, agenttop.fleet.forming, agenttop.fleet.host, agenttop.fleet.check,
agenttop.fleet.__main__: whole runs over two boxes, which are SSH servers of this machine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hdrh.histogram import HdrHistogram

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import rebuild
from tests.e2e.harness import Place, until
from tests.e2e.test_counts import FAULTY, agree
from tests.e2e.test_counts import PROFILE as EVERY_PROTOCOL
from tests.fleet.conftest import Fleet

PROFILE = """
target = "{url}"
users = {users}
duration = "{duration}"
graceful_stop = "2s"
{more}
[[pools]]
name = "chat"
think_time = "{think}"
  [[pools.tasks]]
  name = "message"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""


def profile(
    place: Place, url: str, *, users: int = 10, duration: str = "10m", think: str = "50ms", more: str = ""
) -> Path:
    return place.write(PROFILE.format(url=url, users=users, duration=duration, think=think, more=more))


def served(agent: AgentProcess) -> int:
    """Requests that the target has answered."""
    counts: dict[str, dict[str, int]] = agent.stats()["requests"]
    return sum(counts.get("POST /api/sessions/{id}/messages", {}).values())


def union(histograms: list[str]) -> HdrHistogram:
    """The histogram of all records of several."""
    first, *rest = [HdrHistogram.decode(text) for text in histograms]
    for other in rest:
        first.add(other)
    return first


def test_every_count_is_the_servers_and_the_whole_is_the_union_of_the_boxes(fleet: Fleet) -> None:
    with AgentProcess(FAULTY) as agent:
        with fleet.start("--profile", fleet.place.write(EVERY_PROTOCOL.format(url=agent.url, seconds=4))) as run:
            assert run.wait() == 0, run.err.text()
        summary = fleet.place.summary()
        agree(summary, agent.stats())
    assert run.out.lines[0].endswith("2 workers on b1, b2")
    totals, boxes = summary["totals"], summary["generator"]["boxes"]
    assert [box["name"] for box in boxes] == ["b1", "b2"]
    assert [box["state"] for box in boxes] == ["up", "up"]
    assert sum(box["requests"] for box in boxes) == totals["requests"]
    assert [box["users_max"] for box in boxes] == [100, 100]
    for key in ("latency_ms", "ttft_ms"):
        whole = union([box[key]["hdr"] for box in boxes])
        assert whole.get_value_at_percentile(95) / 1000 == pytest.approx(totals[key]["p95"], abs=0.001)
        assert HdrHistogram.decode(totals[key]["hdr"]).encode() == whole.encode()
        assert (min(box[key]["min"] for box in boxes), max(box[key]["max"] for box in boxes)) == (
            totals[key]["min"],
            totals[key]["max"],
        )
    assert all(0 < box["clock_error_ms"] < 1000 for box in boxes)
    # A replay shows what was seen live, boxes too.
    again = rebuild(fleet.place.directory())
    assert again["generator"]["boxes"] == boxes
    fleet.gone()


def test_live_control_reaches_every_box(fleet: Fleet, agent: AgentProcess) -> None:
    with fleet.start("--profile", profile(fleet.place, agent.url, users=4)) as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 4 and s["requests"] > 10)
        assert viewer.command("users +50")["applied"]
        last = viewer.wait(lambda s: s["users"] == 54)
        assert [(box["name"], box["users"]) for box in last["boxes"]] == [("b1", 27), ("b2", 27)]
        assert viewer.command("pause")["applied"]
        viewer.wait(lambda s: s["in_flight"] == 0 and s["paused"])
        before = served(agent)
        assert viewer.command("resume")["applied"]
        until(lambda: served(agent) > before, "more requests")
        viewer.command("stop")
        assert run.wait() == 130
    summary = fleet.place.summary()
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] == served(agent)
    fleet.gone()


@pytest.mark.fleet
def test_a_box_is_left_out_and_comes_back(fleet: Fleet, agent: AgentProcess) -> None:
    more = (
        '[[pools]]\nname = "open"\nmax_users = 50\nstages = [{ duration = "10m", rate = 40 }]\n'
        '[[pools.tasks]]\nname = "ask"\npost = "/api/sessions/o/messages"\njson = { content = "hi" }\n'
    )
    file = profile(fleet.place, agent.url, users=6)
    file.write_text(file.read_text() + more)
    with fleet.start("--profile", file) as run:
        viewer = run.viewer()

        def boxes(message: dict[str, Any]) -> list[tuple[str, int]]:
            return [(box["state"], box["users"]) for box in message["boxes"]]

        viewer.wait(lambda s: s["requests"] > 10)
        assert viewer.command("box b3 off")["message"] == "there is no box b3; there are: b1, b2"
        assert viewer.command("box b2 off")["applied"]
        assert viewer.command("box b1 off")["message"] == "b1 is the last box that sends"
        viewer.wait(lambda s: boxes(s)[1] == ("off", 0) and boxes(s)[0][1] >= 6)
        # Its share of the arrivals goes to the other one, too.
        viewer.wait(lambda s: s["boxes"][1]["rps"] == 0)
        assert viewer.command("box b2 on")["applied"]
        viewer.wait(lambda s: boxes(s)[1][0] == "up" and boxes(s)[1][1] >= 3 and s["boxes"][1]["rps"] > 0)
        viewer.command("stop")
        assert run.wait() == 130
    summary = fleet.place.summary()
    assert summary["totals"]["requests"] + summary["totals"]["cancelled"] == served(agent)
    assert [(c["command"], c["from"], c["to"]) for c in summary["controls"]][:2] == [
        ("box b2 off", "on", "off"),
        ("box b2 on", "off", "on"),
    ]
    fleet.gone()


def test_a_budget_holds_over_all_boxes(fleet: Fleet, agent: AgentProcess) -> None:
    more = "[budget]\nrequests = 1000\n"
    file = profile(fleet.place, agent.url, users=500, think="1ms", more=more)
    with fleet.start("--profile", file) as run:
        assert run.wait() == 0, run.err.text()
    summary = fleet.place.summary()
    assert summary["run"]["stop_reason"] == "budget"
    assert served(agent) == summary["totals"]["requests"] == 1000
    fleet.gone()


@pytest.mark.fleet
def test_each_row_of_data_is_used_once(fleet: Fleet) -> None:
    rows = 60
    fleet.place.write("session\n" + "".join(f"row-{number}\n" for number in range(rows)), "rows.csv")
    with AgentProcess({"preset": "quiet"}) as agent:
        file = profile(fleet.place, agent.url, users=4)
        text = file.read_text().replace("/sessions/s/", "/sessions/{session}/")
        file.write_text(text + '  data = { file = "rows.csv", order = "once" }\n')
        with fleet.start("--profile", file) as run:
            assert run.wait() == 0, run.err.text()
        # The agent makes a session for every id it does not know.
        assert agent.stats()["sessions_auto_created"] == rows
    assert fleet.place.summary()["totals"]["outcomes"]["ok"] == rows
    fleet.gone()


@pytest.mark.fleet
def test_what_cannot_be_reached_from_a_box_is_said_of_it(fleet: Fleet) -> None:
    with fleet.start("--profile", profile(fleet.place, "http://127.0.0.1:1")) as run:
        assert run.wait() == 1
    assert "b1: cannot connect to 127.0.0.1:1" in run.err.text()
    fleet.gone()


def test_boxes_are_looked_at_without_a_run(fleet: Fleet) -> None:
    arguments = ("fleet", "check", "--hosts", "b1,nosuch.invalid", "--users", "1000")
    run = fleet.place.finish(*arguments, "--remote-python", sys.executable, env=fleet.env)
    assert run.process.returncode == 2
    b1, other, users = run.out.lines
    assert b1.startswith("b1: ok: agenttop ")
    assert "open files" in b1
    assert "ms away" in b1
    assert "clock known to" in b1
    assert other.startswith("nosuch.invalid: NO: cannot connect")
    assert users == "1 000 users: open files and ports suffice"
    arguments = ("fleet", "check", "--hosts", "b1,b2", "--remote-python", sys.executable)
    run = fleet.place.finish(*arguments, env=fleet.env)
    assert (run.process.returncode, len(run.out.lines)) == (0, 2)
    fleet.gone()


@pytest.mark.fleet
def test_a_run_without_its_boxes_is_refused_and_leaves_nothing(fleet: Fleet, agent: AgentProcess) -> None:
    file = profile(fleet.place, agent.url, duration="2s")
    with fleet.start("--profile", file, hosts="b1,127.0.0.4:1") as run:
        assert run.wait() == 2
    assert run.err.lines == [
        "agenttop: 127.0.0.4: cannot connect: Connection refused",
        "agenttop: nothing was sent: the run needs all 2 boxes (--min-hosts N does with fewer)",
    ]
    assert list((fleet.place.state / "agenttop" / "runs").iterdir()) == []
    fleet.gone()
    with fleet.start("--profile", file, "--min-hosts", 1, hosts="b1,127.0.0.4:1") as run:
        assert run.wait() == 0, run.err.text()
    summary = fleet.place.summary()
    assert [box["name"] for box in summary["generator"]["boxes"]] == ["b1"]
    assert any("box left out: 127.0.0.4: cannot connect" in text for text in summary["generator"]["warnings"])
    assert summary["totals"]["requests"] == served(agent)
    fleet.gone()


@pytest.mark.fleet
def test_a_box_of_another_version_is_refused_in_one_line(fleet: Fleet, agent: AgentProcess) -> None:
    # It says less than this version does, and much that this one does not know; it answers nothing else.
    hello = {"type": "hello", "agenttop": "9.9", "python": "3.10", "more": [1]}
    old = fleet.place.write(f"#!/bin/sh\necho welcome\necho '{json.dumps(hello)}'\ncat >/dev/null\n", "old-python")
    old.chmod(0o755)
    with fleet.start("--profile", profile(fleet.place, agent.url), hosts="b1", python=old) as run:
        assert run.wait() == 2
    assert len(run.err.lines) == 2
    assert "b1: it has agenttop 9.9, and this is " in run.err.lines[0]
    assert "it has Python 3.10, and this is 3." in run.err.lines[0]
    with fleet.start("--profile", profile(fleet.place, agent.url), hosts="b1", python="/no/such/python") as run:
        assert run.wait() == 2
    assert "b1: there is no /no/such/python: say --remote-python PATH" in run.err.lines[0]
    bare = fleet.place.write("#!/bin/sh\necho 'python: No module named agenttop' >&2\nexit 1\n", "bare-python")
    bare.chmod(0o755)
    with fleet.start("--profile", profile(fleet.place, agent.url), hosts="b1", python=bare) as run:
        assert run.wait() == 2
    assert "has no agenttop there: pip install 'agenttop[fleet]'" in run.err.lines[0]
    without = fleet.place.root / "without"
    without.mkdir()
    (without / "dask.py").write_text("raise ModuleNotFoundError('no', name='dask')")
    lean = fleet.place.write(f'#!/bin/sh\nPYTHONPATH={without} exec {sys.executable} "$@"\n', "lean-python")
    lean.chmod(0o755)
    with fleet.start("--profile", profile(fleet.place, agent.url), hosts="b1", python=lean) as run:
        assert run.wait() == 2
    assert "b1: it has no module dask: pip install 'agenttop[fleet]' there" in run.err.lines[0]
    assert served(agent) == 0
    fleet.gone()
