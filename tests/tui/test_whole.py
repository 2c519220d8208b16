"""The whole run in a bounded number of parts."""

from __future__ import annotations

import pytest

from agenttop.metrics.snapshot import RunInfo, Tick
from agenttop.tui.history import History
from agenttop.tui.whole import MAX_TICKS, Whole


def tick(t_s: int, **changes: object) -> Tick:
    base = {"stage": 0, "users": 4, "target": 4.0, "in_flight": 2, "failed_per_s": 0.0, "rate_limited_per_s": 0.0}
    return Tick(t_s=float(t_s), rps=float(t_s % 2), **{**base, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [10, MAX_TICKS, MAX_TICKS + 1, 10_000])
def test_there_are_never_too_many_parts_and_nothing_is_lost(seconds: int) -> None:
    whole = Whole()
    for t_s in range(1, seconds + 1):
        whole.add(tick(t_s, latency_counts=(1, 2), ttft_counts=(0, 0, 3), inter_chunk_counts=(4,) * (t_s % 3)))
    assert seconds / whole.each_s <= len(whole.ticks) <= MAX_TICKS
    assert whole.ticks[-1].t_s == seconds
    assert sum(part.latency_counts[1] for part in whole.ticks) == 2 * seconds
    assert sum(part.ttft_counts[2] for part in whole.ticks) == 3 * seconds
    assert sum(sum(part.inter_chunk_counts) for part in whole.ticks) == sum(
        4 * (t_s % 3) for t_s in range(1, seconds + 1)
    )
    if whole.each_s > 1:
        assert {part.rps for part in whole.ticks[:-1]} == {0.5}


def test_a_percentile_of_a_part_is_what_was_told_last_and_no_mean() -> None:
    whole = Whole()
    whole.each_s = 4
    for t_s, p95 in ((1, None), (2, 10.0), (3, 20.0), (4, 30.0)):
        whole.add(tick(t_s, latency_p95_ms=p95, manual=t_s == 2))
    (part,) = whole.ticks
    assert part.latency_p95_ms == 30.0
    assert part.manual


def test_a_trend_of_the_whole_run_begins_with_it() -> None:
    info = RunInfo("id", "n", "p", "t", "", 7200.0, 0.0, (), (), 1, 1, "d")
    history = History(info)
    for t_s in range(1, 7201):
        history.add(tick(t_s, users=t_s), float(t_s))
    users = history.series(lambda t: float(t.users), 10, 720)
    assert [round(value or 0) for value in users] == pytest.approx([360 + 720 * part for part in range(10)], rel=0.03)
    assert history.copy().series(lambda t: float(t.users), 10, 720) == users
