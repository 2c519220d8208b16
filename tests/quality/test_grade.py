from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.outcome import NOT_FINISHED, Outcome
from agenttop.quality.answer import Answer, ToolCall
from agenttop.quality.case import Case, GraderSpec
from agenttop.quality.grade import grade, part_of, wanted_outside
from agenttop.quality.graders.base import Verdict
from agenttop.quality.score import CAUSES, Part

CONTAINS = GraderSpec("contains", "refund", weight=3.0, metric="word")
SHORT = GraderSpec("max-words", 2)
JUDGE = GraderSpec("judge", "is polite", weight=2.0)
TOOL = GraderSpec("tool-called", "lookup", weight=1.0)


def test_the_score_is_the_weighted_mean_and_its_reason_that_of_the_grader_that_cost_most() -> None:
    case = Case("a", graders=(CONTAINS, SHORT))
    score = grade(case, Answer("a", "peak", 40, step=1, at_s=2.5, text="no money back at all"))
    assert (score.value, score.passed, score.cause) == (0.0, False, "wrong")
    score = grade(case, Answer("a", "peak", 40, step=1, at_s=2.5, text="a refund it is"))
    assert score.value == 0.75
    assert (score.case, score.level, score.users, score.step, score.at_s) == ("a", "peak", 40, 1, 2.5)
    assert score.reason == "4 words, at most 2"
    assert score.parts == (
        Part("contains", 1.0, "", 3.0, "word"),
        Part("max-words", 0.0, "4 words, at most 2", 1.0),
    )
    assert score.excerpt == "a refund it is"


@pytest.mark.parametrize(
    ("threshold", "pass_at", "passed"), [(None, 1.0, False), (None, 0.75, True), (0.7, 1.0, True), (0.8, 0.5, False)]
)
def test_a_case_passes_at_its_threshold_or_that_of_the_profile(
    threshold: float | None, pass_at: float, passed: bool
) -> None:
    case = Case("a", threshold=threshold, graders=(CONTAINS, SHORT))
    assert grade(case, Answer("a", text="a refund it is"), pass_at=pass_at).passed is passed


def test_three_tenths_of_a_mean_reach_a_threshold_of_three_tenths() -> None:
    specs = tuple(GraderSpec("contains", letter, weight=0.1) for letter in "abcdefghij")
    assert grade(Case("a", threshold=0.3, graders=specs), Answer("a", text="abc")).passed
    assert grade(Case("a", graders=specs), Answer("a", text="abcdefghij")).passed


@pytest.mark.parametrize(
    ("outcome", "cause", "reason"),
    [
        (Outcome.RATE_LIMITED, "refused", "refused with 429: slow down"),
        (Outcome.TIMEOUT, "timeout", "no answer in time: slow down"),
        (Outcome.TRUNCATED, "truncated", "the answer was cut off: slow down"),
        (Outcome.CLIENT_ERROR, "error", "the request failed: slow down"),
        (Outcome.SERVER_ERROR, "error", "the server failed: slow down"),
        (Outcome.CONNECT_ERROR, "error", "no connection: slow down"),
        (Outcome.PROTOCOL_ERROR, "error", "no answer that can be read: slow down"),
        (Outcome.STREAM_ERROR, "error", "an error within the answer: slow down"),
        (Outcome.CHECK_FAILED, "error", "a check of the profile failed: slow down"),
    ],
)
def test_a_failure_scores_nothing_by_rule_and_is_never_sent_to_a_judge(outcome: str, cause: str, reason: str) -> None:
    case = Case("a", threshold=0.0, graders=(GraderSpec("contains", "x", negated=True), JUDGE))
    answer = Answer("a", text="half of it", outcome=str(outcome), error="slow down")
    assert wanted_outside(case, answer) == ()
    score = grade(case, answer, pass_at=0.0)
    assert (score.value, score.passed, score.cause, score.reason) == (0.0, False, cause, reason)


def test_every_outcome_has_its_rule() -> None:
    case = Case("a", target=("x",))
    for outcome in Outcome:
        score = grade(case, Answer("a", text="x", outcome=str(outcome)))
        assert (score.value is None) == (outcome in NOT_FINISHED)
        assert score.value in (None, 1.0 if outcome == Outcome.OK else 0.0)


def test_what_the_run_cut_is_no_score_of_the_agents() -> None:
    score = grade(Case("a", target=("x",)), Answer("a", outcome="cancelled"))
    assert (score.value, score.passed, score.cause) == (None, False, "")


def test_an_empty_answer_is_empty_though_a_not_form_would_pass() -> None:
    case = Case("a", graders=(GraderSpec("contains", "x", negated=True),))
    assert grade(case, Answer("a", text=" \n")).cause == "empty"
    called = Answer("a", tools=(ToolCall("lookup"),))
    assert grade(case, called).value == 1.0
    assert grade(Case("a", graders=(TOOL,)), called).value == 1.0
    assert grade(Case("a", target=("x",)), called).cause == "empty"


def test_a_tool_that_was_not_called_is_the_cause_whatever_else_is_wrong() -> None:
    case = Case("a", graders=(CONTAINS, TOOL))
    assert grade(case, Answer("a", text="nothing")).cause == "tool_not_called"
    assert grade(case, Answer("a", text="nothing", tools=(ToolCall("lookup"),))).cause == "wrong"
    forbidden = Case("a", graders=(GraderSpec("tool-called", "lookup", negated=True),))
    assert grade(forbidden, Answer("a", text="x", tools=(ToolCall("lookup"),))).cause == "wrong"


def test_an_answer_at_the_limit_of_tokens_is_graded_and_its_losses_are_truncated() -> None:
    case = Case("a", graders=(CONTAINS, JUDGE))
    answer = Answer("a", text="a refund", finish="max_tokens")
    assert wanted_outside(case, answer) == ()
    score = grade(case, answer)
    assert (score.value, score.cause) == (0.6, "truncated")
    assert score.parts[1].reason == "stopped at the limit of tokens; not sent to the judge"
    assert grade(Case("a", graders=(CONTAINS,)), answer).value == 1.0


def test_parts_from_outside_are_taken_in_their_order_with_the_weights_of_the_case() -> None:
    script = GraderSpec("python", "graders.py:polite", negated=True, metric="manners")
    close = GraderSpec("similar", "x", {"by": "embeddings"})
    case = Case("a", graders=(JUDGE, CONTAINS, script, close))
    answer = Answer("a", text="a refund")
    assert wanted_outside(case, answer) == (JUDGE, script, close)
    said = (Part("judge", 0.5, "curt"), Part("python", 1.0), Part("similar", 1.0))
    score = grade(case, answer, said)
    assert [part.value for part in score.parts] == [0.5, 1.0, 1.0, 1.0]
    assert [part.weight for part in score.parts] == [2.0, 3.0, 1.0, 1.0]
    assert score.parts[2].grader == "not-python"
    assert score.parts[2].metric == "manners"
    assert score.value == pytest.approx(6 / 7)
    assert score.reason == "curt"


@pytest.mark.parametrize("said", [(), (Part("judge", None, "judge_error: no JSON"),)])
def test_what_a_judge_could_not_say_is_no_score(said: tuple[Part, ...]) -> None:
    score = grade(Case("a", graders=(CONTAINS, JUDGE)), Answer("a", text="a refund"), said)
    assert (score.value, score.passed, score.cause) == (None, False, "")
    assert score.reason == (said[0].reason if said else "judge has not been asked")
    assert score.parts[0].value == 1.0


def test_a_grader_without_weight_is_a_column_only() -> None:
    case = Case("a", graders=(CONTAINS, GraderSpec("cost", 0.01, weight=0.0, metric="cost")))
    score = grade(case, Answer("a", text="a refund"))
    assert (score.value, score.passed) == (1.0, True)
    assert score.parts[1].value is None


def test_a_target_alone_is_includes_and_a_step_has_graders_of_its_own() -> None:
    case = Case("a", target=("Shipped",))
    assert grade(case, Answer("a", text="it shipped")).value == 1.0
    assert grade(case, Answer("a", text="it shipped"), specs=(CONTAINS,)).value == 0.0


def test_a_verdict_is_turned_round_and_kept_within_0_and_1() -> None:
    assert part_of(GraderSpec("x", negated=True), Verdict(0.25, "a", "b")) == Part("not-x", 0.75, "b")
    assert part_of(GraderSpec("x"), Verdict(7.0)) == Part("x", 1.0)
    assert part_of(GraderSpec("x", negated=True), Verdict(None, "who knows")) == Part("not-x", None, "who knows")


@given(
    st.sampled_from([str(outcome) for outcome in Outcome]),
    st.sampled_from(["", "refund", "a refund it is", "no"]),
    st.sampled_from([None, "stop", "length"]),
    st.booleans(),
    st.lists(st.sampled_from([CONTAINS, SHORT, TOOL, JUDGE]), min_size=1, max_size=4),
    st.floats(0, 1),
)
def test_a_lost_point_has_a_cause_and_no_cause_is_without_a_lost_point(
    outcome: str, text: str, finish: str | None, called: bool, specs: list[GraderSpec], verdict: float
) -> None:
    answer = Answer("a", text=text, tools=(ToolCall("lookup"),) if called else (), finish=finish, outcome=outcome)
    case = Case("a", graders=tuple(specs))
    score = grade(case, answer, [Part("judge", verdict) for _ in wanted_outside(case, answer)])
    if score.value is None:
        assert not score.cause
        return
    assert 0 <= score.value <= 1
    assert (score.cause in CAUSES) == (score.value < 1 - 1e-9)
    assert not (score.passed and score.value < 1 - 1e-9)
