"""When the circuit breaker opens: on made-up seconds, against a plain count over the window."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.delta import WARMUP, LeafDelta
from agenttop.metrics.outcome import Outcome
from agenttop.thresholds.breaker import Breaker, BreakerRule
from tests.thresholds.test_judge import delta, leaf


def opens(rule: BreakerRule, *seconds: dict[str, int]) -> list[bool]:
    """Whether it is open at the end of each second."""
    breaker = Breaker(rule)
    found = []
    for t_s, outcomes in enumerate(seconds, 1):
        breaker.fold(delta(LeafDelta(0, WARMUP, outcomes, {}, {}, {})))
        found.append(breaker.second(float(t_s)))
    return found


def test_it_opens_when_the_share_of_failures_is_reached() -> None:
    rule = BreakerRule(0.5, 3.0, min_requests=10)
    good, bad = {"ok": 10}, {"server_error": 10}
    assert opens(rule, good, good, good, bad) == [False] * 4
    assert opens(rule, good, good, good, bad, bad) == [False] * 4 + [True]


def test_exactly_the_limit_is_enough() -> None:
    assert opens(BreakerRule(0.07, 1.0), {"ok": 93, "timeout": 7}) == [True]
    assert opens(BreakerRule(0.07, 1.0), {"ok": 94, "timeout": 6}) == [False]


def test_nothing_is_judged_before_a_whole_window_has_passed() -> None:
    assert opens(BreakerRule(0.5, 3.0), *[{"truncated": 100}] * 4) == [False, False, True, True]


def test_few_requests_say_nothing() -> None:
    rule = BreakerRule(0.5, 2.0, min_requests=20)
    assert opens(rule, *[{"timeout": 9}] * 5) == [False] * 5
    assert opens(rule, *[{"timeout": 10}] * 5) == [False] + [True] * 4


def test_a_429_is_the_answer_of_a_target_that_works() -> None:
    refusing = [{"rate_limited": 60, "server_error": 40}] * 2
    assert opens(BreakerRule(0.5, 2.0), *refusing) == [False, False]
    assert opens(BreakerRule(0.5, 2.0, count_429=True), *refusing) == [False, True]


def test_what_was_cut_or_never_sent_has_not_finished() -> None:
    assert opens(BreakerRule(0.5, 1.0), {"cancelled": 500, "budget_refused": 500, "ok": 19}) == [False]
    assert opens(BreakerRule(0.5, 1.0), {"cancelled": 500, "ok": 10, "connect_error": 10}) == [True]


def test_it_says_what_it_saw() -> None:
    breaker = Breaker(BreakerRule(0.5, 1.0))
    breaker.fold(delta(leaf(ok=10, timeout=5, server_error=25)))
    assert breaker.second(1.0)
    assert breaker.told() == (
        "75% of the 40 requests of the last 1s failed, most of them server_error (the limit is 50%)"
    )
    assert breaker.state is not None
    assert (breaker.state.share, breaker.state.requests, breaker.state.open) == (0.75, 40, True)


def test_begun_anew_it_has_forgotten() -> None:
    breaker = Breaker(BreakerRule(0.5, 2.0))
    before = breaker.state
    assert before is not None
    assert (before.share, before.limit, before.requests, before.over_s, before.open) == (0.0, 0.5, 0, 2.0, False)
    for t_s in (1.0, 2.0):
        breaker.fold(delta(leaf(timeout=100)))
        breaker.second(t_s)
    breaker.reset(2.0)
    assert breaker.state == before
    breaker.fold(delta(leaf(timeout=100)))
    assert not breaker.second(3.0)
    assert breaker.second(4.0)
    for t_s in (5.0, 6.0):  # its window goes on as before
        breaker.fold(delta(leaf(ok=20)))
        breaker.second(t_s)
    assert (breaker.state.share, breaker.state.requests, breaker.state.open) == (0.0, 40, False)


def test_without_a_rule_it_never_opens() -> None:
    breaker = Breaker(None)
    breaker.fold(delta(leaf(timeout=100)))
    assert not breaker.second(1.0)
    assert breaker.state is None


OUTCOMES = st.dictionaries(st.sampled_from([outcome.value for outcome in Outcome]), st.integers(0, 30), max_size=4)


@given(
    st.lists(OUTCOMES, max_size=20),
    st.integers(1, 100),
    st.integers(1, 6),
    st.integers(1, 60),
    st.booleans(),
)
def test_it_is_open_exactly_where_a_plain_count_says_so(
    seconds: list[dict[str, int]], percent: int, over: int, least: int, count_429: bool
) -> None:
    rule = BreakerRule(percent / 100, float(over), least, count_429)
    spared = {"cancelled", "budget_refused"}
    well = spared | {"ok"} | (set() if count_429 else {"rate_limited"})
    expected = []
    for t_s in range(1, len(seconds) + 1):
        window = seconds[max(0, t_s - over) : t_s]
        requests = sum(n for outcomes in window for name, n in outcomes.items() if name not in spared)
        failed = sum(n for outcomes in window for name, n in outcomes.items() if name not in well)
        expected.append(t_s >= over and requests >= least and failed * 100 >= percent * requests)
    assert opens(rule, *seconds) == expected
