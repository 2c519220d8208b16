"""A search in a run, with a clock and workers that are made up: 20 looks and 4 deltas a second, as in a real one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from agenttop.controller.ending import End
from agenttop.controller.searching import Searching, searching_of
from agenttop.journal.figures import level_failed
from agenttop.metrics.delta import Delta, Health, LeafDelta, PoolDelta
from agenttop.metrics.exhaustion import Reason
from agenttop.report.model import Search
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.steering.plans import TASK, profile_of

SEARCH = '[search]\nfrom = 2\nto = 100\nsettle = "2s"\nmeasure = "5s"\n[objectives]\nlatency = "3s"\n'
USERS = SEARCH + f'[[pools]]\nname = "chat"\nweight = 3\n{TASK}[[pools]]\nname = "tools"\n{TASK}'
RATE = SEARCH.replace("[search]", '[search]\nunit = "rate"') + f'[[pools]]\nname = "chat"\n{TASK}'

#: Of a level: (requests a second, how many of a hundred are good).
Answers = Callable[[float], tuple[int, int]]


def up_to(capacity: float) -> Answers:
    """All requests are good up to a level, and a tenth of them above."""
    return lambda level: (40, 100 if level <= capacity else 10)


class Rig:
    """A search, its clock and its one worker."""

    def __init__(self, folder: Path, text: str, answers: Answers) -> None:
        profile = profile_of(folder, text)
        self.plan = Plan(profile, layout_of(profile))
        found = searching_of(profile, self.plan.layout)
        assert found is not None
        self.search: Searching = found
        self.answers = answers
        self.control = Control()
        self.t_s = 0.0
        self.said: list[str] = []
        self.over = False
        self.missing = 0
        """Users that do not come."""
        self.stuck = 0
        """Requests of every window that are never answered."""
        self.in_flight = 0
        self.dropped = 0
        """Arrivals of every delta that find no user."""
        self.saturated = False
        self._ticks = 0

    @property
    def level(self) -> float:
        """What the controls want."""
        control = self.control
        return next(iter(control.pool_rates.values()), 0.0) if self.search.rate else float(control.users or 0)

    def look(self) -> None:
        """A twentieth of a second more."""
        self._ticks += 1
        self.t_s = self._ticks * 0.05
        if self._ticks % 5 == 0:
            self.search.fold(self._delta())
        users = [max(0, int(self.level) - self.missing), 0]
        move = self.search.look(self.t_s, self.control, users, [self.in_flight, 0], saturated=self.saturated)
        self.control, self.over = move.control, move.over
        self.said += move.said

    def until(self, condition: Callable[[], object]) -> None:
        """Go on until something is so."""
        while not condition():
            self.look()
            assert self.t_s < 3600, self.said

    def finish(self) -> Search:
        """Go on to the end; the summary's search, which must be valid."""
        self.until(lambda: self.over)
        return msgspec.convert(self.search.summary(), Search)

    def _delta(self) -> Delta:
        requests, percent = self.answers(self.level)
        count = requests // 4
        sums = {"attempts": count, "good": count * percent // 100, "missed.latency": count - count * percent // 100}
        draining = self.control.draining
        open_marks = {draining: self.stuck} if draining else {}
        leaves = [LeafDelta(0, 0, {"ok": count}, {}, {}, sums, self.control.mark)]
        pools = [PoolDelta(0, 0, 0, 0, self.dropped, self.control.mark)] if self.dropped else []
        return Delta(0, 0, self.t_s, leaves, pools, [], {}, [], 0.0, Health(None, 0.0, 0.0, 0), open_marks=open_marks)


def test_it_finds_the_capacity_and_says_how(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(42))
    found = rig.finish()
    assert [step.level for step in found.steps] == [2, 4, 8, 16, 32, 64, 48, 40, 44, 42]
    assert [step.verdict for step in found.steps] == ["pass"] * 5 + ["fail"] * 2 + ["pass", "fail", "pass"]
    assert (found.capacity, found.lower, found.upper, found.stopped) == (42, 42, 44, "found")
    assert found.limited_by == "latency"
    assert rig.said[-1] == "capacity: 42 users (42 hold with 95% confidence, 44 do not); limited by latency"
    assert rig.said[0] == "search: 2 users"
    assert (rig.control.mark, rig.control.draining) == (0, 0)
    assert rig.search.outcome == End("completed", 0, "")
    step = found.steps[0]
    assert step.measured_s == pytest.approx(5.0, abs=0.11)
    assert step.rps == pytest.approx(40.0, rel=0.1)
    assert step.start_s == pytest.approx(0.05)
    assert found.steps[1].start_s - step.end_s == pytest.approx(0.05)


def test_few_requests_are_measured_longer_and_the_share_decides_in_the_end(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, lambda level: (4, 100 if level <= 42 else 0))
    found = rig.finish()
    steps = {step.level: step for step in found.steps}
    # 4 a second for 20 s are 80: too few, where 96 are needed. None good is plain from the first window on.
    assert (steps[2].verdict, steps[2].holds) == ("undecided", True)
    assert 0.9 < steps[2].confidence < 0.95
    assert steps[2].measured_s == pytest.approx(20.0, abs=0.5)
    assert steps[64].verdict == "fail"
    assert steps[64].measured_s == pytest.approx(5.0, abs=0.2)
    assert (found.capacity, found.lower, found.upper) == (42, None, 44)
    assert rig.said[-1] == (
        "capacity: 42 users (too few requests for 95% confidence that it holds, 44 do not); limited by latency"
    )


def test_the_ends_of_the_span(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1))
    found = rig.finish()
    assert (found.capacity, found.upper, found.stopped) == (None, 2, "below_min")
    assert rig.search.outcome == End(
        "completed",
        99,
        "capacity: below 2 users, where the search began; limited by latency",
    )
    rig = Rig(tmp_path, USERS, up_to(1000))
    found = rig.finish()
    assert (found.capacity, found.lower, found.upper, found.stopped) == (100, 100, None, "at_max")
    assert rig.said[-1] == ("capacity: at least 100 users (100 hold with 95% confidence), the most that was asked for")


def test_requests_that_are_never_answered_count(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.stuck = 50
    found = rig.finish()
    (step,) = found.steps
    assert (step.verdict, step.missed["unanswered"], step.requests) == ("fail", 50, 250)
    # They are waited for as long as a good one may take.
    assert step.end_s == pytest.approx(2.0 + 5.0 + 3.6, abs=0.3)


def test_a_level_that_opens_the_breaker_fails_at_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.until(lambda: rig.level == 16)
    assert rig.search.fail(rig.t_s) == "search: 16 users: FAIL: circuit breaker"
    found = rig.finish()
    assert [step.level for step in found.steps] == [2, 4, 8, 16, 12, 14, 15]
    assert (found.steps[3].verdict, found.steps[3].why) == ("fail", "circuit_breaker")
    assert (found.capacity, found.upper) == (15, 16)


def test_the_breaker_may_be_what_ends_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.look()
    rig.search.fail(rig.t_s)
    found = rig.finish()
    assert (found.stopped, len(found.steps)) == ("below_min", 1)
    assert rig.said[-1].startswith("capacity: below 2 users")


def test_a_saturated_generator_finds_no_capacity(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.until(lambda: rig.level == 32)
    rig.saturated = True
    found = rig.finish()
    assert (found.capacity, found.lower, found.upper, found.stopped) == (16, 16, None, "generator")
    assert (found.steps[-1].verdict, found.steps[-1].why) == ("cut", "generator")
    assert rig.said[-1] == (
        "capacity: at least 16 users (16 hold with 95% confidence); the load generator can drive no more"
    )
    assert rig.search.outcome.exit_code == 0


def test_a_lag_that_is_small_against_the_objectives_does_not_matter(tmp_path: Path) -> None:
    search = Rig(tmp_path, USERS, up_to(1)).search
    assert not search.doubts([Reason("loop lag", 299_000.0, "", "")])
    assert search.doubts([Reason("schedule lag", 301_000.0, "", "")])
    assert search.doubts([Reason("CPU", 80.0, "", "")])
    assert not search.doubts([])


def test_users_that_never_come_end_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.until(lambda: rig.level == 4)
    rig.missing = 1
    found = rig.finish()
    assert (found.stopped, found.steps[-1].why, found.capacity) == ("users", "users", 2)
    assert (rig.search.outcome.stop_reason, rig.search.outcome.exit_code) == ("error", 1)


def test_a_level_that_sends_nothing_ends_it(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, lambda level: (0, 0))
    found = rig.finish()
    assert (found.stopped, found.steps[-1].verdict, found.capacity) == ("no_requests", "cut", None)
    assert (rig.search.outcome.stop_reason, rig.search.outcome.exit_code) == ("error", 1)


def test_what_was_measured_when_the_run_was_stopped_is_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    rig.until(lambda: rig.level == 4 and rig.control.mark and rig.t_s % 1 < 0.01)
    rig.look()
    rig.until(lambda: rig.search.state().phase_s > 3)
    state = rig.search.state()
    assert (state.phase, state.phase_of_s) == ("measuring", 5.0)
    assert state.now is not None
    assert state.now.requests > 0
    rig.search.end(rig.t_s, "stopped_by_user")
    found = msgspec.convert(rig.search.summary(), Search)
    assert (found.stopped, found.capacity) == ("stopped_by_user", 2)
    assert (found.steps[-1].verdict, found.steps[-1].requests) == ("cut", state.now.requests)


def test_arrivals_begin_anew_from_an_empty_queue(tmp_path: Path) -> None:
    rig = Rig(tmp_path, RATE, up_to(20))
    rig.until(lambda: rig.level == 32)
    rig.in_flight = 300
    rig.until(lambda: rig.level == 0)
    failed = rig.t_s
    rig.until(lambda: rig.t_s > failed + 20)
    assert rig.level == 0
    rig.in_flight = 0
    found = rig.finish()
    assert (found.unit, found.pool) == ("rate", "chat")
    assert [step.level for step in found.steps] == [2, 4, 8, 16, 32, 24, 20, 22, 21]
    assert rig.said[-1] == (
        "capacity of chat: 20/s (20/s holds with 95% confidence, 21/s does not); limited by latency"
    )


def test_the_journal_hears_of_every_step_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1000))
    first = rig.search.news()
    assert first is not None
    assert first["steps"] == []
    assert rig.search.news() is None
    rig.until(lambda: rig.level == 4)
    told = rig.search.news()
    assert told is not None
    assert [step["level"] for step in told["steps"]] == [2]
    assert rig.search.news() is None


def test_the_plan_wants_nothing_by_itself_and_knows_the_most(tmp_path: Path) -> None:
    rig = Rig(tmp_path, USERS, up_to(1))
    assert [rig.plan.most_users(pool) for pool in (0, 1)] == [75, 25]
    assert rig.plan.stage_at(1000.0) == 0
    (stage,) = rig.plan.layout.stages
    assert (stage.name, stage.target_start, stage.target_end) == ("search", 2.0, 100.0)


def test_whoever_watches_failures_is_told_that_a_level_was_given_up(tmp_path: Path) -> None:
    def given_up(capacity: float) -> int:
        """Levels after whose failure another is to come, as the seconds of a run tell it."""
        rig, failed = Rig(tmp_path, USERS, up_to(capacity)), 0
        while not rig.over:
            rig.look()
            failed += level_failed(rig.search.news())
        return failed

    assert given_up(42) == 3
    assert given_up(1) == 0, "no level follows"


def test_arrivals_that_were_dropped_are_not_good_and_no_requests_a_second(tmp_path: Path) -> None:
    rig = Rig(tmp_path, RATE, up_to(1000))
    rig.dropped = 5
    found = rig.finish()
    (step,) = found.steps
    assert (step.verdict, next(iter(step.missed))) == ("fail", "dropped")
    assert step.requests == pytest.approx(60 * step.measured_s, rel=0.1)
    assert step.rps == pytest.approx(40.0, rel=0.1)
