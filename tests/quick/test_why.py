"""Tests of agenttop.quick.why, agenttop.quick.words."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.quick.bound import Bound, Plan
from agenttop.quick.exchange import Answer, Ask
from agenttop.quick.finding import Found
from agenttop.quick.look import OneUser
from agenttop.quick.why import why
from agenttop.quick.words import Asked, render


def step(level: int, rps: float, p95_ms: float, *, holds: bool = True, **more: Any) -> dict[str, Any]:
    """A level of a search."""
    found = {"level": level, "rps": rps, "latency_p95_ms": p95_ms, "holds": holds, "requests": 20, "rate_limited": 0}
    return found | {"verdict": "pass" if holds else "fail", "missed": {} if holds else {"latency": 9}} | more


def summary(*steps: dict[str, Any], errors: Any = (), quotas: Any = ()) -> dict[str, Any]:
    """What is read of one."""
    return {"search": {"steps": list(steps)}, "totals": {"errors": list(errors)}, "quotas": list(quotas)}


LIMITED: dict[str, Any] = {"missed": {"rate_limited": 9}, "rate_limited": 9, "holds": False}
TOKENS = {"name": "tokens", "limit": 90_000, "lowest_remaining": 0}
SAYS = {"outcome": "rate_limited", "message": "Limit reached on requests per min (RPM)"}


@pytest.mark.parametrize(
    ("told", "pacing_s", "words"),
    [
        (summary(step(1, 5, 200), step(2, 5, 400), step(4, 5, 800, holds=False)), 0.0, "queue of one"),
        (summary(step(1, 1.4, 200), step(3, 4.2, 500), step(4, 4.5, 870, holds=False)), 0.7, "queue of one"),
        (summary(step(1, 5, 200), step(8, 20, 400), step(16, 20, 800, holds=False)), 0.0, "about 4 are served at a"),
        (summary(step(1, 5, 200), step(4, 18, 300), step(8, 32, 800, holds=False)), 0.0, "it becomes slower"),
        (summary(step(1, 5, 200, holds=False)), 0.0, "one user waits too long already"),
        (summary(step(1, 5, 200), step(2, 9, 200, **LIMITED), quotas=[TOKENS]), 0.0, "by tokens a minute (tokens"),
        (summary(step(1, 5, 200), step(2, 9, 200, **LIMITED), errors=[SAYS]), 0.0, "by requests a minute: it says"),
        (
            summary(
                step(1, 5, 200),
                step(2, 9, 200, holds=False, missed={"server_error": 9}),
                errors=[{"outcome": "server_error", "message": "out of memory"}],
            ),
            0.0,
            "45.0% fail (server error): out of memory",
        ),
        (summary(step(1, 5, 200), step(2, 9, 0, holds=False, missed={"unanswered": 9})), 0.0, "it hangs"),
    ],
)  # fmt: skip
def test_why_it_stops(told: dict[str, Any], pacing_s: float, words: str) -> None:
    found = why(told, 0.2, pacing_s)
    assert found is not None
    assert words in found.text
    assert found.next


def test_nothing_is_told_of_what_holds_or_was_cut() -> None:
    assert why(summary(step(1, 5, 200), step(2, 9, 900, holds=False, verdict="cut")), 0.2) is None


def test_the_bound_in_words() -> None:
    assert Bound(1).words == "at most 1 000 requests, 200 000 tokens and 1 user at a time, about 1m00s"


def test_the_knee_is_that_of_the_verdict() -> None:
    one = OneUser(1, "", 0.2, None, burst=False, input_tokens=None, output_tokens=None, body_bytes=9)
    found = Found(Ask("http://h/x", "{}"), "openai.chat", "m", Answer())
    asked = Asked("http://h/x", Bound(), found, one, Plan(2.0, 0.0, 10, 10, Bound()), "agenttop hit http://h/x")
    told = summary() | {"run": {"id": "r", "verdict": {"bound": "throughput stops growing at ~12 users"}}}
    told["search"] |= {"capacity": None, "stopped": "time", "unit": "users"}
    told["totals"] |= {"ok": 9, "requests": 9}
    assert "  knee    throughput stops growing at ~12 users\n" in render(asked, told, color=False, width=80)
    told["run"]["verdict"] = None  # of a run of an older version
    assert "knee" not in render(asked, told, color=False, width=80)
