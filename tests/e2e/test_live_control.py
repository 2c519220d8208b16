"""Tests of agenttop.cli.ctl.

What is done to a run while it goes on, as its target sees it.
"""

from __future__ import annotations

import json
import signal
import socket
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import read_journal
from agenttop.journal.summarize import RunHeader
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place, until
from tests.e2e.targets import answer, target
from tests.e2e.terminal import Terminal

PROFILE = """
target = "{url}"
graceful_stop = "1s"
[[stages]]
duration = "1h"
users = 2
ramp = "step"
name = "calm"
[[stages]]
duration = "1h"
users = 3
[[pools]]
name = "chat"
{more}
  [[pools.tasks]]
  name = "ask"
  get = "/"
"""


class Held:
    """Answers while it is told to; ``inside`` is how many requests it has not answered."""

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.answering.set()
        self.inside = 0
        self.requests = 0
        self._lock = threading.Lock()

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        with self._lock:
            self.inside += 1
            self.requests += 1
        try:
            self.answering.wait(60)
            connection.sendall(answer(b"{}"))
        finally:
            with self._lock:
                self.inside -= 1

    def hold(self, users: int) -> None:
        """Answer no more until all of so many users wait; then go on."""
        self.answering.clear()
        until(lambda: self.inside == users, f"{users} requests at once, not {self.inside}")
        self.answering.set()


def ctl(place: Place, *words: str) -> dict[str, Any]:
    """What a command from a script is answered."""
    run = place.finish("ctl", place.directory().name, *words)
    answered: dict[str, Any] = json.loads(run.out.text())
    return answered


def test_a_plan_is_edited_and_the_target_sees_it(place: Place) -> None:
    held = Held()
    with target(held) as url:
        profile = place.write(PROFILE.format(url=url, more='think_time = "10ms"'))
        with place.start("--profile", profile, "--headless") as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["users"] == 2)
            held.hold(2)
            answered = ctl(place, "plan", "up: 200ms 6, 1h step 6, 1m 0")
            assert answered["applied"], answered
            viewer.wait(lambda s: s["users"] == 6)
            held.hold(6)
            assert viewer.command("plan 1h 80 chat") == {
                "type": "reply", "id": 1, "applied": False, "message": "chat shares the run's stages; say: plan STAGES"
            }  # fmt: skip
            assert "plan >>5x<< 80" in viewer.command("plan 5x 80")["message"]
            assert viewer.command("plan last: 1h step 3")["applied"]
            snapshot = viewer.wait(lambda s: s["users"] == 3)
            assert snapshot["edited"]["duration_s"] > 3600
            held.hold(3)
            assert viewer.command("plan last: rest step 1")["applied"]
            assert viewer.command("plan 100ms 1")["applied"]
            assert run.wait() == 0
    summary = place.summary()
    check_summary(summary)
    names = [stage["name"] for stage in summary["stages"]]
    assert names[0] == "calm"
    assert names[1:3] == ["up", "hold"]
    assert "last" in names
    assert [stage["index"] for stage in summary["stages"]] == list(range(len(names)))
    assert sum(stage["requests"] for stage in summary["stages"]) == summary["totals"]["requests"] == held.requests
    assert [stage["target_end"] for stage in summary["stages"]][:3] == [2, 6, 6]
    assert set(summary["timeline"]["stage"]) <= {-1, *range(len(names))}
    first = summary["controls"][0]
    assert first["command"] == "plan up: 200ms 6, 1h step 6, 1m 0"
    assert first["to"] == "up: 200ms 6, 1h step 6, 1m 0"
    assert first["from"].startswith("calm: 59m")
    assert first["source"] == "ctl"


POST = '  post = "/api/sessions/s/messages"\n  json = { content = "hours?" }\n'
#: Refused until it is met again a little later.
LIMITED = {"preset": "quiet", "requests_per_minute": 1_200, "burst": "100ms"}


def test_policies_and_pauses_change_while_users_live(place: Place) -> None:
    more = "".join(
        f'[[pools]]\nname = "{name}"\n  [[pools.tasks]]\n  name = "ask"\n{POST}' for name in ("hasty", "other")
    )
    with AgentProcess(LIMITED) as agent:
        profile = place.write(f'target = "{agent.url}"\nusers = 6\nduration = "1h"\n{more}')
        with place.start("--profile", profile, "--headless") as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["rate_limited"] > 20)
            assert viewer.command("on_429 retry")["applied"]
            assert viewer.command("think 5ms..10ms hasty")["applied"]
            assert viewer.command("on_429 retry")["message"] == "it is so already: on_429 retry"
            snapshot = viewer.wait(lambda s: s["recovered"] > 20)
            assert snapshot["changed"] == ["think 5ms..10ms hasty", "on_429 retry"]
            assert viewer.command("on_429 honor other")["applied"]
            before = viewer.wait(lambda s: s["retries"])["rate_limited"]
            viewer.wait(lambda s: s["rate_limited"] > before + 3)
            assert viewer.command("on_429 count")["applied"]
            assert viewer.command("stop")["applied"]
            viewer.drain()
            assert run.wait() == 130
        served = agent.stats()["requests"]["POST /api/sessions/{id}/messages"]
    summary = place.summary()
    check_summary(summary)
    totals = summary["totals"]
    # What the target served is what was counted, whatever was done about it at the time.
    assert totals["status"] == served
    assert totals["attempts"] == sum(served.values())
    limit = totals["rate_limit"]
    assert limit["count"] == served["429"]
    assert limit["recovered"] > 20
    assert totals["ok"] == served["200"]
    for figures in (totals, *summary["requests"].values(), *summary["stages"]):
        assert figures["response_time_ms"]["count"] == figures["latency_ms"]["count"] == figures["ok"]
    assert totals["response_time_ms"]["mean"] > totals["latency_ms"]["mean"]
    assert [(c["command"], c["from"], c["to"]) for c in summary["controls"]][:2] == [
        ("on_429 retry", "on_429 count", "on_429 retry"),
        ("think 5ms..10ms hasty", "think 0s", "think 5ms..10ms"),
    ]


TASK = '  [[pools.tasks]]\n  name = "ask"\n  get = "/"\n'


def armed_profile(place: Place, url: str) -> Path:
    return place.write(f'target = "{url}"\nusers = 2\nduration = "300ms"\n[[pools]]\nname = "chat"\n{TASK}')


def test_an_armed_run_connects_to_nothing_before_it_is_started(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with place.start("--profile", armed_profile(place, url), "--headless", "--armed") as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["state"] == "armed" and s["seq"] > 2)
            assert "ctl" in run.line("ARMED: nothing is sent before: agenttop ctl ")
            assert ctl(place, "status")["state"] == "armed"
            assert viewer.command("users 3")["applied"]
            assert viewer.command("plan 200ms step 4, 200ms 4")["applied"]
            listener.setblocking(False)
            with pytest.raises(BlockingIOError):
                listener.accept()
            place.workers()
            run.signal(signal.SIGTERM)
            assert run.wait() == 130
            place.gone()
    summary = place.summary()
    check_summary(summary)
    assert summary["run"]["stop_reason"] == "stopped_by_user"
    assert (summary["totals"]["requests"], summary["run"]["duration_s"]) == (0, 0)
    assert [c["command"] for c in summary["controls"]] == ["users 3", "plan 200ms step 4, 200ms 4", "stop"]


def test_an_armed_run_begins_when_it_is_started(place: Place) -> None:
    held = Held()
    with (
        target(held) as url,
        place.start("--profile", armed_profile(place, url), "--headless", "--armed", "--workers", "2") as run,
    ):
        viewer = run.viewer()
        viewer.wait(lambda s: s["state"] == "armed")
        assert viewer.command("plan 1s step 4, 1s 4")["applied"]
        armed_at = viewer.info["started_at"]
        until(lambda: datetime.now(UTC).isoformat() > armed_at[:-1] + "~", "another second on the clock")
        assert held.requests == 0
        assert ctl(place, "start") == {"applied": True, "message": "starting"}
        assert not viewer.command("start")["applied"]
        viewer.drain()
        assert run.wait() == 0
    summary = place.summary()
    check_summary(summary)
    assert summary["run"]["started_at"] > armed_at
    assert summary["totals"]["requests"] == held.requests > 0
    assert summary["pools"]["chat"]["users_max"] == 4
    assert summary["run"]["duration_s"] >= 2
    assert [stage["target_end"] for stage in summary["stages"]] == [4, 4]
    header = next(read_journal(place.directory()))
    assert isinstance(header, RunHeader)
    assert header.info.started_at == summary["run"]["started_at"]


def test_an_armed_run_whose_controller_is_killed_leaves_nobody_behind(place: Place) -> None:
    with place.start("--profile", armed_profile(place, "http://127.0.0.1:1"), "--headless", "--armed") as run:
        run.viewer().wait(lambda s: s["state"] == "armed")
        place.workers()
        place.controller().kill()
        place.gone()
        assert run.wait() == 1


def test_a_target_that_is_not_there_when_it_is_started(place: Place) -> None:
    with place.start("--profile", armed_profile(place, "http://127.0.0.1:1"), "--headless", "--armed") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["state"] == "armed")
        assert viewer.command("start")["applied"]
        assert run.wait() == 1
        place.gone()
    assert place.summary()["run"]["stop_reason"] == "target_unreachable"


def test_keys_on_a_terminal(place: Place) -> None:
    held = Held()
    with (
        target(held) as url,
        Terminal(
            place, "--profile", place.write(PROFILE.format(url=url, more='think_time = "10ms"')), "--armed"
        ) as run,
    ):
        run.wait_for("ARMED: press enter to start")
        assert held.requests == 0
        run.send("\r")
        run.wait_for("RUN")
        until(lambda: held.requests, "the first request")
        run.send("e")
        run.wait_for("edit the plan")
        run.send("\x1b[C7\r")  # right, seven users, enter
        run.wait_for("apply this from now on?")
        run.send("\r")
        run.wait_for("q quit")
        run.send(":plan 3s step 5\r")
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 5)
        viewer.drain()
        assert run.wait() == 0
    commands = [control["command"] for control in place.summary()["controls"]]
    assert commands == ["start", "plan calm: rest step 7, 1h 3", "plan 3s step 5"]
