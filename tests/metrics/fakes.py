"""A made-up run: deltas as workers would send them, from a seeded model of an agent under load.

    run = FakeRun(seconds=60)
    aggregate = run.aggregate()                    # all of it folded
    for second in range(1, run.seconds + 1):       # or step by step
        deltas, now = run.deltas(second), run.situation(second)

Three pools: ``chat`` (SSE, closed, streams tokens and reports phases), ``tools`` (plain HTTP, closed) and ``voice``
(WebSocket, open). Users ramp up, hold and go; a storm of 429s falls on ``chat``, and ``saturated`` names seconds in
which worker 1 is out of breath. Equal arguments give equal deltas.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import WARMUP, Delta, ErrorDelta, Health, HistDelta, LeafDelta, PoolDelta, PoolState
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.snapshot import Event, RunInfo, StageInfo

POOLS = (
    PoolInfo("chat", "sse", "openai.chat", open=False),
    PoolInfo("tools", "http", "json", open=False),
    PoolInfo("voice", "ws", "openai.realtime", open=True),
)
REQUESTS = (
    RequestInfo(0, "simple"),
    RequestInfo(0, "multi_turn"),
    RequestInfo(0, "POST /api/sessions"),
    RequestInfo(1, "search"),
    RequestInfo(1, "book"),
    RequestInfo(2, "response.create"),
)
#: Median latency (ms) and share of the pool's requests, by request.
_MODEL = ((2100.0, 0.6), (3300.0, 0.3), (40.0, 0.1), (95.0, 0.7), (160.0, 0.3), (880.0, 1.0))
_ERRORS = {
    "server_error": "500 Internal Server Error: upstream \x1b[31mconnection reset\x1b[0m",
    "timeout": "no answer within 60s",
    "check_failed": "has content: $.content is empty",
    "rate_limited": "429 Too Many Requests: slow down",
}
TICKS = 4
_DELTAS = msgspec.msgpack.Decoder(list[Delta])


def layout_of(seconds: int, warmup_s: float, peak: int) -> Layout:
    """Ramp for a fifth, hold for three, drain for one."""
    edges = (0.0, seconds * 0.2, seconds * 0.8, float(seconds))
    stages = tuple(
        StageInfo(i, name, edges[i], edges[i + 1], float(start), float(end), "users")
        for i, (name, start, end) in enumerate((("ramp", 0, peak), ("hold", peak, peak), ("drain", peak, 0)))
    )
    return Layout(POOLS, REQUESTS, stages, warmup_s)


@dataclass
class FakeRun:
    """One run; ``storm`` and ``saturated`` are (first, last) seconds, None for neither."""

    seconds: int = 60
    workers: int = 2
    seed: int = 7
    peak: int = 60
    warmup_s: float = 0.0
    storm: tuple[int, int] | None = (30, 36)
    saturated: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.layout = layout_of(self.seconds, self.warmup_s, self.peak)

    def info(self) -> RunInfo:
        """What a viewer is told first."""
        return RunInfo(
            run_id="20260105-120000-peak",
            name="peak",
            profile="peak.toml",
            target="http://127.0.0.1:8000",
            started_at="2026-01-05T12:00:00Z",
            duration_s=float(self.seconds),
            warmup_s=self.warmup_s,
            stages=self.layout.stages,
            pools=tuple(pool.name for pool in POOLS),
            seed=self.seed,
            workers=self.workers,
            directory="runs/20260105-120000-peak",
        )

    def stage(self, t_s: float) -> int:
        """The stage at a time; -1 after the last."""
        return next((s.index for s in self.layout.stages if s.start_s <= t_s < s.end_s), -1)

    def users(self, t_s: float) -> int:
        """What the plan wants."""
        stage = self.stage(t_s)
        if stage < 0:
            return 0
        info = self.layout.stages[stage]
        done = (t_s - info.start_s) / (info.end_s - info.start_s)
        return round(info.target_start + (info.target_end - info.target_start) * done)

    def deltas(self, second: int) -> list[Delta]:
        """What all workers say during the second that ends at ``second`` (from 1), four times each."""
        return _DELTAS.decode(_second(astuple(self), second))

    def situation(self, second: int) -> RunState:
        """The controller's view at the end of that second."""
        users = self.users(second)
        events = (Event(30.0, "warn", "429 rate passed 2% on chat"),) if self.in_storm(second) else ()
        done = second >= self.seconds
        wanted = [PoolTarget(n, n) for n in (users - users // 3, users // 3, 8)]
        return RunState(
            t_s=float(second),
            plan_t_s=float(second),
            state="done" if done else "running",
            warmup=second <= self.warmup_s,
            stage=self.stage(second - 0.5),
            target_users=users,
            planned_users=users,
            rate=8.0,
            pools=tuple(wanted),
            events=events,
            workers=self.workers,
            alive=self.workers,
        )

    def aggregate(self) -> Aggregate:
        """The whole run folded."""
        aggregate = Aggregate(self.layout)
        for second in range(1, self.seconds + 1):
            for delta in self.deltas(second):
                aggregate.fold(delta)
            aggregate.second(self.situation(second))
        return aggregate

    def in_storm(self, second: int) -> bool:
        """429s are falling."""
        return self.storm is not None and self.storm[0] <= second <= self.storm[1]

    def _delta(self, second: int, tick: int, worker: int) -> Delta:
        rng = np.random.default_rng((self.seed, second, tick, worker))
        t_s = second - 1 + (tick + 1) / TICKS
        stage = WARMUP if t_s <= self.warmup_s else self.stage(t_s - 0.5 / TICKS)
        share = self.users(second - 0.5) / self.workers
        rates = (0.5 * share * 0.67, 6.0 * share * 0.33, 8.0 / self.workers)  # requests per second by pool
        leaves, errors = [], []
        for request, (median, part) in enumerate(_MODEL):
            count = int(rng.poisson(rates[REQUESTS[request].pool] * part / TICKS))
            if count:
                leaf = self._leaf(rng, request, stage, count, median, self.in_storm(second))
                leaves.append(leaf)
                errors += [
                    ErrorDelta(request, stage, outcome, _ERRORS[outcome], n, t_s - 0.2, t_s)
                    for outcome, n in leaf.outcomes.items()
                    if outcome in _ERRORS
                ]
        ok = sum(leaf.outcomes.get("ok", 0) for leaf in leaves)
        failed = sum(leaf.outcomes.get("check_failed", 0) for leaf in leaves)
        users = (int(share * 0.67), int(share * 0.33), 4)
        return Delta(
            worker=worker,
            seq=(second - 1) * TICKS + tick,
            t_s=t_s,
            leaves=leaves,
            pools=[PoolDelta(p, stage, int(p == 0), 2 + p, int(p == 2 and self.in_storm(second))) for p in range(3)],
            errors=errors,
            checks={"has content": (ok, failed), "under 20s": (ok, 0)} if ok else {},
            states=[PoolState(pool, n, min(n, 1 + n // 2)) for pool, n in enumerate(users)],
            oldest_s=round(float(rng.uniform(0.5, 4)), 2) if leaves else 0.0,
            health=self._health(rng, second, worker),
        )

    def _leaf(
        self, rng: np.random.Generator, request: int, stage: int, count: int, median: float, storm: bool
    ) -> LeafDelta:
        pool = REQUESTS[request].pool
        limited = int(rng.binomial(count, 0.4)) if storm and pool == 0 else 0
        fates = ["ok", "server_error", "timeout", "check_failed"]
        fate = rng.choice(fates, count - limited, p=[0.985, 0.007, 0.004, 0.004])
        outcomes = {str(name): int(n) for name, n in zip(*np.unique(fate, return_counts=True), strict=True)}
        ok = outcomes.get("ok", 0)
        hists: dict[str, HistDelta] = {}
        sums = {"attempts": count, "bytes_sent": 420 * count, "bytes_received": 1800 * count}
        sums |= {"connections_reused": count - 1, "connections_opened": 1} if count > 1 else {"connections_opened": 1}
        status = {200: ok + outcomes.get("check_failed", 0), 500: outcomes.get("server_error", 0), 429: limited}
        if limited:
            outcomes["rate_limited"] = limited
            hists["retry_after"] = _ms(np.full(limited, 2000.0))
        if count > ok:
            hists["time_to_failure"] = _ms(rng.lognormal(3, 1, count - ok))
        hists["connect"] = _ms(rng.lognormal(0.5, 0.3, 1))
        if ok:
            latency = rng.lognormal(np.log(median), 0.45, ok)
            hists |= {"latency": _ms(latency), "ttfb": _ms(latency * 0.04 + 2)}
            if pool == 2:
                lag = rng.lognormal(-1, 0.5, ok)
                hists |= {"schedule_lag": _ms(lag), "response_time": _ms(latency + lag)}
            else:
                hists["response_time"] = hists["latency"]
            if pool != 1:
                tokens = rng.integers(20, 90, ok)
                hists |= {"ttft": _ms(latency * 0.09), "ttfo": _ms(latency * 0.1), "tpot": _ms(latency * 0.9 / tokens)}
                hists["inter_chunk"] = _ms(rng.lognormal(3, 0.4, int(tokens.sum())))
                sums |= {"output_tokens": int(tokens.sum()), "input_tokens": 180 * ok, "token_requests": ok}
                sums |= {"input_told": ok, "output_told": ok}
            if pool == 0:
                for name, part in (("context_load", 0.08), ("llm_call", 0.7), ("tool_execution", 0.15)):
                    hists[f"phase.{name}"] = _ms(latency * part)
                hists["unattributed"] = _ms(latency * 0.07)
                sums |= {"llm_calls": 2 * ok, "llm_requests": ok, "tool_calls": ok, "tool_requests": ok}
        return LeafDelta(request, stage, outcomes, {code: n for code, n in status.items() if n}, hists, sums)

    def _health(self, rng: np.random.Generator, second: int, worker: int) -> Health:
        bad = self.saturated is not None and worker == 1 and self.saturated[0] <= second <= self.saturated[1]
        lag = _ms(rng.lognormal(1.5 if bad else -1.5, 0.6, 25))
        return Health(lag, 92.0 if bad else float(rng.uniform(8, 22)), 61.5, 40 + worker)


@lru_cache(maxsize=1000)
def _second(fields: tuple[Any, ...], second: int) -> bytes:
    """What ``FakeRun(*fields)`` says during a second, encoded: many tests ask for the same, each has its own copy."""
    run = FakeRun(*fields)
    return msgspec.msgpack.encode(
        [run._delta(second, tick, worker) for tick in range(TICKS) for worker in range(run.workers)]
    )


def _ms(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> HistDelta:
    return fold((values * 1_000_000).astype(np.int64))
