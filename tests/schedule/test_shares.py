from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.shares import largest_remainder, worker_share

totals = st.integers(0, 1_000_000)
weights = st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=12).filter(any)


@pytest.mark.parametrize(
    ("total", "parts", "expected"),
    [
        (10, [3, 1], [8, 2]),  # quotas 7.5 and 2.5: the tie goes to the first
        (3, [0.1, 0.2], [1, 2]),
        (1, [1, 1, 1], [1, 0, 0]),
        (100, [1, 1, 1], [34, 33, 33]),
        (0, [1, 2], [0, 0]),
        (7, [0, 5, 0], [0, 7, 0]),
    ],
)
def test_known_shares(total: int, parts: list[float], expected: list[int]) -> None:
    assert largest_remainder(total, parts) == expected


@pytest.mark.parametrize(
    ("total", "parts"), [(1, [0, 0]), (1, []), (-1, [1]), (1, [-1, 2]), (1, [math.inf]), (1, [math.nan])]
)
def test_refuses_what_cannot_be_shared(total: int, parts: list[float]) -> None:
    with pytest.raises(ValueError, match=r"weights|share|NaN"):
        largest_remainder(total, parts)


@given(totals, weights)
def test_shares_sum_and_keep_their_quota(total: int, parts: list[float]) -> None:
    shares = largest_remainder(total, parts)
    assert sum(shares) == total
    whole = sum(map(Fraction, parts))
    for share, part in zip(shares, parts, strict=True):
        assert abs(share - total * Fraction(part) / whole) < 1
        assert part or not share


@given(totals, st.integers(1, 64), st.integers(0, 100))
def test_workers_sum_and_differ_by_one_at_most(total: int, workers: int, offset: int) -> None:
    shares = [worker_share(total, worker, workers, offset) for worker in range(workers)]
    assert sum(shares) == total
    assert max(shares) - min(shares) <= 1
    assert shares[offset % workers] == max(shares)


def test_there_is_no_such_worker() -> None:
    with pytest.raises(ValueError, match="no worker 3 of 3"):
        worker_share(5, 3, 3)
