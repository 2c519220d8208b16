"""Made-up runs to compare: summaries with the keys a comparison reads, their blocks made by the program's own code.

    idle(seed)                  so many requests a second, each its own server
    queue(seed)                 a closed pool past its knee: users wait in one line, so that neighbours are alike
    graded(seed)                a golden set, each case with a chance of its own to pass

Equal arguments give equal runs. With HYPOTHESIS=search as many as :func:`trials` says are tried; with ``-rP`` pytest
prints what came of them.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agenttop.metrics.blocks import Blocks
from agenttop.metrics.counts import Counts
from agenttop.metrics.histogram import Hist, fold

Floats = NDArray[np.float64]
SEARCH = os.environ.get("HYPOTHESIS") == "search"


def trials(gate: int) -> int:
    """So many seeded trials in the gate; a hundred where they are searched."""
    return 100 if SEARCH else gate


def share(verdicts: Sequence[object], wanted: Callable[[Any], bool]) -> float:
    """The share of trials that came out so."""
    count = sum(map(wanted, verdicts))
    print(f"{count} of {len(verdicts)} trials")
    return count / len(verdicts)


def summary_of(
    ended_s: Floats,
    latency_ms: Floats,
    *,
    seconds: float,
    limited: Floats | None = None,
    profile: dict[str, Any] | None = None,
    stages: list[dict[str, Any]] | None = None,
    run_id: str = "20260105-120000-peak-0001",
    users: int = 40,
    tokens: NDArray[np.int64] | None = None,
    ttft_ms: Floats | None = None,
) -> dict[str, Any]:
    """The summary of requests that ended at these times; ``limited`` is when others were refused."""
    blocks, refused = Blocks(1), limited if limited is not None else np.zeros(0)
    whole, first = Hist(), Hist()
    for second in range(int(max(ended_s.max(initial=0), refused.max(initial=0))) + 1):
        at = (ended_s >= second) & (ended_s < second + 1)
        no = int(((refused >= second) & (refused < second + 1)).sum())
        ok = int(at.sum())
        sums = {"attempts": ok + no}
        if tokens is not None:
            sums |= {"token_requests": ok, "output_told": ok, "output_tokens": int(tokens[at].sum())}
        hists = {"latency": fold((latency_ms[at] * 1e6).astype(np.int64))} if ok else {}
        if ttft_ms is not None and ok:
            hists["ttft"] = fold((ttft_ms[at] * 1e6).astype(np.int64))
            first.add(hists["ttft"])
        if ok:
            whole.add(hists["latency"])
        if ok or no:
            blocks.add(second, 0, Counts({"ok": ok, "rate_limited": no}, sums), hists)
    metrics = {
        "requests": ended_s.size + refused.size,
        "failed": refused.size,
        "rate_limited": refused.size,
        "latency_ms": whole.dist(),
        "ttft_ms": first.dist(),
        "cost_usd": None,
        "goodput": None,
        "blocks": blocks.summary([0], seconds),
    }
    hold = {"index": 0, "name": "hold", "start_s": 0.0, "end_s": seconds, "pool": None}
    return {
        "run": {"id": run_id, "target": "http://127.0.0.1:1", "warmup_s": 0.0, "measured_s": seconds,
                "users_max": users, "exit_code": 0},
        "profile": profile or {"stages": [{"users": users, "duration": seconds}]},
        "generator": {"saturated": False},
        "totals": metrics,
        "pools": {"chat": metrics},
        "requests": {"chat/ask": metrics},
        "stages": stages or [hold | {"target_start": users, "target_end": users}],
        "quality": None,
        "search": None,
    }  # fmt: skip


def idle(seed: int, *, slower: float = 1.0, requests: int = 2_000, seconds: float = 60.0, drift: float = 0.0) -> Any:
    """A target with room to spare, ``slower`` times as slow; ``drift`` slows it by so much until the end."""
    random = np.random.default_rng(seed)
    sent = np.sort(random.uniform(0, seconds * 0.99, requests))
    latency = random.lognormal(np.log(300 * slower), 0.4, requests) * (1 + drift * sent / seconds)
    return summary_of(sent + latency / 1000, latency, seconds=seconds, tokens=random.poisson(120, requests))


def queue(seed: int, *, users: int = 60, slots: int = 8, seconds: float = 400.0, slower: float = 1.0) -> Any:
    """A closed pool of users before a few servers whose speed wanders as a busy host's does: past its knee."""
    random = np.random.default_rng(seed)
    # Speed: an Ornstein-Uhlenbeck process of 4 s, as caches, batches and neighbours make it.
    steps = random.normal(0, 1, int(seconds * 2) + 200)
    pace = np.zeros(steps.size)
    for at in range(1, steps.size):
        pace[at] = 0.88 * pace[at - 1] + 0.1 * steps[at]
    free = [0.0] * slots
    service = random.lognormal(np.log(0.35 * slower), 0.6, int(seconds * slots * 6))
    waiting = [(float(random.uniform(0, 2)), user) for user in range(users)]
    heapq.heapify(waiting)
    ended, latency, first = [], [], []
    for one in service:
        sent, user = heapq.heappop(waiting)
        if sent >= seconds:
            break
        start = max(sent, heapq.heappop(free))
        taken = one * float(np.exp(pace[min(int(start * 2), pace.size - 1)]))
        end = start + taken
        heapq.heappush(free, end)
        heapq.heappush(waiting, (end + 0.05, user))
        ended.append(end)
        latency.append((end - sent) * 1000)
        first.append((start - sent + 0.2 * taken) * 1000)
    return summary_of(np.array(ended), np.array(latency), seconds=seconds, users=users, ttft_ms=np.array(first) + 1.0)


def graded(
    seed: int, *, cases: int = 200, repeats: int = 5, wrong: float = 0.03, drop: float = 0.0, set_seed: int = 1
) -> dict[str, dict[str, Any]]:
    """A golden set: four of five cases are answered right, the others each with a chance of their own; ``wrong`` is
    plain randomness on top, and ``drop`` points of the whole score are really lost.
    """
    made = np.random.default_rng(set_seed)
    chances = np.where(made.random(cases) < 0.8, 1.0, made.beta(2, 1, cases)) * (1 - wrong)
    passed = np.random.default_rng(seed).binomial(repeats, chances * (1 - drop / chances.mean()))
    tags = ("hours", "orders", "refunds", "tools")
    return {
        f"case-{at}": {"score": int(passed[at]) / repeats, "runs": repeats, "reasons": [], "tags": [tags[at % 4]]}
        for at in range(cases)
    }


def with_scores(summary: Any, by_case: Any) -> Any:
    """A run with a graded golden set."""
    score = sum(row["score"] for row in by_case.values()) / len(by_case)
    return summary | {"quality": {"score": score, "by_case": by_case}}
