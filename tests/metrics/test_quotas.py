"""What remains, over all workers."""

from __future__ import annotations

from agenttop.metrics.delta import Delta, Health, PoolState, QuotaState
from agenttop.metrics.quotas import GONE_S, MAX_QUOTAS, QuotaBoard
from tests.metrics.fakes import FakeRun

HEALTH = Health(None, 0.0, 0.0, 0)


def board(*seen: tuple[int, int, QuotaState]) -> QuotaBoard:
    """What (worker, pool, state) come to."""
    made = QuotaBoard(FakeRun().layout)
    for worker, pool, state in seen:
        states = [PoolState(pool, 0, 0, quotas=(state,))]
        made.observe(Delta(worker, 1, state.seen_s, [], [], [], {}, states, 0.0, HEALTH))
    return made


def test_the_lowest_of_those_who_saw_it_lately() -> None:
    made = board(
        (0, 0, QuotaState("requests", 100, 50, 40, 10.0, 70.0)),
        (1, 0, QuotaState("requests", 100, 45, 45, 9.5, 69.0)),
        (2, 0, QuotaState("requests", 100, 1, 1, 5.0, 65.0)),
    )
    (gauge,) = made.gauges(11.0)
    assert (gauge.pool, gauge.name, gauge.limit, gauge.remaining) == ("chat", "requests", 100, 45)
    assert (gauge.age_s, gauge.reset_in_s, gauge.past) == (1.5, 58.0, False)
    (row,) = made.summary()
    assert (row["lowest_remaining"], row["last_remaining"], row["last_seen_s"]) == (1, 50, 10.0)


def test_a_gauge_older_than_its_reset_says_so_and_then_goes() -> None:
    made = board((0, 1, QuotaState("tokens", 100, 5, 5, 10.0, 12.0)), (0, 1, QuotaState("days", None, 5, None, 10.0)))
    assert [(gauge.name, gauge.past) for gauge in made.gauges(12.0)] == [("days", False), ("tokens", False)]
    assert [(gauge.name, gauge.past, gauge.reset_in_s) for gauge in made.gauges(12.5)] == [
        ("days", False, None),
        ("tokens", True, 0.0),
    ]
    assert [gauge.name for gauge in made.gauges(11.0 + GONE_S)] == ["tokens"]
    assert made.gauges(13.0 + GONE_S) == ()
    assert [(row["name"], row["lowest_remaining"]) for row in made.summary()] == [("days", None), ("tokens", 5)]


def test_who_knows_of_no_reset_that_has_passed_is_believed_first() -> None:
    made = board(
        (0, 0, QuotaState("requests", 100, 2, 2, 10.0, 10.5)), (1, 0, QuotaState("requests", 100, 99, 1, 10.6, 70.0))
    )
    assert [(gauge.remaining, gauge.past) for gauge in made.gauges(11.0)] == [(99, False)]


def test_names_are_clean_and_bounded() -> None:
    made = board(*((0, 2, QuotaState(f"\x1b[31mn{number}\n", 1, 1, 1, 1.0)) for number in range(100)))
    assert len(made.gauges(1.0)) == MAX_QUOTAS
    assert made.gauges(1.0)[0].name == "n0"


def test_one_name_too_many_hides_no_other() -> None:
    made = board(*((0, 0, QuotaState(f"n{number}", 100, 50, 50, 1.0)) for number in range(MAX_QUOTAS)))
    newest = (QuotaState("more", 100, 7, 7, 2.0), QuotaState("n0", 100, 8, 8, 2.0))
    states = [PoolState(0, 0, 0, quotas=newest), PoolState(1, 0, 0, quotas=newest[:1])]
    made.observe(Delta(0, 2, 2.0, [], [], [], {}, states, 0.0, HEALTH))
    seen = {(gauge.pool, gauge.name): gauge.remaining for gauge in made.gauges(2.0)}
    assert (seen["chat", "n0"], seen["tools", "more"], ("chat", "more") in seen) == (8, 7, False)
