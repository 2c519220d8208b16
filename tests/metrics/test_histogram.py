from __future__ import annotations

from array import array

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.metrics.histogram import COUNTS, HIGHEST_US, Hist, counts_index, fold, highest_value, lowest_value, merge
from agenttop.metrics.histogram import percentiles_of as percentiles_of_delta
from tests.examples import at_most

HOUR_NS = HIGHEST_US * 1000
nanoseconds = st.integers(0, HOUR_NS) | st.integers(0, 5_000_000) | st.sampled_from([0, 499, 500, HOUR_NS])
batches = st.lists(nanoseconds, min_size=1, max_size=60)
percents = st.floats(0, 100) | st.sampled_from([0.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0])


def reference(values_ns: list[int]) -> HdrHistogram:
    hdr = HdrHistogram(1, HIGHEST_US, 3)
    for value in values_ns:
        assert hdr.record_value((value + 500) // 1000)
    return hdr


def hist_of(values_ns: list[int]) -> Hist:
    hist = Hist()
    hist.add(fold(array("q", values_ns)))
    return hist


def test_layout_is_hdrhs() -> None:
    hdr = HdrHistogram(1, HIGHEST_US, 3)
    assert hdr.counts_len == COUNTS
    values = [0, 1, 2047, 2048, 2049, 4095, 4096, 10**6, HIGHEST_US]
    index = counts_index(np.array(values)).tolist()
    assert index == [hdr.get_counts_array_index(v) for v in values]
    for i in range(0, COUNTS, 7):
        assert lowest_value(i) == hdr.get_value_from_index(i)
        assert highest_value(i) == hdr.get_highest_equivalent_value(lowest_value(i))


@settings(max_examples=at_most(60))
@given(batches, percents)
def test_percentiles_are_hdrhs(values: list[int], percent: float) -> None:
    expected = min(max(reference(values).get_value_at_percentile(percent), min(values) / 1000), max(values) / 1000)
    assert hist_of(values).percentile(percent) == expected
    assert percentiles_of_delta(fold(array("q", values)), (percent,)) == [expected]


@settings(max_examples=at_most(40))
@given(batches)
def test_hdrh_reads_what_we_encode(values: list[int]) -> None:
    hist, hdr = hist_of(values), reference(values)
    decoded = HdrHistogram.decode(hist.to_hdr())
    assert list(decoded.counts) == list(hdr.counts)
    assert decoded.get_total_count() == len(values)


@given(st.lists(batches, min_size=1, max_size=6))
def test_merging_equals_folding_all_at_once(parts: list[list[int]]) -> None:
    whole = hist_of([value for part in parts for value in part])
    by_delta, by_hist = Hist(), Hist()
    by_delta.add(merge([fold(array("q", part)) for part in parts]))
    for part in parts:
        by_hist.merge(hist_of(part))
    for other in (by_delta, by_hist):
        assert other.counts.tolist() == whole.counts.tolist()
        assert (other.count, other.low, other.high) == (whole.count, whole.low, whole.high)
        assert other.total == pytest.approx(whole.total)
        assert other.stddev == pytest.approx(whole.stddev, rel=1e-6, abs=1)


@settings(max_examples=at_most(25))
@given(batches, batches)
def test_merged_encodings_have_the_same_percentiles(one: list[int], other: list[int]) -> None:
    merged = HdrHistogram.decode(hist_of(one).to_hdr())
    merged.decode_and_add(hist_of(other).to_hdr())
    whole = hist_of(one + other)
    for percent in (50, 90, 99, 99.9):
        found = merged.get_value_at_percentile(percent)
        assert whole.percentile(percent) == min(max(found, whole.low), whole.high)


@given(batches)
def test_moments_are_exact(values: list[int]) -> None:
    delta = fold(np.array(values))
    us = np.array(values) / 1000
    assert (delta.count, delta.low, delta.high) == (len(values), us.min(), us.max())
    assert delta.total == pytest.approx(us.sum())
    hist = hist_of(values)
    assert hist.mean == pytest.approx(us.mean())
    assert hist.stddev == pytest.approx(us.std(), rel=1e-6, abs=1e-3)


@pytest.mark.parametrize("size", [1, 10, 1000])
def test_all_ways_of_counting_a_batch_agree(size: int) -> None:
    values = np.random.default_rng(7).lognormal(16, 2, 5000).astype(np.int64)
    parts = merge([fold(part) for part in np.split(values, 5000 // size)])
    whole = fold(values)
    assert (parts.index, parts.counts, parts.count) == (whole.index, whole.counts, whole.count)


def test_out_of_range() -> None:
    delta = fold(array("q", [-5_000, 2 * HOUR_NS]))
    assert (delta.low, delta.high) == (0.0, 2.0 * HIGHEST_US)
    hist = Hist()
    hist.add(delta)
    assert hist.percentile(100) == highest_value(int(counts_index(np.array([HIGHEST_US]))[0]))
    assert HdrHistogram.decode(hist.to_hdr()).get_total_count() == 2


def test_small_values_take_little_memory() -> None:
    assert hist_of([1_000_000]).counts.nbytes <= 16_384


def test_dist() -> None:
    hist = hist_of([n * 1_000_000 for n in range(1, 101)])
    dist = hist.dist()
    assert dist is not None
    assert list(dist) == ["count", "min", "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99_9", "max", "hdr"]
    assert (dist["count"], dist["min"], dist["mean"], dist["max"]) == (100, 1.0, 50.5, 100.0)
    assert dist["p50"] == pytest.approx(50, rel=1e-3)
    assert str(dist["hdr"]).startswith("HISTFAAA")
    seconds = hist.dist(1_000_000)
    assert seconds is not None
    assert seconds["max"] == 0.1
    assert seconds["hdr"] == dist["hdr"]


def test_empty() -> None:
    hist = Hist()
    assert (hist.dist(), hist.mean, hist.stddev, hist.percentile(50)) == (None, None, None, None)
    assert HdrHistogram.decode(hist.to_hdr()).get_total_count() == 0
    for call in (lambda: hist.percentiles((50,)), lambda: fold(array("q")), lambda: merge([])):
        with pytest.raises(ValueError, match=r"no|nothing"):
            call()


@given(st.lists(batches, min_size=1, max_size=6), st.integers(1, 3), percents)
def test_what_is_removed_was_never_there(parts: list[list[int]], window: int, percent: float) -> None:
    deltas = [fold(array("q", part)) for part in parts]
    rolling = Hist()
    for end, delta in enumerate(deltas, 1):
        rolling.add(delta)
        inside = deltas[max(0, end - window) : end]
        if end > window:
            low, high = min(part.low for part in inside), max(part.high for part in inside)
            rolling.remove(deltas[end - window - 1], low, high)
        fresh = Hist()
        for part in inside:
            fresh.add(part)
        assert (rolling.count, rolling.low, rolling.high) == (fresh.count, fresh.low, fresh.high)
        assert rolling.percentile(percent) == fresh.percentile(percent)
        assert rolling.mean == pytest.approx(fresh.mean, rel=1e-9, abs=1e-3)
    rolling.remove(merge(inside), 0.0, 0.0)
    assert (rolling.count, rolling.mean, rolling.percentile(50), rolling.dist()) == (0, None, None, None)
    assert not rolling.counts.any()


def test_deviations_are_those_of_what_stays() -> None:
    parts = [[1_000_000, 3_000_000], [50_000_000, 70_000_000, 90_000_000], [400_000_000]]
    for gone in range(3):
        hist = hist_of([value for part in parts for value in part])
        stays = [value for number, part in enumerate(parts) if number != gone for value in part]
        hist.remove(fold(array("q", parts[gone])), min(stays) / 1000, max(stays) / 1000)
        assert hist.stddev == pytest.approx(float(np.std(stays)) / 1000, rel=1e-9)
        assert hist.dist() == hist_of(stays).dist()


@pytest.mark.parametrize("size", [16, 17, 1999, 2000])
def test_a_batch_of_any_length_is_the_same(size: int) -> None:
    values = [(number * 7919) % 50_000_000 - 1000 for number in range(size)]
    one_by_one = merge([fold(array("q", [value])) for value in values])
    whole = fold(array("q", values))
    assert (whole.index, whole.counts, whole.count) == (one_by_one.index, one_by_one.counts, size)
    assert (whole.low, whole.high) == (one_by_one.low, one_by_one.high) == (0.0, max(values) / 1000)
    assert whole.total == pytest.approx(one_by_one.total, rel=1e-9)
    assert whole.deviations == pytest.approx(one_by_one.deviations, rel=1e-9)


def test_a_histogram_grows_by_whole_buckets_and_keeps_what_it_has() -> None:
    hist = hist_of([1_023_000])
    assert hist.counts.size == 1024
    hist.add(fold(array("q", [1_024_000])))
    assert hist.counts.size == 2048
    hist.merge(hist_of([1_000]))
    assert (hist.counts.size, hist.counts[1], hist.counts[1023], hist.counts[1024]) == (2048, 1, 1, 1)
    empty = Hist()
    empty.merge(Hist())
    assert (empty.count, empty.counts.size) == (0, 0)


def test_a_percentile_beyond_all_is_the_most() -> None:
    hist = hist_of([1_000_000, 2_000_000])
    assert hist.percentiles((0.0, 100.0, 250.0)) == [1000.0, 2000.0, 2000.0]
    assert percentiles_of_delta(fold(array("q", [1_000_000, 2_000_000])), (0.0, 50.0, 51.0, 75.0)) == [
        1000.0, 1000.0, 1000.0, 2000.0,
    ]  # fmt: skip


def test_the_least_of_all_is_where_its_bucket_begins() -> None:
    hist = hist_of([5_000_000, 5_003_000, 90_000_000])
    assert hist.percentiles((0.0, 1.0)) == [5_000.0, 5_003.0]
