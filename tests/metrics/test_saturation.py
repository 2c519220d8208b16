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


ADVICE = "timings are longer for it; use more workers or another machine"


def test_the_words_of_every_warning() -> None:
    busy = play(*(strained(n + 0.9, cpu=95.0) for n in range(5)))
    assert busy.warnings() == [
        f"worker 1: CPU 95 % of its core (over 70 %) at worst, too much for 2 s, first at 4 s: {ADVICE}"
    ]
    late = (0.1,) * 90 + (12.0,) * 10
    (lag,) = play(*(strained(n + 0.9, cpu=60.0, lag_ms=late) for n in range(3))).warnings()
    assert lag == f"worker 1: loop lag p99 12 ms (over 4 ms) at worst, too much for 1 s, first at 3 s: {ADVICE}"
    turn = strained(1.0)
    health = msgspec.structs.replace(turn.health, longest_turn_ms=180.0, turn_of="flood")
    (long,) = play(msgspec.structs.replace(turn, health=health)).warnings()
    assert long.endswith(
        "taken by the answers of pool flood at worst, too much for 1 s, first at 1 s: nobody else was served "
        "meanwhile; use more workers, or give such a pool a run of its own"
    )
    silent = Saturation()
    silent.judge(2.0, 1)
    assert silent.warnings() == [
        "worker 0: has said nothing since 0 s: its users are not counted at worst, too much for 2 s, first at 2 s: its "
        "users were not driven, what it measured is late or missing; see what stopped or starved it"
    ]


@pytest.mark.parametrize(("cpu", "word"), [(49.9, "something else took it"), (50.0, "use more workers")])
def test_below_half_of_its_core_a_worker_was_not_what_kept_it(cpu: float, word: str) -> None:
    late = (0.1,) * 90 + (12.0,) * 10
    assert word in play(*(strained(n + 0.9, cpu=cpu, lag_ms=late) for n in range(3))).warnings()[0]


@pytest.mark.parametrize(("cpu", "ever"), [(70.0, False), (70.1, True)])
def test_more_than_seventy_percent(cpu: float, ever: bool) -> None:
    assert play(*(strained(n + 0.9, cpu=cpu) for n in range(6))).ever == ever


def test_cpu_is_the_mean_of_three_seconds() -> None:
    seen = []
    saturation = Saturation()
    for second, cpu in enumerate((100.0, 100.0, 100.0, 100.0, 20.0, 97.0, 10.0), 1):
        saturation.observe(strained(float(second), cpu=cpu))
        saturation.judge(float(second))
        seen.append([round(reason.value) for reason in saturation.current])
    assert seen == [[], [], [], [100], [73], [72], []], "not before it has been there for three"


@pytest.mark.parametrize(("ms", "ever"), [(4.0, False), (4.1, True)])
def test_more_than_four_milliseconds(ms: float, ever: bool) -> None:
    assert play(*(strained(n, lag_ms=(ms,) * 10) for n in range(4))).ever == ever


def test_a_lag_is_of_ten_seconds() -> None:
    late = strained(0, lag_ms=(0.1,) * 90 + (12.0,) * 10)
    good = strained(0, lag_ms=GOOD)
    saturation = play(late, good, good, good, late, good, good, good, good, late)
    assert [reason.kind for reason in saturation.current] == ["loop lag"], "three different seconds of ten"
    assert play(late, good, good, good, late, good, good, good, good, good, late).reasons == (), "one has gone"


def test_two_seconds_on_end_are_two_that_follow_each_other() -> None:
    bad, none = strained(0, lag_ms=(40.0,) * 10), strained(0)
    assert play(bad, bad).ever
    assert not play(bad, none, bad).ever
    assert not play(bad).ever


def test_the_worst_is_kept_and_how_long_it_lasted() -> None:
    saturation = Saturation()
    for second, turn in ((1.0, 150.0), (3.5, 400.0), (4.0, 120.0), (5.0, 50.0)):
        delta = strained(second)
        health = msgspec.structs.replace(delta.health, longest_turn_ms=turn)
        saturation.observe(msgspec.structs.replace(delta, health=health))
        saturation.judge(second)
    (warning,) = saturation.warnings()
    assert warning.startswith("worker 1: a turn of the loop took 400 ms at worst, too much for 4 s, first at 1 s")


def test_the_longest_turn_of_a_second_and_whose_it_was() -> None:
    saturation = Saturation()
    for turn, pool in ((120.0, "a"), (300.0, "b"), (100.0, "c")):
        delta = strained(1.0)
        health = msgspec.structs.replace(delta.health, longest_turn_ms=turn, turn_of=pool)
        saturation.observe(msgspec.structs.replace(delta, health=health))
    saturation.judge(1.0)
    assert saturation.reasons == ("worker 1: a turn of the loop took 300 ms, taken by the answers of pool b",)


def test_the_lag_of_the_whole_run_is_of_all_workers() -> None:
    saturation = Saturation()
    for worker, lag in ((0, 1.0), (1, 2.0), (0, 3.0)):
        saturation.observe(strained(1.0, worker=worker, lag_ms=(lag,)))
    saturation.observe(strained(1.0))
    assert (saturation.loop_lag.count, saturation.loop_lag.low, saturation.loop_lag.high) == (3, 1_000.0, 3_000.0)


def test_workers_are_named_by_number_and_the_earliest_warning_is_first() -> None:
    saturation = Saturation()
    for second in range(1, 9):
        for worker in (0, 2):
            busy = worker == 2 or second > 4
            saturation.observe(strained(float(second), worker=worker, cpu=90.0 if busy else 10.0))
        saturation.judge(float(second))
    assert saturation.reasons == tuple(f"worker {n}: CPU 90 % of its core (over 70 %)" for n in (0, 2))
    assert [warning[:8] for warning in saturation.warnings()] == ["worker 2", "worker 0"]


@pytest.mark.parametrize(("ms", "figure"), [(9.94, "9.9"), (4.05, "4.0"), (9.99, "10.0"), (10.0, "10"), (63.4, "63")])
def test_a_lag_is_told_to_a_tenth_below_ten(ms: float, figure: str) -> None:
    (reason,) = play(*[strained(0, arrivals_ms=(ms,) * 10)] * 3).reasons
    assert reason.startswith(f"worker 1: schedule lag p99 {figure} ms ")


def test_lateness_in_three_seconds_that_its_p99_does_not_show_is_none() -> None:
    once = strained(0, lag_ms=(*[0.1] * 999, 80.0))
    assert not play(once, once, once).ever
    assert play(*[strained(0, lag_ms=(*[0.1] * 97, 80.0, 80.0, 80.0))] * 3).ever
