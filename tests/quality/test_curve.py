"""Tests of agenttop.quality.curve, agenttop.quality.brief and agenttop.metrics.graded."""

from __future__ import annotations

import random
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.graded import QualityState
from agenttop.quality.brief import CaseBrief, Golden, brief_of
from agenttop.quality.case import Case
from agenttop.quality.curve import (
    KEPT_UNGRADED,
    OTHERS,
    Curve,
    JudgeUse,
)
from agenttop.quality.paired_scores import case_scores
from agenttop.quality.score import CAUSES, Score
from tests.quality.worlds import graded, share, trials


def golden(cases: int = 4, **slices: Iterable[int]) -> Golden:
    return Golden(
        tuple(
            CaseBrief(f"c{index}", tuple(name for name, among in slices.items() if index in among))
            for index in range(cases)
        )
    )


def score(case: int, value: float | None, level: str = "low", users: int = 1, cause: str = "wrong") -> Score:
    passed = value is not None and value >= 1.0
    return Score(f"c{case}", level, users, value=value, passed=passed, cause="" if passed else cause)


def test_a_case_asked_often_counts_once() -> None:
    curve = Curve(golden(2))
    curve.asked(4)
    curve.take([score(0, 1.0), score(0, 1.0), score(0, 1.0), score(1, 0.0)])
    assert curve.state.score == pytest.approx(0.5)
    assert (curve.state.cases, curve.state.answers, curve.state.graded, curve.state.waiting) == (2, 4, 4, 0)


def test_weights_of_cases_are_kept() -> None:
    curve = Curve(Golden((CaseBrief("c0", weight=3.0), CaseBrief("c1", weight=1.0))))
    curve.take([score(0, 1.0), score(1, 0.0)])
    assert curve.state.score == pytest.approx(0.75)


def test_what_nobody_could_judge_is_in_no_score_and_waits_no_more() -> None:
    curve = Curve(golden(2))
    curve.asked(3)
    curve.take([score(0, 1.0), score(1, None)])
    assert (curve.state.score, curve.state.graded, curve.state.ungraded, curve.state.waiting) == (1.0, 1, 1, 1)


def test_why_answers_are_ungraded_is_counted_and_bounded() -> None:
    curve = Curve(golden(2))
    curve.asked(7 + KEPT_UNGRADED)
    curve.take([msgspec.structs.replace(score(0, None), reason="judge_error: HTTP 401")] * 5)
    curve.take([score(0, 1.0), score(1, None)])
    curve.take(msgspec.structs.replace(score(0, None), reason=f"no verdict in {n}") for n in range(KEPT_UNGRADED))
    told = curve.summary()
    assert told["ungraded"] == sum(told["ungraded_by"].values()) == 6 + KEPT_UNGRADED
    assert list(told["ungraded_by"].items())[:2] == [("judge_error: HTTP 401", 5), (OTHERS, 2)]
    assert len(told["ungraded_by"]) == KEPT_UNGRADED + 1
    assert curve.ungraded.startswith(f"26 of 27 answers are in no score: 5 × judge_error: HTTP 401; 2 × {OTHERS}; 1 × ")
    assert Curve(golden(1)).ungraded == ""


def test_two_hundred_right_of_two_hundred_are_no_proof_of_the_next() -> None:
    curve = Curve(golden(200))
    for _ in range(5):
        curve.take(score(case, 1.0) for case in range(200))
    assert curve.state.high == 1.0
    assert 0.97 < curve.state.low < 0.99


def test_slices_and_levels_have_scores_of_their_own() -> None:
    curve = Curve(golden(4, tools={2, 3}, hours={0, 1, 2}))
    curve.take(score(case, 1.0) for case in range(4))
    curve.take(score(case, 0.0 if case in (2, 3) else 1.0, "peak 4/4", 40) for case in range(4))
    found = {row.level: row for row in curve.state.levels}
    assert found["low"].score == 1.0
    assert found["peak 4/4"].score == 0.5
    assert found["peak 4/4"].slices == {"hours": pytest.approx(2 / 3), "tools": 0.0}
    assert [row.name for row in curve.state.slices] == ["hours", "tools"]
    assert curve.figure("score", "tools") == 0.5
    assert curve.figure("score", "tools", "peak") == 0.0
    assert curve.figure("score", stage="peak") == 0.5
    assert curve.figure("score", stage="pea") is None
    assert curve.figure("score", "colours") is None


@pytest.mark.parametrize(
    ("level", "stages", "stage", "value"),
    [
        # Of a planned level its stages are known, one that its name leaves out too …
        ("low + a", ("low", "a"), "a", 0.0),
        ("low + a", ("low", "a"), "low", 0.0),
        ("low", ("low", "probe"), "probe", 0.0),
        ("a + b", ("a + b",), "a", None),
        ("hold (2)", ("hold",), "hold", 0.0),
        ("hold (2)", ("hold (2)",), "hold", None),
        # … of one that a changed plan made its name says them.
        ("low + a", None, "a", 0.0),
        ("low 2/4 + a", None, "low", 0.0),
        ("low + a 4/4 + b (2)", None, "a", 0.0),
        ("low + a (2)", None, "a", 0.0),
        ("low + a", None, "lo", None),
        ("low + ab", None, "a", None),
        ("low + a + b", None, "a + b", 0.0),
        ("hold (2)", None, "hold", 0.0),
        ("hold (2)", None, "hold (2)", 0.0),
    ],
)
def test_a_level_is_of_all_its_stages(level: str, stages: tuple[str, ...] | None, stage: str, value: object) -> None:
    known = {} if stages is None else {level: stages}
    curve = Curve(Golden(golden(1).cases, stages=known))
    curve.take([score(0, 0.0, level)])
    assert curve.figure("score", stage=stage) == value


def test_the_drop_is_paired_over_the_cases_that_both_levels_answered() -> None:
    curve = Curve(golden(100))
    # The lowest level saw all of them, the highest no case that is hard.
    curve.take(score(case, 1.0 if case < 60 else 0.0) for case in range(100))
    curve.take(score(case, 1.0 if case < 60 else 0.0, "peak", 50) for case in range(60))
    assert curve.state.drop is not None
    assert (curve.state.drop.drop, curve.state.drop.cases) == (0.0, 60)
    assert (curve.state.drop.from_users, curve.state.drop.to_users) == (1, 50)


def test_a_level_with_few_cases_is_no_end_of_the_curve() -> None:
    curve = Curve(golden(100))
    curve.take(score(case, 0.0, "ramp 1/4", 1) for case in range(10))
    curve.take(score(case, 1.0, "hold", 10) for case in range(100))
    curve.take(score(case, 1.0, "peak", 50) for case in range(100))
    assert curve.state.drop is not None
    assert (curve.state.drop.from_users, curve.state.drop.to_users) == (10, 50)


def test_a_clear_drop_is_worse_and_its_causes_sum_to_it() -> None:
    curve = Curve(golden(100))
    curve.take(score(case, 1.0) for case in range(100))
    curve.take(score(case, 0.0, "peak", 50, "tool_not_called") for case in range(30))
    curve.take(score(case, 0.0, "peak", 50, "refused") for case in range(30, 50))
    curve.take(score(case, 1.0, "peak", 50) for case in range(50, 100))
    drop = curve.state.drop
    assert drop is not None
    assert drop.verdict == "worse"
    assert drop.lost == {"tool_not_called": pytest.approx(0.3), "refused": pytest.approx(0.2)}
    assert list(drop.lost) == ["tool_not_called", "refused"]


def test_the_lowest_level_against_itself_shows_what_is_there_without_load() -> None:
    curve = Curve(golden(50))
    for value in (1.0, 1.0, 0.0, 0.0):
        curve.take(score(case, value) for case in range(50))
    assert curve.state.drop is None
    assert curve.state.control is not None
    assert curve.state.control.drop == 1.0


@pytest.mark.parametrize(("cases", "verdict"), [(3, "undecided"), (188, "undecided"), (189, "ok"), (400, "ok")])
def test_few_cases_without_a_difference_prove_little(cases: int, verdict: str) -> None:
    curve = Curve(golden(cases))
    curve.take(score(case, 1.0) for case in range(cases))
    curve.take(score(case, 1.0, "peak", 50) for case in range(cases))
    assert curve.state.drop is not None
    assert curve.state.drop.verdict == verdict


def under_load(seed: int, drop: float, wrong: float = 0.03) -> str:
    """The verdict on 200 cases asked five times at each of two levels, ``wrong`` by plain randomness."""
    low = graded(3 * seed, wrong=wrong)
    peak = graded(3 * seed + 1, wrong=wrong, drop=drop)
    curve = Curve(golden(len(low)))
    for level, users, found in (("low", 1, low), ("peak", 50, peak)):
        for case, row in enumerate(found.values()):
            passed = round(row["score"] * row["runs"])
            curve.take(score(case, float(n < passed), level, users) for n in range(row["runs"]))
    assert curve.state.drop is not None
    return curve.state.drop.verdict


def test_plain_randomness_is_seldom_called_a_drop_under_load() -> None:
    verdicts = [under_load(seed, 0.0) for seed in range(trials(100))]
    assert share(verdicts, lambda verdict: verdict == "worse") <= 0.05


def test_a_true_drop_of_five_points_under_load_is_found() -> None:
    verdicts = [under_load(seed, 0.05) for seed in range(trials(100))]
    assert share(verdicts, lambda verdict: verdict == "worse") >= 0.8


def test_the_summary_has_every_case_with_its_reasons() -> None:
    curve = Curve(golden(2))
    curve.take([score(0, 1.0), msgspec.structs.replace(score(0, 0.0), reason="no “refund”")])
    assert curve.summary()["by_case"] == {"c0": {"score": 0.5, "runs": 2, "reasons": ["no “refund”"]}}


def test_what_the_judge_did_is_told() -> None:
    curve = Curve(golden(1))
    curve.judged(JudgeUse(calls=3, errors=1))
    assert curve.figure("judge_errors") == 1.0
    assert curve.summary()["judge"]["calls"] == 3


def test_the_brief_of_a_case_has_its_slices_and_its_last_question() -> None:
    messages = ({"role": "user", "content": "Hello"}, {"role": "user", "content": " Where\n is  it? "})
    case = Case("a", messages, tags=("orders",), slices={"language": "de"}, weight=2.0)
    assert brief_of(case) == CaseBrief("a", ("orders", "language=de"), 2.0, "Where is it?")


_SCORES = st.lists(
    st.builds(
        score,
        st.integers(0, 7),
        st.one_of(st.none(), st.sampled_from([0.0, 1.0]), st.floats(0, 1)),
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([1, 10, 50]),
        st.sampled_from(CAUSES),
    ),
    max_size=60,
)


@given(_SCORES)
def test_points_kept_and_lost_are_one_at_every_level_and_intervals_hold_the_score(scores: list[Score]) -> None:
    curve = Curve(golden(8, tools={1, 2, 3}))
    curve.asked(len(scores))
    curve.take(scores)
    state = curve.state
    assert state.graded + state.ungraded == len(scores)
    assert state.waiting == 0
    for row in state.levels:
        assert row.score + sum(row.lost.values()) == pytest.approx(1.0)
        assert 0.0 <= row.low <= row.score + 1e-12
        assert row.score - 1e-12 <= row.high <= 1.0
    for drop in (state.drop,):
        if drop is not None:
            assert sum(drop.lost.values()) == pytest.approx(drop.drop, abs=1e-9)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state), type=QualityState) == state
    msgspec.json.encode(curve.summary())


@given(_SCORES, st.randoms(use_true_random=False))
def test_the_order_of_scores_of_several_workers_changes_no_score(scores: list[Score], order: random.Random) -> None:
    one, other = Curve(golden(8)), Curve(golden(8))
    one.take(scores)
    mixed = list(scores)
    order.shuffle(mixed)
    other.take(mixed)
    assert one.state.score == pytest.approx(other.state.score)
    drops = one.state.drop, other.state.drop
    assert (drops[0] is None) == (drops[1] is None)
    if drops[0] is not None and drops[1] is not None:
        assert drops[0].drop == pytest.approx(drops[1].drop)


def test_a_comparison_finds_the_slices_weight_and_threshold_of_a_case() -> None:
    cases = (CaseBrief("a", ("tools", "language=de"), 2.0, threshold=0.5), CaseBrief("b"))
    curve = Curve(Golden(cases))
    curve.take([Score("a", value=0.6, passed=True), Score("b", value=0.6)])
    summary = {"profile": {}, "quality": curve.summary()}
    found = case_scores([summary])
    assert [set(found[case].tags) for case in "ab"] == [{"tools", "language=de"}, set()]
    assert [(found[case].weight, found[case].passed) for case in "ab"] == [(2.0, True), (1.0, False)]
