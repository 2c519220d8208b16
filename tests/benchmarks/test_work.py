"""What workers did by their journal: whole seconds only, all workers together."""

from __future__ import annotations

from array import array

import pytest

from agenttop.journal.journal import Second
from agenttop.metrics.delta import Delta, Health, LeafDelta
from agenttop.metrics.histogram import fold
from agenttop.metrics.run_state import RunState
from tests.benchmarks.work import work_of


def _second(t_s: float, *workers: tuple[int, float, list[int]]) -> Second:
    """The second that ends at ``t_s``; each worker as (ok requests, CPU percent, loop lags in ms)."""
    deltas = []
    for number, (ok, cpu_percent, lags_ms) in enumerate(workers):
        leaf = LeafDelta(0, 0, {"ok": ok, "timeout": 1}, {200: ok}, {}, {})
        lag = fold(array("q", [ms * 1_000_000 for ms in lags_ms])) if lags_ms else None
        health = Health(lag, cpu_percent, 60.0, 10)
        deltas.append(Delta(number, 1, t_s, [leaf], [], [], {}, [], 0.0, health))
    return Second(RunState(t_s=t_s), deltas)


def test_work_is_ok_answers_and_cpu_of_all_workers() -> None:
    seconds = [_second(1.0, (500, 99, [])), _second(2.0, (30, 80, []), (20, 70, [])), _second(3.0, (50, 50, []))]

    work = work_of(seconds, 1.0, 3.0)

    assert (work.seconds, work.ok) == (2, 100)
    assert work.cpu_s == pytest.approx(2.0)
    assert work.per_s == 50
    assert work.per_cpu_s == pytest.approx(50)
    assert work.lag_p99_ms is None


def test_only_whole_seconds_between_the_two_times() -> None:
    seconds = [_second(t_s, (1, 10, [])) for t_s in (1.0, 2.0, 3.0, 4.0, 4.5)]

    assert work_of(seconds, 0.0, 4.5).seconds == 5
    assert work_of(seconds, 1.0, 4.0).seconds == 3
    assert work_of(seconds, 1.5, 3.9).seconds == 1


def test_the_lag_is_of_all_workers_within_these_seconds() -> None:
    seconds = [_second(1.0, (1, 50, [900])), _second(2.0, (1, 50, [1] * 98), (1, 50, [40] * 2))]

    assert work_of(seconds, 1.0, 2.0).lag_p99_ms == pytest.approx(40, rel=0.001)


def test_nothing_to_look_at() -> None:
    with pytest.raises(ValueError, match="no whole second"):
        work_of([_second(1.0, (1, 1, []))], 1.0, 2.0)
