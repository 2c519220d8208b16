"""Tests of agenttop.users.feeder, agenttop.users.random.

Which rows go to whom: over any number of workers, none is used twice and none is left out.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.rows import Rows
from agenttop.schedule.shares import worker_share
from agenttop.users.feeder import Feed, Feeder, shard_of
from agenttop.users.random import SplitMix

COUNTS = st.integers(1, 60)
WORKERS = st.integers(1, 9)


def feed_of(count: int, order: str) -> Feed:
    rows = Rows(["n"])
    for number in range(count):
        rows.append([str(number)])
    return Feed("a.csv", rows, order)


def rest(feeder: Feeder) -> list[int]:
    """Every row that is left."""
    random = SplitMix(1)
    found = []
    while (row := feeder.next_row(random)) >= 0:
        found.append(row)
    return found


@given(COUNTS, WORKERS, st.integers(0, 5), st.integers(0, 20))
def test_each_row_of_once_is_used_once_by_workers_that_have_users(
    count: int, workers: int, pool: int, users: int
) -> None:
    feed = feed_of(count, "once")
    used: list[int] = []
    for worker in range(workers):
        rows = rest(Feeder(feed, *shard_of(worker, workers, pool, users)))
        assert not rows or users == 0 or worker_share(users, worker, workers, pool) > 0
        used += rows
    assert sorted(used) == list(range(count))


@given(COUNTS, WORKERS, st.data())
def test_rows_of_a_worker_that_died_come_to_nobody_else(count: int, workers: int, data: st.DataObject) -> None:
    feed = feed_of(count, "once")
    feeders = [Feeder(feed, worker, workers) for worker in range(workers)]
    dead = data.draw(st.sampled_from(range(workers)))
    before = [feeders[dead].next_row(SplitMix(1)) for _ in range(data.draw(st.integers(0, 3)))]
    used = [row for worker, feeder in enumerate(feeders) if worker != dead for row in rest(feeder)]
    assert len(set(used)) == len(used)
    assert not set(used) & {row for row in before if row >= 0}
    assert set(used) == {row for row in range(count) if row % workers != dead}


@given(COUNTS, WORKERS, st.integers(1, 4))
def test_sequential_rows_go_round_with_all_workers_together(count: int, workers: int, rounds: int) -> None:
    feed = feed_of(count, "sequential")
    feeders = [Feeder(feed, worker, workers) for worker in range(workers)]
    random = SplitMix(1)
    # As fast as each other, the workers together take the rows in their order, over and over.
    taken = [feeder.next_row(random) for _ in range(count * rounds) for feeder in feeders]
    assert taken == [number % count for number in range(count * rounds * workers)]
    assert set(Counter(taken).values()) == {rounds * workers}


@given(COUNTS, st.integers(0, 2**63 - 1), st.integers(1, 1000))
def test_random_rows_are_the_users_own(count: int, seed: int, user: int) -> None:
    feed = feed_of(count, "random")

    def taken(feeder: Feeder, random: SplitMix) -> list[int]:
        return [feeder.next_row(random) for _ in range(20)]

    first = taken(Feeder(feed, 0, 1), SplitMix(seed, 0, user))
    assert first == taken(Feeder(feed, 3, 7), SplitMix(seed, 0, user))
    assert set(first) <= set(range(count))


def test_users_draw_different_rows() -> None:
    feeder = Feeder(feed_of(1000, "random"), 0, 1)
    drawn = {tuple(feeder.next_row(random) for _ in range(4)) for random in (SplitMix(7, 0, user) for user in range(9))}
    assert len(drawn) == 9


def test_a_row_replaces_the_last_one() -> None:
    feeder = Feeder(feed_of(2, "once"), 0, 1)
    variables = {"user": "1"}
    assert feeder.feed(variables, SplitMix(1))
    assert variables == {"user": "1", "n": "0"}
    assert feeder.feed(variables, SplitMix(1))
    assert not feeder.feed(variables, SplitMix(1))
    assert variables == {"user": "1", "n": "1"}


def test_a_seat_beyond_the_last_has_no_rows_of_once() -> None:
    assert rest(Feeder(feed_of(5, "once"), 2, 2)) == []
    assert Feeder(feed_of(2, "sequential"), 5, 2).next_row(SplitMix(1)) == 1
