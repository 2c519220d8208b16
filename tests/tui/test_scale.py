"""Tests of agenttop.tui.widgets.scale."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from agenttop.tui.widgets.scale import LEAST, Scale, logarithmic


def test_from_zero_half_the_top_is_half_as_high() -> None:
    assert Scale(400).shares([0, 100, 200, 400, 500, None]) == [0, 0.25, 0.5, 1, 1.25, None]
    assert Scale(400).labels(6, 4) == {0: 400, 5: 0}
    assert Scale(0.0).share(3) == 0


def test_on_a_log_axis_as_many_times_is_as_high_everywhere() -> None:
    scale = logarithmic([3, 900])
    assert scale == Scale(1000, 2)
    assert (scale.share(2), scale.share(0.5), scale.share(0), scale.share(1000)) == (0, 0, 0, 1)
    assert math.isclose(scale.share(40) - scale.share(20), scale.share(800) - scale.share(400))


def test_ticks_are_1_2_5_in_each_decade_and_of_those_that_meet_the_whole_one_stays() -> None:
    scale = Scale(1000, 2)
    assert sorted(scale.labels(60, 4).values()) == [2, 5, 10, 20, 50, 100, 200, 500, 1000]
    assert set(scale.labels(7, 4).values()) >= {2, 10, 100, 1000}
    assert scale.labels(2, 1) == {0: 1000, 1: 2}
    assert list(scale.labels(1, 1)) == [0]


def test_noise_is_no_cliff_and_nothing_is_no_fault() -> None:
    assert logarithmic([98, 100, 99]) == Scale(100, 10)
    assert logarithmic([]) == logarithmic([0, math.nan]) == Scale(1, LEAST)


@given(st.lists(st.floats(0, 1e9), max_size=9), st.integers(1, 60), st.sampled_from([1, 4]))
def test_every_value_stands_on_it_and_every_label_at_its_row(values: list[float], rows: int, per_row: int) -> None:
    scale = logarithmic(values)
    assert scale.top >= scale.bottom * 10 * (1 - 1e-9)
    assert all(0 <= scale.share(value) <= 1 + 1e-9 for value in values)
    labels = scale.labels(rows, per_row)
    assert {0, rows - 1} <= set(labels)
    assert [labels[row] for row in sorted(labels)] == sorted(labels.values(), reverse=True)
    assert all(f"{label:e}"[0] in "125" for label in labels.values())
