"""A second is what ended in it, however late its controller hears of it: in the timeline, in windows, in a journal."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.journal.figures import Figures
from agenttop.journal.journal import JournalWriter, rebuild
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta
from agenttop.metrics.snapshot import Tick
from agenttop.thresholds.breaker import BreakerRule
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Rule
from tests.examples import at_most
from tests.metrics.fakes import TICKS, FakeRun

RUN = FakeRun(seconds=8, peak=12, storm=(4, 5))
SAID = [
    msgspec.structs.replace(delta, from_s=delta.t_s - 1 / TICKS)
    for second in range(1, RUN.seconds + 1)
    for delta in RUN.deltas(second)
]
RATES = ("rps", "failed_per_s", "rate_limited_per_s", "output_tokens_per_s")
RULES = Rules(
    tuple(
        Rule(text, parse_threshold(text), window_s=3.0)
        for text in ("requests rate > 1/s", "latency p95 < 10s", "failed count < 10_000")
    ),
    BreakerRule(0.9, 3.0, 5, True),
)
PERCENTILES = (
    *(f"{metric}_p{percent}_ms" for metric in ("latency", "ttft") for percent in (50, 95, 99)),
    *("inter_chunk_p95_ms", "loop_lag_p99_ms"),
)
Delays = list[int]


def _heat(tick: Tick) -> tuple[tuple[int, ...], ...]:
    return tick.latency_counts, tick.ttft_counts, tick.inter_chunk_counts


def told(delays: Delays) -> list[list[Delta]]:
    """What is heard by the end of each second, where a delta comes some seconds late; all of it by the last."""
    heard: list[list[Delta]] = [[] for _ in range(RUN.seconds)]
    for delta, delay in zip(SAID, delays, strict=True):
        heard[min(int(delta.from_s + 0.01) + delay, RUN.seconds - 1)].append(delta)
    return heard


def figures(delays: Delays) -> Figures:
    found = Figures(RUN.layout, RULES)
    for second, deltas in enumerate(told(delays), 1):
        for delta in deltas:
            found.fold(delta)
        found.second(RUN.situation(second), [(0.0, float(second))] * len(RUN.layout.stages))
    found.aggregate.second(RUN.situation(RUN.seconds + 1))
    return found


ON_TIME = figures([0] * len(SAID))
ALL_DELAYS = st.lists(st.integers(0, RUN.seconds), min_size=len(SAID), max_size=len(SAID))
ONE_BUSY = st.tuples(st.integers(0, RUN.seconds), st.integers(1, RUN.seconds)).map(
    lambda busy: [
        max(0, busy[0] + busy[1] - int(delta.from_s + 0.01)) if delta.from_s >= busy[0] else 0 for delta in SAID
    ]
)


@settings(max_examples=at_most(15))
@given(ALL_DELAYS | ONE_BUSY)
def test_the_timeline_is_the_same_by_every_delay_and_its_sum_is_the_total(delays: Delays) -> None:
    found = figures(delays).aggregate
    columns = found.timeline.columns()
    for name in RATES:
        assert [round(value, 2) for value in columns[name]] == [
            round(value, 2) for value in ON_TIME.aggregate.timeline.columns()[name]
        ]
    on_time = ON_TIME.aggregate.timeline
    for name in PERCENTILES:
        assert columns[name] == on_time.columns()[name]
    assert [_heat(tick) for tick in found.timeline.ticks()] == [_heat(tick) for tick in on_time.ticks()]
    assert round(sum(columns["rps"])) == found.total().requests == ON_TIME.aggregate.total().requests


@settings(max_examples=at_most(15))
@given(ALL_DELAYS | ONE_BUSY)
def test_windows_of_thresholds_and_the_breaker_hold_what_ended_in_them(delays: Delays) -> None:
    found = figures(delays)
    for one, other in zip(found.judge._series.values(), ON_TIME.judge._series.values(), strict=True):
        if one.tally is not None and other.tally is not None:
            assert +one.tally.counts.outcomes == +other.tally.counts.outcomes
        if one.trend is not None and other.trend is not None:
            assert one.trend.hist.count == other.trend.hist.count
            assert one.trend.hist.percentiles((50, 95)) == other.trend.hist.percentiles((50, 95))
    for each in (found, ON_TIME):
        each.breaker.second(float(RUN.seconds))  # it is judged no more once a run is ending
    assert found.breaker.state == ON_TIME.breaker.state


@settings(max_examples=at_most(15))
@given(ALL_DELAYS)
def test_a_journal_has_each_second_as_it_was(delays: Delays) -> None:
    with tempfile.TemporaryDirectory() as folder:
        with JournalWriter(folder, run_header(RUN.info(), RUN.layout, {}, "0" * 64, RULES)) as journal:
            for second, deltas in enumerate(told(delays), 1):
                journal.second(RUN.situation(second), deltas)
            journal.second(RUN.situation(RUN.seconds + 1), [])
        timeline = rebuild(Path(folder))["timeline"]
    assert [round(value, 2) for value in timeline["rps"]] == [
        round(value, 2) for value in ON_TIME.aggregate.timeline.columns()["rps"]
    ]


def test_what_does_not_say_when_it_ended_is_of_the_second_it_is_told_in() -> None:
    found = Figures(RUN.layout, RULES)
    for delta in RUN.deltas(1):
        found.fold(delta)
    assert found.second(RUN.situation(1), []).tick.rps > 0


@pytest.mark.parametrize("delay", [1, 3, 9])
def test_percentiles_of_every_window_have_what_was_told_late(delay: int) -> None:
    """Of windows that begin after the run, too: what is gone from the live one is kept that long."""
    run = FakeRun(seconds=26, peak=6, workers=1)
    timelines = []
    for late in (0, delay):
        aggregate = Aggregate(run.layout)
        waiting: list[Delta] = []
        for second in range(1, run.seconds + 1):
            said = [msgspec.structs.replace(delta, from_s=delta.t_s - 1 / TICKS) for delta in run.deltas(second)]
            if late and second == 14:
                waiting, said = said, []
            if second == 14 + late:
                said = [*waiting, *said]
            for delta in said:
                aggregate.fold(delta)
            aggregate.second(run.situation(second))
        timelines.append(aggregate.timeline)
    on_time, amended = (timeline.columns() for timeline in timelines)
    assert {name: amended[name] for name in PERCENTILES} == {name: on_time[name] for name in PERCENTILES}
    assert [_heat(tick) for tick in timelines[1].ticks()] == [_heat(tick) for tick in timelines[0].ticks()]
