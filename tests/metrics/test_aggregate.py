"""Tests of agenttop.metrics.aggregate, agenttop.metrics.delta, agenttop.metrics.layout, agenttop.metrics.run_state,
agenttop.metrics.snapshot.
"""

from __future__ import annotations

import json
from array import array
from collections import Counter

import msgspec
import pytest
from hdrh.histogram import HdrHistogram

from agenttop.budget.amount import Amount
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import (
    WARMUP,
    Delta,
    ErrorDelta,
    Health,
    HistDelta,
    LeafDelta,
    PoolDelta,
    PoolState,
    WorkerBudgetState,
)
from agenttop.metrics.formulas import cost_usd
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Caps, Layout, PoolInfo, Price, RequestInfo
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.scope import MAX_ERRORS, MAX_PHASES, OTHER
from agenttop.metrics.snapshot import BudgetLine, Edited, RunInfo, Snapshot, StageInfo, Tick
from tests.metrics.fakes import FakeRun

LAYOUT = Layout(
    (PoolInfo("chat", "sse", "json", open=False), PoolInfo("open", "http", "json", open=True)),
    (RequestInfo(0, "a"), RequestInfo(1, "b")),
    (StageInfo(0, "ramp", 0, 10, 0, 5, "users"), StageInfo(1, "hold", 10, 20, 5, 5, "users")),
)


def delta(*leaves: LeafDelta, worker: int = 0, t_s: float = 0.9, **other: object) -> Delta:
    empty: dict[str, object] = {
        "pools": [],
        "errors": [],
        "checks": {},
        "states": [],
    }
    fields = empty | {"oldest_s": 0.0, "health": Health(None, 10.0, 50.0, 20)} | other
    return Delta(worker=worker, seq=0, t_s=t_s, leaves=list(leaves), **fields)  # type: ignore[arg-type]


def leaf(request: int = 0, stage: int = 0, ms: tuple[float, ...] = (), **outcomes: int) -> LeafDelta:
    hists = {"latency": fold(array("q", [int(value * 1e6) for value in ms]))} if ms else {}
    return LeafDelta(request, stage, ({"ok": len(ms)} if ms else {}) | outcomes, {}, hists, {})


def test_counts_are_those_of_the_contract() -> None:
    aggregate = Aggregate(LAYOUT)
    aggregate.fold(delta(leaf(ms=(10, 20), rate_limited=1, timeout=1, cancelled=3, budget_refused=2)))
    total = aggregate.metrics_total(2.0)
    assert [total[key] for key in ("requests", "ok", "failed", "rate_limited", "cancelled")] == [4, 2, 2, 1, 3]
    assert (total["rps"], total["error_rate"]) == (2.0, 0.5)
    assert total["outcomes"] == {"ok": 2, "rate_limited": 1, "timeout": 1, "cancelled": 3, "budget_refused": 2}
    assert total["rate_limit"]["share"] == 0.25
    assert total["latency_ms"]["max"] == 20.0


def test_nothing_measured_is_null_and_never_nan() -> None:
    total = Aggregate(LAYOUT).metrics_total(0.0)
    assert (total["rps"], total["error_rate"], total["requests"]) == (0.0, 0.0, 0)
    assert total["latency_ms"] is None
    assert total["tokens"]["source"] == "none"
    assert total["tokens"]["output"] is None
    json.dumps(total, allow_nan=False)


def test_warm_up_is_in_timeline_and_live_picture_alone() -> None:
    aggregate = Aggregate(LAYOUT)
    error = ErrorDelta(0, WARMUP, "timeout", "late", 1, 0.1, 0.2)
    pools = [PoolDelta(0, WARMUP, 1, 1, 1)]
    aggregate.fold(delta(leaf(stage=WARMUP, ms=(10,), timeout=1), errors=[error], pools=pools))
    now = RunState(1.0, warmup=True)
    tick, snapshot = aggregate.second(now), aggregate.snapshot(now)
    assert (tick.rps, tick.failed_per_s) == (2.0, 1.0)
    assert (snapshot.requests, snapshot.dropped_iterations) == (2, 1)
    assert snapshot.causes[0].example == "late"
    total = aggregate.metrics_total(1.0)
    assert (total["requests"], total["iterations"], total["errors"], total["latency_ms"]) == (0, 0, [], None)


def test_the_lag_of_all_workers_loops_is_shown_and_kept() -> None:
    aggregate = Aggregate(LAYOUT)
    for worker, lag_ms in enumerate((2.0, 8.0)):
        lag = fold(array("q", [int(lag_ms * 1e6)] * 100))
        aggregate.fold(delta(worker=worker, health=Health(lag, 10.0, 50.0, 20)))
    now = RunState(1.0)
    tick, snapshot = aggregate.second(now), aggregate.snapshot(now)
    assert tick.loop_lag_p99_ms == pytest.approx(8.0, rel=0.002)
    assert snapshot.generator.loop_lag_p99_ms == pytest.approx(8.0, rel=0.002)


def test_stages_and_pools_add_up() -> None:
    run = FakeRun(seconds=30, storm=(10, 15))
    aggregate = run.aggregate()
    total = aggregate.metrics_total(30.0)
    for parts in (
        [aggregate.metrics_pool(i, 30.0) for i in range(3)],
        [aggregate.metrics_request(i, 30.0) for i in range(6)],
        [aggregate.metrics_stage(i, 10.0) for i in range(3)],
    ):
        for key in ("requests", "ok", "failed", "rate_limited", "attempts", "bytes_received"):
            assert sum(part[key] for part in parts) == total[key]
        assert sum(part["latency_ms"]["count"] for part in parts) == total["latency_ms"]["count"]
        merged = HdrHistogram.decode(total["latency_ms"]["hdr"])
        assert merged.get_total_count() == total["latency_ms"]["count"]
        counts = [list(HdrHistogram.decode(part["latency_ms"]["hdr"]).counts) for part in parts]
        assert [sum(column) for column in zip(*counts, strict=True)] == list(merged.counts)
    assert sum(aggregate.metrics_stage(i, 1)["iterations"] for i in range(3)) == total["iterations"]
    assert list(total["phases_ms"]) == ["context_load", "llm_call", "tool_execution"]
    assert aggregate.metrics_request(0, 1)["sessions"] is None


def test_reading_in_the_middle_of_a_second_changes_nothing() -> None:
    one, other = Aggregate(LAYOUT), Aggregate(LAYOUT)
    for aggregate in (one, other):
        aggregate.fold(delta(leaf(ms=(10, 30))))
        if aggregate is one:
            aggregate.metrics_total(1.0)
        aggregate.fold(delta(leaf(ms=(50,))))
    assert one.second(RunState(1.0)) == other.second(RunState(1.0))
    assert one.metrics_total(1.0) == other.metrics_total(1.0)


def test_when_nothing_finishes_the_window_runs_empty() -> None:
    aggregate = Aggregate(LAYOUT, window_s=3.0)
    aggregate.fold(delta(leaf(ms=(10,) * 6), states=[PoolState(0, 4, 2)], oldest_s=1.5))
    seen = []
    for second in range(1, 6):
        aggregate.fold(delta(states=[PoolState(0, 4, 2)], oldest_s=1.5, t_s=float(second)))
        now = RunState(float(second))
        aggregate.second(now)
        seen.append(aggregate.snapshot(now))
    assert [round(s.rps, 6) for s in seen] == [6.0, 3.0, 2.0, 0.0, 0.0]
    assert [s.latency is None for s in seen] == [False, False, False, True, True]
    assert [s.window_s for s in seen] == [1.0, 2.0, 3.0, 3.0, 3.0]
    assert (seen[-1].requests, seen[-1].in_flight, seen[-1].users, seen[-1].oldest_s) == (6, 2, 4, 1.5)
    assert seen[-1].tick.latency_p50_ms is None


def test_a_late_controller_does_not_invent_load() -> None:
    aggregate = Aggregate(LAYOUT)
    aggregate.fold(delta(leaf(ms=(10,) * 10)))
    assert aggregate.second(RunState(2.5)).rps == 4.0


def test_late_deltas_count_in_the_second_they_are_folded_in() -> None:
    aggregate = Aggregate(LAYOUT)
    aggregate.second(RunState(1.0))
    aggregate.fold(delta(leaf(ms=(10,)), t_s=0.75))
    assert aggregate.second(RunState(2.0)).rps == 1.0


def test_a_lost_worker_takes_its_users_but_not_its_counts() -> None:
    aggregate = Aggregate(LAYOUT)
    for worker in (0, 1):
        aggregate.fold(delta(leaf(ms=(10,)), worker=worker, states=[PoolState(0, 5, 1)]))
    assert aggregate.second(RunState(1.0)).users == 10
    aggregate.worker_gone(1)
    assert aggregate.second(RunState(2.0)).users == 5
    assert aggregate.metrics_total(2.0)["requests"] == 2
    assert aggregate.workers.users_max == [10, 0]


def test_errors_are_bounded_and_cleaned() -> None:
    aggregate = Aggregate(LAYOUT)
    message = "\r\n\x1b[31mred\x1b[0m\u202e"
    many = [ErrorDelta(0, 0, "timeout", f"session {n}{message}", 1, n, n) for n in range(MAX_ERRORS + 50)]
    aggregate.fold(delta(leaf(timeout=len(many)), errors=many))
    errors = aggregate.metrics_total(1.0)["errors"]
    assert len(errors) == 20
    assert errors[0] | {"last_s": 0} == {
        "outcome": "timeout", "message": OTHER, "count": 50, "first_s": float(MAX_ERRORS), "last_s": 0,
    }  # fmt: skip
    assert errors[1]["message"] == "session 0 red"


def test_phases_are_bounded() -> None:
    aggregate = Aggregate(LAYOUT)
    hists = {f"phase.{n}": _us(5) for n in range(MAX_PHASES + 30)}
    aggregate.fold(delta(LeafDelta(0, 0, {"ok": 1}, {}, hists, {})))
    phases = aggregate.metrics_total(1.0)["phases_ms"]
    assert len(phases) == MAX_PHASES + 1
    assert phases[OTHER]["count"] == 30


def test_phases_and_their_shares_have_the_same_names() -> None:
    aggregate = Aggregate(LAYOUT)
    names = [f"\x1b[31m{n}" for n in range(MAX_PHASES + 30)]
    hists = {f"{prefix}.{name}": _us(500) for name in names for prefix in ("phase", "phase_share")}
    aggregate.fold(delta(LeafDelta(0, 0, {"ok": 1}, {}, hists, {})))
    found = aggregate.metrics_total(1.0)
    assert set(found["phase_shares"]) == {*found["phases_ms"], "(unattributed)"}
    assert {share["p95"] for name, share in found["phase_shares"].items() if name != "(unattributed)"} == {0.5}


def test_tokens_name_their_source() -> None:
    def tokens(**sums: int) -> dict[str, object]:
        aggregate = Aggregate(LAYOUT)
        aggregate.fold(delta(LeafDelta(0, 0, {"ok": 4}, {}, {}, sums)))
        found: dict[str, object] = aggregate.metrics_total(2.0)["tokens"]
        return found

    several = {"token_requests": 3, "input_told": 3, "output_told": 2, "output_tokens": 40, "input_tokens": 8}
    told = tokens(**several, token_estimates=1, estimated_tokens=7)
    assert (told["source"], told["output_per_s"], told["per_request_mean"], told["input"]) == ("server", 20.0, 20.0, 8)
    # What was counted is a figure of its own, and what nobody told is null.
    assert (told["output"], told["estimated"], told["cached"], told["reasoning"]) == (40, 7, None, None)
    counted = tokens(token_estimates=2, estimated_tokens=30)
    assert (counted["source"], counted["output"], counted["estimated"], counted["input"]) == ("chunks", None, 30, None)
    assert (counted["output_per_s"], counted["per_request_mean"]) == (15.0, 15.0)
    assert tokens(token_requests=1, cached_told=1, input_told=1, input_tokens=5)["cached"] == 0


def test_snapshot_rows_and_causes() -> None:
    run = FakeRun(seconds=40, storm=(30, 36))
    aggregate = run.aggregate()
    snapshot = aggregate.snapshot(run.situation(40))
    assert [row.name for row in snapshot.table] == [request.name for request in run.layout.requests]
    assert sum(row.requests for row in snapshot.table) == snapshot.requests == aggregate.total().requests
    assert sum(row.rate_limited + row.errors for row in snapshot.pools) == snapshot.failed
    assert [row.unit for row in snapshot.pools] == ["users", "users", "rate"]
    assert snapshot.table[3].ttft_p95_ms is None
    assert snapshot.retry_after_s == pytest.approx(2.0, rel=1e-3)
    cause = next(cause for cause in snapshot.causes if cause.outcome == "rate_limited")
    assert cause.count == sum(cause.recent) == snapshot.rate_limited
    assert len(cause.recent) == 40
    assert 28 < cause.first_s < 31
    assert set(snapshot.phases_ms) == {"context_load", "llm_call", "tool_execution"}
    assert not snapshot.generator.saturated
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(snapshot), type=Snapshot) == snapshot


def test_phases_of_the_first_stage_are_there_to_compare_with_once_it_is_over() -> None:
    run = FakeRun(seconds=40)
    aggregate = Aggregate(run.layout)
    seen = {}
    for second in range(1, 31):
        for piece in run.deltas(second):
            aggregate.fold(piece)
        aggregate.second(run.situation(second))
        seen[second] = aggregate.snapshot(run.situation(second)).first_phases_ms
    assert run.layout.stages[0].end_s == 8.0
    assert all(not phases for second, phases in seen.items() if second <= 8)
    first = aggregate.metrics_stage(0, 8.0)["phases_ms"]
    expected = {name: pytest.approx(dist["mean"]) for name, dist in first.items()}
    assert list(expected) == ["context_load", "llm_call", "tool_execution"]
    assert all(phases == expected for second, phases in seen.items() if second > 8)


def test_a_stage_of_few_answers_is_not_compared_with() -> None:
    aggregate = Aggregate(LAYOUT)
    few = msgspec.structs.replace(leaf(ms=(10,)), hists={"phase.a": _us(1)})
    aggregate.fold(delta(few))
    aggregate.second(RunState(1.0, stage=1))
    assert aggregate.snapshot(RunState(1.0, stage=1)).first_phases_ms == {}


def test_shares_are_of_the_requests_that_reported_phases() -> None:
    aggregate = Aggregate(LAYOUT)
    told = {"latency": _us(100), "phase.a": _us(60), "phase.b": _us(30), "unattributed": _us(10)}
    told["phase_share.a"] = _us(600)
    aggregate.fold(delta(msgspec.structs.replace(leaf(ms=(100,)), hists=told), leaf(ms=(5_000,))))
    aggregate.second(RunState(1.0))
    expected = {name: {"mean": mean, "p95": None} for name, mean in (("b", 0.3), ("(unattributed)", 0.1))}
    expected["a"] = {"mean": 0.6, "p95": 0.6}
    assert aggregate.metrics_total(1.0)["phase_shares"] == expected
    assert aggregate.metrics_stage(0, 1.0)["phase_shares"] == expected
    assert Aggregate(LAYOUT).metrics_total(1.0)["phase_shares"] == {}


def test_targets_are_the_controllers() -> None:
    aggregate = Aggregate(LAYOUT)
    now = RunState(1.0, target_users=9, manual=("chat",), pools=(PoolTarget(9, 5, manual=True),), held=True)
    tick = aggregate.second(now)
    snapshot = aggregate.snapshot(now)
    assert (tick.target, tick.manual, tick.held) == (9, True, True)
    assert (snapshot.pools[0].target, snapshot.pools[0].planned, snapshot.pools[0].manual) == (9, 5, True)
    only_open = Aggregate(Layout((LAYOUT.pools[1],), (RequestInfo(0, "b"),), ()))
    assert only_open.second(RunState(1.0, rate=12.5)).target == 12.5


def test_timeline_round_trip() -> None:
    run = FakeRun(seconds=12)
    aggregate = run.aggregate()
    ticks = aggregate.timeline.ticks()
    assert len(ticks) == 12
    assert aggregate.timeline.last == ticks[-1]
    assert all(isinstance(tick, Tick) for tick in ticks)
    columns = aggregate.timeline.summary()
    assert columns["t_s"] == [float(n) for n in range(1, 13)]
    assert columns["users"][-1] == ticks[-1].users
    assert aggregate.timeline.span(0) == (0.0, 2.0)
    assert aggregate.timeline.span(7) is None


def test_what_the_layout_does_not_have() -> None:
    aggregate = Aggregate(LAYOUT)
    aggregate.fold(delta(leaf(request=9, ms=(1,))))
    with pytest.raises(IndexError):
        aggregate.second(RunState(1.0))


def _us(value: int) -> HistDelta:
    return fold(array("q", [value * 1000]))


def test_goodput_is_of_all_attempts_and_of_what_found_no_connection() -> None:
    layout = msgspec.structs.replace(LAYOUT, objectives=True)
    aggregate = Aggregate(layout)
    assert aggregate.metrics_total(2.0)["goodput"] == {"good": 0, "share": 0.0, "per_s": 0.0}
    good = msgspec.structs.replace(leaf(ms=(10, 20), timeout=1), sums={"good": 1, "attempts": 4})
    aggregate.fold(delta(good))
    aggregate.second(RunState(1.0))
    assert aggregate.metrics_total(2.0)["goodput"] == {"good": 1, "share": 0.25, "per_s": 0.5}
    snapshot = aggregate.snapshot(RunState(1.0))
    assert (snapshot.goodput, snapshot.good) == (0.25, 1)
    aggregate.fold(delta(leaf(connect_error=7)))
    assert aggregate.metrics_stage(0, 2.0)["goodput"]["share"] == 0.1
    without = Aggregate(LAYOUT)
    without.fold(delta(leaf(ms=(10,))))
    assert without.metrics_total(2.0)["goodput"] is None
    assert without.snapshot(RunState(1.0)).goodput is None


def test_the_budget_is_what_the_workers_say_and_of_a_dead_worker_the_worst() -> None:
    run = FakeRun(seconds=2)
    layout = msgspec.structs.replace(run.layout, budget=Caps(1_000, 50_000), price=Price(1.0, 2.0, 0.5))
    aggregate = Aggregate(layout)
    assert aggregate.spending.lines() == (BudgetLine("requests", 1_000, 0, 0), BudgetLine("tokens", 50_000, 0, 0))
    first, second = (delta for delta in run.deltas(1)[:2])
    aggregate.fold(msgspec.structs.replace(first, worker=0, budget=budget_of(granted=20, spent=10, held=4)))
    aggregate.fold(msgspec.structs.replace(second, worker=1, budget=budget_of(granted=30, spent=12, held=5)))
    assert aggregate.spending.lines()[0] == BudgetLine("requests", 1_000, 22, 9)
    aggregate.worker_gone(1)
    assert aggregate.spending.lines()[0] == BudgetLine("requests", 1_000, 27, 4)
    assert aggregate.spending.summary() == {
        "requests": {"cap": 1_000, "used": 27, "lost": 13},
        "tokens": {"cap": 50_000, "used": 2_700, "at_worst_case_requests": 2, "lost": 1_300},
        "cost_usd": {"cap": None, "used": 0.0},
    }


def budget_of(granted: int, spent: int, held: int) -> WorkerBudgetState:
    """So many requests of 100 tokens each."""
    total, used, flying = (Amount(number, 100 * number) for number in (granted, spent, held))
    return WorkerBudgetState(total, used, flying, kept=1)


def test_cost_is_of_the_tokens_that_were_told() -> None:
    sums = Counter(token_requests=2, input_tokens=1_000, cached_tokens=400, output_tokens=250, estimated_tokens=50)
    assert cost_usd(sums, Price(1.0, 4.0, 0.5)) == pytest.approx((600 * 1.0 + 400 * 0.5 + 250 * 4.0) / 1e6)
    assert cost_usd(sums, None) is None
    assert cost_usd(Counter(estimated_tokens=300), Price(1.0, 4.0, 0.5)) is None


def test_pictures_are_numbered() -> None:
    aggregate = Aggregate(LAYOUT)
    assert [aggregate.snapshot(RunState(1.0)).seq for _ in range(3)] == [1, 2, 3]


def test_before_the_first_second_a_picture_is_of_the_moment() -> None:
    tick = Aggregate(LAYOUT).snapshot(RunState(0.25, target_users=3)).tick
    assert (tick.t_s, tick.target, tick.rps) == (0.25, 3, 0.0)


def test_an_edited_plan_has_more_stages_and_those_before_keep_their_figures() -> None:
    aggregate = Aggregate(LAYOUT)
    aggregate.fold(delta(leaf(stage=1, ms=(10,))))
    stages = (*LAYOUT.stages, StageInfo(2, "more", 20, 30, 5, 9, "users"), StageInfo(3, "end", 30, 40, 9, 0, "users"))
    edited = Edited(stages, 40.0)
    assert aggregate.snapshot(RunState(1.0)).edited is None
    aggregate.replan(edited)
    assert aggregate.snapshot(RunState(1.0)).edited == edited
    assert aggregate.layout == msgspec.structs.replace(LAYOUT, stages=stages)
    aggregate.fold(delta(leaf(stage=3, ms=(10, 20))))
    assert [aggregate.metrics_stage(stage, 1.0)["requests"] for stage in range(4)] == [0, 1, 0, 2]
    aggregate.replan(Edited(stages[:3], 30.0))
    assert aggregate.metrics_stage(3, 1.0)["requests"] == 2, "a stage that was dropped keeps what it has"
    info = RunInfo("1", "made up", "p.toml", "", "", 20.0, 0.0, LAYOUT.stages, ("chat",), 0, 1, "")
    assert edited.of(info) == msgspec.structs.replace(info, stages=stages, duration_s=40.0)


def test_what_workers_tell_late_is_in_the_second_in_which_it_ended() -> None:
    aggregate = Aggregate(LAYOUT)
    for second in range(3):
        aggregate.fold(delta(leaf(ms=(10,)), t_s=second + 0.5, from_s=second + 0.25))
        aggregate.second(RunState(second + 1.0))
    aggregate.fold(delta(leaf(ms=(20, 30), timeout=1), t_s=2.99, from_s=1.5, worker=1))
    aggregate.fold(delta(leaf(ms=(40,)), t_s=3.25, from_s=3.0))
    aggregate.fold(delta(leaf(ms=(50,)), t_s=4.25, from_s=4.0))
    assert aggregate.second(RunState(4.0)).rps == 1.0
    ticks = aggregate.timeline.ticks()
    assert [(tick.rps, tick.failed_per_s) for tick in ticks] == [(1.0, 0.0), (4.0, 1.0), (1.0, 0.0), (1.0, 0.0)]
    assert aggregate.second(RunState(5.0)).rps == 1.0
    assert aggregate.metrics_total(5.0)["requests"] == 8


def test_pictures_alone_need_no_summary() -> None:
    run = FakeRun(seconds=12, storm=(3, 5))
    whole, live = Aggregate(run.layout), Aggregate(run.layout, live_only=True)
    for second in range(1, 13):
        for piece in run.deltas(second):
            whole.fold(piece)
            live.fold(piece)
        now = run.situation(second)
        assert live.second(now) == whole.second(now)
        assert live.snapshot(now) == whole.snapshot(now)
    assert live.metrics_total(12.0)["latency_ms"] is None


def test_who_is_silent_is_asked_only_while_the_run_is_running() -> None:
    for state, silent in (("running", [1]), ("draining", []), ("done", [])):
        aggregate = Aggregate(LAYOUT)
        for second in (1, 2, 3):
            aggregate.fold(delta(t_s=float(second), states=[PoolState(0, 4, 0)]))
            aggregate.second(RunState(float(second), state=state, workers=2))
        assert aggregate.saturation.silent == silent, state


def test_users_of_a_silent_worker_are_not_counted_until_it_is_heard_again() -> None:
    aggregate = Aggregate(LAYOUT)
    users = []
    for second in range(1, 7):
        aggregate.fold(delta(t_s=float(second), states=[PoolState(0, 4, 0)]))
        if second in (1, 5, 6):
            aggregate.fold(delta(worker=1, t_s=float(second), states=[PoolState(0, 30, 0)]))
        users.append(aggregate.second(RunState(float(second), workers=2)).users)
    assert users == [34, 34, 4, 4, 34, 34]


def test_what_pools_do_is_of_the_run_their_pool_and_their_stage() -> None:
    aggregate = Aggregate(LAYOUT)
    pools = [PoolDelta(0, WARMUP, 1, 1, 1), PoolDelta(0, 0, 2, 20, 3), PoolDelta(1, 1, 5, 50, 7)]
    aggregate.fold(delta(pools=pools))
    aggregate.fold(delta(pools=pools[1:2]))
    names = ("sessions", "iterations", "dropped_iterations")
    total, *stages = (
        [found[name] for name in names]
        for found in (aggregate.metrics_total(1.0), *(aggregate.metrics_stage(stage, 1.0) for stage in (0, 1)))
    )
    assert (total, stages) == ([9, 90, 13], [[4, 40, 6], [5, 50, 7]])
    assert [[aggregate.metrics_pool(pool, 1.0)[name] for name in names] for pool in (0, 1)] == stages
    assert aggregate.snapshot(RunState(1.0)).dropped_iterations == 14, "the warm-up's among them"
