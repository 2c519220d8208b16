"""The timeline gives back what it was given, over hours and in order."""

from __future__ import annotations

import sys
from itertools import pairwise

import msgspec
import pytest

from agenttop.metrics.counts import Counts
from agenttop.metrics.live import WINDOW_S, Slice
from agenttop.metrics.snapshot import Tick
from agenttop.metrics.timeline import Timeline

HOURS = 3


def tick(second: int) -> Tick:
    """One second of a run whose stages are an hour and a half long."""
    return Tick(
        t_s=float(second),
        stage=second // 5400,
        users=second % 100,
        target=float(second % 100),
        in_flight=second % 7,
        rps=second / 10,
        failed_per_s=0.0,
        rate_limited_per_s=0.5,
        latency_p50_ms=None if second % 2 else 12.5,
        manual=second % 3 == 0,
        latency_counts=(0, second % 5, 7) if second % 5 else (),
        ttft_counts=(second % 4,) if second % 4 else (),
    )


def long_run() -> Timeline:
    timeline = Timeline()
    for second in range(1, HOURS * 3600 + 1):
        timeline.append(tick(second))
    return timeline


def test_hours_of_ticks_come_back_as_they_were() -> None:
    timeline = long_run()
    assert len(timeline) == HOURS * 3600
    assert timeline.last == tick(HOURS * 3600)
    assert timeline.ticks() == tuple(tick(second) for second in range(1, HOURS * 3600 + 1))
    columns = timeline.columns()
    assert columns["latency_p50_ms"][:3] == [None, 12.5, None]
    assert columns["manual"][:4] == [False, False, True, False]
    assert not {"latency_counts", "ttft_counts"} & set(columns)
    assert {len(column) for column in columns.values()} == {HOURS * 3600}


def test_a_stage_has_its_seconds() -> None:
    timeline = long_run()
    assert timeline.span(0) == (0.0, 5399.0)
    assert timeline.span(1) == (5399.0, 10_799.0)
    assert timeline.span(2) == (10_799.0, 10_800.0)
    assert timeline.span(3) is None


def test_an_overview_is_bounded_and_loses_nothing_done_by_hand() -> None:
    timeline = long_run()
    overview = timeline.overview(900, 100)
    assert len(overview) <= 1000
    assert overview[-900:] == timeline.ticks()[-900:]
    old = overview[:-900]
    assert [later.t_s - earlier.t_s for earlier, later in pairwise(old)] == [99.0] * (len(old) - 1)
    assert all(part.manual for part in old), "every third second was by hand"
    assert not any(part.held for part in old)
    assert {part.latency_counts[2] for part in old} == {7 * 79, 7 * 80}, "counts of all of a part"
    assert [(part.users, part.rps, part.latency_p50_ms) for part in old] == [
        (tick(int(part.t_s)).users, part.t_s / 10, tick(int(part.t_s)).latency_p50_ms) for part in old
    ]


def test_the_overview_of_a_short_run_is_all_of_it() -> None:
    timeline = Timeline()
    for second in range(1, 20):
        timeline.append(tick(second))
        assert timeline.overview() == timeline.ticks()
        assert timeline.overview(length=3) == timeline.ticks()[:3], "as it was then"
        assert timeline.overview(length=10**9) == timeline.ticks()


def test_an_empty_timeline() -> None:
    timeline = Timeline()
    assert (len(timeline), timeline.last, timeline.ticks(), timeline.overview(), timeline.span(0)) == (
        0,
        None,
        (),
        (),
        None,
    )


def test_a_second_takes_little_memory() -> None:
    timeline = long_run()
    blocks = [block for column in timeline._columns.values() for block in column._blocks]
    blocks += [
        part
        for counts in timeline._counts.values()
        for block in counts._blocks
        for part in (block.cells, block.firsts, block.starts)
    ]
    assert sum(map(sys.getsizeof, blocks)) / len(timeline) < 280


RATES = ("rps", "failed_per_s", "rate_limited_per_s", "output_tokens_per_s")


def of_ends(*ends: float) -> Timeline:
    """Ticks that end then, each rate a number of its own."""
    timeline = Timeline()
    for place, end in enumerate(ends):
        rates = {name: 10.0 * place + number for number, name in enumerate(RATES)}
        timeline.append(msgspec.structs.replace(tick(1), t_s=end, latency_p50_ms=12.5, **rates))
    return timeline


def changes(timeline: Timeline, before: Timeline) -> dict[int, tuple[float, ...]]:
    """By place of a tick: what each rate has grown by."""
    found = {}
    for place, (new, old) in enumerate(zip(timeline.ticks(), before.ticks(), strict=True)):
        if new != old:
            grown = {name: round(getattr(new, name) - getattr(old, name), 3) for name in RATES}
            assert msgspec.structs.replace(new, **{name: getattr(old, name) for name in RATES}) == old
            found[place] = tuple(grown.values())
    return found


@pytest.mark.parametrize(
    ("start_s", "place", "seconds"),
    [
        (0.0, 0, 1.5),
        (0.4, 0, 1.5),
        (1.5, 1, 1.0),
        (1.4999995, 1, 1.0),
        (2.0, 1, 1.0),
        (2.5, 2, 2.0),
        (4.5, None, 0.0),
        (9.0, None, 0.0),
    ],
)
def test_what_is_told_late_is_added_to_its_second(start_s: float, place: int | None, seconds: float) -> None:
    ends = (1.5, 2.5, 4.5)
    timeline = of_ends(*ends)
    outcomes = {"ok": 10, "timeout": 3, "rate_limited": 2, "cancelled": 99}
    late = Slice(start_s, start_s + 1, Counts(outcomes, {"output_tokens": 40, "output_told": 4}))
    timeline.amend(start_s, late)
    rates = tuple(round(number / seconds, 3) for number in (15, 5, 2, 40)) if seconds else ()
    assert changes(timeline, of_ends(*ends)) == ({place: rates} if place is not None else {})


def test_the_first_tick_may_have_no_length() -> None:
    timeline = of_ends(1e-9, 1.0)
    timeline.amend(-1.0, Slice(-1.0, 0.0, Counts({"ok": 1})))
    assert changes(timeline, of_ends(1e-9, 1.0)) == {0: (1e6, 0.0, 0.0, 0.0)}
    empty = Timeline()
    empty.amend(0.0, Slice(0.0))
    assert len(empty) == 0


def test_what_was_dropped_is_gone_but_the_newest() -> None:
    timeline = of_ends(1.0, 2.0)
    timeline.forget()
    assert (len(timeline), timeline.ticks(), timeline.span(0)) == (0, (), None)
    assert timeline.last is not None
    assert timeline.last.t_s == 2.0
    timeline.append(tick(9))
    assert timeline.ticks() == (tick(9),)
    assert timeline.overview() == (tick(9),)


def test_a_summary_says_what_its_columns_are_of() -> None:
    timeline = Timeline(2.5)
    timeline.append(tick(3))
    told = timeline.summary()
    assert (told.pop("interval_s"), told.pop("percentiles_s")) == (2.5, WINDOW_S)
    assert Timeline().interval_s == 1.0
    assert told == timeline.columns()
    assert set(told) == {field for field in Tick.__struct_fields__ if not field.endswith("_counts")}
