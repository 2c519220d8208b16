"""Tests of agenttop.controller.scraped: a run that is scraped while it goes; its last figures are the summary's."""

from __future__ import annotations

import socket
from urllib.request import urlopen

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import PATIENCE_S, Place, until
from tests.e2e.test_output import PROFILE
from tests.export.test_prometheus import read


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def scraped(port: int) -> str:
    """What is served; empty where nothing is."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE_S) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


def test_the_last_scrape_has_the_sums_of_the_summary(place: Place, agent: AgentProcess) -> None:
    port = free_port()
    profile = place.write(PROFILE)
    with place.start(
        "--profile", profile, "--target", agent.url, "--for", "3s", "--headless", "--prometheus", port
    ) as run:
        until(lambda: "agenttop_requests_total" in scraped(port), "the first figures")
        assert run.wait() == 0
        # It is over for everybody but who scraped it: once more, and the controller goes.
        last = read(scraped(port))
        place.gone()
    totals = place.summary()["totals"]
    counted: dict[str, int] = {}
    for labels, value in last["agenttop_requests_total"]:
        counted[labels["outcome"]] = counted.get(labels["outcome"], 0) + int(value)
    assert {name: count for name, count in counted.items() if count} == totals["outcomes"]
    assert sum(value for _, value in last["agenttop_request_duration_seconds_count"]) == totals["latency_ms"]["count"]


def test_a_port_that_is_taken_is_told_before_anything_is_sent(place: Place, agent: AgentProcess) -> None:
    profile = place.write(PROFILE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = place.finish("--profile", profile, "--target", agent.url, "--headless", "--prometheus", port)
    assert run.wait() == 2
    assert run.err.lines == [f"agenttop: --prometheus 127.0.0.1:{port}: Address already in use"]
    assert agent.stats()["requests"] == {}
