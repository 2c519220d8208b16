"""What is counted at which level of load."""

from __future__ import annotations

import pytest

from agenttop.verdict.levels import Level, Levels, together
from agenttop.verdict.second import Answers, Second
from tests.verdict.test_baseline import records


def second(t_s: float, load: float, ok: int = 10, ms: float = 500.0, **more: object) -> Second:
    answers = {0: Answers(ok, 1, latency=records(*[ms] * ok))} if ok else {}
    return Second(t_s, 1.0, load, answers, **more)  # type: ignore[arg-type]


def levels(*loads: float, now_s: float = 0.5) -> Levels:
    found = Levels()
    for at, load in enumerate(loads):
        found.add(second(at + 1.0, load), 0.5, now_s)
    return found


def test_steady_loads_are_levels_of_their_own() -> None:
    found = levels(*[3.0] * 10, *[12.0] * 10).all()
    assert [round(level.load, 1) for level in found] == [3.0, 12.0]
    assert [level.per_s for level in found] == [10.0, 10.0]
    assert found[0].response_s == pytest.approx(0.5, rel=1e-3)
    assert found[0].refused == round(found[0].seconds)


def test_the_first_seconds_of_a_run_and_after_a_jump_do_not_count() -> None:
    low, high = levels(*[3.0] * 10, *[12.0] * 10).all()
    assert (low.seconds, high.seconds) == (8, 8)


def test_throughput_is_taken_of_what_has_rested_where_that_is_enough() -> None:
    low, high = levels(*[3.0] * 10, *[12.0] * 20).rested()
    assert (low.seconds, high.seconds) == (5, 15)
    low, high = levels(*[3.0] * 10, *[12.0] * 7).rested()
    assert (low.seconds, high.seconds) == (5, 5)  # two seconds alone would say nothing
    slow = levels(*[3.0] * 10, *[12.0] * 20, now_s=4.0).rested()
    assert [level.seconds for level in slow] == [8, 12]


def test_after_a_fall_what_has_queued_is_left_out() -> None:
    (low, high) = levels(*[40.0] * 10, *[3.0] * 10, now_s=2.0).all()
    assert high.seconds == 8
    assert low.seconds == 3  # of ten: seven were behind a queue


def test_a_ramp_is_put_together_until_there_is_enough() -> None:
    found = levels(*[1.0 + at for at in range(60)]).all()
    assert all(level.says_something for level in found)
    assert len(found) > 6
    assert found[-1].load == pytest.approx(58, abs=3)


def test_too_little_says_nothing() -> None:
    assert levels(5.0, 5.0).all() == []
    assert levels(0.0, 0.0, 0.0, 0.0).all() == []


def test_only_requests_that_the_load_drives_are_counted() -> None:
    found = Levels()
    for t_s in range(1, 9):
        found.add(second(float(t_s), 4.0, driven=frozenset({3})), 0.5, 0.5)
    assert found.all() == []


def test_the_level_of_a_load() -> None:
    found = levels(*[3.0] * 10, *[12.0] * 10)
    near = found.at(12.0)
    assert near is not None
    assert near.load == 12.0
    assert found.at(40.0) is None


def test_levels_together_have_the_spread_of_all() -> None:
    one = Level(1.0, 3.0, 2, 0, 2, 4.0, 2.0)
    other = Level(1.0, 5.0, 2, 0, 2, 12.0, 2.0)
    whole = together([one, other])  # 1, 3 and 5, 7
    assert (whole.load, whole.per_s, whole.deviations) == (4.0, 2.0, 20.0)
