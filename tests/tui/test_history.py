"""What a viewer remembers."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from agenttop.metrics.snapshot import Tick
from agenttop.tui.history import RECENT_S, History
from tests.tui.sim import Sim


def tick(t_s: float, **fields: object) -> Tick:
    base = {
        "stage": 0,
        "users": 10,
        "target": 10.0,
        "in_flight": 4,
        "rps": 5.0,
        "failed_per_s": 0.0,
        "rate_limited_per_s": 0.0,
    }
    return msgspec.convert({"t_s": t_s, **base, **fields}, Tick)


def fresh(**changes: object) -> History:
    return History(msgspec.structs.replace(Sim("ramp").info, **changes))


def test_means_over_steps_end_with_the_newest() -> None:
    history = fresh()
    for second in range(1, 9):
        history.add(tick(second, rps=float(second)))
    assert history.series(lambda t: t.rps, 5, 2) == [None, 1.5, 3.5, 5.5, 7.5]


def test_a_chart_moves_by_whole_steps() -> None:
    history = fresh()
    for second in range(1, 14):
        history.add(tick(second))
        values = history.series(lambda t: t.rps, 8, 2, 2)
        assert (8 - sum(value is not None for value in values) - (4 - (second - 1) % 4 - 1) // 2) % 2 == 0


def test_a_second_without_a_sample_is_no_zero() -> None:
    history = fresh()
    history.add(tick(1, ttft_p95_ms=None))
    history.add(tick(2, ttft_p95_ms=0.5))
    assert history.series(lambda t: t.ttft_p95_ms, 2, 1) == [None, 0.5]


@pytest.mark.parametrize("seconds", [120, 70, 600, 887])
def test_the_plan_has_no_gap_at_any_second(seconds: int) -> None:
    history = fresh(duration_s=float(seconds), stages=())
    for second in range(1, seconds + 1):
        history.add(tick(second), float(second))
    assert None not in history.plan


def test_a_late_viewer_sees_the_whole_plan_behind() -> None:
    sim = Sim("manual")
    ticks = tuple(snapshot.tick for snapshot in sim.until(200))
    live, late = History(sim.info), History(msgspec.structs.replace(sim.info, history=ticks))
    for second in ticks:
        live.add(second, second.t_s)
    assert late.plan == live.plan
    assert late.plan_t_s == 200


def test_the_plan_stands_still_while_held_and_jumps_with_the_next_stage() -> None:
    history = fresh()
    history.add(tick(1))
    history.add(tick(2, held=True))
    history.add(tick(3, held=True))
    assert history.plan_t_s == 1
    history.add(tick(4, stage=2))
    assert history.plan_t_s == 210


def test_a_snapshot_that_comes_twice_counts_once() -> None:
    history = fresh()
    history.add(tick(1))
    history.add(tick(1))
    assert len(history.recent) == 1


def test_memory_is_bounded() -> None:
    history = fresh(duration_s=7 * 86_400.0)
    for second in range(1, 2 * RECENT_S):
        history.add(tick(second))
    assert len(history.recent) == RECENT_S
    assert len(history.plan) == 1024


@pytest.mark.parametrize(
    ("usual_ms", "quiet", "hangs"), [(None, 3, 0), (None, 4, 4), (20_000, 12, 0), (20_000, 21, 21)]
)
def test_silence_is_a_hang_once_it_is_longer_than_the_target_is_slow(
    usual_ms: float | None, quiet: int, hangs: int
) -> None:
    history = fresh()
    history.add(tick(1, latency_p99_ms=usual_ms))
    for second in range(2, 2 + quiet):
        history.add(tick(second, rps=0.0))
    assert history.hangs() == hangs


def test_an_idle_run_does_not_hang() -> None:
    history = fresh()
    for second in range(1, 30):
        history.add(tick(second, rps=0.0, in_flight=0))
    assert history.hangs() == 0


def test_shares_of_failures() -> None:
    history = fresh()
    assert history.failing() == (0, 0)
    history.add(tick(1, rps=10.0, failed_per_s=4.0, rate_limited_per_s=3.0))
    assert history.failing() == pytest.approx((0.3, 0.1))


def test_a_copy_stays_as_it_was() -> None:
    history = fresh()
    history.add(tick(1))
    copy = history.copy()
    history.add(tick(2))
    assert len(copy.recent) == 1
    assert copy.plan[1] is None
    assert dataclasses.is_dataclass(copy.plan[0])
