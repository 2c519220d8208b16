from __future__ import annotations

import msgspec
import pytest

from agenttop.metrics.delta import Health, LeafDelta
from agenttop.metrics.saturation import Saturation
from tests.metrics.fakes import FakeRun
from tests.metrics.strain import lags, play, strained

GOOD = (0.1,) * 100


def test_a_light_run_raises_no_alarm() -> None:
    assert not FakeRun(seconds=40).aggregate().saturation.ever


def test_a_busy_core_for_some_seconds() -> None:
    assert not play(*(strained(n, cpu=95.0 if n == 3 else 20.0) for n in range(10))).ever
    saturation = play(*(strained(n + 0.9, cpu=95.0) for n in range(5)))
    assert saturation.reasons == ("worker 1: CPU 95 % of its core (over 70 %)",)


def test_one_pause_is_no_saturation() -> None:
    assert not play(*(strained(n, lag_ms=(*GOOD[1:], 80.0 if n == 4 else 0.1)) for n in range(12))).ever
    burst = (30.0,) * 20
    assert not play(*(strained(n, lag_ms=burst if n == 4 else GOOD) for n in range(12))).ever


def test_two_bad_seconds_are_not_hidden_by_eight_good_ones() -> None:
    good, bad = strained(0, lag_ms=GOOD), strained(0, lag_ms=(0.1,) * 60 + (40.0,) * 40)
    saturation = play(*[good] * 8, bad, bad)
    assert saturation.reasons == ("worker 1: loop lag p99 40 ms (over 4 ms)",)
    assert not play(*[good] * 4, bad, *[good] * 4, bad, good).ever


def test_lasting_lag_names_the_worker_and_ends() -> None:
    bad, good = strained(0, lag_ms=(0.1,) * 90 + (12.0,) * 10), strained(0, lag_ms=GOOD)
    assert play(bad, bad, bad).reasons == ("worker 1: loop lag p99 12 ms (over 4 ms)",)
    saturation = play(*[bad] * 4, *[good] * 12)
    assert saturation.reasons == ()
    assert saturation.ever
    (warning,) = saturation.warnings()
    assert warning.startswith("worker 1: loop lag p99 12 ms (over 4 ms) at worst, too much for ")
    assert "first at 3 s" in warning


def test_lag_without_work_is_not_put_down_to_the_load() -> None:
    late = (0.1,) * 90 + (12.0,) * 10
    (idle,) = play(*(strained(n + 0.9, cpu=20.0, lag_ms=late) for n in range(3))).warnings()
    assert "something else took it" in idle
    (busy,) = play(*(strained(n + 0.9, cpu=65.0, lag_ms=late) for n in range(3))).warnings()
    assert "use more workers" in busy


def test_arrivals_that_are_let_in_late() -> None:
    late = strained(0, arrivals_ms=(0.2,) * 10 + (9.0,))
    assert play(late, late, late).reasons == ("worker 1: schedule lag p99 9.0 ms (over 4 ms)",)


def test_a_target_that_is_slow_to_connect_is_no_saturation() -> None:
    records = lags((40.0,) * 50)
    assert records is not None
    leaf = LeafDelta(0, 0, {"ok": 50}, {}, {"schedule_lag": records, "connect": records}, {"connections_opened": 50})
    delta = msgspec.structs.replace(strained(0, arrivals_ms=(0.4,) * 50), leaves=[leaf])
    assert not play(*[delta] * 12).ever


def test_live_while_it_lasts_and_kept_for_the_summary() -> None:
    run = FakeRun(seconds=60, saturated=(20, 26))
    aggregate = run.aggregate()
    assert aggregate.saturation.ever
    assert not aggregate.snapshot(run.situation(60)).generator.saturated
    firsts = [float(warning.split("first at ")[1].split()[0]) for warning in aggregate.saturation.warnings()]
    assert len(firsts) > 1
    assert firsts == sorted(firsts)


def test_a_forgotten_worker_is_not_judged_any_more() -> None:
    saturation = play(*(strained(n + 0.9, cpu=95.0) for n in range(5)))
    saturation.forget(1)
    saturation.judge(6.0)
    assert saturation.reasons == ()
    assert len(saturation.warnings()) == 1


def test_health_of_a_journal_from_before_is_read() -> None:
    old = msgspec.msgpack.encode([None, 10.0, 50.0, 20])
    assert msgspec.msgpack.decode(old, type=Health) == Health(None, 10.0, 50.0, 20)


def test_a_worker_that_says_nothing_is_said_until_it_is_heard_again() -> None:
    saturation = Saturation()
    for second in range(1, 11):
        saturation.observe(msgspec.structs.replace(strained(second, lag_ms=GOOD), worker=0))
        if not 4 <= second <= 7:
            saturation.observe(msgspec.structs.replace(strained(second, lag_ms=GOOD), worker=1))
        saturation.judge(float(second), 2)
        assert saturation.silent == ([1] if 5 <= second <= 7 else []), second
    assert saturation.reasons == ()
    (warning,) = saturation.warnings()
    assert warning.startswith("worker 1: has said nothing since 3 s: its users are not counted")


def test_one_that_never_said_a_word_is_silent_and_one_that_is_gone_is_not() -> None:
    saturation = Saturation()
    saturation.judge(1.0, 2)
    assert saturation.silent == []
    saturation.judge(2.0, 2)
    assert saturation.silent == [0, 1]
    saturation.forget(1)
    saturation.judge(3.0, 2)
    assert saturation.silent == [0]
    saturation.judge(4.0, 0)
    assert saturation.silent == []


@pytest.mark.parametrize(
    ("turn", "whose", "words"),
    [
        (99.0, "flood", ()),
        (180.0, "flood", ("worker 1: a turn of the loop took 180 ms, taken by the answers of pool flood",)),
        (250.0, "", ("worker 1: a turn of the loop took 250 ms",)),
    ],
)
def test_one_long_turn_is_saturation_at_once(turn: float, whose: str, words: tuple[str, ...]) -> None:
    delta = strained(1.0)
    delta = msgspec.structs.replace(
        delta, health=msgspec.structs.replace(delta.health, longest_turn_ms=turn, turn_of=whose)
    )
    saturation = play(delta)
    assert saturation.reasons == words
    assert saturation.ever == bool(words)
    saturation.observe(strained(2.0))
    saturation.judge(2.0)
    assert saturation.reasons == ()
