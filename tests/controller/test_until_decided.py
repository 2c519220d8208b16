"""Tests of agenttop.controller.until_decided, agenttop.controller.move: a run goes on until its gate is decided."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.until_decided import LEAD_S, Look, UntilDecided, look_at, most_of, problem_of
from agenttop.profile.load import Loaded
from agenttop.quality.compare import compare
from agenttop.quality.margins import Gate
from agenttop.schedule.control import Control
from agenttop.steering.plan import Plan
from agenttop.users.compile import layout_of
from tests.profile.test_gate import POOL
from tests.profile.test_quality import TASK, write_cases
from tests.profile.writing import load
from tests.quality.test_compare import scored
from tests.quality.worlds import graded, idle, trials, with_scores

PLAN_S = 60.0
OPEN, DONE = (
    Look(decided=False, words="the data cannot tell: score"),
    Look(decided=True, words="within what is allowed"),
)


class Driven:
    """A run of 60 s that is looked at ten times a second; ``answers`` are those to looks, in turn."""

    def __init__(self, most_s: float, *answers: Look | None) -> None:
        self.answers = list(answers)
        self.looked: list[float] = []
        self.until = UntilDecided(most_s, self.look)
        self.control = Control()
        self.said: list[str] = []
        self.levels: list[str] = []
        self.t = 0.0

    def look(self, elapsed: float) -> Future[Look]:
        self.looked.append(elapsed)
        future: Future[Look] = Future()
        answer = self.answers.pop(0)
        if answer is not None:
            future.set_result(answer)
        return future

    def end_s(self) -> float:
        return float("inf") if self.control.held_at is not None else PLAN_S - self.control.shift

    def to(self, t_s: float) -> Driven:
        while self.t < t_s and self.t < self.end_s():
            move = self.until.look_at(self.t, self.control, self.end_s())
            self.control = move.control
            self.said += move.said
            self.levels += [move.level] * len(move.said)
            self.t = round(self.t + 0.1, 3)
        return self


def test_a_decided_gate_ends_the_run_when_its_plan_does() -> None:
    run = Driven(240.0, DONE).to(500)
    assert run.looked == pytest.approx([PLAN_S - LEAD_S], abs=0.2)
    assert run.said == ["the gate is decided: within what is allowed"]
    assert run.t == pytest.approx(PLAN_S, abs=0.3)


def test_an_undecided_one_is_looked_at_as_the_data_doubles() -> None:
    run = Driven(240.0, OPEN, DONE).to(500)
    assert run.looked == pytest.approx([59.0, 118.0], abs=0.2)
    assert run.said[0] == "the gate is not decided, the run goes on: the data cannot tell: score"
    # Whoever looks at plain lines, as in CI, sees why the run goes on.
    assert run.levels == ["warn", "info"]
    assert run.t == pytest.approx(118 + LEAD_S, abs=0.3)


def test_it_lasts_no_longer_than_it_may() -> None:
    run = Driven(200.0, OPEN, OPEN, OPEN).to(500)
    assert run.looked == pytest.approx([59.0, 118.0, 199.0], abs=0.3)
    assert run.said[-1] == "the gate is not decided in the time it has: the data cannot tell: score"
    assert run.t == pytest.approx(200, abs=0.5)
    # A look at hardly more data than the last would show nothing new.
    assert Driven(240.0, OPEN, OPEN, OPEN).to(500).looked == pytest.approx([59.0, 118.0, 236.0], abs=0.3)


def test_one_that_may_last_no_longer_than_its_plan_is_not_held() -> None:
    run = Driven(60.0).to(500)
    assert (run.looked, run.said, run.control) == ([], [], Control())


def test_while_it_is_looked_at_the_load_goes_on() -> None:
    run = Driven(240.0, None).to(200)
    assert run.t >= 200
    assert run.control.held_at == pytest.approx(59, abs=0.2)


def test_who_goes_on_by_hand_ends_it() -> None:
    run = Driven(240.0, OPEN).to(80)
    run.control = run.control.resume(run.t)
    run.to(500)
    assert run.t == pytest.approx(80 + LEAD_S, abs=0.3)
    assert len(run.looked) == 1


def test_what_somebody_holds_by_hand_is_theirs() -> None:
    run = Driven(240.0).to(30)
    run.control = run.control.hold(30.0)
    run.to(400)
    assert run.looked == []
    assert run.control.held_at == 30.0


# -- what is decided


def loaded(folder: Path, stages: str = 'users = 4\nduration = "1m"', more: str = "", **quality: Any) -> Loaded:
    write_cases(folder)
    keys = "".join(f"{name} = {value}\n" for name, value in quality.items())
    gate = '\n[gate]\nmax_score_drop = "2%"\n'
    text = f'target = "http://h"\n{stages}\n{more}\n[quality]\ncases = "golden.jsonl"\n{keys}{gate}{TASK}'
    return load(folder, text)


def test_what_blocks_or_is_all_known_is_decided(tmp_path: Path) -> None:
    profile = loaded(tmp_path).profile
    assert look_at(profile, [scored(1)], scored(2, drop=0.08)) == Look(True, "worse than allowed: score")
    assert look_at(profile, [scored(1, repeats=40)], scored(2, repeats=40)).decided
    found = look_at(profile, [scored(1, repeats=1)], scored(2, repeats=1))
    assert found == Look(False, "the data cannot tell: score")
    assert look_at(profile, [scored(1)], idle(1, requests=20)).words.startswith("it cannot be compared")


def test_looking_thrice_seldom_makes_an_identical_build_worse() -> None:
    many, worse = trials(20), 0
    for seed in range(many):
        base = scored(10_000 + seed, repeats=4)
        answers: dict[str, Any] = {}
        for look in range(3):
            more = graded(3 * seed + look, repeats=4 * 2 ** max(look - 1, 0))
            for case, row in more.items():
                had = answers.get(case, {"score": 0.0, "runs": 0})
                runs = had["runs"] + row["runs"]
                score = (had["score"] * had["runs"] + row["score"] * row["runs"]) / runs
                answers[case] = row | {"score": score, "runs": runs}
            head = with_scores(idle(1, requests=20), answers)
            head["totals"]["blocks"] = []
            found = compare([base], [head], Gate({"": 0.02}))
            if found.verdict == "block" or not any(row.margin and row.verdict == "undecided" for row in found.rows):
                worse += found.verdict == "block"
                break
    assert worse <= max(1, many * 0.06)


# -- what can go on at all


def problem(found: Loaded, asked_s: float | None = None, limit_s: float | None = None) -> str:
    plan = Plan(found.profile, layout_of(found.profile))
    return problem_of(found.profile, plan, most_of(plan, asked_s, limit_s))


def test_a_run_that_may_last_no_longer_than_its_plan_cannot_go_on(tmp_path: Path) -> None:
    found = loaded(tmp_path)
    said = "the run may last 30s, and its plan is 1m long already; say more, such as --until-decided 4m"
    assert problem(found, 30.0) == problem(found, None, 30.0) == problem(found, 600.0, 30.0) == said
    assert problem(found, 61.0) == problem(found, None, 600.0) == ""
    plan = Plan(found.profile, layout_of(found.profile))
    assert [most_of(plan, *of) for of in ((None, None), (90.0, None), (90.0, 70.0))] == [240.0, 90.0, 70.0]


def test_a_plan_of_one_level_can_go_on(tmp_path: Path) -> None:
    assert problem(loaded(tmp_path)) == ""
    two = '[[stages]]\nduration = "10s"\nusers = 4\n[[stages]]\nduration = "1m"\nusers = 4\n'
    assert problem(loaded(tmp_path, 'warmup = "10s"', two)) == ""


def test_what_cannot_is_said(tmp_path: Path) -> None:
    two = '[[stages]]\nduration = "10s"\nusers = 4\n[[stages]]\nduration = "1m"\nusers = 4\n'
    assert problem(loaded(tmp_path, "", two)).startswith("the plan has 4 levels of load")
    assert 'write quality.when = "live"' in problem(loaded(tmp_path, when='"after"'))
    bare = load(tmp_path, f'target = "http://h"\nusers = 1\nduration = "1m"\n{POOL}')
    assert problem(bare) == "there is no [gate] to decide; write one in the profile"
