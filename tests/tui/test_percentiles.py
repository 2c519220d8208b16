"""What a trend draws of percentiles is of merged counts, however much of a run a cell is of."""

from __future__ import annotations

from array import array
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import WARMUP, Delta, Health, LeafDelta
from agenttop.metrics.heat import percentile_ms
from agenttop.metrics.histogram import fold, percentiles_of
from agenttop.metrics.layout import Layout, PoolInfo, RequestInfo
from agenttop.metrics.live import WINDOW_S
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import Tick
from agenttop.tui.history import History, Percentile
from agenttop.tui.panes.latency import GAPS, TOTAL, TTFT
from tests.examples import at_most
from tests.tui.test_history import fresh

LAYOUT = Layout((PoolInfo("p", "sse", "openai.chat", open=False),), (RequestInfo(0, "r"),), ())
DRAWN = [*TOTAL, *TTFT, GAPS]
#: A middle of half of an octave is off by a quarter of one.
COARSE = 2**0.25 * 1.001


def driven(seconds: list[list[float]]) -> tuple[History, list[Tick]]:
    """What a viewer has of a run whose requests took these ms, second by second."""
    aggregate, history, ticks = Aggregate(LAYOUT), fresh(duration_s=float(len(seconds))), []
    for t_s, took in enumerate(seconds, 1):
        if took:
            records = fold(array("q", [int(ms * 1e6) for ms in took]))
            hists = dict.fromkeys(("latency", "ttft", "inter_chunk"), records)
            leaf = LeafDelta(0, WARMUP, {"ok": len(took)}, {}, hists, {})
            health = Health(None, 0.0, 0.0, 0)
            aggregate.fold(Delta(0, t_s, t_s - 0.5, [leaf], [], [], {}, [], 0.0, health, from_s=t_s - 1.0))
        ticks.append(aggregate.second(RunState(float(t_s))))
        history.add(ticks[-1])
    return history, ticks


def slow(seconds: int) -> list[list[float]]:
    """3 answers a second, 5 % of them after 10 s."""
    choice = Random(7)
    return [[10_000.0 if choice.random() < 0.05 else 400.0 for _ in range(3)] for _ in range(seconds)]


@pytest.mark.parametrize("step_s", [1, 5, 60, 300])
def test_a_few_slow_answers_are_the_p99_and_not_the_p50(step_s: int) -> None:
    history, _ = driven(slow(600))
    p50, _, p99 = TOTAL
    points = 600 // step_s
    medians = [known.value for known in history.percentiles(p50, points, step_s) if known is not None]
    assert medians == pytest.approx([400] * points, rel=0.01)
    tails = [known.value for known in history.percentiles(p99, points, step_s) if known is not None]
    if step_s >= 60:
        assert tails == pytest.approx([10_000] * points, rel=0.19)
    else:  # of 30 requests now and then none is slow
        assert {round(tail, -2) for tail in tails} == {400, 10_000}


@settings(max_examples=at_most(25))
@given(
    st.lists(st.lists(st.floats(1, 60_000), max_size=8), min_size=1, max_size=80), st.sampled_from([1, 4, 10, 15, 30])
)
def test_a_percentile_of_a_union_lies_between_those_of_its_parts(seconds: list[list[float]], step_s: int) -> None:
    # Of so few records a second, for HdrHistogram rounds ranks: of 11 records the 10th is its p95, of 22 the 21st.
    history, ticks = driven(seconds)
    for of in DRAWN:
        points = -(-len(seconds) // step_s)
        for point, known in enumerate(history.percentiles(of, points, step_s)):
            last = min((point + 1) * step_s, len(seconds))
            first = min(point * step_s, max(0, last - int(WINDOW_S)))
            parts = [
                percentiles_of(fold(array("q", [int(ms * 1e6) for ms in took])), (of.percent,))[0] / 1000
                for took in seconds[first:last]
                if took
            ]
            if known is None:
                assert not parts
                continue
            assert min(parts) / COARSE <= known.value <= max(parts) * COARSE
            if step_s <= WINDOW_S:
                assert min(parts) <= known.value <= max(parts)
                assert known.value == of.value(ticks[last - 1]), "what the timeline has"


@given(st.lists(st.floats(1, 600_000), min_size=1, max_size=200), st.sampled_from([50, 95, 99]))
def test_a_percentile_of_buckets_is_off_by_19_percent_at_most(took: list[float], percent: int) -> None:
    records = fold(array("q", [int(ms * 1e6) for ms in took]))
    (_, ticks) = driven([took])
    found = percentile_ms(ticks[0].latency_counts, percent)
    exact = percentiles_of(records, (percent,))[0] / 1000
    assert found is not None
    assert exact / COARSE <= found <= exact * COARSE


@pytest.mark.parametrize("step_s", [1, 60])
def test_how_many_samples_a_percentile_is_of(step_s: int) -> None:
    history, _ = driven([[5.0, 6.0]] * 120)
    (known,) = history.percentiles(TOTAL[0], 1, step_s)
    assert known is not None
    assert known.samples == 2 * max(step_s, WINDOW_S)


def test_a_long_cell_of_few_known_seconds_is_not_bound_by_the_last_of_them() -> None:
    """A viewer who comes late has of long ago the newest of many seconds, with the counts of all."""
    of = Percentile(99, lambda t: t.latency_p99_ms, lambda t: t.latency_counts)
    history = fresh(duration_s=600.0)
    history.add(Tick(60.0, 0, 1, 1.0, 1, 3.0, 0.0, 0.0, latency_p99_ms=400.0, latency_counts=(*[0] * 26, 9)))
    history.add(Tick(120.0, 0, 1, 1.0, 1, 3.0, 0.0, 0.0, latency_p99_ms=400.0, latency_counts=(*[0] * 26, 9)))
    known = history.percentiles(of, 2, 60)[-1]
    assert known is not None
    assert known.value > 8_000
