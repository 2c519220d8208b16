"""Targets that cannot be reached, speak nonsense, flood or hang: counted for what they are, and nothing breaks."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from agenttop.agent.process import AgentProcess
from tests.e2e import targets
from tests.e2e.harness import Place
from tests.e2e.targets import Behaviour, answer, says, target

SIZE = 300 << 20

#: What a target does, whether its answer is read as JSON, and what a request to it comes to.
BAD: dict[str, tuple[Behaviour, str, str]] = {
    "closes": (targets.closes, "json", "protocol_error"),
    "speaks": (says(b"SSH-2.0-OpenSSH_9.6\r\n", close=True), "json", "protocol_error"),
    "headers": (targets.endless_headers, "json", "protocol_error"),
    "sizes": (
        says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nhello\r\n", close=True),
        "json",
        "protocol_error",
    ),
    "lengths": (
        says(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", close=True),
        "json",
        "protocol_error",
    ),
    "short": (says(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello", close=True), "json", "truncated"),
    "utf8": (says(answer(b'{"session_id": "\xff\xfe\xfa"}')), "json", "check_failed"),
    "notjson": (says(answer(b"<html>nope</html>")), "json", "check_failed"),
    "deep": (says(answer(b"[" * 100_000)), "json", "check_failed"),
}

POOL = """
[[pools]]
name = "{name}"
target = "{url}"
think_time = "200ms"
  [[pools.tasks]]
  name = "ask"
  post = "/ask"
  json = {{ content = "hours?" }}
  checks = {{ "has an id" = "$.session_id" }}
"""
HEAD = 'target = "{url}"\nusers = {users}\nduration = "{duration}"\ntimeout = "30s"\ngraceful_stop = "20s"\n'
TASK = """
[[pools]]
name = "chat"
  [[pools.tasks]]
  name = "ask"
  get = "/"
"""


def one(place: Place, url: str, *, users: int = 1, duration: str = "1s", more: str = "", think: str = "") -> Path:
    """A profile of one request."""
    text = HEAD.format(url=url, users=users, duration=duration) + more + TASK
    return place.write(text.replace('name = "chat"', f'name = "chat"\nthink_time = "{think}"') if think else text)


def test_every_kind_of_nonsense_at_once(place: Place, agent: AgentProcess) -> None:
    with contextlib.ExitStack() as stack:
        pools = ""
        for name, (behave, _, _) in BAD.items():
            pools += POOL.format(name=name, url=stack.enter_context(target(behave)))
        pools += POOL.format(name="good", url=agent.url).replace('"/ask"', '"/api/sessions"')
        profile = place.write(HEAD.format(url=agent.url, users=2 * len(BAD) + 2, duration="2s") + pools)
        run = place.finish("--profile", profile, "--headless")
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    found = {name: {k for k, n in pool["outcomes"].items() if n} for name, pool in summary["pools"].items()}
    assert found == {name: {outcome} for name, (_, _, outcome) in BAD.items()} | {"good": {"ok"}}
    assert all(pool["requests"] >= 2 for pool in summary["pools"].values())
    assert all(pool["errors"] for name, pool in summary["pools"].items() if name != "good")
    # It was told while the run went on, and in words that are fit for a terminal.
    assert any("malformed answer" in line for line in run.out.lines)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for line in run.out.lines for c in line)


def test_a_flood_costs_no_memory(place: Place) -> None:
    with target(targets.huge_body(SIZE)) as url:
        run = place.finish("--profile", one(place, url), "--headless", "--for", "1s")
    assert run.wait() == 0, run.err.text()
    summary = place.summary()
    assert summary["totals"]["bytes_received"] >= SIZE
    assert summary["totals"]["ok"] >= 1
    assert summary["generator"]["max_rss_mb"] < 200


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:{port}", "refused"),
        ("http://nowhere.invalid", "nowhere.invalid"),
        ("https://127.0.0.1:{plain}", "TLS"),
    ],
)
def test_a_target_that_cannot_be_reached(place: Place, url: str, words: str) -> None:
    with target(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", close=True)) as plain:
        where = url.format(port=free_port(), plain=plain.rpartition(":")[2])
        run = place.finish("--profile", one(place, where), "--headless")
    assert run.wait() == 1
    (line,) = run.err.lines
    assert line.startswith("agenttop: cannot connect to ")
    assert words in line
    summary = place.summary()
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("target_unreachable", 1)
    assert summary["totals"]["requests"] == 0
    place.gone()


def test_a_target_that_hangs_and_recovers(place: Place) -> None:
    hanging = targets.Hanging()
    with target(hanging) as url:
        profile = one(place, url, users=4, duration="10m", think="20ms")
        with place.start("--profile", profile, "--headless") as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["requests"] > 10)
            hanging.answering.clear()
            hung = viewer.wait(lambda s: s["in_flight"] == 4 and s["tick"]["rps"] == 0)
            older = viewer.wait(lambda s: s["oldest_s"] > hung["oldest_s"] + 1.5)
            assert older["requests"] == hung["requests"]
            told = viewer.wait(lambda s: any("no answer for" in e["text"] for e in s["events"]))
            assert told["tick"]["rps"] == 0
            hanging.answering.set()
            back = viewer.wait(lambda s: any("answers again" in e["text"] for e in s["events"]))
            assert back["requests"] > older["requests"]
            viewer.command("stop")
            assert run.wait() == 130
        summary = place.summary()
    assert summary["totals"]["failed"] == 0
    assert summary["totals"]["latency_ms"]["max"] > 1500
    assert any("no answer for" in line for line in run.out.lines)
