from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.arrivals import Arrivals
from agenttop.schedule.shares import Deal, Members, largest_remainder, worker_share
from agenttop.schedule.stages import Ramp, Stage

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


# Times are tenths of a second and arrivals one every tenth, so that changes fall on arrivals, too.
_numbers = st.integers(0, 9)
_groups = st.lists(_numbers, min_size=1, max_size=6, unique=True).map(lambda numbers: tuple(sorted(numbers)))
_changes = st.lists(st.tuples(st.integers(0, 60), _groups), max_size=4)


@given(_groups, _changes, st.lists(st.integers(1, 25), min_size=1), st.integers(0, 3), st.booleans())
def test_every_arrival_has_one_owner(
    first: tuple[int, ...], later: list[tuple[int, tuple[int, ...]]], pieces: list[int], ahead: int, poisson: bool
) -> None:
    """Over any workers (of any boxes), whoever joins or is gone, and however many arrivals each looks at together."""
    changes = [Members(tenths / 10, workers) for tenths, workers in sorted(later)]
    ramp = Ramp([Stage(6.0, 10.0, step=True)])
    whole = Arrivals(ramp, poisson=poisson, seed=3)
    plan = whole.pop_until(10.0)
    begun: list[float] = []
    for worker in {*first, *(number for members in changes for number in members.workers)}:
        deal, arrivals = Deal(worker, first), Arrivals(ramp, poisson=poisson, seed=3)
        waiting, at = list(changes), 0
        while arrivals.peek() < math.inf:
            step = pieces[at % len(pieces)] + worker  # no two look at the same pieces
            until = (at + step) / 10
            # A change is heard before its time, by some workers earlier than by others.
            while waiting and waiting[0].from_s <= until + (ahead + worker) % 3 / 10:
                deal.change(waiting.pop(0))
            number = arrivals.number
            begun += deal.own(number, arrivals.pop_until(until, 20))
            at += 0 if arrivals.peek() <= until else step
    assert sorted(begun) == plan


@given(_groups, _changes)
def test_whoever_is_left_keeps_what_it_had(first: tuple[int, ...], later: list[tuple[int, tuple[int, ...]]]) -> None:
    times = [tenth / 10 for tenth in range(1, 61)]
    for worker in first:
        deal = Deal(worker, first)
        before = deal.own(7, times)
        for tenths, workers in sorted(later):
            deal.change(Members(tenths / 10, (*workers, *(() if worker in workers else (worker,)))))
            now = deal.own(7, times)
            assert set(before) <= set(now)
            assert sorted({*before, *deal.inherited(7, times)}) == now
            before = now


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_what_was_of_a_lost_worker_is_dealt_evenly(lost: int) -> None:
    times = [float(number) for number in range(1, 12_001)]
    left = tuple(number for number in range(4) if number != lost)
    deals = [Deal(number, range(4)) for number in left]
    for deal in deals:
        deal.change(Members(0.0, left))
    assert [len(deal.own(1, times)) for deal in deals] == [4000] * 3
    for deal in deals[:2]:
        deal.change(Members(6000.0, left[:2]))
    assert [len(deal.own(1, times)) for deal in deals[:2]] == [5000] * 2


def test_of_a_worker_that_is_gone_nobody_else_begins_what_was_due_before() -> None:
    deal = Deal(1, (0, 1, 2))
    deal.change(Members(0.5, (1, 2)))
    times = [tenth / 10 for tenth in range(1, 11)]
    assert deal.own(1, times) == [0.1, 0.4, 0.6, 0.7, 1.0]
    assert deal.inherited(1, times) == [0.6]
    assert deal.part() == (0, 2)
    assert deal.share(9) == 5
    deal.change(Members(0.7, (2,)))
    assert deal.part() == (0, 0)
    assert deal.share(9) == 0


def test_a_change_dated_before_the_last_takes_effect_with_it() -> None:
    deal = Deal(0, (0, 1, 2))
    deal.change(Members(5.0, (0, 1)))
    deal.change(Members(1.0, (0,)))
    assert deal.own(1, [2.0, 4.0, 5.0, 6.0, 7.0]) == [5.0, 6.0, 7.0]


@given(_groups, st.lists(st.tuples(st.integers(0, 60), _groups, st.booleans()), max_size=5))
def test_every_arrival_has_one_owner_whoever_is_left_out_or_comes_back(
    first: tuple[int, ...], later: list[tuple[int, tuple[int, ...], bool]]
) -> None:
    changes = [Members(tenths / 10, workers, anew) for tenths, workers, anew in sorted(later)]
    times = [tenth / 10 for tenth in range(1, 101)]
    begun: list[float] = []
    for worker in {*first, *(number for members in changes for number in members.workers)}:
        deal = Deal(worker, first)
        for members in changes:
            deal.change(members)
        begun += deal.own(1, times)
    assert sorted(begun) == times


def test_who_comes_back_has_its_part_again() -> None:
    deals = [Deal(number, range(3)) for number in range(3)]
    for deal in deals:
        deal.change(Members(100.0, (0, 1), anew=True))
        deal.change(Members(200.0, (0, 1, 2), anew=True))
    owned = [deal.own(1, [float(number) for number in range(1, 301)]) for deal in deals]
    assert [sum(100 < time <= 200 for time in own) for own in owned] == [50, 50, 0]
    assert [sum(time > 200 for time in own) for own in owned] == [34, 33, 33]


@pytest.mark.parametrize(("worker", "members", "here", "leads"), [
    (0, (0, 1, 2, 3), (0, 1), True),
    (1, (0, 1, 2, 3), (0, 1), False),
    (1, (1, 2, 3), (0, 1), True),
    (2, (1, 2, 3), (2, 3), True),
    (2, (0, 1), (2, 3), True),
])  # fmt: skip
def test_the_first_of_a_machine_leads(
    worker: int, members: tuple[int, ...], here: tuple[int, ...], leads: bool
) -> None:
    deal = Deal(worker, range(4))
    deal.change(Members(0.0, members))
    assert deal.leads(here) is leads
