"""What is kept of each request: bounded, of merged counts, and the same for whoever comes late or looks again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agenttop.journal.journal import JournalWriter
from agenttop.journal.playback import Playback
from agenttop.journal.summarize import run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.request_trends import FEWEST, PARTS, RECENT_S, Past, Pasts, RequestTick, RequestTrends, unpack
from agenttop.metrics.snapshot import Snapshot
from tests.metrics.fakes import FakeRun

ASK = ("chat", "ask")


def tick(t_s: float, **fields: object) -> RequestTick:
    return msgspec.structs.replace(RequestTick(t_s, 1.0, 3, 2, 1, 7, latency_counts=(0, 1)), **fields)


def told(past: Past) -> list[RequestTick]:
    return [unpack(packed) for packed in past.whole]


def test_memory_is_bounded_and_nothing_of_the_counts_is_lost() -> None:
    past = Past(5, 8)
    for second in range(1, 1001):
        past.add(tick(float(second), latency_p95_ms=float(second)))
        assert len(past.whole) <= 8
    assert [unpack(packed).t_s for packed in past.recent] == [996, 997, 998, 999, 1000]
    parts = told(past)
    assert past.each_s == 128
    assert [part.t_s for part in parts] == [128, 256, 384, 512, 640, 768, 896, 1000]
    sums = [sum(getattr(part, name) for part in parts) for name in ("seconds", "requests", "failed", "rate_limited")]
    assert (*sums, sum(part.output_tokens for part in parts)) == (1000, 3000, 2000, 1000, 7000)
    assert sum(part.latency_counts[1] for part in parts) == 1000


def test_percentiles_of_a_part_are_no_means() -> None:
    past = Past(5, 1)
    for second, p95 in ((1, 100.0), (2, 900.0), (3, None)):
        past.add(tick(float(second), latency_p95_ms=p95))
    assert told(past)[0].latency_p95_ms is None
    past.add(tick(4.0, latency_p95_ms=300.0))
    assert told(past)[0].latency_p95_ms == 300.0


@pytest.mark.parametrize(
    ("requests", "recent", "parts"), [(1, 320, 512), (18, 320, 333), (60, 100, 100), (5000, 75, 75)]
)
def test_many_requests_keep_less_each(requests: int, recent: int, parts: int) -> None:
    trends = RequestTrends.of_run(requests)
    assert (trends.recent_s, trends.parts) == (recent, parts)
    assert FEWEST <= recent <= RECENT_S
    assert parts <= PARTS


def test_a_request_begins_with_its_first_answer() -> None:
    trends = RequestTrends.of_run(1)
    trends.add({ASK: tick(1.0, requests=0)})
    assert trends.of == {}
    trends.add({ASK: tick(2.0)})
    trends.add({ASK: tick(3.0, requests=0)})
    assert trends.of[ASK].newest_s == 3.0
    assert len(trends.of[ASK].recent) == 2


def test_what_is_told_late_is_counted_in_its_second() -> None:
    trends = RequestTrends.of_run(1)
    for second in (1.0, 2.0, 3.0):
        trends.add({ASK: tick(second, latency_p95_ms=50.0)})
    trends.amend(1.0, {ASK: tick(0.0, seconds=0.0, requests=5, latency_counts=(4,)), ("chat", "other"): tick(0.0)})
    for kept in (trends.of[ASK].recent, trends.of[ASK].whole):
        assert [unpack(packed).requests for packed in kept] == [3, 8, 3]
        amended = unpack(kept[1])
        assert (amended.t_s, amended.seconds, amended.latency_p95_ms, amended.latency_counts) == (2, 1, 50.0, (4, 1))


def test_who_comes_late_has_the_same_and_goes_on_the_same() -> None:
    first = RequestTrends(Pasts(5, 8))
    for second in range(1, 50):
        first.add({ASK: tick(float(second))})
    late = RequestTrends(msgspec.json.decode(msgspec.json.encode(first.told()), type=Pasts))
    copy = first.copy()
    for second in range(50, 99):
        for trends in (first, late):
            trends.add({ASK: tick(float(second))})
    assert late.told() == first.told()
    assert copy.of[ASK].newest_s == 49


def test_a_viewer_of_the_run_a_late_one_and_a_replay_have_the_same(tmp_path: Path) -> None:
    run = FakeRun(seconds=40, storm=(20, 30))
    aggregate, viewer = Aggregate(run.layout), RequestTrends.of_run(len(run.layout.requests))
    seen: list[Pasts] = []
    with JournalWriter(tmp_path, run_header(run.info(), run.layout, {}, "0" * 64)) as journal:
        for second in range(1, run.seconds + 1):
            for delta in run.deltas(second):
                aggregate.fold(delta)
            aggregate.second(run.situation(second))
            journal.second(run.situation(second), run.deltas(second))
            picture: Snapshot = aggregate.snapshot(run.situation(second))
            viewer.add({(row.pool, row.name): row.second for row in picture.table if row.second is not None})
            seen.append(aggregate.trends.told())
            assert viewer.told() == seen[-1]
    assert {(past.pool, past.name) for past in seen[-1].requests} >= {("chat", "simple"), ("tools", "search")}
    with Playback(tmp_path) as playback:
        for second in (40, 12, 13, 27):
            playback.move(second)
            assert playback.info().pasts == seen[second - 1]
