"""Made-up runs whose figures are true: an agent in discrete events is loaded, and what its workers would have told goes
through everything that a controller has (aggregate, verdict, thresholds, events). So the screen says of it what it
would say of such a run: that it queues, since how many users, and why.

The same scenario and seed give the same snapshots, second by second. Nothing here reads a clock. Longer than most
files: the agent and its run know each other, and the scenarios are a table.
"""

from __future__ import annotations

import copy
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import msgspec
import numpy as np

from agenttop.budget.amount import Amount
from agenttop.controller.spans import stage_words
from agenttop.controller.watcher import Watcher
from agenttop.journal.figures import Figures
from agenttop.journal.rules import rules_as_written
from agenttop.metrics.assessment import RECOVERS
from agenttop.metrics.delta import (
    WARMUP,
    Delta,
    ErrorDelta,
    Health,
    HistDelta,
    LeafDelta,
    PoolState,
    QuotaState,
    WorkerBudgetState,
)
from agenttop.metrics.histogram import counts_index, fold
from agenttop.metrics.layout import Caps, Layout, PoolInfo, RequestInfo
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.metrics.snapshot import ManualChange, RunInfo, Snapshot, StageInfo
from agenttop.search.interval import wilson
from agenttop.tui.view import planned
from tests.tui.sim import graded
from tests.verdict.worlds import Target, World

POOLS = (
    PoolInfo("chat", "sse", "openai.chat", open=False),
    PoolInfo("voice", "ws", "openai.realtime", open=False),
)
#: Of every fifth user.
_VOICE = 1
TOKENS = 40
#: The objective of a search.
IN_TIME_S = 0.8
_WORDS = {
    "rate_limited": "429 Too Many Requests: limit of requests per second",
    "server_error": "500 Internal Server Error: upstream connection reset",
    "connect_error": "connection refused",
    "timeout": "no answer within 60s",
}


@dataclass(frozen=True)
class Kind:
    """One request: its pool, how often it is sent among those of its pool, and how long it is served."""

    pool: int
    name: str
    weight: float
    slower: float
    tools_s: float = 0.0


KINDS = (Kind(0, "simple", 2, 0.75), Kind(0, "tool_call", 1, 1.5, 0.09), Kind(_VOICE, "turn", 1, 0.9))


@dataclass(frozen=True)
class Scenario:
    """An agent, what is planned for it, and the second at which it is looked at."""

    target: Target
    at: int
    stages: tuple[tuple[str, float, int], ...] = (("few", 30, 3), ("some", 30, 12), ("many", 60, 40))
    """Name, seconds, users."""
    errors_from_s: float = 0.0
    thresholds: tuple[str, ...] = ()
    caps: Caps | None = None
    ramp: bool = False
    """Users grow evenly, and do not jump."""
    by_hand: tuple[int, int] | None = None
    """At a second, so many users are set by hand."""
    levels: tuple[tuple[str, int, int], ...] = ()
    """Answers are graded: see :func:`tests.tui.sim.graded`."""
    searches: bool = False
    """The stages are levels of a search, and the last one is under way."""
    profile: str = "bottleneck.toml"


_AGENT = Target(slots=4, median_s=0.45, sigma=0.25)
_ROOMY = replace(_AGENT, slots=0)
_REHEARSAL = (("warm", 20, 4), ("ramp", 60, 40), ("hold", 60, 40), ("drain", 20, 0))
SCENARIOS = {
    "keeps up": Scenario(_ROOMY, 95),
    "slows": Scenario(replace(_ROOMY, slow=(62.0, math.inf, 2.2)), 95),
    "queues": Scenario(_AGENT, 95),
    "refuses": Scenario(replace(_ROOMY, limit_per_s=9.0), 95),
    "fails": Scenario(replace(_ROOMY, errors=0.18), 95, errors_from_s=62.0),
    "hangs": Scenario(replace(_ROOMY, stuck=(83.0, math.inf)), 95),
    "recovers": Scenario(replace(_ROOMY, down=(66.0, 76.0)), 92),
    "unknown": Scenario(_ROOMY, 6),
    "promised": Scenario(
        replace(_AGENT, limit_per_s=12.0),
        105,
        thresholds=("latency p95 < 2s", "error_rate < 5%", "ttft p95 < 4s", "rps > 2"),
        caps=Caps(requests=1000, tokens=60_000),
    ),
    "by hand": Scenario(_AGENT, 110, by_hand=(80, 9)),
    "degrades": Scenario(
        _AGENT, 110, levels=(("few", 3, 1), ("some", 12, 3), ("many", 40, 18)), profile="quality.toml",
    ),
    "searches": Scenario(
        replace(_AGENT, slots=12), 150,
        tuple((f"{users} users", 26, users) for users in (8, 16, 32, 64, 48, 40)),
        searches=True, profile="capacity.toml",
    ),
    "rehearsal": Scenario(_AGENT, 14, _REHEARSAL, ramp=True, profile="peak.toml"),
    "ramps": Scenario(_AGENT, 55, _REHEARSAL, ramp=True, profile="peak.toml"),
}  # fmt: skip
#: The states of a verdict: each has a scenario that is in it when it is looked at.
STATES = ("keeps up", "slows", "queues", "refuses", "fails", "hangs", "recovers", "unknown")


@dataclass
class _Leaf:
    """What ended of one request sent in one stage in the open second."""

    outcomes: Counter[str] = field(default_factory=Counter)
    times: defaultdict[str, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))
    """By metric, in ns."""


class _Agent(World):
    """The agent, and who asks it: ``delta()`` is what a worker would tell of the second that was closed last."""

    def __init__(self, run: TrueRun) -> None:
        super().__init__(run.scenario_of.target, run.wanted, 10**6, seed=7)
        self._run = run
        self._errors, self.target = self.target.errors, replace(self.target, errors=0.0)
        self._kinds: dict[int, int] = {}
        self._begun: dict[int, float] = {}
        self._leaves: defaultdict[tuple[int, int], _Leaf] = defaultdict(_Leaf)
        self._spent = Amount()

    def second(self, number: int) -> Delta:
        """Play the second that ends at ``number``."""
        if number > self._run.scenario_of.errors_from_s and self.target.errors != self._errors:
            self.target = replace(self.target, errors=self._errors)
        for quarter in range(4):
            self._population(number - 1 + quarter / 4)
            self._until(number - 1 + (quarter + 1) / 4)
        return self._delta(float(number))

    def _kind(self, user: int) -> int:
        pool = _VOICE if user % 5 == 4 else 0
        there = [index for index, kind in enumerate(KINDS) if kind.pool == pool]
        return self.random.choices(there, [KINDS[index].weight for index in there])[0]

    def _takes(self, t_s: float, user: int) -> float:
        self._kinds[user], self._begun[user] = self._kind(user), t_s
        kind = KINDS[self._kinds[user]]
        return super()._takes(t_s, user) * kind.slower + kind.tools_s

    def _end(self, t_s: float, user: int, outcome: str, wait_s: float = 0.0) -> None:
        sent_s, begun_s = self._sent[user], self._begun.pop(user, t_s)
        request = self._kinds.pop(user, None)
        request = self._kind(user) if request is None else request
        leaf = self._leaves[request, self._run.stage_at(sent_s)]
        leaf.outcomes[outcome] += 1
        if outcome == "ok":
            self._ok(leaf, KINDS[request], t_s - sent_s, begun_s - sent_s)
            self._spent = self._spent.plus(Amount(tokens=TOKENS))
        elif outcome == "rate_limited":
            leaf.times["retry_after"].append(2_000_000_000)
        self._spent = self._spent.plus(Amount(requests=1))
        super()._end(t_s, user, outcome, wait_s)

    def _ok(self, leaf: _Leaf, kind: Kind, took_s: float, waited_s: float) -> None:
        token_s = waited_s + 0.3 * (took_s - waited_s - kind.tools_s)
        gap_s = (took_s - token_s) / TOKENS
        phases = {"context_load": 0.02, "tool_execution": kind.tools_s, "llm_call": took_s - 0.03 - kind.tools_s}
        found = {"latency": took_s, "response_time": took_s, "ttft": token_s, "ttfb": token_s, "unattributed": 0.01}
        found |= {f"phase.{name}": seconds for name, seconds in phases.items()}
        for metric, seconds in found.items():
            leaf.times[metric].append(max(0, int(seconds * 1e9)))
        gaps = (int(gap_s * self.random.lognormvariate(-0.05, 0.3) * 1e9) for _ in range(TOKENS))
        leaf.times["inter_chunk"].extend(gaps)

    def _delta(self, t_s: float) -> Delta:
        leaves, errors = [], []
        for (request, stage), leaf in sorted(self._leaves.items()):
            ok, count = leaf.outcomes["ok"], leaf.outcomes.total()
            sums = {"attempts": count, "output_tokens": TOKENS * ok, "token_requests": ok, "output_told": ok}
            sums |= {"llm_calls": ok, "llm_requests": ok, "bytes_sent": 840 * count, "bytes_received": 5200 * ok}
            status = {"ok": 200, "rate_limited": 429, "server_error": 500}
            hists: dict[str, HistDelta] = {name: fold(times) for name, times in leaf.times.items()}
            statuses = {status[name]: number for name, number in leaf.outcomes.items() if name in status}
            leaves.append(LeafDelta(request, stage, dict(leaf.outcomes), statuses, hists, sums))
            errors += [
                ErrorDelta(request, stage, outcome, _WORDS[outcome], number, t_s - 0.5, t_s)
                for outcome, number in leaf.outcomes.items()
                if outcome in _WORDS
            ]
        self._leaves.clear()
        lag = fold(array("q", [int(abs(self.random.gauss(0.8, 0.5)) * 1e6) for _ in range(100)]))
        states = []
        for pool in range(len(POOLS)):
            users = [user for user in self._there if (user % 5 == 4) == (pool == _VOICE)]
            flying = [user for user in self._sent if (user % 5 == 4) == (pool == _VOICE)]
            states.append(PoolState(pool, len(users), len(flying), quotas=self._quotas(pool, t_s)))
        return Delta(
            worker=0, seq=int(t_s), t_s=t_s, from_s=t_s - 1, leaves=leaves, pools=[], errors=errors, checks={},
            states=states, oldest_s=max((t_s - sent for sent in self._sent.values()), default=0.0),
            health=Health(lag, 14.0 + len(self._there) / 10, 61.5, 12 + len(self._there)),
            budget=self._budget(),
        )  # fmt: skip

    def _budget(self) -> WorkerBudgetState | None:
        caps = self._run.scenario_of.caps
        if caps is None:
            return None
        held = Amount(len(self._sent), 3 * TOKENS * len(self._sent))
        return WorkerBudgetState(Amount(caps.requests or 0, caps.tokens or 0), self._spent, held)

    def _quotas(self, pool: int, t_s: float) -> tuple[QuotaState, ...]:
        limit = int(self.target.limit_per_s)
        if not limit or pool:
            return ()
        left = int(self._tokens)
        return (QuotaState("requests", limit, left, 0, t_s - 0.2, t_s + 1.0),)


class TrueRun:
    """Makes one snapshot after the other, as a controller would; what is done by hand is done to it as to a ``Sim``."""

    def __init__(self, name: str) -> None:
        self.scenario, self.scenario_of = name, SCENARIOS[name]
        self.t_s, self.plan_t_s = 0, 0.0
        self.held = self.paused = self.stopping = False
        self.by_hand: int | None = None
        self.marks: list[ManualChange] = []
        self.stages = _stages(self.scenario_of)
        requests = tuple(RequestInfo(kind.pool, kind.name) for kind in KINDS)
        layout = Layout(POOLS, requests, self.stages, budget=self.scenario_of.caps)
        written: Mapping[str, Any] = {"thresholds": list(self.scenario_of.thresholds)}
        self.figures = Figures(layout, rules_as_written(written, layout))
        self.watcher = Watcher()
        self._agent = _Agent(self)
        self._stage_of: dict[int, int] = {}
        """The stage of each second of the run."""
        self._spans: list[tuple[float, float] | None] = [None] * len(self.stages)
        self.info = RunInfo(
            run_id="k3f9", name=self.scenario_of.profile.removesuffix(".toml"), profile=self.scenario_of.profile,
            target="http://127.0.0.1:8000", started_at="2025-01-01T12:00:00Z", duration_s=self.stages[-1].end_s,
            warmup_s=0.0, stages=self.stages, pools=tuple(pool.name for pool in POOLS), seed=7, workers=1,
            directory="~/.local/state/agenttop/runs/k3f9",
        )  # fmt: skip

    def until(self, t_s: int) -> list[Snapshot]:
        """Every snapshot up to ``t_s``."""
        return [self.step() for _ in range(t_s - self.t_s)]

    def step(self) -> Snapshot:
        """The next second."""
        self.t_s += 1
        stage = self._stage_now()
        self._stage_of[self.t_s - 1] = stage
        if stage >= 0:
            span = self._spans[stage]
            if span is None and not self.scenario_of.searches:
                self.watcher.say(self.t_s - 1, stage_words(stage, self.stages))
            self._spans[stage] = (self.t_s - 1.0 if span is None else span[0], float(self.t_s))
        if self.scenario_of.by_hand is not None and self.t_s == self.scenario_of.by_hand[0]:
            before, self.by_hand = self.wanted(self.t_s), self.scenario_of.by_hand[1]
            self.hand(f"users {before} → {self.by_hand}")
        self.plan_t_s += 0 if self.held else 1
        self.figures.fold(self._agent.second(self.t_s))
        closed = self.figures.second(self._state(stage), self._spans)
        if closed.verdict is not None:
            self.watcher.say(self.t_s, closed.verdict.event, "warn" if closed.verdict.bad else "info")
            if closed.verdict.bad or closed.verdict.state == RECOVERS:
                self.marks.append(ManualChange(float(self.t_s), closed.verdict.word))
        self.watcher.look(self.figures.snapshot(self._state(stage)))
        snapshot, levels = self.figures.snapshot(self._state(stage)), self.scenario_of.levels
        if self.scenario_of.searches:  # its levels are stages here alone: a search has one stage
            return msgspec.structs.replace(snapshot, search=self._search(), stage_rows=(), stage_phases=())
        return msgspec.structs.replace(snapshot, quality=graded(levels)) if levels else snapshot

    def wanted(self, t_s: float) -> int:
        """The users that there are to be now."""
        if self.paused or self.stopping:
            return 0
        return round(self._planned(t_s)) if self.by_hand is None else self.by_hand

    def stage_at(self, t_s: float) -> int:
        """The stage that a request counts under that was sent so long after the begin."""
        return self._stage_of.get(int(t_s), WARMUP)

    def hand(self, text: str) -> None:
        """Tell of something done by hand, and mark it."""
        self.watcher.say(self.t_s, f"you: {text}")
        self.marks.append(ManualChange(float(self.t_s), text))

    def unhand(self, text: str) -> None:
        """Take back what was told of something done by hand: keys pressed fast are one change."""
        self.marks = [mark for mark in self.marks if mark.text != text]
        kept = [event for event in self.watcher.events if event.text != f"you: {text}"]
        self.watcher.events.clear()
        self.watcher.events.extend(kept)

    def _search(self) -> SearchState:
        """A search that judges by what was measured: how many first tokens came in time."""
        rows = {stage.index: self._step(stage) for stage in self.stages if self._spans[stage.index] is not None}
        *over, now = rows.values()
        holds = max((step.level for step in over if step.holds), default=0.0)
        fails = min((step.level for step in over if not step.holds), default=None)
        return SearchState(
            "users", None, 0.95, 0.95, holds, holds, fails, steps=tuple(over),
            now=msgspec.structs.replace(now, verdict="", holds=False), limited_by="ttft", phase="measuring",
            phase_s=min(15.0, self.t_s - now.start_s), phase_of_s=15.0,
        )  # fmt: skip

    def _step(self, stage: StageInfo) -> SearchStep:
        scope = self.figures.aggregate.stage(stage.index)
        tokens, latency = scope.hist("ttft"), scope.hist("latency")
        within = int(counts_index(np.array([int(IN_TIME_S * 1e6)]))[0])
        requests, good = max(1, tokens.count), int(tokens.counts[: within + 1].sum())
        low, high = wilson(good, requests, 0.95)
        verdict = "pass" if good / requests >= 0.95 else "fail"
        missed = {"ttft": requests - good} if good < requests else {}
        return SearchStep(
            stage.target_end, stage.start_s, stage.end_s, 15.0, requests, good, good / requests, low, high, verdict,
            verdict == "pass", 0.98, latency_p95_ms=(latency.percentile(95) or 0.0) / 1000, rps=requests / 26,
            missed=missed,
        )  # fmt: skip

    def _planned(self, t_s: float) -> float:
        # Of the open second: the plan's clock goes on as the run's does, unless it is held.
        ahead = 0.0 if self.held else t_s - self.t_s
        return planned(self.stages, max(0.0, self.plan_t_s + ahead)) or 0.0

    def _stage_now(self) -> int:
        return next((s.index for s in self.stages if s.start_s <= self.plan_t_s < s.end_s), -1)

    def _state(self, stage: int) -> RunState:
        users, by_plan = self.wanted(self.t_s), round(self._planned(self.t_s))
        voice, planned_voice = users // 5, by_plan // 5
        manual = self.by_hand is not None
        done = self.plan_t_s >= self.stages[-1].end_s
        return RunState(
            t_s=float(self.t_s), plan_t_s=self.plan_t_s,
            state="done" if done else "draining" if self.stopping else "running",
            held=self.held, paused=self.paused, stage=stage, target_users=users, planned_users=by_plan,
            manual=("all",) if manual else (),
            pools=(
                PoolTarget(users - voice, by_plan - planned_voice, manual), PoolTarget(voice, planned_voice, manual)
            ),
            events=tuple(self.watcher.events)[-50:], by_hand=tuple(self.marks[-20:]),
        )  # fmt: skip


def _stages(scenario: Scenario) -> tuple[StageInfo, ...]:
    found: list[StageInfo] = []
    start, before = 0.0, 0
    for name, seconds, users in scenario.stages:
        begin = before if scenario.ramp else users
        step = not scenario.ramp
        found.append(StageInfo(len(found), name, start, start + seconds, begin, users, "users", step=step))
        start, before = start + seconds, users
    return tuple(found)


def truly_played(name: str) -> tuple[TrueRun, tuple[Snapshot, ...]]:
    """A run that stands where its scenario is looked at, and its snapshots up to there. It is played once for all
    tests.
    """
    run, snapshots = _film(name)
    return copy.deepcopy(run), snapshots


@cache
def _film(name: str) -> tuple[TrueRun, tuple[Snapshot, ...]]:
    run = TrueRun(name)
    return run, tuple(run.until(SCENARIOS[name].at))
