from __future__ import annotations

from array import array
from itertools import pairwise

from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.saturation import Saturation
from tests.metrics.fakes import FakeRun


def health(
    t_s: float, *, cpu: float = 10.0, lag_ms: tuple[float, ...] = (), schedule_ms: tuple[float, ...] = ()
) -> Delta:
    lag = fold(array("q", [int(ms * 1e6) for ms in lag_ms])) if lag_ms else None
    leaves = []
    if schedule_ms:
        records = fold(array("q", [int(ms * 1e6) for ms in schedule_ms]))
        leaves = [LeafDelta(0, 0, {}, {}, {"schedule_lag": records}, {})]
    return Delta(1, 0, t_s, leaves, [], [], {}, [], 0.0, Health(lag, cpu, 50.0, 20))


def play(*seconds: Delta) -> Saturation:
    saturation = Saturation()
    for n, delta in enumerate(seconds, 1):
        saturation.observe(delta)
        saturation.judge(float(n))
    return saturation


def test_a_light_run_raises_no_alarm() -> None:
    assert not FakeRun(seconds=40).aggregate().saturation.ever


def test_a_busy_core_for_some_seconds() -> None:
    assert not play(*(health(n, cpu=95.0 if n == 3 else 20.0) for n in range(10))).ever
    saturation = play(*(health(n + 0.9, cpu=95.0) for n in range(5)))
    assert saturation.reasons == ("worker 1: CPU 95 % of its core (over 70 %)",)


def test_one_pause_is_no_saturation() -> None:
    ticks = (0.1,) * 99
    assert not play(*(health(n, lag_ms=(*ticks, 80.0 if n == 4 else 0.1)) for n in range(12))).ever
    burst = (30.0,) * 20
    assert not play(*(health(n, lag_ms=burst if n == 4 else ticks) for n in range(12))).ever


def test_lasting_lag_names_the_worker_and_ends() -> None:
    bad, good = health(0, lag_ms=(0.1,) * 90 + (12.0,) * 10), health(0, lag_ms=(0.1,) * 100)
    assert play(bad, bad, bad).reasons == ("worker 1: loop lag p99 12 ms (over 5 ms)",)
    saturation = play(*[bad] * 4, *[good] * 12)
    assert saturation.reasons == ()
    assert saturation.ever
    (warning,) = saturation.warnings()
    assert warning.startswith("worker 1: loop lag p99 12 ms (over 5 ms) at worst, too much for ")
    assert "first at 3 s" in warning


def test_schedule_lag() -> None:
    late = health(0, schedule_ms=(0.2,) * 10 + (9.0,))
    assert play(late, late, late).reasons == ("worker 1: schedule lag p99 9 ms (over 5 ms)",)


def test_live_while_it_lasts_and_kept_for_the_summary() -> None:
    run = FakeRun(seconds=60, saturated=(20, 26))
    aggregate = run.aggregate()
    assert aggregate.saturation.ever
    assert not aggregate.snapshot(run.situation(60)).generator.saturated
    firsts = [warning.split("first at ")[1] for warning in aggregate.saturation.warnings()]
    assert all(one <= other for one, other in pairwise(firsts))


def test_a_forgotten_worker_is_not_judged_any_more() -> None:
    saturation = play(*(health(n + 0.9, cpu=95.0) for n in range(5)))
    saturation.forget(1)
    saturation.judge(6.0)
    assert saturation.reasons == ()
    assert len(saturation.warnings()) == 1
