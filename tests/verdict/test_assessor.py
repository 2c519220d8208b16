"""Tests of agenttop.verdict.assessor, agenttop.verdict.seen, agenttop.verdict.telling, agenttop.verdict.record and
agenttop.metrics.assessment: what is said of targets whose truth is known, as seeded simulations.

The gate plays some runs of each, HYPOTHESIS=search two hundred. Of the states that are not true at most two in a
hundred runs may show one; a true one must show within ten seconds of answers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

import pytest

from agenttop.metrics.assessment import (
    BAD,
    FAILS,
    HANGS,
    KEEPS_UP,
    QUEUES,
    RECOVERS,
    REFUSES,
    SLOWS,
    UNKNOWN,
)
from agenttop.metrics.snapshot import QuotaGauge
from agenttop.verdict.assessor import Assessor
from agenttop.verdict.second import Answers, Second
from tests.verdict.worlds import Target, World, after, arrivals, judged, ramp, steps

RUNS = 200 if os.environ.get("HYPOTHESIS") == "search" else 8
#: Runs that may show a state that is not true.
ERRORS = 0.02
WITHIN_S = 10

#: Targets that do well at every load they get.
WELL = {
    "constant": lambda seed: World(Target(sigma=0.2), steps((20, 2), (20, 10), (20, 40)), 60, seed=seed),
    "a ramp": lambda seed: World(Target(sigma=0.4), ramp(1, 60, 50), 60, seed=seed),
    "slots enough": lambda seed: World(Target(slots=16), steps((20, 4), (20, 12), (20, 20)), 60, seed=seed),
    "noise": lambda seed: World(
        Target(slots=30, sigma=0.6, outliers=0.01, errors=0.003), steps((40, 12), (40, 20)), 80, seed=seed
    ),
}
#: Targets that do not, since when, and what is true of them then.
ILL = {
    "4 slots": (Target(slots=4), steps((20, 3), (20, 40)), 20, (QUEUES,)),
    "8 slots": (Target(slots=8), steps((20, 6), (20, 60)), 20, (QUEUES,)),
    "16 slots": (Target(slots=16), steps((20, 12), (20, 100)), 20, (QUEUES,)),
    "a rate limit": (Target(limit_per_s=8), steps((30, 4), (15, 40)), 30, (REFUSES,)),
    "a crash": (Target(slots=20, down=(30, 60)), steps((45, 15)), 30, (FAILS,)),
    "stuck": (Target(slots=20, stuck=(30, 60)), steps((45, 15)), 30, (HANGS,)),
    "slow": (Target(slow=(30, 90, 2.0)), steps((45, 12)), 30, (SLOWS,)),
    "recovery from a crash": (Target(slots=20, down=(20, 40)), steps((60, 15)), 40, (RECOVERS,)),
    "recovery from slowness": (Target(slow=(25, 45, 3.0)), steps((60, 12)), 45, (RECOVERS,)),
}


def false(runs: list[bool]) -> bool:
    return sum(runs) > max(ERRORS * len(runs), 0)


@pytest.mark.parametrize("name", WELL)
def test_nothing_is_said_against_a_target_that_does_well(name: str) -> None:
    wrong = []
    for seed in range(RUNS):
        assessor, states = judged(WELL[name](seed).seconds())
        assert states[-1] == KEEPS_UP
        assert assessor.knee is None
        wrong.append(bool(set(states) - {KEEPS_UP, UNKNOWN}))
    assert not false(wrong), wrong


@pytest.mark.parametrize("name", ILL)
def test_what_is_true_shows_within_ten_seconds_and_nothing_before(name: str) -> None:
    target, users, at_s, true = ILL[name]
    late, wrong = [], []
    for seed in range(RUNS):
        _, states = judged(World(target, users, at_s + 20, seed=seed).seconds())
        delay = after(states, at_s, true)
        late.append(delay is None or delay > WITHIN_S)
        if not name.startswith("recovery"):
            wrong.append(bool(set(states[:at_s]) - {KEEPS_UP, UNKNOWN}))
    assert not false(late), late
    assert not false(wrong), wrong


def test_a_steady_run_does_not_flap() -> None:
    for seed in range(RUNS):
        for target, users in ((Target(slots=4), 40), (Target(slots=4), 3)):
            assessor, _ = judged(World(target, steps((20, 3), (60, users)), 80, seed=seed).seconds())
            states = [change.state for change in assessor.record.changes]
            assert len(states) == len(set(states)), states


def test_slots_that_leak_slow_it_and_then_it_hangs() -> None:
    leak = Target(slots=12, leak=40, leak_from_s=30)
    for seed in range(RUNS):
        assessor, states = judged(World(leak, steps((160, 10)), 160, seed=seed).seconds())
        told = [change.state for change in assessor.record.changes if change.state in BAD]
        assert told == [SLOWS, HANGS]
        assert states[-1] == HANGS
        assert assessor.final.state == HANGS
        assert assessor.bound() == ""  # it hangs at the load that it held before


@pytest.mark.parametrize("slots", [4, 8, 16])
def test_the_knee_is_within_a_fifth_of_the_truth(slots: int) -> None:
    target = Target(slots=slots)
    truth = slots * (target.mean_s + 1.0) / target.mean_s  # pauses of 1 s in the mean
    light = round(truth / 4)
    off = []
    for seed in range(RUNS):
        plan = steps((20, light), (20, round(truth)), (20, round(3 * truth)))
        assessor, _ = judged(World(target, plan, 60, seed=seed).seconds())
        knee = assessor.knee
        assert knee is not None
        off.append(abs(knee.load.value / truth - 1) > 0.2)
        assert round(knee.served.value) in range(round(slots * 0.8), round(slots * 1.2) + 1)
        assert abs(knee.think_s.value - 1.0) < 0.3
        assert knee.load.low < knee.load.value < knee.load.high
    assert not false(off), off


def test_the_knee_of_a_ramp_and_of_arrivals() -> None:
    off = []
    for seed in range(RUNS):
        assessor, _ = judged(World(Target(slots=8), ramp(1, 70, 60), 80, seed=seed).seconds())
        assert assessor.knee is not None
        off.append(abs(assessor.knee.load.value / 23.3 - 1) > 0.25)
        assessor, states = judged(arrivals(Target(slots=8), lambda t: 3 if t < 30 else 30, 60, seed=seed))
        assert after(states, 30, (QUEUES,)) in range(1, 16)
        knee = assessor.knee
        assert knee is not None
        assert knee.unit == "rate"
        off.append(abs(knee.per_s.value / 15.3 - 1) > 0.2)
        assert "/s" in assessor.bound()
    assert not false(off), off


def test_arrivals_that_are_all_served_have_no_knee() -> None:
    for seed in range(RUNS):
        assessor, states = judged(arrivals(Target(slots=60), lambda t: 2 + t / 6, 60, seed=seed))
        assert set(states) <= {KEEPS_UP, UNKNOWN}
        assert assessor.knee is None
        assert assessor.bound().startswith("holds at least ")


# -- what is said


def queued() -> Assessor:
    return judged(World(Target(slots=4), steps((20, 3), (20, 12), (30, 40)), 70).seconds())[0]


def test_a_queue_is_told_with_its_evidence() -> None:
    found = queued().now
    assert found.word == "QUEUES"
    assert (round(found.since_s), found.load) == (42, 40)
    pattern = r"p95 4\.\d\ds ×[56]\.\d · flat at 7\.\d\d/s since ~12 users · llm_call ×8\.\d"
    assert re.fullmatch(pattern, found.words)
    evidence = {row.what: (row.from_, row.to) for row in found.evidence}
    assert evidence["load"] == (3, 40)
    before, now = evidence["phase.llm_call_ms"]
    assert before is not None
    assert now is not None
    assert now > 8 * before
    (cause,) = found.causes
    assert (cause.kind, cause.share) == ("model", 1.0)
    assert cause.words.startswith("calls of the model wait for a free slot: llm_call ×8.")


def test_the_end_of_a_run_says_the_knee_and_why() -> None:
    summary = queued().summary()
    assert summary["state"] == "queues"
    assert re.fullmatch(
        r"throughput stops growing at ~12 users \(\d+–\d+\): 7\.\d\d/s, about 4 requests are served at a time; "
        r"calls wait for a free model slot: llm_call ×8\.\d, about 4 at a time",
        summary["bound"],
    )
    assert summary["holds"] is None
    assert [change["state"] for change in summary["changes"]] == ["keeps_up", "slows", "queues"]
    assert summary["others"] == []  # what queues is slow as well
    low, high = summary["knee"]["interval"]
    assert low < 11.6 < high
    assert low < summary["knee"]["users"] < high
    assert summary["knee"]["per_s"] == pytest.approx(7.7, rel=0.1)


def test_a_run_that_has_not_passed_its_knee_holds_at_least() -> None:
    assessor, _ = judged(WELL["constant"](1).seconds())
    assert assessor.bound() == "holds at least 40 users"
    assert assessor.final.words.startswith("p95 ")
    assert "no lighter load" not in assessor.final.words


def test_one_level_alone_is_said_to_be_alone() -> None:
    assessor, _ = judged(World(Target(slots=4), steps((40, 3)), 40).seconds())
    assert assessor.now.words.endswith("no lighter load to compare with")


def test_what_only_queued_once_is_the_verdict_on_the_run() -> None:
    plan = steps((20, 3), (30, 40), (40, 3))
    assessor, states = judged(World(Target(slots=4), plan, 90).seconds())
    assert states[-1] == KEEPS_UP
    assert RECOVERS in states
    assert assessor.final.state == QUEUES
    assert assessor.final.load == 40
    assert assessor.final.words.startswith("p95 4.")  # as it was at its worst, not as it ended


def test_a_rate_limit_is_told_with_the_quota_that_ran_out() -> None:
    target = Target(limit_per_s=8)
    gauge = QuotaGauge("chat", "requests", 480, 0, 0.1, 3.0)
    assessor = Assessor()
    for second in World(target, steps((30, 4), (30, 10), (40, 40)), 100).seconds():
        assessor.second(with_(second, quotas=(gauge,)))
    assert assessor.now.state == REFUSES
    assert "refused (429) since 40 users · requests: 0 of 480 left" in assessor.now.words
    assert assessor.now.causes[0].kind == "quota"
    assert assessor.bound().endswith("; more is refused (429)")


def test_one_request_of_several_is_named() -> None:
    targets = (Target(), Target(slow=(30, 60, 4.0)))
    quick, slow = (World(target, steps((60, 9)), 60, seed=at).seconds() for at, target in enumerate(targets))
    assessor = Assessor(("chat/simple", "chat/tools"))
    for one, other in zip(quick, slow, strict=True):
        assessor.second(with_(one, answers={0: of(one), 1: of(other)}, load=one.load + other.load))
    assert assessor.now.state == SLOWS
    assert assessor.now.words.endswith("mostly chat/tools")


# -- when nothing can be said


def with_(second: Second, **changes: object) -> Second:
    values = {name: getattr(second, name) for name in Second.__slots__}
    return Second(**(values | changes))


def of(second: Second) -> Answers:
    return second.answers.get(0, Answers())


def changed(world: World, change: Callable[[Second], dict[str, object]]) -> list[str]:
    return judged(with_(second, **change(second)) for second in world.seconds())[1]


def test_the_warm_up_is_in_no_verdict() -> None:
    world = World(Target(slow=(0, 20, 3.0)), steps((40, 12)), 40)
    states = changed(world, lambda second: {"warmup": second.t_s <= 20})
    assert set(states[:20]) == {UNKNOWN}
    assert set(states[25:]) == {KEEPS_UP}


def test_times_that_cannot_be_trusted_are_not_judged_but_refusals_are() -> None:
    def doubted(second: Second) -> dict[str, object]:
        return {"doubts": "CPU 97 %" if second.t_s > 20 else ""}

    states = changed(World(Target(slots=4), steps((20, 3), (20, 40)), 40), doubted)
    assert set(states[25:]) == {UNKNOWN}
    states = changed(World(Target(limit_per_s=8), steps((30, 4), (20, 40)), 50), doubted)
    assert states[-1] == REFUSES


def test_failures_for_want_of_ports_are_not_the_targets() -> None:
    world = World(Target(slots=20, down=(20, 40)), steps((40, 15)), 40)
    assert FAILS not in changed(world, lambda second: {"blocked": second.t_s > 20})


def test_a_pause_is_no_silence() -> None:
    def paused(second: Second) -> dict[str, object]:
        quiet = 20 < second.t_s <= 40
        return {"sending": not quiet, "answers": {} if quiet else second.answers}

    states = changed(World(Target(sigma=0.2), steps((60, 10)), 60), paused)
    assert set(states[10:]) == {KEEPS_UP}
