"""The shipped profiles of protocols that the embedded agent does not speak, against streams that real servers sent."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from agenttop.report.summary import check_summary
from tests.e2e.harness import ROOT, Place
from tests.e2e.targets import Behaviour, answer, target

RECORDED = Path(ROOT) / "tests" / "dialects" / "recorded"

#: By profile: what opens a session and its answer, then what streams, and the recording it answers with.
TARGETS = {
    "langgraph": (r"POST /threads ", {"thread_id": "t-1"}, r"POST /threads/t-1/runs/stream ", "langgraph_text.sse"),
    "adk": (r"POST /apps/helper/users/user-\d+/sessions ", {"id": "s-1"}, r"POST /run_sse ", "adk_text.sse"),
    "a2a": (None, {}, r"POST / ", "a2a_v1_text.sse"),
}


def replaying(name: str, asked: list[bytes]) -> Behaviour:
    """A server of one protocol; ``asked`` gets every request that streams."""
    opening, opened, streaming, recording = TARGETS[name]
    stream = answer((RECORDED / recording).read_bytes(), kind="text/event-stream")

    def behave(connection: socket.socket, request: bytes) -> None:
        line = request.split(b"\r\n")[0].decode()
        if opening is not None and re.match(opening, line):
            connection.sendall(answer(json.dumps(opened).encode()))
        elif re.match(streaming, line):
            asked.append(request)
            connection.sendall(stream)
        else:
            connection.sendall(answer(line.encode(), "404 Not Found"))

    return behave


@pytest.mark.parametrize("name", TARGETS)
def test_the_shipped_profile_runs(place: Place, name: str) -> None:
    asked: list[bytes] = []
    with target(replaying(name, asked)) as url:
        options = ["--users", "3", "--for", "2s", "--set", "warmup=0s", "--set", "pools.0.think_time=50ms"]
        run = place.finish("--profile", ROOT / "profiles" / f"{name}.toml", "--headless", "--target", url, *options)
        assert run.wait() == 0, run.err.text()
    summary = place.summary()
    check_summary(summary)
    totals = summary["totals"]
    assert totals["failed"] == 0
    assert totals["ttft_ms"]["count"] == totals["iterations"] == len(asked) > 0
    assert all(check["failed"] == 0 and check["passed"] > 0 for check in summary["checks"].values())
    body = json.loads(asked[0].partition(b"\r\n\r\n")[2])
    assert "business hours" in json.dumps(body)
