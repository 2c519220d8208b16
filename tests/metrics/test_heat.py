"""Latencies in few buckets: each counted once, in the bucket that it is in."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.heat import BUCKETS, heat, lower_ms, percentile_ms
from agenttop.metrics.histogram import fold


def of_ms(*values: float) -> tuple[int, ...]:
    return heat(fold(array("q", [int(value * 1e6) for value in values])))


def test_two_buckets_an_octave_from_a_millisecond() -> None:
    assert of_ms(0.2, 1.0, 1.41) == (3,)
    assert of_ms(1.5, 2.1, 1000.0)[:4] == (0, 1, 1, 0)
    assert [round(lower_ms(bucket)) for bucket in (0, 2, 20, BUCKETS - 1)] == [1, 2, 1024, 741_455]
    assert len(of_ms(3_000_000.0)) == BUCKETS
    assert heat(None) == ()


@given(st.lists(st.floats(0.01, 3_500_000), min_size=1, max_size=200))
def test_every_latency_is_counted_once_and_where_it_is(values: list[float]) -> None:
    counts = of_ms(*values)
    assert sum(counts) == len(values)
    assert counts[-1] > 0
    for bucket, count in enumerate(counts):
        low = lower_ms(bucket) if bucket else 0.0
        high = lower_ms(bucket + 1) if bucket < BUCKETS - 1 else float("inf")
        # A histogram keeps three digits.
        assert count <= sum(low * 0.998 <= value <= high * 1.002 for value in values)


@pytest.mark.parametrize("many", [65_535, 70_000])
def test_a_count_has_sixteen_bits(many: int) -> None:
    assert heat(fold(array("q", [5_000_000] * many))) == (0, 0, 0, 0, 65_535)


def test_a_percentile_of_counts_is_the_middle_of_its_bucket() -> None:
    counts = (1, 0, 5, 3, 1)
    middles = {bucket: lower_ms(bucket) * 2**0.25 for bucket in range(5)}
    for percent, bucket in ((0, 0), (10, 0), (14, 0), (15, 2), (60, 2), (64, 2), (65, 3), (90, 3), (95, 4), (100, 4)):
        assert percentile_ms(counts, percent) == pytest.approx(middles[bucket]), percent
    assert percentile_ms((0, 1), 0) == pytest.approx(middles[1]), "the first of them"
    assert (percentile_ms((), 50), percentile_ms((0, 0), 50)) == (None, None)
