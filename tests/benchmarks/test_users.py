"""When everyone was there."""

from __future__ import annotations

from tests.benchmarks.users import opened_within


def test_it_is_timed_from_the_last_look_at_the_few_to_the_first_at_all() -> None:
    looks = [(0.0, 0), (1.0, 10), (2.0, 10), (2.5, 4000), (3.25, 10_000), (4.0, 9_000), (5.0, 10_000)]

    assert opened_within(looks, 10, 10_000) == 1.25


def test_a_look_at_few_after_all_were_there_is_not_the_begin() -> None:
    assert opened_within([(0.0, 10), (1.0, 100), (2.0, 5)], 10, 100) == 1.0


def test_nobody_saw_the_few() -> None:
    assert opened_within([(1.0, 50), (3.0, 100)], 10, 100) == 2.0


def test_they_never_were_so_many() -> None:
    assert opened_within([(0.0, 10), (1.0, 99)], 10, 100) is None
