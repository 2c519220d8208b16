"""Tests of agenttop.quality.spread: what its head promises, of any number of workers at any speeds."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agenttop.quality.spread import Spread, order_of

_cases = st.integers(1, 40)
_workers = st.integers(1, 7)


def spreads(cases: int, workers: int, seed: str = "7") -> list[Spread]:
    return [Spread(cases, worker, workers, seed) for worker in range(workers)]


@given(_cases, _workers, st.lists(st.tuples(st.integers(0, 6), st.sampled_from(["low", "peak"])), max_size=400))
def test_two_cases_differ_by_at_most_one_a_worker_whatever_its_speed(
    cases: int, workers: int, turns: list[tuple[int, str]]
) -> None:
    asked = [{"low": Counter[int](), "peak": Counter[int]()} for _ in range(workers)]
    of = spreads(cases, workers)
    for turn, level in turns:
        worker = turn % workers
        asked[worker][level][of[worker].next_case(level)] += 1
        for each in ("low", "peak"):
            counts = [asked[worker][each][case] for case in range(cases)]
            assert max(counts) - min(counts) <= 1
    for each in ("low", "peak"):
        totals = [sum(one[each][case] for one in asked) for case in range(cases)]
        assert max(totals) - min(totals) <= workers


@given(_cases, _workers, st.integers(1, 5))
def test_after_whole_rounds_of_every_worker_all_cases_were_asked_equally_often(
    cases: int, workers: int, rounds: int
) -> None:
    asked = Counter[int]()
    for worker, spread in enumerate(spreads(cases, workers)):
        for number in range(rounds):
            size = len(range((worker + number) % workers, cases, workers))
            asked.update(spread.next_case("low") for _ in range(size))
    assert [asked[case] for case in range(cases)] == [rounds] * cases


@given(_cases, _workers)
def test_no_two_workers_ask_the_same_case_in_one_round(cases: int, workers: int) -> None:
    first = [
        spread.next_case("low")
        for worker, spread in enumerate(spreads(cases, workers))
        for _ in range(len(range(worker, cases, workers)))
    ]
    assert sorted(first) == list(range(cases))


@given(_cases, st.integers(2, 5))
def test_a_worker_that_dies_takes_no_case_with_it(cases: int, workers: int) -> None:
    asked = Counter[int]()
    for spread in spreads(cases, workers)[1:]:
        asked.update(spread.next_case("low") for _ in range(cases * workers))
    assert set(asked) == set(range(cases))


def test_a_seed_is_the_same_in_every_process_and_levels_have_orders_of_their_own() -> None:
    assert order_of(8, "1/golden/low") == [3, 5, 0, 6, 7, 1, 4, 2]
    one, other = Spread(40, 0, 1, "1"), Spread(40, 0, 1, "1")
    first = [one.next_case("low") for _ in range(80)]
    assert first == [other.next_case("low") for _ in range(80)]
    assert first != [other.next_case("peak") for _ in range(80)]
    assert first[:40] != first[40:]
    assert first[:40] != [Spread(40, 0, 1, "2").next_case("low") for _ in range(40)]


def test_more_workers_than_cases_all_have_something_to_ask() -> None:
    assert {spread.next_case("low") for spread in spreads(2, 9)} == {0, 1}


def test_a_worker_beyond_those_planned_asks_too() -> None:
    assert Spread(3, 5, 2, "1").next_case("low") in range(3)
