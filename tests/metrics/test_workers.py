"""Gauges of all workers: how they stand, and the worst they have been."""

from __future__ import annotations

from agenttop.metrics.delta import Delta, Health, PoolState
from agenttop.metrics.workers import MAX_WARNINGS, Workers


def told(
    worker: int, users: tuple[int, ...], *, cpu: float = 0.0, rss: float = 0.0, files: int = 0, oldest_s: float = 0.0
) -> Delta:
    """Half of the users of a pool have a request in flight."""
    states = [PoolState(pool, number, number // 2) for pool, number in enumerate(users)]
    health = Health(None, cpu, rss, files)
    return Delta(worker, 1, 1.0, [], [], [], {}, states, oldest_s, health, addresses={"[::1]:80": worker + 1})


def test_before_any_was_heard() -> None:
    workers = Workers(2)
    workers.close()
    assert workers.by_pool() == ([0, 0], [0, 0])
    assert (workers.oldest_s, workers.cpu_percent, workers.rss_mb, workers.open_files) == (0.0, 0.0, 0, 0)
    assert (workers.users_max, workers.users_most, workers.warnings, workers.addresses) == ([0, 0], 0, [], {})
    assert (workers.cpu_percent_max, workers.rss_mb_max, workers.open_files_max) == (0.0, 0, 0)


def test_users_and_memory_are_added_and_of_the_rest_the_worst_counts() -> None:
    workers = Workers(2)
    workers.observe(told(0, (9, 2), cpu=30.0, rss=100.0, files=50, oldest_s=4.5))
    workers.observe(told(1, (4, 5), cpu=20.0, rss=60.5, files=70, oldest_s=1.5))
    workers.close()
    assert workers.by_pool() == ([13, 7], [6, 3])
    assert (workers.oldest_s, workers.cpu_percent, workers.rss_mb, workers.open_files) == (4.5, 30.0, 160.5, 70)
    assert (workers.users_max, workers.users_most) == ([13, 7], 20)
    assert (workers.cpu_percent_max, workers.rss_mb_max, workers.open_files_max) == (30.0, 160.5, 70)
    assert workers.addresses == {"[::1]:80": 3}


def test_the_worst_of_the_run_stays_and_is_of_each_pool_by_itself() -> None:
    workers = Workers(2)
    for users, cpu, rss, files in (((9, 1), 80.0, 10.0, 5), ((2, 6), 20.0, 90.0, 3), ((0, 0), 5.0, 1.0, 9)):
        workers.observe(told(0, users, cpu=cpu, rss=rss, files=files))
        workers.close()
    assert (workers.users_max, workers.users_most) == ([9, 6], 10)
    assert (workers.cpu_percent_max, workers.rss_mb_max, workers.open_files_max) == (80.0, 90.0, 9)
    assert (workers.cpu_percent, workers.rss_mb, workers.open_files) == (5.0, 1.0, 9)


def test_cpu_is_the_mean_of_a_second() -> None:
    workers = Workers(1)
    for cpu in (10.0, 20.0, 60.0):
        workers.observe(told(0, (1,), cpu=cpu))
    assert workers.cpu_percent == 0.0, "of no whole second yet"
    workers.close()
    assert workers.cpu_percent == 30.0
    workers.close()
    assert workers.cpu_percent == 30.0, "nothing was heard since"
    workers.observe(told(0, (1,), cpu=50.0))
    workers.close()
    assert workers.cpu_percent == 50.0


def test_a_lost_worker_takes_its_users_with_it() -> None:
    workers = Workers(1)
    workers.observe(told(0, (5,), rss=10.0))
    workers.observe(told(1, (3,), rss=20.0))
    workers.forget(1)
    workers.forget(7)
    assert (workers.by_pool(), workers.rss_mb) == (([5], [2]), 10.0)


def test_warnings_are_clean_bounded_and_told_once() -> None:
    workers = Workers(1)
    for number in range(3 * MAX_WARNINGS):
        workers.warn(f"no {number // 2}\x1b[31m\n")
    assert workers.warnings == [f"no {number}" for number in range(MAX_WARNINGS)]
