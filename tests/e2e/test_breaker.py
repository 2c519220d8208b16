"""A target that falls over ends the run."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from agenttop.report.summary import check_summary
from tests.e2e.harness import Place
from tests.e2e.targets import answer, target

PROFILE = """
target = "{url}"
users = 4
duration = "10m"
warmup = "{warmup}"
[circuit_breaker]
failed = "50%"
over = "2s"
min_requests = 10
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "message"
  get = "/"
"""


class Falling:
    """Answers until it is told to fall over."""

    def __init__(self, failure: bytes) -> None:
        self.failure = failure
        self.fallen = threading.Event()

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        connection.sendall(self.failure if self.fallen.is_set() else answer(b"{}"))


def profile(place: Place, url: str, warmup: str = "0s") -> Path:
    return place.write(PROFILE.format(url=url, warmup=warmup))


def test_a_target_that_falls_over_ends_the_run(place: Place) -> None:
    server = Falling(answer(b"out of memory", "500 Internal Server Error"))
    with target(server) as url, place.start("--profile", profile(place, url), "--headless") as run:
        viewer = run.viewer()
        seen = viewer.wait(lambda s: s["t_s"] >= 3 and s["requests"] > 20)
        assert seen["breaker"] == {
            "share": 0.0,
            "limit": 0.5,
            "requests": seen["breaker"]["requests"],
            "over_s": 2.0,
            "open": False,
        }
        server.fallen.set()
        last = viewer.wait(lambda s: s["breaker"]["open"])
        assert last["breaker"]["share"] >= 0.5
        assert viewer.drain()["stop_reason"] == "circuit_breaker"
        assert run.wait() == 99
    summary = place.summary()
    check_summary(summary)
    assert (summary["run"]["stop_reason"], summary["run"]["exit_code"]) == ("circuit_breaker", 99)
    assert "most of them server_error (the limit is 50%)" in summary["run"]["message"]
    assert "agenttop: the circuit breaker ended the run: " in run.err.text()
    assert "! the circuit breaker ended the run: " in run.out.text()
    assert "STOPPED by the circuit breaker" in run.out.text()
    place.gone()


def test_a_target_that_refuses_works_and_one_that_fails_in_the_warm_up_does_not(place: Place) -> None:
    limited = answer(b"slow down", "429 Too Many Requests")
    server = Falling(limited)
    server.fallen.set()
    with target(server) as url:
        file = profile(place, url, warmup="5m")
        with place.start("--profile", file, "--headless") as run:
            viewer = run.viewer()
            seen = viewer.wait(lambda s: s["t_s"] >= 4 and s["rate_limited"] > 20)
            assert (seen["breaker"]["share"], seen["breaker"]["open"]) == (0.0, False)
            server.failure = answer(b"gone", "503 Service Unavailable")
            assert run.wait() == 99
    assert place.summary()["run"]["stop_reason"] == "circuit_breaker"
