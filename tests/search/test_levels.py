"""Which levels are tried, against targets that hold up to a known one."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.search.levels import AT_MAX, BELOW_MIN, FOUND, Levels, Span


def climb(span: Span, truth: float) -> tuple[list[float], Levels]:
    """The levels tried of a target that holds up to ``truth``."""
    levels, tried = Levels(span), []
    while (level := levels.next) is not None:
        tried.append(level)
        levels = levels.after(level, holds=level <= truth)
        assert len(tried) < 100
    return tried, levels


def test_it_doubles_and_then_halves() -> None:
    tried, levels = climb(Span(1, 100), 42)
    assert tried == [1, 2, 4, 8, 16, 32, 64, 48, 40, 44, 42]
    assert (levels.best, levels.worst, levels.ended) == (42, 44, FOUND)


def test_a_number_is_a_resolution_too() -> None:
    assert climb(Span(10, 1000, absolute=100), 420)[0] == [10, 20, 40, 80, 160, 320, 640, 480, 400]
    assert climb(Span(1, 100, share=0.0), 42)[0][-1] == 43
    tried, levels = climb(Span(0.5, 40, whole=False, absolute=0.25), 3.4)
    assert tried == [0.5, 1, 2, 4, 3, 3.5, 3.25]
    assert (levels.best, levels.worst) == (3.25, 3.5)


def test_the_ends_of_the_span() -> None:
    assert climb(Span(8, 20), 500) == ([8, 16, 20], Levels(Span(8, 20), 20, None))
    assert climb(Span(8, 20), 500)[1].ended == AT_MAX
    assert climb(Span(8, 20), 5) == ([8], Levels(Span(8, 20), None, 8))
    assert climb(Span(8, 20), 5)[1].ended == BELOW_MIN
    assert climb(Span(8, 8), 8)[1].ended == AT_MAX


@given(st.integers(1, 500), st.integers(0, 100_000), st.floats(-1, 200_000), st.floats(0.001, 0.5))
def test_whole_levels_bracket_the_truth(lowest: int, more: int, truth: float, share: float) -> None:
    span = Span(lowest, lowest + more, share=share)
    tried, levels = climb(span, truth)
    check(span, truth, tried, levels)
    assert all(level == int(level) for level in tried)


@given(st.floats(0.01, 100), st.floats(1, 1000), st.floats(0, 200_000), st.floats(0.001, 0.5))
def test_rates_bracket_the_truth(lowest: float, times: float, truth: float, share: float) -> None:
    span = Span(lowest, lowest * times, whole=False, share=share)
    check(span, truth, *climb(span, truth))


def check(span: Span, truth: float, tried: list[float], levels: Levels) -> None:
    """What holds of every search."""
    best, worst = levels.best, levels.worst
    assert len(set(tried)) == len(tried)
    assert all(span.lowest <= level <= span.highest for level in tried)
    if levels.ended == BELOW_MIN:
        assert truth < span.lowest
        return
    assert best is not None
    assert best <= truth
    if levels.ended == AT_MAX:
        assert best == span.highest
    else:
        assert worst is not None
        assert truth < worst
        assert worst - best <= span.resolution(best) * 1.000001
    # Never more than twice what is known to hold.
    for index, level in enumerate(tried[1:], 1):
        assert level <= 2 * max(held for held in tried[:index] if held <= truth)
    assert len(tried) <= 2 + math.log2(span.highest / span.lowest) + math.log2(max(best / span.resolution(best), 1)) + 2


@pytest.mark.parametrize("level", [1.0, 40.0, 1e6])
def test_a_resolution_is_never_less_than_one_user(level: float) -> None:
    assert Span(1, 1e6).resolution(level) == max(1.0, 0.05 * level)
    assert Span(1, 1e6, whole=False).resolution(level) == 0.05 * level
