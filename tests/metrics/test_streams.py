"""When streams that are none are worth telling, and where they are counted."""

from __future__ import annotations

import msgspec
import pytest

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import LeafDelta
from agenttop.metrics.streams import burst_words, is_bursty, silence_words
from tests.metrics.fakes import FakeRun


@pytest.mark.parametrize(
    ("streamed", "one_burst", "bursty"),
    [(0, 0, False), (4, 4, False), (5, 5, True), (100, 9, False), (100, 10, True), (1000, 99, False)],
)
def test_what_is_worth_telling(streamed: int, one_burst: int, bursty: bool) -> None:
    assert is_bursty(streamed, one_burst) is bursty


def test_words() -> None:
    assert burst_words(100, 97) == (
        "97% of its streams came in one burst: something between buffers them, or they are made up at the end; TTFT "
        "says nothing there"
    )
    assert silence_words(1) == "1 answer said nothing: no output, no usage, no error"
    assert silence_words(2).startswith("2 answers said nothing: ")


def test_by_request_and_in_total() -> None:
    run = FakeRun(seconds=2, storm=None, warmup_s=1.0)
    aggregate = Aggregate(run.layout)
    (delta, *_), now = run.deltas(2), run.situation(2)
    sums = {"streamed": 10, "one_burst": 6, "stalled": 1}
    leaves = [LeafDelta(0, 1, {"ok": 10}, {}, {}, sums), LeafDelta(1, 1, {"ok": 4}, {}, {}, {"unterminated": 2})]
    warm = LeafDelta(0, -1, {"ok": 1}, {}, {}, {"streamed": 1, "one_burst": 1})
    aggregate.fold(msgspec.structs.replace(delta, leaves=[*leaves, warm], errors=[]))
    aggregate.second(now)
    one, other = (aggregate.metrics_request(request, 1.0)["streams"] for request in (0, 1))
    assert one == {"streamed": 10, "one_burst": 6, "stalled": 1, "unterminated": 0, "share": 0.6}
    assert other == {"streamed": 0, "one_burst": 0, "stalled": 0, "unterminated": 2, "share": 0.0}
    total = aggregate.metrics_total(1.0)["streams"]
    assert total == {"streamed": 10, "one_burst": 6, "stalled": 1, "unterminated": 2, "share": 0.6}
    assert aggregate.metrics_request(2, 1.0)["streams"] is None
    # What is shown live has the warm-up in it.
    assert [(row.streamed, row.one_burst) for row in aggregate.snapshot(now).table][:2] == [(11, 7), (0, 0)]
