"""Lateness is graded by what it is of the times that are shown, and told once an episode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.exhaustion import Reason
from agenttop.metrics.snapshot import Trust
from agenttop.metrics.trust import (
    CALM_S,
    GRADES,
    LATE,
    LONGER_MS,
    OK,
    SATURATED,
    SHARE,
    Episodes,
    Times,
    grade,
    grade_of,
    percent,
)
from tests.metrics.fakes import FakeRun

MS = st.floats(0.5, 5000)
HARD = ("open files", "ephemeral ports", "network", "silence")


def lag(ms: float, kind: str = "loop lag") -> Reason:
    return Reason(kind, ms if kind == "turn" else ms * 1000, f"{kind} p99 {ms:.0f} ms (over 4 ms)", "")


def graded(*reasons: Reason, **times: float | None) -> Trust:
    return grade(reasons, [f"worker 0: {reason.text}" for reason in reasons], Times(**times))


def test_lag_is_told_as_a_part_of_what_is_shown() -> None:
    found = graded(lag(6), latency=600.0, lag=0.2)
    assert (found.grade, found.words, found.part) == (LATE, "lag 6ms, 1 % of p50", "1 % of p50")
    found = graded(lag(6), latency=600.0, first_token=50.0, lag=0.2)
    assert (found.grade, found.part) == (SATURATED, "12 % of first token p50")
    assert found.words == "worker 0: loop lag p99 6 ms (over 4 ms); lag is 12 % of first token p50"


def test_all_times_too_long_by_5_ms_are_spoilt_however_long_they_are() -> None:
    assert graded(lag(40), latency=9000.0, lag=LONGER_MS).grade == LATE
    assert graded(lag(40), latency=9000.0, lag=LONGER_MS + 0.1).grade == SATURATED


@pytest.mark.parametrize("percent_", [71.0, 94.9])
def test_a_busy_core_that_is_not_late_spoils_nothing(percent_: float) -> None:
    busy = Reason("CPU", percent_, f"CPU {percent_:.0f} % of its core (over 70 %)", "")
    found = graded(busy, latency=600.0, lag=0.2, lag_p99=2.0)
    assert (found.grade, found.words) == (LATE, f"CPU {percent_:.0f} %, lag 2ms, 0.3 % of p50")
    assert graded(busy, latency=20.0, lag=0.2, lag_p99=2.0).grade == SATURATED
    full = Reason("CPU", 95.0, "CPU 95 % of its core (over 70 %)", "")
    assert graded(full, latency=600.0).words == "worker 0: CPU 95 % of its core (over 70 %)"


@given(st.sampled_from(HARD), MS, MS)
def test_what_keeps_the_load_from_being_what_was_planned_spoils_it(kind: str, value: float, shown: float) -> None:
    found = graded(Reason(kind, value, "all gone", ""), latency=shown)
    assert (found.grade, found.words) == (SATURATED, "worker 0: all gone")


@given(st.sampled_from(["loop lag", "schedule lag", "turn"]), MS, MS, MS | st.none(), st.floats(0, 20))
def test_the_grade_is_of_the_share_and_the_words_say_both(
    kind: str, ms: float, latency: float, first_token: float | None, middle: float
) -> None:
    found = graded(lag(ms, kind), latency=latency, first_token=first_token, lag=middle)
    least = min(latency, first_token or latency)
    assert found.share == pytest.approx(ms / least)
    assert (found.grade == SATURATED) == (ms / least > SHARE or middle > LONGER_MS)
    assert percent(ms / least) in found.words
    assert found.part in found.words
    assert ("first token" in found.words) == (first_token == least)


@given(MS, st.floats(1, 10), MS, st.floats(0, 20))
def test_more_lag_is_never_a_better_grade_and_longer_times_never_a_worse(
    ms: float, times: float, shown: float, middle: float
) -> None:
    here = GRADES.index(graded(lag(ms), latency=shown, lag=middle).grade)
    assert GRADES.index(graded(lag(ms * times), latency=shown, lag=middle).grade) >= here
    assert GRADES.index(graded(lag(ms), latency=shown * times, lag=middle).grade) <= here


@given(MS | st.none(), MS | st.none(), st.floats(0, 100), st.floats(0, 100))
def test_nothing_amiss_is_ok_whatever_the_times(
    first_token: float | None, latency: float | None, lag: float, lag_p99: float
) -> None:
    assert grade((), (), Times(first_token, latency, lag, lag_p99)) == Trust(OK)


def test_without_answers_there_is_nothing_to_spoil() -> None:
    assert graded(lag(30), lag=1.0) == Trust(LATE, "lag 30ms", 30.0, None)


@given(st.lists(st.tuples(st.sampled_from(GRADES), st.sampled_from([1.0, 1.0, 2.0])), max_size=60))
def test_an_episode_begins_at_once_and_ends_when_its_grade_was_gone_for_some_seconds(
    course: list[tuple[str, float]],
) -> None:
    episodes, t_s, seen = Episodes(), 0.0, [(0.0, OK)]
    for found, seconds in course:
        t_s += seconds
        episodes.second(t_s, Trust(found, f"at {t_s}" if found != OK else ""))
        seen.append((t_s, found))
        told = episodes.now.grade
        assert told == OK or bool(episodes.now.words)
        # The worst of the last seconds is told.
        assert GRADES.index(told) == max(GRADES.index(one) for at, one in seen if t_s - at < CALM_S)
    assert episodes.spoilt_s == sum(seconds for found, seconds in course if found == SATURATED)
    assert episodes.worst.grade == max((found for found, _ in course), key=GRADES.index, default=OK)


def test_a_lag_that_comes_and_goes_is_one_episode() -> None:
    episodes, told = Episodes(), []
    for t_s in range(1, 40):
        episodes.second(float(t_s), Trust(SATURATED if t_s < 25 and t_s % 4 == 0 else OK))
        told.append(episodes.now.grade)
    assert told == [OK] * 3 + [SATURATED] * 25 + [OK] * 11


def test_the_warm_up_is_told_and_does_not_count() -> None:
    episodes = Episodes()
    episodes.second(1.0, Trust(SATURATED, "late", 9.0, 0.3), counts=False)
    assert episodes.now.grade == SATURATED
    assert (episodes.worst.grade, episodes.spoilt_s) == (OK, 0.0)


def test_the_worst_is_that_of_the_largest_share() -> None:
    episodes = Episodes()
    for t_s, share in enumerate((0.01, 0.04, 0.02), 1):
        episodes.second(float(t_s), Trust(LATE, f"{share}", 6.0, share))
    assert episodes.worst.words == "0.04"


def test_a_summary_without_a_grade_says_what_it_said() -> None:
    assert grade_of({"saturated": True}) == SATURATED
    assert grade_of({"saturated": False}) == OK
    assert grade_of({"saturated": True, "grade": "late"}) == LATE


def test_a_run_is_graded_second_by_second() -> None:
    aggregate = FakeRun(seconds=30, saturated=(20, 26)).aggregate()
    assert aggregate.trust.worst.grade == SATURATED
    assert aggregate.trust.spoilt_s >= 2
    assert FakeRun(seconds=30).aggregate().trust.worst == Trust(OK)
