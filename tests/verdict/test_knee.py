"""Where the two bounds of operational analysis cross."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.verdict.knee import flat, knee_of
from agenttop.verdict.levels import Level


def level(load: float, per_s: float, response_s: float = 0.5, seconds: float = 60.0, refused: int = 0) -> Level:
    ok = round(per_s * seconds)
    return Level(seconds, load * seconds, ok, refused, ok, response_s * 1e6 * ok, ok * (0.1e6) ** 2)


def closed(slots: float, response_s: float, think_s: float, loads: list[float]) -> list[Level]:
    """Levels of a target with slots, by its two bounds."""
    most = slots / response_s
    return [level(n, min(most, n / (response_s + think_s)), max(response_s, n / most - think_s)) for n in loads]


@given(st.integers(2, 64), st.floats(0.2, 5.0), st.floats(0.1, 10.0))
def test_it_is_where_the_bounds_cross(slots: int, response_s: float, think_s: float) -> None:
    truth = slots * (response_s + think_s) / response_s
    found = closed(slots, response_s, think_s, [truth / 4, truth / 2, 1.5 * truth, 3 * truth])
    if min(one.ok for one in found) < 50:
        return
    knee = knee_of(found, "users")
    assert knee is not None
    assert knee.load.value == pytest.approx(truth, rel=0.05)
    assert knee.load.low < truth < knee.load.high
    assert knee.served.value == pytest.approx(slots, rel=0.05)
    assert knee.response_s.value == pytest.approx(response_s, rel=0.01)
    assert knee.think_s.value == pytest.approx(think_s, rel=0.1, abs=0.1 * response_s)
    assert knee.most == pytest.approx(3 * truth)


@given(st.lists(st.floats(1, 200), min_size=1, max_size=8, unique=True))
def test_a_run_that_has_not_passed_it_has_none(loads: list[float]) -> None:
    assert knee_of(closed(1e6, 0.5, 1.0, sorted(loads)), "users") is None


def test_of_arrivals_it_is_the_rate_itself() -> None:
    found = [level(2, 2), level(4, 4), level(12, 8, 3.0), level(16, 8, 9.0)]
    knee = knee_of(found, "rate")
    assert knee is not None
    assert knee.load.value == pytest.approx(8.0)
    assert knee.served.value == pytest.approx(4.0)
    assert knee.think_s.value == 0


def test_what_is_refused_at_the_plateau() -> None:
    found = [level(4, 2.6), level(12, 7.9), level(40, 8.0, refused=480)]
    knee = knee_of(found, "users")
    assert knee is not None
    assert knee.refused == pytest.approx(0.5)


def test_throughput_that_falls_is_said_to_and_a_hard_limit_is_not() -> None:
    loads = [2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    hard = knee_of(closed(8, 0.5, 0.5, loads), "users")
    assert hard is not None
    assert hard.scaling is not None
    assert not hard.scaling.falls
    falling = [level(n, 2 * n / (1 + 0.03 * (n - 1) + 0.002 * n * (n - 1))) for n in loads]
    knee = knee_of(falling, "users")
    assert knee is not None
    assert knee.scaling is not None
    assert knee.scaling.falls
    assert knee.scaling.coherency.value == pytest.approx(0.002, rel=0.1)
    assert knee.scaling.peak == pytest.approx(22, rel=0.05)


@pytest.mark.parametrize(
    ("per_s", "unit", "told"),
    [(7.9, "users", True), (23.0, "users", False), (22.4, "rate", None), (15.0, "rate", True)],
)
def test_throughput_is_flat_against_less_load(per_s: float, unit: str, told: bool | None) -> None:
    assert flat(level(40, per_s), [level(3, 2.0), level(12, 7.2)], unit) is told


def test_without_less_load_nothing_is_told_of_it() -> None:
    assert flat(level(40, 7.9), [], "users") is None
    assert flat(level(40, 7.9), [level(38, 7.5)], "users") is None
