from __future__ import annotations

import gc
import os

import pytest

from agenttop.metrics.histogram import Hist
from agenttop.wire.turns import Turns
from agenttop.worker import vitals as vitals_module
from agenttop.worker.files import count_open_files
from agenttop.worker.vitals import TICK_NS, Vitals

MS = 1_000_000


def begun() -> Vitals:
    vitals = Vitals(0)
    vitals.begin(0)
    return vitals


def lags_of(*ticks_ms: float) -> tuple[int, float, float]:
    """(count, least, most) in ms of the lags after ticks at these times."""
    vitals = begun()
    for tick in ticks_ms:
        vitals.tick(int(tick * MS))
    records = vitals.take(TICK_NS, [], network=False).loop_lag
    assert records is not None
    return records.count, records.low / 1000, records.high / 1000


def test_a_tick_in_time_waits_for_the_next() -> None:
    vitals = begun()
    assert vitals.tick(0) == 0.01
    assert vitals.tick(12 * MS) == 0.008
    assert lags_of(0, 12) == (2, 0.0, 2.0)


def test_an_early_tick_is_not_late() -> None:
    assert lags_of(0, 9.5, 20) == (3, 0.0, 0.0)


def test_missed_ticks_count_as_late_too() -> None:
    vitals = begun()
    assert vitals.tick(95 * MS) == 0.005
    records = vitals.take(TICK_NS, [], network=False).loop_lag
    assert records is not None
    hist = Hist()
    hist.add(records)
    assert hist.count == 10
    assert (round(hist.low), round(hist.high)) == (5_000, 95_000)
    assert vitals.tick(100 * MS) == 0.01


def test_taken_figures_begin_anew() -> None:
    vitals = begun()
    vitals.tick(0)
    vitals.arrival_lags.append(3 * MS)
    first = vitals.take(TICK_NS, [], network=False)
    assert first.loop_lag is not None
    assert first.arrival_lag is not None
    second = vitals.take(2 * TICK_NS, [], network=False)
    assert (second.loop_lag, second.arrival_lag) == (None, None)


def test_connections_are_never_more_than_there_are_files(monkeypatch: pytest.MonkeyPatch) -> None:
    # Not every system tells it without a walk.
    monkeypatch.setattr("agenttop.worker.vitals.open_files", lambda at_most: count_open_files())
    gc.collect()  # what earlier tests left must not be closed in between
    vitals = begun()
    pipes = os.pipe(), os.pipe()
    try:
        health = vitals.take(TICK_NS, [3, 100], network=False)
        assert (health.connections, health.network) == (4, None)
        assert vitals.take(TICK_NS, [3, 2], network=False).connections == 3
    finally:
        for end in (*pipes[0], *pipes[1]):
            os.close(end)


def test_the_network_is_measured_where_it_is_asked_for() -> None:
    assert begun().take(2_000_000_000, [], network=True).network is not None


@pytest.mark.parametrize(
    ("late_ms", "cpu_ms", "spent", "told"),
    [
        (180, 170, {"flood": 150, "calm": 5}, (180.0, "flood")),
        (180, 170, {"flood": 20}, (180.0, "")),
        (180, 20, {"flood": 15}, (0.0, "")),  # the processor was elsewhere
        (5, 5, {"flood": 4}, (0.0, "")),
    ],
)
def test_the_longest_turn_and_whose_it_was(
    monkeypatch: pytest.MonkeyPatch, late_ms: int, cpu_ms: int, spent: dict[str, int], told: tuple[float, str]
) -> None:
    cpu = iter([0, 0, 0, cpu_ms * MS, cpu_ms * MS, cpu_ms * MS, cpu_ms * MS])
    monkeypatch.setattr(vitals_module, "process_time_ns", lambda: next(cpu))
    monkeypatch.setattr(vitals_module, "TURNS", turns := Turns())
    vitals = begun()
    vitals.tick(0)
    for whose, ms in spent.items():
        turns.took(whose, ms * MS)
    vitals.tick(10 * MS + late_ms * MS)
    health = vitals.take(TICK_NS, [], network=False)
    assert (health.longest_turn_ms, health.turn_of) == told
    assert vitals.take(TICK_NS, [], network=False).longest_turn_ms == 0.0
    assert turns.excuses(15 * MS, (10 + late_ms) * MS) is (late_ms > 10)
