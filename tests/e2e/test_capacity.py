"""Tests of agenttop.cli.capacity.

The capacity of an agent whose capacity is known: so many slots, each answer takes so long.
"""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

from agenttop.agent.process import AgentProcess
from agenttop.report.summary import check_summary
from tests.e2e.harness import Place
from tests.e2e.targets import answer, target

SHIPPED = Path(__file__).resolve().parents[2] / "profiles" / "capacity.toml"
#: Four answers at once of 50 ms: 40 users without pauses wait 500 ms each, 32 wait 400 ms and 48 wait 600 ms.
AGENT = {"preset": "quiet", "first_token": "50ms", "slots": 4, "spread": 0, "output_tokens": 1}
KNOWN = 40
#: As wide as is needed for a machine that is busy with other things: it makes answers later, not earlier.
PROFILE = """
target = "{url}"
timeout = "20s"
[search]
from = 8
to = 128
settle = "1s"
measure = "1500ms"
resolution = 16
[objectives]
latency = "500ms"
[[pools]]
name = "chat"
  [[pools.tasks]]
  post = "/api/sessions/{{user}}/messages"
  json = {{ content = "hours?" }}
"""


def judged(search: dict[str, Any]) -> bool:
    """Whether the search came to its own end. Where other programs took the cores it says so instead, and rightly: at
    the level that could not be driven, about which it says nothing.
    """
    if search["stopped"] != "generator":
        return True
    last = search["steps"][-1]
    assert (last["verdict"], last["why"]) == ("cut", "generator")
    return False


def test_the_capacity_of_an_agent_with_four_slots(place: Place) -> None:
    with AgentProcess(AGENT) as agent:
        run = place.finish(
            "--profile", place.write(PROFILE.format(url=agent.url)), "--headless", "--full", patience_s=300
        )
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    search = summary["search"]
    if not judged(search) and search["capacity"] is None:
        return  # not even the first level could be driven
    assert [step["level"] for step in search["steps"]][:2] == [8, 16]
    # Never more than it is; less only where this machine was busy, and that by as much as the answers were late.
    assert search["stopped"] in ("found", "generator")
    assert 8 <= search["capacity"] <= KNOWN
    if search["upper"] is not None:
        assert search["lower"] < search["upper"] <= 64
    failed = [step for step in search["steps"] if step["verdict"] == "fail"]
    assert all(step["missed"]["latency"] for step in failed)
    assert sum(step["requests"] for step in search["steps"]) <= summary["totals"]["requests"]
    assert summary["stages"][0]["name"] == "search"
    assert summary["stages"][0]["requests"] == summary["totals"]["requests"]
    out = run.out.text()
    assert "· search: 16 users: pass, " in out
    assert f"capacity: {search['capacity']:.0f} users (" in out
    assert "─ capacity ─" in out
    place.gone()


def test_a_profile_without_a_search_is_searched_up_to_its_highest_stage(place: Place) -> None:
    head, _, rest = PROFILE.format(url="http://127.0.0.1:1").partition("[search]")
    file = place.write(head + 'users = 3\nduration = "1m"\n' + rest[rest.index("[objectives]") :])
    short = ("--set", "search.settle=0s", "--set", "search.measure=1s", "--set", "search.max_measure=1s")
    with AgentProcess({"preset": "quiet"}) as agent:
        run = place.finish(
            "capacity", "--profile", file, "--target", agent.url, "--max", 2, "--headless", "--full", *short
        )
    assert run.wait() == 0, run.err.text()
    search = place.summary()["search"]
    if judged(search):
        assert [step["level"] for step in search["steps"]] == [1, 2]
        assert (search["capacity"], search["stopped"]) == (2, "at_max")
        assert "at least 2 users" in run.out.text()


def test_users_are_the_searchs_business_and_stop_ends_it(place: Place) -> None:
    file = place.write(PROFILE.format(url="http://127.0.0.1:1").replace('measure = "1500ms"', 'measure = "5m"'))
    with (
        AgentProcess({"preset": "quiet"}) as agent,
        place.start("--profile", file, "--target", agent.url, "--headless", "--full") as run,
    ):
        viewer = run.viewer()
        seen = viewer.wait(lambda s: s["search"]["phase"] == "measuring" and s["search"]["now"]["requests"] > 50)
        assert (seen["manual"], seen["target_users"], seen["planned_users"]) == ([], 8, 8)
        for command in ("users +5", "hold", "pause", "next", "release"):
            reply = viewer.command(command)
            assert (reply["applied"], reply["message"]) == (
                False,
                "a search for capacity sets the load itself; stop ends it",
            )
        assert viewer.command("stop")["applied"]
        assert run.wait() == 130
    summary = place.summary()
    check_summary(summary)
    assert summary["controls"][0]["command"] == "stop"
    search = summary["search"]
    assert (search["stopped"], search["capacity"], search["steps"][0]["verdict"]) == ("stopped_by_user", None, "cut")
    assert search["steps"][0]["requests"] > 50
    # Told to whoever looks on, and in the report.
    assert run.out.text().count("capacity: not found; stopped by hand") >= 2


class Overloaded:
    """Fails whoever comes while as many are there already."""

    def __init__(self, most: int) -> None:
        self.free = threading.Semaphore(most)
        self.pause = threading.Event()

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        if not self.free.acquire(blocking=False):
            connection.sendall(answer(b"overloaded", "503 Service Unavailable"))
            return
        self.pause.wait(0.02)
        self.free.release()
        connection.sendall(answer(b"{}"))


def test_a_level_at_which_the_target_falls_over_fails_at_once_and_the_search_goes_on(place: Place) -> None:
    breaker = '[circuit_breaker]\nfailed = "50%"\nover = "1s"\nmin_requests = 10\n'
    text = PROFILE.format(url="http://127.0.0.1:1").replace('measure = "1500ms"', 'measure = "5m"\nmax_measure = "5m"')
    with target(Overloaded(1)) as url:
        file = place.write(text.replace("from = 8", "from = 16").replace("[objectives]", breaker + "[objectives]"))
        run = place.finish("--profile", file, "--target", url, "--headless", "--full")
    assert run.wait() == 99
    summary = place.summary()
    (step,) = summary["search"]["steps"]
    assert (step["verdict"], step["why"]) == ("fail", "circuit_breaker")
    assert (summary["run"]["stop_reason"], summary["search"]["stopped"]) == ("completed", "below_min")
    assert "agenttop: capacity: below 16 users, where the search began" in run.err.text()


def test_what_a_level_did_to_the_target_is_nothing_against_the_next_one(place: Place) -> None:
    # It looks for the first time while the last level is tried: most that it has seen is how the one before failed.
    breaker = '[circuit_breaker]\nfailed = "50%"\nover = "11s"\nmin_requests = 10\n'
    text = PROFILE.format(url="http://127.0.0.1:1").replace("from = 8", "from = 1").replace("to = 128", "to = 4")
    text = text.replace('settle = "1s"', 'settle = "200ms"').replace('measure = "1500ms"', 'measure = "3s"')
    text = text.replace("resolution = 16", "resolution = 1").replace('latency = "500ms"', 'latency = "10s"')
    with target(Overloaded(3)) as url:
        file = place.write(text.replace("[objectives]", breaker + "[objectives]"))
        run = place.finish("--profile", file, "--target", url, "--headless", "--full")
    assert run.wait() == 0, run.err.text()
    search = place.summary()["search"]
    found = [(step["level"], step["holds"]) for step in search["steps"]]
    expected = [(1, True), (2, True), (4, False), (3, True)]
    if judged(search):
        assert found == expected
        assert (search["capacity"], search["stopped"]) == (3, "found")
    else:
        assert found[:-1] == expected[: len(found) - 1]


def test_the_shipped_profile_in_short(place: Place) -> None:
    short = {"from": 2, "to": 4, "settle": "500ms", "measure": "1s", "max_measure": "1s"}
    options = [word for key, value in short.items() for word in ("--set", f"search.{key}={value}")]
    with AgentProcess({"preset": "quiet"}) as agent:
        run = place.finish("--profile", SHIPPED, "--target", agent.url, "--headless", "--full", *options)
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    if judged(summary["search"]):
        assert (summary["search"]["capacity"], summary["search"]["stopped"]) == (4, "at_max")
