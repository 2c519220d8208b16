"""The sentences."""

from __future__ import annotations

import pytest

from agenttop.metrics.assessment import Estimate, Knee, Scaling
from agenttop.metrics.snapshot import QuotaGauge
from agenttop.verdict import words
from agenttop.verdict.grown import Growth
from agenttop.verdict.window import Sums

LLM = Growth("llm_call", 500.0, 3300.0, 1.0, 0.5)
QUEUE = Growth("queue", 3.0, 1200.0, 1.0, 0.5)
TOTAL, TOKEN = Growth("p95", 1240.0, 6324.0), Growth("first token p95", 300.0, 900.0)


def estimate(value: float, spread: float = 0.2) -> Estimate:
    return Estimate(value, value * (1 - spread), value * (1 + spread))


def knee(unit: str = "users", *, refused: float = 0.0, served: float = 4.0, falls: bool = False) -> Knee:
    scaling = Scaling(estimate(0.05), estimate(0.0021), falls, 20.0)
    return Knee(
        unit, estimate(12.2), estimate(7.93), estimate(served), estimate(0.5), estimate(1.0), 40.0, refused, scaling
    )


def test_a_queue() -> None:
    text = words.queues(TOTAL, "40 users", 7.9, knee(), [LLM], "")
    assert text == "p95 6.32s ×5.1 · flat at 7.93/s since ~12 users · llm_call ×6.6"
    text = words.queues(None, "40 users", 7.9, None, [], "chat/tools")
    assert text == "flat at 7.90/s since 40 users · mostly chat/tools"


def test_slowness() -> None:
    text = words.slows(TOTAL, TOKEN, "3 users", "12 users", [QUEUE], "")
    assert text == (
        "p95 6.32s ×5.1 of 3 users · first token p95 900ms ×3.0 of 3 users · since 12 users · queue 3.00ms → 1.20s"
    )
    assert words.slows(TOTAL, Growth("first token p95", 300.0, 310.0), "3 users", "12 users", [], "") == (
        "p95 6.32s ×5.1 of 3 users · since 12 users"
    )


def test_refusals_failures_and_silence() -> None:
    gauge = QuotaGauge("chat", "tokens", 90_000, 12, 0.5, 4.0)
    assert words.refuses(0.223, "45 users", "chat/simple", [gauge]) == (
        "22.3% refused (429) since 45 users · tokens: 12 of 90 000 left · mostly chat/simple"
    )
    assert words.fails(0.5, "server_error", "9 users", "") == "50.0% fail (server error) since 9 users"
    assert words.hangs(8.2, 1300, 9.4) == "no answer for 8s, 1 300 in flight, the oldest 9s old"


def test_limits_that_ran_out() -> None:
    left = [QuotaGauge("chat", name, limit, remaining, 0.0, None) for name, limit, remaining in (
        ("requests", 100, 2), ("tokens", 1000, 400), ("other", None, 0)
    )]  # fmt: skip
    past = QuotaGauge("chat", "old", 100, 0, 9.0, None, past=True)
    assert [gauge.name for gauge in words.run_out([*left, past])] == ["requests", "other"]


def test_the_knee() -> None:
    assert words.knee(knee()) == (
        "throughput stops growing at ~12 users (10–15): 7.93/s, about 4 requests are served at a time"
    )
    assert words.knee(knee(served=0.7), [QUEUE, LLM]).endswith(
        ", about 1 request is served at a time; calls wait for a free model slot: queue 3.00ms → 1.20s, llm_call ×6.6"
    )
    assert words.knee(knee(), [QUEUE]).endswith("requests wait in the agent's queue: queue 3.00ms → 1.20s")
    assert words.knee(knee(falls=True)).endswith("; beyond it falls (κ 0.0021)")
    assert words.knee(knee(refused=0.3), queued=False).endswith("7.93/s; more is refused (429)")
    assert words.knee(knee(refused=0.3)).endswith("are served at a time")
    whole = words.knee(knee(), [Growth("llm_call", 500.0, 3300.0, 1.0, 1.0)])
    assert whole.endswith("; calls wait for a free model slot: llm_call ×6.6, about 4 at a time")
    some = words.knee(knee(), [Growth("llm_call", 500.0, 3300.0, 1.0, 0.5)])
    assert some.endswith("llm_call ×6.6")  # how many of the others wait is not known
    assert "~12.2/s (9.76–14.6)" in words.knee(knee("rate"))
    assert words.holds(40.0, "users") == "holds at least 40 users"


def test_doing_well() -> None:
    assert words.keeps_up(620.0, "12 users", 7.2, alone=False) == "p95 620ms at 12 users, 7.20/s"
    assert words.recovers(640.0, "12 users", "QUEUES", 0.0) == (
        "as at first again for 1s: p95 640ms at 12 users (it was QUEUES)"
    )


@pytest.mark.parametrize(
    ("value", "unit", "said"), [(1.0, "users", "1 user"), (1200.0, "users", "1 200 users"), (7.94, "rate", "7.94/s")]
)
def test_a_load(value: float, unit: str, said: str) -> None:
    assert words.load(value, unit) == said


def test_why_nothing_can_be_said() -> None:
    assert words.few(Sums(ok=70), 0.0) == "the first seconds"
    assert words.few(Sums(ok=7), 3.0) == "too few answers yet: 7 of 20"
    assert words.few(Sums(), 12.4) == "no answer yet, the oldest request is 12s old"
