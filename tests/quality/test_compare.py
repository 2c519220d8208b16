"""Tests of agenttop.quality.compare, agenttop.quality.row, agenttop.quality.figures, agenttop.quality.comparable,
agenttop.quality.paired_scores, agenttop.quality.pieces and agenttop.quality.bootstrap: what a comparison promises, on
made-up runs.

How often it errs is tried on a few seeded pairs here, and on a hundred with HYPOTHESIS=search.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.quality.bootstrap import MAX_CORRELATION, Estimate, correlation, percentile
from agenttop.quality.comparable import differences, drift
from agenttop.quality.compare import Comparison, compare
from agenttop.quality.figures import side_of
from agenttop.quality.margins import Gate, IncomparableError, regress
from agenttop.quality.pieces import pieces_of
from agenttop.quality.row import Row, row_of
from tests.quality.worlds import SEARCH, graded, idle, queue, share, summary_of, trials, with_scores


def row(found: Comparison, name: str) -> Row:
    return next(row for row in found.rows if row.name == name)


def figures(found: Comparison) -> list[Row]:
    return [row for row in found.rows if row.unit]


def scored(seed: int, **options: Any) -> Any:
    """A graded run whose times are not the point."""
    summary = idle(1, requests=20)
    summary["totals"]["blocks"] = []
    return with_scores(summary, graded(seed, **options))


# -- how often it errs


def test_identical_builds_are_seldom_worse() -> None:
    gate = Gate(score_drops={"": 0.02})
    pairs = ((scored(2 * n), scored(2 * n + 1)) for n in range(trials(100)))
    verdicts = [row(compare([base], [head], gate), "score").verdict for base, head in pairs]
    assert share(verdicts, lambda verdict: verdict == "worse") <= 0.05


def test_a_drop_of_five_points_is_found() -> None:
    gate = Gate(score_drops={"": 0.02})
    pairs = ((scored(2 * n), scored(2 * n + 1, drop=0.05)) for n in range(trials(100)))
    verdicts = [row(compare([base], [head], gate), "score").verdict for base, head in pairs]
    assert share(verdicts, lambda verdict: verdict == "worse") >= 0.8


def test_two_runs_of_one_agent_past_its_knee_do_not_differ() -> None:
    pairs = ((queue(2 * n), queue(2 * n + 1)) for n in range(trials(12)))
    verdicts = [{row.verdict for row in figures(compare([base], [head]))} for base, head in pairs]
    different = share(verdicts, lambda found: bool({"worse", "better"} & found))
    assert different <= 0.05 + (0 if SEARCH else 1 / len(verdicts))


def test_a_slower_agent_is_found_in_2_000_idle_requests() -> None:
    gate = Gate(regress=(regress("latency.p50=5%"),))
    pairs = ((idle(2 * n), idle(2 * n + 1, slower=1.15)) for n in range(trials(8)))
    found = [compare([base], [head], gate) for base, head in pairs]
    assert share(found, lambda one: one.verdict == "block") >= 0.9
    assert all(row(one, "latency p50").base == pytest.approx(300, rel=0.05) for one in found)


def test_drift_is_undecided_in_words() -> None:
    found = compare([idle(1)], [idle(2, drift=1.0)])
    assert row(found, "drift").verdict == "undecided"
    assert "head: latency" in row(found, "drift").note
    assert "higher in its second half" in row(found, "drift").note
    assert row(found, "latency p95").verdict == "undecided"
    assert row(found, "latency p95").note == row(found, "drift").note
    assert row(compare([idle(1)], [idle(2)]), "drift").verdict == "ok"


# -- scores


def test_scores_are_paired_by_case() -> None:
    base, head = scored(1), scored(1)
    for case in ("case-1", "case-5", "case-9"):
        head["quality"]["by_case"][case]["score"] = 0.0
    base["quality"]["by_case"]["case-2"]["score"] = 0.8
    head["quality"]["by_case"]["case-2"]["score"] = 1.0
    del head["quality"]["by_case"]["case-0"]
    found = compare([base], [head], Gate(score_drops={"": 0.1, "orders": 0.5}))
    cases = [case for case in base["quality"]["by_case"] if case != "case-0"]
    scores = [[side["quality"]["by_case"][case]["score"] for case in cases] for side in (base, head)]
    whole = row(found, "score")
    assert whole.difference == pytest.approx(np.mean(scores[1]) - np.mean(scores[0]))
    assert whole.worse_is == "lower"
    assert row(found, "score orders").margin == 0.5
    assert row(found, "score hours").margin is None
    passed = [case for case in ("case-1", "case-5", "case-9") if base["quality"]["by_case"][case]["score"] == 1.0]
    assert found.flips == {"lost": passed, "won": ["case-2"]}
    assert "1 case only in base" in row(found, "comparable").note


def test_single_answers_that_pass_or_fail_are_mcnemars() -> None:
    def side(passed: int) -> Any:
        by_case = {str(case): {"score": float(case < passed), "runs": 1} for case in range(60)}
        return scored(1) | {"quality": {"score": passed / 60, "by_case": by_case}}

    assert row(compare([side(50)], [side(45)]), "score").p == 2 * 0.5**5
    assert row(compare([side(50)], [side(44)]), "score").verdict == "worse"


def test_an_undecided_score_says_what_would_decide_it() -> None:
    found = compare([scored(1, repeats=1)], [scored(2, repeats=1)], Gate(score_drops={"": 0.001}))
    one = row(found, "score")
    assert one.verdict == "undecided"
    assert "cases" in one.note
    assert found.verdict == "pass"
    assert "cannot tell" in found.words
    assert compare([scored(1)], [scored(2)], Gate({"": 0.001}, strict=True)).blocked


def alike(cases: int, *, won: int = 0, weights: tuple[float, ...] = (1.0,), by: float = 1.0) -> Any:
    """A run whose cases all pass, but for so many that lose ``by`` points."""
    by_case = {
        str(case): {
            "score": 1.0 - by * (case < won),
            "runs": 5,
            "tags": ["all"],
            "weight": weights[case % len(weights)],
        }
        for case in range(cases)
    }
    return with_scores(scored(1), by_case)


@pytest.mark.parametrize(
    ("cases", "weights", "verdict"),
    [
        (1, (1.0,), "undecided"),
        (3, (1.0,), "undecided"),
        (30, (1.0,), "undecided"),
        (188, (1.0,), "undecided"),
        (189, (1.0,), "ok"),
        (189, (1.0, 2.0), "undecided"),  # worth 170 equal ones
        (220, (1.0, 2.0), "ok"),
        (400, (1.0,), "ok"),
    ],
)
def test_cases_that_do_not_differ_show_what_one_in_so_many_would(
    cases: int, weights: tuple[float, ...], verdict: str
) -> None:
    """The rule of three: of 3 cases that pass twice nothing is known of the next hundred."""
    pair = alike(cases, weights=weights), alike(cases, weights=weights)
    found = compare([pair[0]], [pair[1]], Gate(score_drops={"": 0.02, "all": 0.02}))
    for name in ("score", "score all"):
        one = row(found, name)
        assert (one.difference, one.verdict) == (0.0, verdict)
        if verdict == "undecided" and cases > 1:
            assert f"{cases} cases that hardly differ cannot show" in one.note
            assert "189 would" in one.note or weights != (1.0,)
    assert compare([pair[0]], [pair[1]], Gate({"": 0.02}, strict=True)).blocked == (verdict == "undecided")


@pytest.mark.parametrize("by", [1e-12, 0.001, 0.01])
def test_one_case_of_few_that_differs_by_next_to_nothing_proves_no_more(by: float) -> None:
    found = compare([alike(6, won=1, by=by)], [alike(6)], Gate(score_drops={"": 0.02}))
    assert row(found, "score").verdict == "undecided"
    assert (row(found, "score").visible or 0) > 0.3


@pytest.mark.parametrize("rare", [0.0, 0.05])
def test_few_cases_are_seldom_called_ok_where_some_that_were_not_asked_fall(rare: float) -> None:
    """Builds that lose 5 % of all cases, and sets of 40 of which often none is one: ``ok`` within 2 points is wrong."""
    random, verdicts = np.random.default_rng(3), []
    for _ in range(trials(40)):
        lost = int(random.binomial(40, rare))
        verdicts.append(row(compare([alike(40)], [alike(40, won=lost)], Gate({"": 0.02})), "score").verdict)
    assert share(verdicts, lambda verdict: verdict == "ok") == 0
    assert rare or share(verdicts, lambda verdict: verdict == "worse") == 0


def test_answers_of_several_runs_are_one_case() -> None:
    found = compare([scored(1), scored(2)], [scored(3)])
    expected = [np.mean([run["quality"]["by_case"]["case-3"]["score"] for run in (scored(1), scored(2))])]
    assert row(found, "score").base is not None
    from agenttop.quality.paired_scores import case_scores

    both = case_scores([scored(1), scored(2)])["case-3"]
    assert both.runs == 10
    assert both.score == pytest.approx(expected[0])


# -- figures


def test_a_gate_judges_by_its_margin() -> None:
    base, slow = idle(1), idle(2, slower=1.3)
    blocked = compare([base], [slow], Gate(regress=(regress("latency.p95=10%"),)))
    assert (blocked.verdict, blocked.blocked) == ("block", True)
    assert blocked.words == "worse than allowed: latency p95"
    one = row(blocked, "latency p95")
    assert one.margin == pytest.approx(0.1 * (one.base or 0))
    assert row(compare([base], [slow], Gate(regress=(regress("latency.p95=80%"),))), "latency p95").verdict == "ok"
    assert not compare([base], [slow]).blocked
    near = compare([base], [idle(4)], Gate(regress=(regress("latency.p95=1%"),), strict=True))
    assert row(near, "latency p95").verdict == "undecided"
    assert near.blocked
    assert "times as much data" in row(near, "latency p95").note


def test_a_figure_of_a_pool_or_a_request_is_asked_for_by_its_name() -> None:
    asked = (regress("latency.p50{pool:chat}=10%"), regress("latency.p50{request:ask}=10%"))
    found = compare([idle(1)], [idle(2)], Gate(regress=asked))
    assert row(found, "latency p50 {pool:chat}").verdict in ("ok", "undecided")
    assert row(found, "latency p50 {request:ask}").base == row(found, "latency p50").base


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("latency.p50{pool:chatt}=10%", 'no pool is called "chatt"'),
        ("goodput=1%", "a side has no record of it"),
        ("ttft.p50=10%", "a side has no record of it"),
        ("latencyy.p50=10%", "no such figure"),
        ("capacity=10%", "both sides must be searches"),
    ],
)
def test_what_a_side_does_not_have_cannot_be_compared(asked: str, words: str) -> None:
    with pytest.raises(IncomparableError, match=words):
        compare([idle(1, requests=100)], [idle(2, requests=100)], Gate(regress=(regress(asked),)))


def test_runs_without_requests_or_without_the_cases_asked_for_cannot_be_compared() -> None:
    nothing = idle(1, requests=20)
    nothing["totals"] = nothing["totals"] | {"requests": 0}
    with pytest.raises(IncomparableError, match="head: no request finished"):
        compare([idle(1, requests=20)], [nothing])
    with pytest.raises(IncomparableError, match="no case was graded in both"):
        compare([scored(1)], [idle(1, requests=20)], Gate(score_drops={"": 0.02}))
    with pytest.raises(
        IncomparableError, match='no slice "refund" was graded in both; there is hours, orders, refunds'
    ):
        compare([scored(1)], [scored(2)], Gate(score_drops={"refund": 0.02}))


def test_too_few_samples_are_undecided() -> None:
    found = compare([idle(1, requests=300)], [idle(2, requests=300, slower=1.5)])
    assert row(found, "latency p99").verdict == "undecided"
    assert row(found, "latency p99").note == "300 samples, p99 takes 662"
    assert row(found, "latency p50").verdict == "worse"


def test_a_run_that_is_too_short_is_undecided() -> None:
    found = compare([idle(1, requests=500, seconds=10)], [idle(2, requests=500, seconds=10, slower=3)])
    assert row(found, "latency p50").verdict == "undecided"
    assert "too short" in row(found, "latency p50").note
    assert row(found, "latency p50").difference is not None


def refusing(seed: int, share: float, *, bursts: bool) -> Any:
    random = np.random.default_rng(seed)
    sent = np.sort(random.uniform(0, 60, 3000))
    if bursts:  # whole seconds of refusals, as a bucket that is empty makes them
        no = np.isin(sent.astype(int), random.choice(60, round(60 * share), replace=False))
    else:
        no = random.random(3000) < share
    return summary_of(sent[~no], random.lognormal(4, 0.3, int((~no).sum())), seconds=60, limited=sent[no])


def test_rates_are_newcombes() -> None:
    from agenttop.quality.statistics import newcombe

    found = row(compare([refusing(1, 0.02, bursts=False)], [refusing(2, 0.08, bursts=False)]), "rate_limited")
    assert found.verdict == "worse"
    counts = [round((value or 0) * 3000) for value in (found.base, found.head)]
    low, high = newcombe(counts[0], 3000, counts[1], 3000)
    assert found.interval is not None
    assert found.interval[0] <= low + 1e-3
    assert found.interval[1] >= high - 1e-3


def test_refusals_that_come_in_bursts_say_less_than_as_many_single_ones() -> None:
    def width(bursts: bool) -> float:
        pair = refusing(1, 0.1, bursts=bursts), refusing(2, 0.1, bursts=bursts)
        low, high = row(compare([pair[0]], [pair[1]]), "rate_limited").interval or (0, 0)
        return high - low

    assert width(True) > 3 * width(False)


def test_tokens_a_request() -> None:
    more = idle(2)
    for block in more["totals"]["blocks"]:
        block["output_tokens"] = round(block["output_tokens"] * 1.2)
    found = row(compare([idle(1)], [more]), "tokens.per_request_mean")
    assert found.verdict == "worse"
    assert found.difference == pytest.approx(24, abs=2)


def search(lower: float, found: float, upper: float) -> dict[str, Any]:
    return {"unit": "users", "confidence": 0.95, "capacity": found, "lower": lower, "upper": upper}


def test_the_capacity_of_two_searches() -> None:
    base = idle(1, requests=20) | {"search": search(40, 42, 44)}
    same = idle(1, requests=20) | {"search": search(41, 43, 46)}
    worse = idle(1, requests=20) | {"search": search(28, 30, 32)}
    assert row(compare([base], [same]), "capacity").verdict == "same"
    found = row(compare([base], [worse], Gate(regress=(regress("capacity=10%"),))), "capacity")
    assert (found.verdict, found.difference, found.interval) == ("worse", -12, (-16, -8))


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(0.01, 3), st.integers(2, 60), st.integers(2, 60))
def test_two_estimates_differ_by_welchs_test(apart: float, sd1: float, sd2: float, n1: int, n2: int) -> None:
    from scipy import stats

    base, head = (Estimate(m, sd / n**0.5, n - 1) for m, sd, n in ((10.0, sd1, n1), (10.0 + apart, sd2, n2)))
    found = row_of("x", base, head, unit="number", worse_is="higher", margin=None)
    expected = stats.ttest_ind_from_stats(10.0 + apart, sd2, n2, 10.0, sd1, n1, equal_var=False)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    freedom = (sd1**2 / n1 + sd2**2 / n2) ** 2 / ((sd1**2 / n1) ** 2 / (n1 - 1) + (sd2**2 / n2) ** 2 / (n2 - 1))
    ends = stats.t.interval(0.95, freedom, loc=apart, scale=(sd1**2 / n1 + sd2**2 / n2) ** 0.5)
    assert found.interval == pytest.approx(ends, rel=1e-6, abs=1e-9)


def test_several_runs_a_side_differ_by_what_runs_differ_by() -> None:
    """Runs of one build that differ from each other are no reason to call another build worse."""
    base = [idle(n, slower=pace) for n, pace in enumerate((1.0, 1.2, 0.9, 1.1))]
    head = [idle(10 + n, slower=pace) for n, pace in enumerate((1.15, 0.95, 1.25, 1.05))]
    assert row(compare(base[:1], head[:1]), "latency p50").verdict == "worse"
    assert row(compare(base, head), "latency p50").verdict == "same"
    slow = [idle(20 + n, slower=1.6 * pace) for n, pace in enumerate((1.0, 1.1, 0.95, 1.05))]
    assert row(compare(base, slow), "latency p50").verdict == "worse"


# -- comparable


def test_another_load_is_not_compared() -> None:
    base, head = idle(1), idle(2, slower=2)
    head = copy.deepcopy(head)
    head["profile"]["stages"][0]["users"] = 80
    head["run"]["users_max"] = 80
    found = compare([base], [head])
    assert row(found, "comparable").verdict == "undecided"
    assert row(found, "comparable").note == "users reached: 40 and 80; another load: stages"
    assert {one.verdict for one in figures(found)} == {"undecided"}
    # A gate would let pass what is undecided: what cannot be compared is never a pass.
    with pytest.raises(IncomparableError, match="another load: stages"):
        compare([base], [head], Gate(regress=(regress("latency.p50=10%"),)))


def test_a_saturated_generator_is_no_witness_of_times_but_of_answers() -> None:
    head = scored(3, drop=0.2) | {"generator": {"saturated": True}}
    found = compare([scored(1)], [head])
    assert "head: the load generator was saturated" in row(found, "comparable").note
    assert row(found, "score").verdict == "worse"


def test_a_changed_prompt_is_told_and_compared() -> None:
    head = idle(2, slower=2) | {"profile": idle(2)["profile"] | {"dialect": "openai.chat"}}
    found = compare([idle(1)], [head])
    assert row(found, "comparable").verdict == "ok"
    assert row(found, "comparable").note == "profile differs in dialect"
    assert row(found, "latency p50").verdict == "worse"


def test_differences_of_profiles_by_key() -> None:
    base = {"target": "a", "pools": [{"name": "chat", "tasks": [{"name": "ask", "post": "/a"}]}, {"name": "old"}]}
    head = {"target": "b", "pools": [{"name": "chat", "tasks": [{"name": "ask", "post": "/b"}]}], "timeout": 3}
    assert differences(base, head) == ["pools.chat.tasks.ask.post", "pools.old", "timeout"]


# -- pieces


def test_pieces_are_joined_while_neighbours_are_alike() -> None:
    random, pace = np.random.default_rng(5), np.zeros(240)
    for at in range(1, 240):
        pace[at] = 0.9 * pace[at - 1] + 0.1 * random.normal()
    sent = np.sort(random.uniform(0, 240, 8_000))
    run = summary_of(sent, 200 * np.exp(pace[sent.astype(int)]) * random.lognormal(0, 0.1, 8_000), seconds=240)
    pieces = pieces_of(run, run["totals"])
    assert pieces is not None
    whole = pieces.hists["latency"].sum()
    assert len(pieces.joined()) == len(pieces) // 2
    assert pieces.joined().hists["latency"].sum() == whole
    above = pieces.hists["latency"][:, pieces.values_ms["latency"] > 200].sum(axis=1)
    alike = correlation(pieces.residuals(above - 0.5 * pieces.counts["requests"]))
    assert alike > MAX_CORRELATION
    found = percentile([pieces], "latency", 50)
    alone = percentile([pieces_of(idle(1), idle(1)["totals"]) or pieces], "latency", 50)
    assert found.error is None or found.error > 2 * (alone.error or 0)


def test_a_ramp_is_no_likeness_of_neighbours() -> None:
    sent = np.linspace(0, 59.9, 6_000)
    random = np.random.default_rng(1)
    latency = 100 * (1 + sent / 60) * random.lognormal(0, 0.2, 6_000)
    ramp = {"index": 0, "name": "ramp", "start_s": 0.0, "end_s": 60.0, "pool": None, "target_start": 0}
    runs = [summary_of(sent, latency, seconds=60, stages=[ramp | {"target_end": end}]) for end in (40, 0)]
    sloped, level = (pieces_of(run, run["totals"]) for run in runs)
    assert sloped is not None
    assert level is not None
    assert percentile([sloped], "latency", 50).error is not None
    assert "too alike" in percentile([level], "latency", 50).why
    assert drift(sloped) is None
    assert (drift(level) or 0) > 0.2


def test_what_ended_while_the_run_drained_is_in_its_last_piece() -> None:
    sent = np.linspace(0.5, 63.5, 640)
    run = summary_of(sent, np.full(640, 100.0), seconds=30)
    pieces = side_of([run]).pieces[0]
    assert pieces.counts["requests"].sum() == 640
    assert pieces.starts_s[-1] + pieces.width_s <= 31
    assert pieces.counts["requests"][-1] > 300


def test_an_old_summary_without_pieces_takes_several_runs() -> None:
    def old(seed: int, slower: float = 1.0) -> Any:
        run = idle(seed, requests=200, slower=slower)
        del run["totals"]["blocks"]
        return run

    one = row(compare([old(1)], [old(2, 2.0)]), "latency p50")
    assert (one.verdict, one.note) == ("undecided", "one run has no spread of it: it takes 3 a side")
    found = compare([old(n) for n in range(4)], [old(9 + n, 2.0) for n in range(4)])
    assert row(found, "latency p50").verdict == "worse"
