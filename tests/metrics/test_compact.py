from __future__ import annotations

from array import array

import msgspec
import pytest

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.compact import compact, gathered
from agenttop.metrics.delta import (
    Delta,
    ErrorDelta,
    Health,
    LeafDelta,
    Network,
    PoolDelta,
    PoolState,
    SlowRequest,
    WorkerBudgetState,
)
from agenttop.metrics.histogram import fold
from agenttop.metrics.workers import Workers
from tests.metrics.fakes import FakeRun
from tests.metrics.strain import strained


def test_compacted_deltas_say_the_same() -> None:
    run = FakeRun(seconds=20, storm=(8, 12), warmup_s=3.0, saturated=(10, 15))
    plain, short = Aggregate(run.layout), Aggregate(run.layout)
    for second in range(1, 21):
        deltas = run.deltas(second)
        merged = compact(deltas)
        assert len(merged) == run.workers
        for delta in deltas:
            plain.fold(delta)
        for delta in merged:
            short.fold(delta)
        assert short.second(run.situation(second)) == plain.second(run.situation(second))
    left, right = plain.metrics_total(17.0), short.metrics_total(17.0)
    for key, value in left.items():
        if key.endswith("_ms") and value and "hdr" in value:
            assert right[key]["hdr"] == value["hdr"]
        elif key not in ("phases_ms", "rate_limit"):
            assert right[key] == value
    assert plain.checks == short.checks
    assert plain.saturation.warnings() == short.saturation.warnings()
    assert plain.workers.users_max == short.workers.users_max


def test_the_cpu_of_a_worker_is_the_same_however_its_deltas_are_put_together() -> None:
    """One of the second before is late, and stands with those of its own second in a journal."""
    times, percents = (1.0, 2.0, 2.25, 2.5, 3.1), (80.0, 10.0, 20.0, 40.0)
    deltas = [
        Delta(0, seq, end, [], [], [], {}, [], 0.0, Health(None, cpu, 0.0, 0), from_s=begin)
        for seq, (begin, end, cpu) in enumerate(zip(times, times[1:], percents, strict=False))
    ]
    assert [delta.second for delta in compact(deltas)] == [1, 2]
    found = []
    for told in (deltas, compact(deltas)):
        workers = Workers(0)
        for delta in told:
            workers.observe(delta)
        workers.close()
        found.append(workers.cpu_percent)
    assert found[0] == pytest.approx((80.0 * 1.0 + 10.0 * 0.25 + 20.0 * 0.25 + 40.0 * 0.6) / 2.1)
    assert found[1] == pytest.approx(found[0], rel=1e-12)


def test_what_is_measured_once_a_second_is_kept() -> None:
    network = Network(28_232, 40, 12, "eth0", 20.0, 1_000)
    late = fold(array("q", [9_000_000]))
    first = Delta(0, 1, 0.5, [], [], [], {}, [], 0.0, Health(None, 10.0, 50.0, 20, 1_024, late, 5, network))
    newer = Health(None, 20.0, 51.0, 30, 2_048, late, 6)
    (whole,) = compact([first, msgspec.structs.replace(first, seq=2, t_s=0.75, health=newer)])
    health = whole.health
    assert (health.cpu_percent, health.open_files, health.file_limit, health.connections) == (15.0, 30, 2_048, 6)
    assert health.network == network
    assert health.arrival_lag is not None
    assert health.arrival_lag.count == 2


def test_the_longest_turn_is_kept() -> None:
    deltas = [strained(float(second)) for second in range(3)]
    health = msgspec.structs.replace(deltas[1].health, longest_turn_ms=180.0, turn_of="flood")
    deltas[1] = msgspec.structs.replace(deltas[1], health=health)
    (one,) = compact(deltas)
    assert (one.health.longest_turn_ms, one.health.turn_of) == (180.0, "flood")


def test_connections_are_added() -> None:
    one = msgspec.structs.replace(strained(1.0), addresses={"192.0.2.1:80": 2})
    other = msgspec.structs.replace(strained(1.5), addresses={"192.0.2.1:80": 3, "[::1]:80": 1})
    layout = FakeRun().layout
    (whole,) = compact([one, other])
    assert whole.addresses == {"192.0.2.1:80": 5, "[::1]:80": 1}
    aggregate = Aggregate(layout)
    aggregate.fold(whole)
    assert dict(aggregate.workers.addresses) == whole.addresses


def said(seq: int, from_s: float, *, worker: int = 3) -> Delta:
    """One of several deltas of a second: every figure of it depends on its number."""
    lag = fold(array("q", [seq * 1_000_000]))
    turn = (0.0, 90.0, 90.0)[seq - 1]
    return Delta(
        worker=worker,
        seq=seq,
        t_s=from_s + 0.25,
        leaves=[
            LeafDelta(0, 1, {"ok": seq}, {200: seq}, {"latency": lag}, {"attempts": 10 * seq}),
            LeafDelta(0, 2, {"timeout": seq}, {}, {}, {}),
        ],
        pools=[PoolDelta(0, 1, seq, 2 * seq, 3 * seq), PoolDelta(1, 1, 0, seq, 0)],
        errors=[
            ErrorDelta(0, 1, "timeout", "slow", seq, 5.0 - seq, 5.0 + seq),
            ErrorDelta(0, 1, "timeout", f"{seq}", 1, from_s, from_s),
        ],
        checks={"both": (seq, 10 * seq), f"{seq}": (1, 0)},
        states=[PoolState(0, seq, seq)],
        oldest_s=float(seq),
        health=Health(
            None if seq == 3 else lag, 10.0 * seq, 100.0 + seq, seq, 1_000 + seq, None if seq == 2 else lag, 50 + seq,
            Network(seq, 1, 1) if seq < 3 else None, turn, f"pool {seq}",
        ),
        budget=WorkerBudgetState(kept=seq),
        slowest=[SlowRequest(0, 1, 1.0, float(seq), None, 200, f"{seq}")],
        addresses={"[::1]:80": seq},
        from_s=from_s,
    )  # fmt: skip


def test_every_field_of_what_one_worker_said_in_a_second() -> None:
    parts = [said(seq, 2.0 + 0.25 * (seq - 1)) for seq in (1, 2, 3)]
    (one,) = compact(parts)
    assert (one.worker, one.seq, one.t_s, one.from_s, one.second) == (3, 3, 2.75, 2.0, 2)
    first, second = one.leaves
    assert (first.request, first.stage, first.outcomes, first.status, first.sums, first.mark) == (
        0, 1, {"ok": 6}, {200: 6}, {"attempts": 60}, 0,
    )  # fmt: skip
    assert {name: (hist.count, hist.high) for name, hist in first.hists.items()} == {"latency": (3, 3000.0)}
    assert (second.stage, second.outcomes) == (2, {"timeout": 6})
    assert one.pools == [PoolDelta(0, 1, 6, 12, 18), PoolDelta(1, 1, 0, 6, 0)]
    assert one.errors[0] == ErrorDelta(0, 1, "timeout", "slow", 6, 2.0, 8.0)
    assert [error.message for error in one.errors] == ["slow", "1", "2", "3"]
    assert one.checks == {"both": (6, 60), "1": (1, 0), "2": (1, 0), "3": (1, 0)}
    assert (one.states, one.oldest_s, one.budget) == ([PoolState(0, 3, 3)], 3.0, WorkerBudgetState(kept=3))
    assert [row.trace_id for row in one.slowest] == ["1", "2", "3"]
    assert one.addresses == {"[::1]:80": 6}
    health = one.health
    assert (health.cpu_percent, health.rss_mb, health.open_files, health.file_limit, health.connections) == (
        20.0, 103.0, 3, 1_003, 53,
    )  # fmt: skip
    assert (health.longest_turn_ms, health.turn_of, health.network) == (90.0, "pool 3", Network(2, 1, 1))
    assert health.loop_lag is not None
    assert health.arrival_lag is not None
    assert (health.loop_lag.count, health.loop_lag.high) == (2, 2000.0)
    assert (health.arrival_lag.count, health.arrival_lag.high) == (2, 3000.0)


def test_seconds_and_workers_are_kept_apart() -> None:
    alone, other, later = said(1, 2.0), said(1, 2.0, worker=4), said(2, 3.0)
    assert compact([alone, other, later, said(3, 3.25)])[:2] == [alone, other]
    assert [(one.worker, one.second, one.seq) for one in compact([alone, other, later, said(3, 3.25)])] == [
        (3, 2, 1), (4, 2, 1), (3, 3, 3),
    ]  # fmt: skip
    assert compact([]) == []
    quiet = [msgspec.structs.replace(one, health=Health(None, 1.0, 1.0, 1)) for one in (said(1, 2.0), said(2, 2.25))]
    (health,) = [one.health for one in compact(quiet)]
    assert (health.loop_lag, health.arrival_lag, health.network) == (None, None, None)


def test_what_workers_counted_together_is_gathered_and_figures_are_the_same() -> None:
    run = FakeRun(seconds=20, workers=5, storm=(8, 12), warmup_s=3.0, saturated=(10, 15))
    plain, short = Aggregate(run.layout), Aggregate(run.layout)
    for second in range(1, 21):
        # Some of a tick and some of the next, as they come.
        deltas = run.deltas(second)
        for begin in range(0, len(deltas), 7):
            part = deltas[begin : begin + 7]
            again = gathered(part)
            assert [delta.worker for delta in again] == [delta.worker for delta in part]
            assert sum(bool(delta.leaves) for delta in again) <= len({delta.second for delta in part})
            for delta in part:
                plain.fold(delta)
            for delta in again:
                short.fold(delta)
        assert short.second(run.situation(second)) == plain.second(run.situation(second))
    left, right = plain.metrics_total(17.0), short.metrics_total(17.0)
    for key, value in left.items():
        if key.endswith("_ms") and value and "hdr" in value:
            assert right[key]["hdr"] == value["hdr"]
        elif key not in ("phases_ms", "rate_limit", "blocks"):
            assert right[key] == value
    assert plain.checks == short.checks
    assert plain.saturation.warnings() == short.saturation.warnings()
    assert plain.workers.users_max == short.workers.users_max


def test_marks_and_what_is_of_one_worker_stay() -> None:
    def delta(worker: int, mark: int, ok: int) -> Delta:
        leaf = LeafDelta(0, 0, {"ok": ok}, {200: ok}, {}, {"attempts": ok}, mark)
        pool = PoolDelta(0, 0, ok, ok, 0, mark)
        error = ErrorDelta(0, 0, "connect_error", f"of {worker}", 1, 0.1, 0.2)
        states = [PoolState(0, worker, 1)]
        health = Health(None, 10.0 * worker, 50.0, 20)
        return Delta(worker, 1, 0.25, [leaf], [pool], [error], {"a": (ok, 0)}, states, 0.0, health, from_s=0.0)

    first, second, third = gathered([delta(0, 1, 2), delta(1, 1, 3), delta(2, 2, 4)])
    assert [(leaf.mark, leaf.outcomes) for leaf in first.leaves] == [(1, {"ok": 5}), (2, {"ok": 4})]
    assert [(pool.mark, pool.sessions) for pool in first.pools] == [(1, 5), (2, 4)]
    assert first.checks == {"a": (9, 0)}
    assert (second.leaves, second.pools, third.checks) == ([], [], {})
    assert [each.errors[0].message for each in (first, second, third)] == ["of 0", "of 1", "of 2"]
    assert [each.health.cpu_percent for each in (first, second, third)] == [0.0, 10.0, 20.0]
    alone = delta(0, 1, 2)
    assert gathered([alone]) == [alone]
