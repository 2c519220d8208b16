"""Every field of a snapshot and of a tick, from figures that all differ."""

from __future__ import annotations

from array import array
from typing import Any

import msgspec
import pytest

from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import Delta, ErrorDelta, Health, HistDelta, PoolState
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.live import Live, Slice
from agenttop.metrics.live_view import LiveView, requests_of_pools
from agenttop.metrics.run_state import PoolTarget, RunState
from agenttop.metrics.snapshot import (
    SENT_EVENTS,
    Cause,
    Event,
    Generator,
    ManualChange,
    PoolRow,
    RequestRow,
    Snapshot,
    Tick,
)
from agenttop.metrics.workers import Workers

LAYOUT = Layout(
    (PoolInfo("chat", "sse", "openai.chat", open=False), PoolInfo("tools", "http", "json", open=True)),
    (RequestInfo(0, "ask"), RequestInfo(1, "find"), RequestInfo(0, "clean up", optional=True)),
    (),
    objectives=True,
)
SUMS = {
    "bytes_sent": 11, "bytes_received": 12, "output_tokens": 130, "output_told": 1, "estimated_tokens": 999,
    "token_estimates": 1, "good": 3, "attempts": 12, "retries": 14, "recovered": 15, "sent_again": 16,
    "sessions_lost": 17, "said_nothing": 18, "rate_limit_violations": 19, "streamed": 20, "one_burst": 21,
}  # fmt: skip
NOW = RunState(
    t_s=4.00049,
    plan_t_s=3.50049,
    state="running",
    warmup=True,
    held=True,
    paused=True,
    stage=1,
    target_users=31,
    planned_users=32,
    rate=33.5,
    manual=("chat",),
    pools=(PoolTarget(5.0, 6.0, manual=True),),
    events=tuple(Event(float(number), "info", str(number)) for number in range(SENT_EVENTS + 7)),
    workers=3,
    alive=2,
    changed=("timeout",),
    by_hand=(ManualChange(1.0, "users +5"),),
)


def ms(*values: float) -> HistDelta:
    return fold(array("q", [int(value * 1e6) for value in values]))


def made() -> tuple[LiveView, Live, Slice]:
    """Four seconds of two requests, and two workers."""
    live, workers = Live(3, 10.0), Workers(2)
    whole = {"ok": 6, "timeout": 1, "rate_limited": 2, "cancelled": 4, "budget_refused": 5}
    hists = {"latency": ms(*[100] * 9, 900), "ttft": ms(*[20] * 9, 80), "inter_chunk": ms(5, 7)}
    live.add(None, 0, Counts(whole, SUMS), hists | {"retry_after": ms(1_500), "phase.plan": ms(40)})
    live.add(None, 1, Counts({"ok": 1, "server_error": 2}), {"latency": ms(300), "schedule_lag": ms(*[1] * 9, 3)})
    live.loop_lag(None, ms(*[1] * 9, 2))
    live.error(ErrorDelta(0, 0, "timeout", "slow", 1, 0.5, 3.5))
    closed = live.close(4.0)
    for worker, users in enumerate(((3, 2), (10, 20))):
        states = [PoolState(pool, number, number - 1) for pool, number in enumerate(users)]
        health = Health(None, 40.0 + worker, 100.0 + worker, 50 + worker)
        workers.observe(Delta(worker, 1, 4.0, [], [], [], {}, states, 1.5 + worker, health))
    workers.close()
    return LiveView(LAYOUT, live, workers), live, closed


def shown(*values: float) -> object:
    return pytest.approx(values, rel=0.002)


def test_every_field_of_a_snapshot() -> None:
    view, live, closed = made()
    tick = view.tick(closed, NOW)
    newest = view.request_ticks(closed)
    snapshot = view.snapshot(77, NOW, tick, ("worker 1: busy",), (8, 9), newest)
    latency, ttft, inter_chunk = snapshot.latency, snapshot.ttft, snapshot.inter_chunk
    assert latency is not None
    assert (latency.count, latency.max) == (11, 900.0)
    assert (latency.p50, latency.p90, latency.p95, latency.p99) == shown(100, 300, 300, 900)
    assert ttft is not None
    assert (ttft.count, ttft.p50, ttft.p99, ttft.max) == shown(10, 20, 80, 80)
    assert inter_chunk is not None
    assert (inter_chunk.count, inter_chunk.p50, inter_chunk.max) == shown(2, 5, 7)
    (p95, loop_lag, schedule_lag) = (snapshot.table[0].p95_ms, *lags(snapshot.generator))
    assert (p95, loop_lag, schedule_lag) == shown(900, 2, 3)
    assert snapshot == Snapshot(
        seq=77,
        t_s=4.00049,
        plan_t_s=3.50049,
        state="running",
        warmup=True,
        held=True,
        paused=True,
        stage=1,
        users=35,
        target_users=31,
        planned_users=32,
        rate=33.5,
        manual=("chat",),
        in_flight=31,
        oldest_s=2.5,
        window_s=4.0,
        rps=3.0,
        ttft=ttft,
        latency=latency,
        inter_chunk=inter_chunk,
        requests=12,
        ok=7,
        failed=5,
        rate_limited=2,
        cancelled=4,
        dropped_iterations=17,
        error_rate=5 / 12,
        retry_after_s=1.5,
        causes=(
            Cause("rate_limited", 2, (2,), 0.0, 4.0, ""),
            Cause("server_error", 2, (2,), 0.0, 4.0, ""),
            Cause("timeout", 1, (1,), 0.5, 3.5, "slow"),
        ),
        pools=(
            PoolRow("chat", "sse", "openai.chat", "users", 13, 5.0, 6.0, True, 11, 2.25, 2, 1, 8),
            PoolRow("tools", "http", "json", "rate", 22, 0.0, 0.0, False, 20, 0.75, 0, 2, 9),
        ),
        table=(
            RequestRow(
                "chat",
                "ask",
                "sse",
                9,
                2.25,
                *ps(snapshot.table[0]),
                2,
                1,
                20,
                21,
                10,
                10,
                **more_of(snapshot.table[0]),
            ),
            RequestRow(
                "tools", "find", "http", 3, 0.75, *ps(snapshot.table[1]), 0, 2, 0, 0, 1, 0, **more_of(snapshot.table[1])
            ),
        ),
        events=NOW.events[7:],
        generator=Generator(3, 2, 41.0, loop_lag, schedule_lag, 201.0, 51, True, ("worker 1: busy",)),
        tick=tick,
        phases_ms={"plan": 40.0},
        bytes_sent=11,
        bytes_received=12,
        output_tokens=130,
        goodput=0.25,
        good=3,
        retries=14,
        recovered=15,
        sent_again=16,
        sessions_lost=17,
        said_nothing=18,
        violations=19,
        budget_refused=5,
        changed=("timeout",),
        by_hand=(ManualChange(1.0, "users +5"),),
    )
    assert ps(snapshot.table[0]) == shown(100, 900, 80)
    assert ps(snapshot.table[1])[:2] == shown(300, 300)
    assert ps(snapshot.table[1])[2] is None
    assert more(snapshot.table[0]) == shown(900, 900, 1800, 130 / 4)
    assert more(snapshot.table[1]) == shown(300, 300, 300, 0)
    live.add(None, 2, Counts({"ok": 1}), {})
    assert [row.name for row in view.snapshot(78, NOW, tick, (), (0, 0), {}).table] == ["ask", "find", "clean up"]


def lags(generator: Generator) -> tuple[float, float]:
    assert generator.loop_lag_p99_ms is not None
    assert generator.schedule_lag_p99_ms is not None
    return generator.loop_lag_p99_ms, generator.schedule_lag_p99_ms


def ps(row: RequestRow) -> tuple[float | None, float | None, float | None]:
    return row.p50_ms, row.p95_ms, row.ttft_p95_ms


def more(row: RequestRow) -> list[Any]:
    return [row.p99_ms, row.max_ms, row.busy_ms, row.output_tokens_per_s]


def more_of(row: RequestRow) -> dict[str, Any]:
    told = dict(zip(("p99_ms", "max_ms", "busy_ms", "output_tokens_per_s"), more(row), strict=True))
    return told | {name: getattr(row, name) for name in ("p90_ms", "ttft", "inter_chunk", "output_tokens", "second")}


def test_every_field_of_a_requests_second() -> None:
    """Its percentiles are those of its row in the table, its counts those of the second alone."""
    view, live, closed = made()
    first = view.request_ticks(closed)
    live.add(None, 0, Counts({"ok": 2, "rate_limited": 1}, {"output_tokens": 6, "output_told": 1}),
             {"latency": ms(400, 400), "ttft": ms(20), "inter_chunk": ms(9)})  # fmt: skip
    second = view.request_ticks(live.close(5.0))
    rows = view.snapshot(1, NOW, view.tick(closed, NOW), (), (0, 0), second).table
    assert set(first) == {("chat", "ask"), ("tools", "find"), ("chat", "clean up")}
    ask, row = second["chat", "ask"], rows[0]
    assert row.second == ask
    assert (ask.t_s, ask.seconds, ask.requests, ask.failed, ask.rate_limited, ask.output_tokens) == (5, 1, 3, 1, 1, 6)
    assert (ask.latency_p50_ms, ask.latency_p95_ms, ask.latency_p99_ms) == (row.p50_ms, row.p95_ms, row.p99_ms)
    assert row.ttft is not None
    assert row.inter_chunk is not None
    assert (ask.ttft_p50_ms, ask.ttft_p95_ms, ask.ttft_p99_ms) == (row.ttft.p50, row.ttft.p95, row.ttft.p99)
    assert ask.ttft_p95_ms == row.ttft_p95_ms
    assert ask.inter_chunk_p95_ms == row.inter_chunk.p95
    assert [sum(counts) for counts in (ask.latency_counts, ask.ttft_counts, ask.inter_chunk_counts)] == [2, 1, 1]
    assert row.p90_ms == pytest.approx(400, rel=0.002)
    assert row.output_tokens == 136
    assert (second["tools", "find"].requests, second["tools", "find"].latency_p95_ms) == (
        0,
        first["tools", "find"].latency_p95_ms,
    )


def test_every_field_of_a_tick() -> None:
    view, _, closed = made()
    tick = view.tick(closed, NOW)
    found = [getattr(tick, f"{name}_ms") for name in ("latency_p50", "latency_p95", "latency_p99")]
    found += [getattr(tick, f"{name}_ms") for name in ("ttft_p50", "ttft_p95", "ttft_p99", "inter_chunk_p95")]
    found.append(tick.loop_lag_p99_ms)
    assert tuple(found) == shown(100, 300, 900, 20, 80, 80, 7, 2)
    buckets = {"latency": {13: 9, 16: 1, 19: 1}, "ttft": {8: 9, 12: 1}, "inter_chunk": {4: 1, 5: 1}}
    counts = [tuple(where.get(bucket, 0) for bucket in range(max(where) + 1)) for where in buckets.values()]
    assert tick == Tick(
        4.0, 1, 35, 31, 31, 3.0, 1.25, 0.5, *found[:7], 32.5, found[7], True, True, 3.5,
        counts[0], counts[1], counts[2],  # type: ignore[call-arg]
    )  # fmt: skip


def test_a_tick_rounds_to_thousandths_and_a_moment_has_no_rates() -> None:
    view, _, _ = made()
    piece = Slice(0.0, 3.0, Counts({"ok": 7, "timeout": 2, "rate_limited": 5}, {"output_tokens": 20, "output_told": 1}))
    tick = view.tick(piece, RunState(1.23456, plan_t_s=6.54321))
    assert (tick.t_s, tick.plan_t_s) == (1.235, 6.543)
    assert (tick.rps, tick.failed_per_s, tick.rate_limited_per_s, tick.output_tokens_per_s) == (
        4.667,
        2.333,
        1.667,
        6.667,
    )
    assert (tick.manual, tick.held, tick.latency_counts, tick.ttft_counts, tick.inter_chunk_counts) == (
        False, False, (), (), (),
    )  # fmt: skip
    short = Slice(0.0, 0.5, Counts({"ok": 3}))
    assert view.tick(short, NOW).rps == 6.0
    none = view.tick(Slice(2.0, 2.0, Counts({"ok": 3})), NOW)
    assert (none.rps, none.failed_per_s) == (0.0, 0.0)


def test_chunks_are_the_tokens_of_a_second_where_no_server_told_any() -> None:
    view, _, _ = made()
    counted = Counts(sums={"estimated_tokens": 30, "token_estimates": 2})
    assert view.tick(Slice(0.0, 2.0, counted), NOW).output_tokens_per_s == 15.0


@pytest.mark.parametrize(
    ("pools", "target"), [((True,), 33.5), ((True, True), 33.5), ((True, False), 31), ((False,), 31), ((), 31)]
)
def test_the_target_is_a_rate_only_where_all_pools_are_open(pools: tuple[bool, ...], target: float) -> None:
    layout = Layout(tuple(PoolInfo("p", "http", "json", open=each) for each in pools), (), ())
    view = LiveView(layout, Live(0, 10.0), Workers(len(pools)))
    assert view.tick(Slice(0.0, 1.0), NOW).target == target


def test_before_anything_was_asked() -> None:
    view = LiveView(LAYOUT, Live(3, 10.0), Workers(2))
    now = RunState(0.0)
    tick = view.tick(Slice(0.0), now)
    snapshot = view.snapshot(1, now, tick, (), (0, 0), {})
    assert (snapshot.error_rate, snapshot.goodput, snapshot.retry_after_s) == (0.0, None, None)
    assert (snapshot.latency, snapshot.ttft, snapshot.inter_chunk, snapshot.window_s) == (None, None, None, 0.0)
    assert (snapshot.generator.saturated, snapshot.generator.loop_lag_p99_ms) == (False, None)
    assert [(row.target, row.planned, row.manual) for row in snapshot.pools] == [(0.0, 0.0, False)] * 2
    without = LiveView(msgspec.structs.replace(LAYOUT, objectives=False), made()[1], Workers(2))
    assert without.snapshot(1, now, tick, (), (0, 0), {}).goodput is None


def test_requests_of_pools() -> None:
    assert requests_of_pools(LAYOUT) == [[0, 2], [1]]


def test_percentiles_of_a_tick_are_the_50th_the_95th_and_the_99th() -> None:
    live, workers = Live(3, 10.0), Workers(2)
    thousand = ms(*range(1, 1001))
    live.add(
        None, 0, Counts({"ok": 1_000}), dict.fromkeys(("latency", "ttft", "inter_chunk", "schedule_lag"), thousand)
    )
    live.loop_lag(None, thousand)
    view = LiveView(LAYOUT, live, workers)
    tick = view.tick(live.close(1.0), NOW)
    assert (tick.latency_p50_ms, tick.latency_p95_ms, tick.latency_p99_ms) == shown(500, 950, 990)
    assert (tick.ttft_p50_ms, tick.ttft_p95_ms, tick.ttft_p99_ms) == shown(500, 950, 990)
    assert (tick.inter_chunk_p95_ms, tick.loop_lag_p99_ms) == shown(950, 990)
    snapshot = view.snapshot(1, NOW, tick, (), (0, 0), {})
    assert ps(snapshot.table[0]) == shown(500, 950, 950)
    assert lags(snapshot.generator) == shown(990, 990)
