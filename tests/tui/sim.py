"""A made-up run: the same seed and scenario give the same snapshots, second by second. Nothing here reads a clock."""

from __future__ import annotations

import copy
import math
import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec

from agenttop.metrics.boxes import BoxRow
from agenttop.metrics.exhaustion import Reason
from agenttop.metrics.graded import QualityState
from agenttop.metrics.heat import BUCKETS, lower_ms
from agenttop.metrics.request_trends import RequestTick
from agenttop.metrics.saturation import LAGS
from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.metrics.snapshot import (
    BreakerState,
    BudgetLine,
    Cause,
    Event,
    Generator,
    ManualChange,
    Percentiles,
    PoolRow,
    QuotaGauge,
    RequestRow,
    RunInfo,
    Snapshot,
    StageInfo,
    StagePhases,
    Tick,
    Verdict,
)
from agenttop.metrics.trust import Times, grade
from agenttop.quality.brief import CaseBrief, Golden
from agenttop.quality.curve import Curve
from agenttop.quality.score import Part, Score
from agenttop.search.interval import wilson
from agenttop.tui.view import planned

#: Where each scenario is looked at, in seconds since the run began.
SCENARIOS = {
    "starting": 1,
    "warmup": 18,
    "ramp": 134,
    "storm": 300,
    "hang": 312,
    "manual": 260,
    "held": 240,
    "paused": 240,
    "saturated": 400,
    "late": 134,
    "done": 600,
    "errors": 330,
    "no_stream": 150,
    "long_names": 180,
    "many": 200,
    "open": 190,
    "thresholds": 150,
    "budget": 150,
    "breaker": 330,
    "circuit": 150,
    "search": 150,
    "search_rate": 150,
    "searched": 600,
    "fleet": 134,
    "graded": 300,
}
HANG_FROM = 300
#: Seconds that the live window is of.
SAMPLED_S = 10.0
VERDICTS = (
    Verdict("latency p95 < 15s", "pass", True, 3.121, "s"),
    Verdict("ttft{pool:chat, request:answer} p(99.9) < 800", "fail", False, 1240.5, "ms", excess=0.55),
    Verdict("error_rate < 5%", "pass", True, 1.904, "%"),
    Verdict("phase.memory p95 < 1s", "no data", False, None, "s", excess=1.0),
    Verdict("rate_limited rate < 1%", "fail", False, 1.71, "%", excess=0.71),
    Verdict("rps > 100", "pass", True, 231.4, "/s"),
)
BREAKERS = {
    "breaker": BreakerState(0.617, 0.5, 1840, 10.0, open=True),
    "circuit": BreakerState(0.121, 0.5, 2310, 10.0),
}


#: Levels of load at which answers were graded: name, users, and how many answers are wrong.
_LEVELS = (("warm", 20, 1), ("ramp 2/4", 80, 3), ("ramp 4/4", 170, 9), ("hold", 200, 18), ("drain", 40, 2))


def graded(levels: Sequence[tuple[str, int, int]] = _LEVELS) -> QualityState:
    """Answers that get worse with load: those that need a tool first."""
    cases = tuple(
        CaseBrief(f"order-{i:02}" if i % 3 else f"hours-{i:02}", ("orders", "tools") if i % 3 else ("hours",),
                  input="Where is my order 12345, and when does it come?" if i % 3 else "When are you open on Sunday?")
        for i in range(60)
    )  # fmt: skip
    curve = Curve(Golden(cases))
    curve.asked(len(levels) * 60 + 7)
    for number, (level, users, wrong) in enumerate(levels):
        for i, case in enumerate(cases):
            lost = i % 3 and i < 1.5 * wrong
            cause = "" if not lost else "refused" if i % 2 and wrong > 5 else "tool_not_called"
            curve.take(
                [
                    Score(
                        case.id, level, users, at_s=60.0 * number + i, value=0.0 if lost else 1.0, passed=not lost,
                        cause=cause, parts=(Part("tool-called", 0.0, "lookup_order was not called"),) if lost else (),
                        reason={"": "", "refused": "refused with 429"}.get(cause, "lookup_order was not called"),
                        excerpt="I believe your order has left our warehouse; it should be with you any day now."
                        if cause == "tool_not_called" else "",
                    )
                ]
            )  # fmt: skip
    curve.take([Score("order-01", *max(levels, key=lambda level: level[1])[:2])])
    return curve.state


GRADED = graded()
BUDGET = (
    BudgetLine("requests", 100_000, 41_204, 128),
    BudgetLine("tokens", 2_000_000, 1_671_300, 117_500),
    BudgetLine("cost_usd", 5.0, 4.83, 0.12),
)


def _searched(level: float, start_s: float, requests: int, good: int, verdict: str, **more: Any) -> SearchStep:
    low, high = wilson(good, requests, 0.95)
    share, holds = good / requests, verdict == "pass"
    figures = (requests, good, share, low, high, verdict, holds, 0.98)
    return SearchStep(level, start_s, start_s + 26.0, 15.0, *figures, latency_p95_ms=2140.0, rps=requests / 15, **more)


_STEPS = (
    _searched(8, 0, 190, 189, "pass"),
    _searched(16, 26, 360, 357, "pass"),
    _searched(32, 52, 700, 690, "pass"),
    _searched(64, 78, 900, 310, "fail", missed={"ttft": 540, "server_error": 50}),
    _searched(48, 104, 880, 790, "fail", missed={"ttft": 90}),
)
_SEARCH = SearchState(
    "users", None, 0.95, 0.95, 32.0, 32.0, 48.0, steps=_STEPS, now=_searched(40, 130, 340, 330, ""),
    limited_by="ttft", phase="measuring", phase_s=8.2, phase_of_s=15.0,
)  # fmt: skip
FLEET = (
    BoxRow("b1", "up", 3, 62, 20, 41.0, 31.0, 1.2, 612.0, 2210.0, 0.4, 0.2),
    BoxRow("b2", "lost", 0, 0, 0, 0.0, 0.0, None, None, None, 12.0, 0.9),
    BoxRow("b3", "off", 3, 0, 0, 0.0, 2.0, 0.3, None, None, 31.0, 6.4),
    BoxRow(
        "box-17.a-rather-long-name.internal",
        "silent",
        3,
        62,
        22,
        38.0,
        78.0,
        9.5,
        1900.0,
        4100.0,
        88.0,
        7.5,
    ),
)
SEARCHES = {
    "search": _SEARCH,
    "search_rate": msgspec.structs.replace(_SEARCH, unit="rate", pool="chat", now=None, phase=""),
    "searched": msgspec.structs.replace(_SEARCH, now=None, phase="", stopped="found"),
}


@dataclass(frozen=True)
class Shape:
    """One request of the made-up target: its share of the load and how long it takes (milliseconds)."""

    pool: str
    name: str
    protocol: str
    share: float
    p50: float
    ttft: float | None


CHAT = Shape("chat", "answer", "sse", 0.42, 2100, 180)
SHAPES = (
    CHAT,
    Shape("chat", "follow-up", "sse", 0.17, 1700, 165),
    Shape("tools", "search", "http", 0.24, 96, None),
    Shape("tools", "lookup", "http", 0.12, 74, None),
    Shape("voice", "talk", "ws", 0.05, 880, 240),
)
STAGES = (
    StageInfo(0, "warm", 0, 30, 0, 20, "users"),
    StageInfo(1, "ramp", 30, 210, 20, 200, "users"),
    StageInfo(2, "hold", 210, 540, 200, 200, "users", step=True),
    StageInfo(3, "drain", 540, 600, 200, 0, "users"),
)
OPEN_STAGES = (
    StageInfo(0, "warm", 0, 60, 10, 10, "rate", step=True),
    StageInfo(1, "climb", 60, 420, 10, 120, "rate"),
    StageInfo(2, "top", 420, 600, 120, 120, "rate", step=True),
)


class Sim:
    """Makes one snapshot after the other."""

    def __init__(self, scenario: str, seed: int = 7) -> None:
        self.scenario = scenario
        self.random = random.Random(f"{scenario}/{seed}")
        self.shapes = _shapes(scenario, self.random)
        self.stages = OPEN_STAGES if scenario == "open" else STAGES
        self.t_s = 0
        self.plan_t_s = 0.0
        self.held = self.paused = self.stopping = False
        self.by_hand: int | None = None
        self.requests = self.failed = self.limited = self.sent = self.received = self.tokens = 0
        self.events: deque[Event] = deque(maxlen=50)
        self.marks: list[ManualChange] = []
        self.causes: dict[str, list[int]] = {}
        self.drift = 0.0
        self.info = RunInfo(
            run_id="k3f9",
            name="peak",
            profile="a-profile-with-a-rather-long-name-for-a-line.toml" if scenario == "long_names" else "peak.toml",
            target="http://127.0.0.1:8080/v1/chat/completions",
            started_at="2025-01-01T12:00:00Z",
            duration_s=600,
            warmup_s=30,
            stages=self.stages,
            pools=tuple(dict.fromkeys(shape.pool for shape in self.shapes)),
            seed=7,
            workers=3,
            directory="~/.local/state/agenttop/runs/k3f9",
        )

    def copy(self) -> Sim:
        """One that goes on from here by itself."""
        other = copy.copy(self)
        other.random = copy.copy(self.random)
        other.events, other.marks = self.events.copy(), self.marks.copy()
        other.causes = {name: seconds.copy() for name, seconds in self.causes.items()}
        return other

    def until(self, t_s: int) -> list[Snapshot]:
        """Every snapshot up to ``t_s``."""
        return [self.step() for _ in range(t_s - self.t_s)]

    def step(self) -> Snapshot:
        """The next second."""
        self.t_s += 1
        self._script()
        if not self.held:
            self.plan_t_s += 1
        stage = next((s.index for s in self.stages if s.start_s <= self.plan_t_s < s.end_s), -1)
        by_plan = planned(self.stages, self.plan_t_s) or 0.0
        target = by_plan if self.by_hand is None else float(self.by_hand)
        open_run = self.scenario == "open"
        hung = self.scenario == "hang" and self.t_s > HANG_FROM
        self.drift = 0.85 * self.drift + self.random.gauss(0, 0.05)
        busy = (target / 200) ** 2
        slow = (1 + 0.9 * busy) * math.exp(self.drift) * (1.9 if self.scenario == "saturated" and self.t_s > 360 else 1)
        users = 0 if open_run else round(target)
        paused = self.paused or self.stopping
        rps = 0.0 if hung or paused else max(0.0, (target if open_run else target * 2.6) / (slow**0.4) * self._noise())
        storm = self._storm()
        limited = round(rps * storm)
        broken = self._broken(round(rps), hung)
        ok = 0 if hung else max(0, round(rps) - limited - sum(broken.values()))
        self.requests += round(rps)
        self.limited += limited
        self.failed += limited + sum(broken.values())
        self.sent += round(rps) * 840
        self.received += round(rps) * 5200
        self.tokens += ok * 96
        self._count({"rate_limited": limited, **broken})
        total = _spread(ok, 940 * slow, 3.9, self._noise()) if ok else None
        streams = any(shape.ttft for shape in self.shapes)
        ttft = _spread(round(ok * 0.6), 150 * slow, 4.6, self._noise()) if ok and streams else None
        gaps = _spread(ok * 90, 19 * slow, 4.2, self._noise()) if ok and streams else None
        in_flight = users if not paused else 0
        oldest = float(self.t_s - HANG_FROM) + 2.2 if hung else (total.max / 1000 if total else 0.0)
        tick = Tick(
            t_s=float(self.t_s),
            stage=stage,
            users=users,
            target=target,
            in_flight=round(rps * 1.4) if open_run else in_flight,
            rps=rps,
            failed_per_s=float(limited + sum(broken.values())),
            rate_limited_per_s=float(limited),
            latency_p50_ms=total.p50 if total else None,
            latency_p95_ms=total.p95 if total else None,
            latency_p99_ms=total.p99 if total else None,
            ttft_p50_ms=ttft.p50 if ttft else None,
            ttft_p95_ms=ttft.p95 if ttft else None,
            ttft_p99_ms=ttft.p99 if ttft else None,
            inter_chunk_p95_ms=gaps.p95 if gaps else None,
            output_tokens_per_s=ok * 96.0,
            loop_lag_p99_ms=41.0
            if self.scenario == "saturated" and self.t_s > 360
            else 6.0
            if self.scenario == "late"
            else 2.0,
            manual=self.by_hand is not None,
            held=self.held,
            latency_counts=_counts(ok, 940 * slow, 3.9) if ok else (),
            ttft_counts=_counts(round(ok * 0.6), 150 * slow, 4.6) if ok and streams else (),
        )
        limited_share = storm / max(1e-9, storm + sum(broken.values()) / max(1.0, rps))
        return Snapshot(
            seq=self.t_s,
            t_s=float(self.t_s),
            plan_t_s=self.plan_t_s,
            state="done"
            if self.plan_t_s >= 600
            else "draining"
            if self.stopping
            else "starting"
            if self.scenario == "starting"
            else "running",
            warmup=self.t_s <= 30,
            held=self.held,
            paused=self.paused,
            stage=stage,
            users=users,
            target_users=0 if open_run else round(target),
            planned_users=0 if open_run else round(by_plan),
            rate=target if open_run else 0.0,
            manual=("all",) if self.by_hand is not None else (),
            in_flight=tick.in_flight,
            oldest_s=oldest,
            window_s=SAMPLED_S,
            rps=rps,
            ttft=ttft,
            latency=total,
            inter_chunk=gaps,
            requests=self.requests,
            ok=self.requests - self.failed,
            failed=self.failed,
            rate_limited=self.limited,
            cancelled=0,
            dropped_iterations=0,
            error_rate=self.failed / self.requests if self.requests else 0.0,
            retry_after_s=2.0 if self.limited else None,
            causes=self._causes(),
            pools=self._pools(rps, target, by_plan, limited_share),
            table=self._table(rps, slow, limited_share, bool(ok)),
            events=tuple(self.events),
            generator=self._generator(tick.loop_lag_p99_ms, tick.latency_p50_ms),
            tick=tick,
            phases_ms={"llm_call": 610 * slow, "tool_execution": 240 * slow, "context_load": 70 * slow} if ok else {},
            bytes_sent=self.sent,
            bytes_received=self.received,
            output_tokens=self.tokens,
            thresholds=VERDICTS if self.scenario in ("thresholds", "budget", "breaker") else (),
            budget=BUDGET if self.scenario == "budget" else (),
            stage_phases=self._stage_phases(),
            quotas=self._quotas(storm),
            breaker=BREAKERS.get(self.scenario),
            search=SEARCHES.get(self.scenario),
            quality=GRADED if self.scenario == "graded" else None,
            by_hand=tuple(self.marks[-20:]),
            boxes=FLEET if self.scenario == "fleet" else (),
        )

    def _hand(self, text: str) -> None:
        self.events.append(Event(self.t_s, "info", f"you: {text}"))
        self.marks.append(ManualChange(float(self.t_s), text))

    def _noise(self) -> float:
        return math.exp(self.random.gauss(0, 0.04))

    def _script(self) -> None:
        for stage in self.stages:
            if self.plan_t_s == stage.start_s and not self.held:
                self.events.append(
                    Event(
                        self.t_s,
                        "info",
                        f"stage {stage.index + 1} {stage.name}: {stage.target_start:g} → {stage.target_end:g} users",
                    )
                )
        scenario, t_s = self.scenario, self.t_s
        if scenario == "manual" and t_s == 100:
            self.by_hand = 138
            self._hand("users 90 → 138")
        elif scenario in ("held", "paused") and t_s == 150:
            self.held, self.paused = scenario == "held", scenario == "paused"
            self._hand("plan held at 02:30" if scenario == "held" else "new work is paused")
        elif scenario == "storm" and t_s == 240:
            self.events.append(Event(t_s, "warn", "2% of the requests refused (429)"))
        elif scenario == "hang" and t_s == HANG_FROM + 5:
            self.events.append(Event(t_s, "error", "no answer for 5s"))
        elif scenario == "errors" and t_s == 310:
            self.events.append(Event(t_s, "error", "5% of the requests failed otherwise"))
        elif scenario == "saturated" and t_s == 362:
            self.events.append(Event(t_s, "warn", "generator saturated: worker 2: CPU 94 % of its core (over 70 %)"))
        elif t_s == 90:
            self.events.append(Event(t_s, "warn", "1% of the requests refused (429)"))

    def _storm(self) -> float:
        if self.scenario == "storm" and self.t_s > 230:
            return min(0.45, 0.06 * (self.t_s - 230)) * self._noise()
        return 0.018 * self._noise() if self.t_s > 60 else 0.0

    def _broken(self, rps: int, hung: bool) -> dict[str, int]:
        if hung:
            return {"timeout": 0}
        burst = self.scenario == "errors" and self.t_s > 305
        return {
            "server_error": round(rps * 0.11 * self._noise()) if burst else int(self.random.random() < 0.03),
            "timeout": round(rps * 0.03) if burst else int(self.random.random() < 0.015),
            "check_failed": int(self.random.random() < 0.08),
            **({"connect_error": 2, "stream_error": 3, "truncated": 1, "protocol_error": 1} if burst else {}),
        }

    def _count(self, counts: dict[str, int]) -> None:
        for outcome in {**self.causes, **counts}:
            number = counts.get(outcome, 0)
            if number or outcome in self.causes:
                self.causes.setdefault(outcome, []).append(number)

    def _causes(self) -> tuple[Cause, ...]:
        examples = {
            "rate_limited": "429 Too Many Requests: limit of 40 requests per second for this key",
            "server_error": "503 upstream connect error, reset before headers",
            "timeout": "no answer within 30s",
            "check_failed": "answer does not contain an order number",
            "connect_error": "connection refused",
            "stream_error": "error event: \x1b[31moverloaded_error\x1b[0m [bold]not markup[/bold]",
            "truncated": "the stream ended without [DONE]",
            "protocol_error": "invalid chunk size",
        }
        return tuple(
            Cause(outcome, sum(seconds), tuple(seconds[-60:]), 61.0, float(self.t_s), examples[outcome])
            for outcome, seconds in self.causes.items()
        )

    def _stage_phases(self) -> tuple[StagePhases, ...]:
        """A model that queues the more the more users there are; the rest takes what it takes."""
        told = []
        for stage in self.stages:
            load = (stage.target_start + stage.target_end) / 2
            requests = max(0, min(self.t_s, round(stage.end_s)) - round(stage.start_s)) * round(load)
            mean = {"llm_call": 600 + 0.06 * load**2, "tool_execution": 240.0, "context_load": 70.0}
            mean["(unattributed)"] = 30.0
            whole = sum(mean.values())
            if requests:
                told.append(
                    StagePhases(stage.index, requests, mean, {name: part / whole for name, part in mean.items()})
                )
        return tuple(told)

    def _quotas(self, storm: float) -> tuple[QuotaGauge, ...]:
        """Told by the target of ``chat``, and only where somebody asks for limits."""
        if self.scenario not in ("storm", "budget"):
            return ()
        left = max(0.0, 0.4 - storm)
        return (
            QuotaGauge("chat", "requests", 500, round(500 * left), 0.2, 43.0),
            QuotaGauge("chat", "tokens", 30_000, 8_120, 0.2, 1.5),
        )

    def _pools(self, rps: float, target: float, by_plan: float, limited: float) -> tuple[PoolRow, ...]:
        rows = []
        for name in self.info.pools:
            mine = [shape for shape in self.shapes if shape.pool == name]
            share = sum(shape.share for shape in mine)
            users = 0.45 if name == "chat" else 0.35 if name == "tools" else 0.2
            first = mine[0]
            rows.append(
                PoolRow(
                    name=name,
                    protocol=first.protocol,
                    dialect="openai" if first.ttft else "json",
                    unit="rate" if self.scenario == "open" else "users",
                    users=0 if self.scenario == "open" else round(target * users),
                    target=target * share if self.scenario == "open" else float(round(target * users)),
                    planned=by_plan * share if self.scenario == "open" else float(round(by_plan * users)),
                    manual=self.by_hand is not None,
                    in_flight=round(target * users),
                    rps=rps * share,
                    rate_limited=round(self.limited * (0.95 if name == "chat" else 0.025)),
                    errors=round((self.failed - self.limited) * share),
                )
            )
        return tuple(rows)

    def _table(self, rps: float, slow: float, limited: float, ok: bool) -> tuple[RequestRow, ...]:
        return tuple(
            RequestRow(
                pool=shape.pool,
                name=shape.name,
                protocol=shape.protocol,
                requests=round(self.requests * shape.share),
                rps=rps * shape.share * self._noise(),
                p50_ms=shape.p50 * slow * self._noise() if ok else None,
                p95_ms=shape.p50 * slow * 2.2 * self._noise() if ok else None,
                ttft_p95_ms=shape.ttft * slow * 2.4 * self._noise() if ok and shape.ttft else None,
                rate_limited=round(self.limited * 0.95 * shape.share / 0.59) if shape.pool == "chat" else 0,
                errors=round((self.failed - self.limited) * shape.share),
                samples=samples if ok else 0,
                p99_ms=shape.p50 * slow * 3.4 if ok else None,
                max_ms=shape.p50 * slow * 5.1 if ok else None,
                busy_ms=samples * shape.p50 * slow * 1.2 if ok else 0.0,
                output_tokens_per_s=rps * shape.share * 160 if ok and shape.ttft else 0.0,
                ttft_samples=samples if ok and shape.ttft else 0,
                p90_ms=shape.p50 * slow * 1.8 if ok else None,
                ttft=_spread(samples // 10, shape.ttft * slow, 4.6, 1.0) if ok and shape.ttft else None,
                output_tokens=round(self.tokens * shape.share) if shape.ttft else 0,
                second=self._second(shape, rps, slow),
            )
            for shape in self.shapes
            for samples in [round(rps * shape.share * SAMPLED_S)]
        )

    def _second(self, shape: Shape, rps: float, slow: float) -> RequestTick:
        """Of the same shape as all requests together, and no second is quite like the one before."""
        requests = round(rps * shape.share)
        storm = self.scenario == "storm" and shape.pool == "chat"
        limited = max(0.0, min(0.45, 0.06 * (self.t_s - 230))) if storm else 0.0
        refused = round(requests * limited)
        ok, p50 = requests - refused, shape.p50 * slow * math.exp(0.2 * math.sin(self.t_s / 9))
        first = shape.ttft * slow if shape.ttft else None
        times: dict[str, Any] = {}
        if ok:
            times |= {f"latency_p{p}_ms": p50 * f for p, f in ((50, 1.0), (95, 2.2), (99, 3.4))}
        if ok and first:
            times |= {f"ttft_p{p}_ms": first * f for p, f in ((50, 1.0), (95, 2.4), (99, 3.9))}
        return RequestTick(
            float(self.t_s), 1.0, requests, refused, refused, ok * 96 if first else 0, **times,
            latency_counts=_counts(ok, p50, 3.4) if ok else (),
            ttft_counts=_counts(ok, first, 3.9) if ok and first else (),
        )  # fmt: skip

    def _generator(self, lag: float | None, p50_ms: float | None) -> Generator:
        saturated = lag is not None and lag > 20
        reasons = [Reason(LAGS[0], (lag or 0.0) * 1000, f"loop lag p99 {lag} ms (over 4 ms)", "")] if lag else []
        told = [f"worker 2: {reason.text}" for reason in reasons]
        late = self.scenario == "late"
        return Generator(
            workers=3,
            alive=3,
            cpu_percent_max=94.0 if saturated else 31.0 + 4 * self._noise(),
            loop_lag_p99_ms=lag,
            schedule_lag_p99_ms=lag and lag * 0.6,
            rss_mb=142.0,
            open_files=214,
            saturated=saturated or late,
            reasons=("worker 2 at 94% of its core: more workers or another box",) if saturated else tuple(told) * late,
            trust=grade(reasons, told, Times(latency=p50_ms)) if late else None,
        )


def played(scenario: str) -> tuple[Sim, tuple[Snapshot, ...]]:
    """A simulation that stands where its scenario is looked at, and its snapshots up to there. It is played once for
    all tests: hundreds of screens begin with one.
    """
    sim, snapshots = _film(scenario)
    return sim.copy(), snapshots


@cache
def _film(scenario: str) -> tuple[Sim, tuple[Snapshot, ...]]:
    sim = Sim(scenario)
    return sim, tuple(sim.until(SCENARIOS[scenario]))


def _spread(count: int, p50: float, tail: float, noise: float) -> Percentiles:
    return Percentiles(
        count * 10,
        p50,
        p50 * (1 + 0.33 * (tail - 1)),
        p50 * (1 + 0.45 * (tail - 1)) * noise,
        p50 * tail * noise,
        p50 * tail * 1.7 * noise,
    )


def _counts(count: int, p50: float, tail: float) -> tuple[int, ...]:
    """Of a log-normal distribution whose p99 is ``tail`` times its p50."""
    sigma = math.log(tail) / 2.326

    def below(bucket: int) -> float:
        return 0.5 * (1 + math.erf(math.log(lower_ms(bucket) / p50) / sigma / math.sqrt(2)))

    edges = [below(bucket) for bucket in range(BUCKETS + 1)]
    counts = [round(count * (upper - lower)) for lower, upper in pairwise(edges)]
    while counts and not counts[-1]:
        counts.pop()
    return tuple(counts)


def _shapes(scenario: str, chance: random.Random) -> tuple[Shape, ...]:
    if scenario == "no_stream":
        return (Shape("tools", "search", "http", 0.7, 96, None), Shape("tools", "lookup", "http", 0.3, 74, None))
    if scenario == "long_names":
        return (
            *SHAPES,
            Shape(
                "voice-of-the-customer-support-line", "summarise_the_whole_conversation_so_far", "ws", 0.04, 900, 250
            ),
            Shape("chat", "日本語の質問に答える長い名前のリクエスト", "sse", 0.03, 1500, 200),
            Shape("chat", "bad\x1b[31mname\u202e[red]x[/red]\nline", "sse", 0.02, 1400, 190),
        )
    if scenario == "many":
        return tuple(
            Shape(
                "chat", f"case-{number:04}", "sse", 1 / 1200, 900 + chance.random() * 1500, 150 + chance.random() * 90
            )
            for number in range(1200)
        )
    return SHAPES
