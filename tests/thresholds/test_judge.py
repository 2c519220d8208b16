"""Tests of agenttop.thresholds.judge, agenttop.thresholds.select, agenttop.thresholds.series.

Verdicts on made-up runs: the figures are the summary's, and windows those of a plain sum over their seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.journal.figures import measured
from agenttop.metrics.delta import WARMUP, Delta, Health, LeafDelta, PoolDelta
from agenttop.metrics.histogram import fold, merge, percentiles_of
from agenttop.metrics.layout import Layout, PoolInfo, Price, RequestInfo
from agenttop.metrics.snapshot import StageInfo, Verdict
from agenttop.thresholds.catalogue import OF_POOLS, TIMES
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Judge, Rule
from agenttop.thresholds.select import UnknownTagError
from tests.metrics.fakes import FakeRun

LAYOUT = Layout(
    (PoolInfo("chat", "sse", "json", open=False), PoolInfo("open", "http", "json", open=True)),
    (RequestInfo(0, "a"), RequestInfo(0, "b"), RequestInfo(1, "a")),
    (StageInfo(0, "ramp", 0, 10, 0, 5, "users"), StageInfo(1, "hold", 10, 20, 5, 5, "users")),
    warmup_s=1.0,
)


def leaf(
    request: int = 0, stage: int = 0, ms: Iterable[float] = (), metric: str = "latency", **counts: int
) -> LeafDelta:
    values = array("q", [int(value * 1e6) for value in ms])
    hists = {metric: fold(values)} if values else {}
    if "latency" in hists and LAYOUT.closed[request]:
        hists["response_time"] = hists["latency"]  # as a worker says it
    outcomes = {"ok": len(values)} if values and metric == "latency" else {}
    return LeafDelta(request, stage, outcomes | counts, {}, hists, {"attempts": len(values)})


def delta(*leaves: LeafDelta, pools: Iterable[PoolDelta] = (), **checks: tuple[int, int]) -> Delta:
    return Delta(0, 0, 0.0, list(leaves), list(pools), [], checks, [], 0.0, Health(None, 0.0, 0.0, 0))


def rule(text: str, **options: Any) -> Rule:
    return Rule(text, parse_threshold(text), **options)


class Run:
    """A judge and its clock."""

    def __init__(self, *rules: Rule | str, layout: Layout = LAYOUT) -> None:
        self.judge = Judge([rule(item) if isinstance(item, str) else item for item in rules], layout)
        self.layout = layout
        self.t_s = 0.0
        self.news: list[Verdict] = []

    def second(self, *deltas: Delta, sending: bool = True, running: bool = True) -> Verdict:
        """One more; the verdict on the first rule."""
        for item in deltas:
            self.judge.fold(item)
        self.t_s += 1
        spans = [(stage.start_s, stage.end_s) for stage in self.layout.stages]
        seconds = measured(self.t_s, self.layout.warmup_s, spans)
        self.news += self.judge.second(self.t_s, seconds, sending=sending, running=running)
        return self.judge.verdicts[0]


@pytest.mark.parametrize(
    ("text", "observed"),
    [
        ("latency p50 < 1", 20.0),
        ("latency p(0) < 1", 10.0),
        ("latency p100 < 1", 40.0),
        ("latency avg < 1", 25.0),
        ("latency min < 1", 10.0),
        ("latency max < 1", 40.0),
        ("latency max < 1s", 0.04),
        ("latency count < 1", 4),
        ("latency{pool:open} count < 1", 1),
        ("latency{request:a} count < 1", 3),
        ("latency{request:chat/a} count < 1", 2),
        ("latency{pool:chat, request:b} max < 1", 30.0),
        ("latency{stage:hold} count < 1", 1),
        ("latency{pool:chat, stage:ramp} count < 1", 3),
        # a closed pool waits what the answer takes; in an open one it is measured
        ("response_time count < 1", 3),
        ("response_time{pool:open} count < 1", 0),
        ("error_rate < 50%", 100 * 3 / 7),
        ("failed < 1", 3),
        ("failed{pool:open} rate < 1%", 0.0),
        ("rate_limited rate < 100%", 100 * 2 / 7),
        ("timeout < 1", 1),
        ("ok rate > 1%", 100 * 4 / 7),
        ("cancelled < 1", 5),
        ("requests > 1", 7),
        ("requests rate > 1", 3.5),
        ("rps{stage:ramp} > 1", 3.0),
        ("iterations > 1", 6),
        ("iterations{pool:chat} rate > 1", 2.0),
        ("dropped_iterations{pool:open} < 1", 3),
        ("sessions{stage:hold} < 1", 0),
        ("checks > 99%", 90.0),
        ("checks{check:y} > 99%", 80.0),
    ],
)
def test_what_is_observed(text: str, observed: float) -> None:
    run = Run(text)
    run.second(delta(leaf(stage=WARMUP, ms=[9000], timeout=50), pools=[PoolDelta(0, WARMUP, 9, 9, 9)]))
    run.second(
        delta(leaf(0, 0, [10, 20], rate_limited=2, cancelled=5), leaf(1, 0, [30]), x=(10, 0)),
        delta(pools=[PoolDelta(0, 0, 1, 4, 0), PoolDelta(1, 0, 1, 2, 3)], y=(8, 2)),
    )
    verdict = run.second(delta(leaf(2, 1, [40]), leaf(0, 0, timeout=1)))
    assert verdict.observed == pytest.approx(observed, rel=0.001)
    assert verdict.expression == text


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("latency p95 < 1", "ms"),
        ("latency p95 < 1s", "s"),
        ("rps > 1", "/s"),
        ("requests rate > 1/s", "/s"),
        ("error_rate < 5%", "%"),
        ("error_rate < 0.05", ""),
        ("timeout < 1", ""),
    ],
)
def test_what_is_observed_has_a_unit(text: str, unit: str) -> None:
    assert Run(text).judge.verdicts[0].unit == unit


def test_violations_are_a_part_of_all_answers() -> None:
    run = Run("rate_limit_violations < 1", "rate_limit_violations rate < 1%", "rate_limit_violations{pool:open} < 1")
    run.second()
    assert [v.observed for v in run.judge.verdicts] == [0, None, 0]
    sums = {"rate_limit_violations": 2, "violation.no Retry-After": 2, "retries": 1}
    run.second(delta(LeafDelta(0, 0, {"ok": 2, "rate_limited": 1, "cancelled": 1}, {}, {}, sums)))
    assert [v.observed for v in run.judge.verdicts] == [2, 50.0, 0]


def test_phases_tokens_and_calls() -> None:
    texts = ["phase.llm_call p50 < 1", "tokens output_per_s > 1", "tokens per_request_mean > 1", "tokens input > 1"]
    texts += ["llm_calls > 1", "llm_calls per_request_mean > 1", "output_tokens > 1"]
    run = Run(*texts, "goodput > 50%", "goodput per_s > 1", "goodput count > 1")
    run.second()
    assert [v.observed for v in run.judge.verdicts] == [None, None, None, None, None, None, 0, None, None, 0]
    sums = {"estimated_tokens": 60, "token_estimates": 4, "llm_calls": 9, "llm_requests": 3, "good": 3, "attempts": 4}
    for name in ("phase.llm_call", "phase.\x1b[1mllm_call"):
        found = leaf(ms=[100], metric=name)
        run.second(delta(LeafDelta(0, 0, {"ok": 2, "timeout": 1}, {}, found.hists, sums)))
    values = [v.observed for v in run.judge.verdicts]
    assert values == [pytest.approx(100, rel=0.001), 60.0, 15.0, None, 18, 3.0, 120, 75.0, 3.0, 6]


def test_the_figures_are_the_summarys() -> None:
    fake = FakeRun(seconds=40, warmup_s=5.0)
    total = fake.aggregate().metrics_total(35.0)
    voice = fake.aggregate().metrics_pool(2, 35.0)
    times = [name for name in TIMES if name != "retry_after"]
    counts = ["requests", "ok", "failed", "rate_limited", "attempts", "connections_opened", *OF_POOLS]
    keys = ("p95", "p99", "min", "max")
    wanted = {f"{name} {key} < 1": total[f"{name}_ms"][key] for name in times if total[f"{name}_ms"] for key in keys}
    wanted |= {f"{name} count > 1": total[name] for name in counts}
    wanted["latency avg < 1"] = total["latency_ms"]["mean"]
    wanted["phase.llm_call p95 < 1"] = total["phases_ms"]["llm_call"]["p95"]
    wanted["error_rate < 1"] = total["error_rate"]
    wanted["rps > 1"] = total["rps"]
    wanted["tokens output_per_s > 1"] = total["tokens"]["output_per_s"]
    wanted["tool_calls per_request_mean > 1"] = pytest.approx(total["tool_calls"]["per_request_mean"], abs=0.001)
    wanted["response_time{pool:voice} p99 < 1"] = voice["response_time_ms"]["p99"]
    wanted["schedule_lag{pool:voice} p99 < 1"] = voice["schedule_lag_ms"]["p99"]
    run = Run(*wanted, layout=fake.layout)
    for second in range(1, 41):
        run.second(*fake.deltas(second))
    assert {v.expression: v.observed for v in run.judge.verdicts} == wanted


def test_no_data_is_a_verdict_of_its_own() -> None:
    run = Run(
        "ttft p95 < 2s", rule("ttft p95 < 2s", allow_empty=True), rule("ttft max > 1s", abort=True), "error_rate < 1%"
    )
    assert {v.verdict for v in run.judge.verdicts} == {"no data"}
    run.second()
    assert [(v.verdict, v.passed, v.observed) for v in run.judge.verdicts] == [
        ("no data", False, None),
        ("no data", True, None),
        ("no data", False, None),
        ("no data", False, None),
    ]
    assert (run.judge.failed, run.judge.aborting, run.news) == (3, None, [])


def test_a_verdict_on_the_whole_run_is_that_of_its_end() -> None:
    run = Run("error_rate < 50%")
    assert run.second(delta(leaf(timeout=2))).verdict == "fail"
    assert run.second(delta(leaf(ms=[1] * 9))).verdict == "pass"
    assert [verdict.observed for verdict in run.news] == [100.0]
    run.second(delta(leaf(timeout=50)))
    assert len(run.news) == 1, "said once"


def test_a_goal_not_reached_yet_is_no_news() -> None:
    run = Run("requests > 3")
    assert run.second(delta(leaf(ms=[1]))).verdict == "fail"
    assert run.second(delta(leaf(ms=[1, 1, 1]))).passed
    assert run.news == []


def test_how_far_beyond_its_limit() -> None:
    run = Run("latency max < 10", "latency max < 1s", "requests > 4", "failed == 0", "ttft p95 < 1")
    run.second(delta(leaf(ms=[25]), leaf(timeout=1)))
    assert [v.excess for v in run.judge.verdicts] == [1.5, 0.0, 0.5, 1.0, 1.0]


def test_an_abort_stands_whatever_comes_after() -> None:
    run = Run(rule("latency max < 10", abort=True, delay_s=3.0), "latency max < 10")
    assert run.second(delta(leaf(ms=[5]))).verdict == "pass"
    assert not run.second(delta(leaf(ms=[20]))).aborted_run, "its delay is not over"
    assert run.second().aborted_run
    assert run.judge.aborting is run.judge.verdicts[0]
    later = run.second(delta(leaf(ms=[30])))
    assert (later.observed, later.passed, later.aborted_run) == (20.0, False, True)
    assert run.judge.verdicts[1].observed == 30.0


def test_nothing_is_aborted_in_the_warm_up() -> None:
    layout = msgspec.structs.replace(LAYOUT, warmup_s=2.0)
    run = Run(rule("iterations > 4", abort=True), layout=layout)
    assert [run.second().aborted_run for _ in range(2)] == [False, True]


def test_a_run_that_ends_anyway_is_not_aborted() -> None:
    run = Run(rule("latency max < 10", abort=True))
    assert not run.second(delta(leaf(ms=[20])), sending=False, running=False).aborted_run
    assert run.judge.failed == 1


def test_a_window_that_failed_once_has_failed() -> None:
    run = Run(rule("latency max < 10", window_s=2.0))
    # The warm-up takes one second, so that the first whole window ends with the third.
    assert [run.second(delta(leaf(ms=[ms]))).observed for ms in (50, 3, 4)] == [50, 50, 4]
    assert run.news == [], "what is not judged yet is not told"
    assert run.second(delta(leaf(ms=[11]))).verdict == "fail"
    for _ in range(4):
        verdict = run.second(delta(leaf(ms=[1])))
    assert (verdict.verdict, verdict.observed, verdict.window_s) == ("fail", 11, 2.0)


def test_a_window_has_a_delay_instead_of_its_length() -> None:
    run = Run(rule("latency max < 10", window_s=60.0, delay_s=2.0, abort=True))
    assert not run.second(delta(leaf(ms=[50]))).aborted_run
    assert run.second().aborted_run


def test_a_window_looks_no_more_when_the_sending_is_over() -> None:
    run = Run(rule("latency max < 10", window_s=1.0))
    run.second()
    run.second(delta(leaf(ms=[5])))
    verdict = run.second(delta(leaf(ms=[99])), sending=False, running=False)
    assert (verdict.verdict, verdict.observed) == ("pass", 5)


def test_a_run_shorter_than_its_window_is_judged_by_what_there_is() -> None:
    run = Run(rule("latency max < 10", window_s=60.0))
    assert run.second(delta(leaf(ms=[12])), sending=False, running=False).verdict == "fail"


def test_a_window_without_data_between_others_is_none() -> None:
    run = Run(rule("latency max < 10", window_s=1.0))
    run.second()
    run.second(delta(leaf(ms=[5])))
    assert [run.second().verdict for _ in range(3)] == ["pass"] * 3


def test_rates_of_a_window_are_of_its_seconds() -> None:
    run = Run(rule("rps > 1", window_s=2.0), rule("error_rate < 1%", window_s=2.0))
    for _ in range(5):
        run.second(delta(leaf(ms=[1] * 4)))
    assert run.judge.verdicts[0].observed == 4.0
    run.second(delta(leaf(timeout=4)))
    assert [v.observed for v in run.judge.verdicts] == [4.0, 50.0]
    run.second()
    assert [v.observed for v in run.judge.verdicts] == [2.0, 100.0]


def test_counters_of_a_window_are_of_its_seconds() -> None:
    run = Run(rule("attempts < 100", window_s=2.0))
    for _ in range(5):
        run.second(delta(leaf(ms=[1] * 4)))
    assert run.judge.verdicts[0].observed == 8


SECONDS = st.lists(st.lists(st.floats(0, 5000), max_size=6), min_size=1, max_size=12)


@given(SECONDS, st.integers(1, 5), st.sampled_from([0.0, 50.0, 90.0, 100.0]))
def test_a_window_is_the_sum_of_its_seconds(seconds: list[list[float]], window: int, percent: float) -> None:
    text = f"latency p({percent:g}) < 0"  # the worst window is the slowest
    run = Run(
        rule(text, window_s=float(window), delay_s=0.0), rule("latency avg < 0", window_s=float(window), delay_s=0.0)
    )
    pieces = [leaf(ms=values).hists.get("latency") for values in seconds]
    worst: list[tuple[float, float]] = []
    for end, values in enumerate(seconds, 1):
        run.second(delta(leaf(ms=values)))
        inside = [piece for piece in pieces[max(0, end - window) : end] if piece is not None]
        if inside:
            whole = merge(inside)
            worst.append((percentiles_of(whole, (percent,))[0] / 1000, whole.total / whole.count / 1000))
        wanted = [max(column) for column in zip(*worst, strict=True)] if worst else [None, None]
        for verdict, value in zip(run.judge.verdicts, wanted, strict=True):
            assert verdict.observed == (None if value is None else pytest.approx(value, abs=1e-5))


def test_thresholds_on_the_same_part_share_their_series() -> None:
    judge = Run("latency p95 < 1", "latency p99 < 1", "error_rate < 1", "rps > 1", "latency{pool:chat} p95 < 1").judge
    assert len(judge._series) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency{pool:chta} p95 < 1", 'no pool is called "chta"; did you mean "chat"?'),
        ("latency{request:zzz} p95 < 1", 'no request is called "zzz"; there are a, b'),
        ("latency{pool:open, request:b} p95 < 1", 'no request of the pool "open" is called "b"; there is a'),
        ("latency{stage:hodl} p95 < 1", 'no stage is called "hodl"; did you mean "hold"?'),
    ],
)
def test_what_is_not_there_is_named(text: str, said: str) -> None:
    with pytest.raises(UnknownTagError, match=said.replace("?", r"\?")):
        Run(text)


def test_what_a_run_costs_is_judged_where_there_is_a_price() -> None:
    sums = {"token_requests": 2, "input_tokens": 1_000, "output_tokens": 500, "attempts": 2}
    spent = delta(LeafDelta(0, 0, {"ok": 2}, {}, {}, sums))
    priced = msgspec.structs.replace(LAYOUT, price=Price(1.0, 4.0, 1.0))
    run = Run("cost_usd < 0.002", "cost_usd per_request_mean < 1", layout=priced)
    run.second()
    assert [v.verdict for v in run.judge.verdicts] == ["no data", "no data"], "nothing was told yet"
    assert run.second(spent).observed == pytest.approx(0.003)
    assert [verdict.passed for verdict in run.judge.verdicts] == [False, True]
    assert run.judge.verdicts[1].observed == pytest.approx(0.0015)
    assert Run("cost_usd < 0.002").second(spent).verdict == "no data"


def test_a_figure_that_leaves_refused_answers_out_says_how_many() -> None:
    texts = ("latency p95 < 1s", "latency{pool:open} p95 < 1s", "ttft p95 < 1s", "error_rate < 5%", "checks > 9%")
    run = Run(*texts)
    run.second(delta(leaf(ms=[10]), leaf(2, ms=[10]), c=(1, 0)))
    assert [verdict.refused for verdict in run.judge.verdicts] == [0] * 5
    again = msgspec.structs.replace(leaf(), sums={"retries": 2})
    run.second(delta(again))
    # Of first tokens there is no figure, and in the open pool nothing was refused.
    assert [verdict.refused for verdict in run.judge.verdicts] == [2, 0, 0, 2, 2]
    run.second(delta(leaf(rate_limited=3), leaf(stage=WARMUP, rate_limited=50)))
    # One that was refused for good failed, and its checks were made.
    assert [verdict.refused for verdict in run.judge.verdicts] == [5, 0, 0, 0, 0]
