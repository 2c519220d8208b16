"""Tests of agenttop.thresholds.expression, agenttop.thresholds.catalogue.

The grammar: k6's own cases behind a metric's name, ours, and what is refused.
"""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.quantities import MAX_EXPRESSION
from agenttop.thresholds.catalogue import METRICS, PERCENTILE, PHASE, SHARE, UNITS
from agenttop.thresholds.expression import OPERATORS, Expression, ThresholdError, parse_threshold

#: Text, metric, method, percentile, operator, limit in the base unit (ms, 1, per second).
GOOD = [
    # k6 tries its parser on these
    ("failed count>20", "failed", "count", None, ">", 20),
    ("latency p(99)<1", "latency", "p", 99, "<", 1),
    ("latency p(99.9)<1", "latency", "p", 99.9, "<", 1),
    ("latency p(0)<1", "latency", "p", 0, "<", 1),
    ("latency p(100)<1", "latency", "p", 100, "<", 1),
    ("latency avg<=1", "latency", "avg", None, "<=", 1),
    ("latency min>=1", "latency", "min", None, ">=", 1),
    ("latency max==1", "latency", "max", None, "==", 1),
    ("latency med===1", "latency", "med", None, "===", 1),
    ("latency count!=1", "latency", "count", None, "!=", 1),
    ("failed rate<0.01", "failed", "rate", None, "<", 0.01),
    ("error_rate value<0.01", "error_rate", "rate", None, "<", 0.01),
    ("  latency   avg  <=  15  ", "latency", "avg", None, "<=", 15),
    # and these are ours
    ("latency p95 < 15s", "latency", "p", 95, "<", 15_000),
    ("latency{pool:chat} p(99) < 20000", "latency", "p", 99, "<", 20_000),
    ("latency p99.9 < 1.5m", "latency", "p", 99.9, "<", 90_000),
    ("latency p( 95 )< 250us", "latency", "p", 95, "<", 0.25),
    ("latency p95 < 250µs", "latency", "p", 95, "<", 0.25),
    ("error_rate < 5%", "error_rate", "rate", None, "<", 0.05),
    ("error_rate < 0.05", "error_rate", "rate", None, "<", 0.05),
    ("rate_limited rate < 1%", "rate_limited", "rate", None, "<", 0.01),
    ("rate_limited < 10", "rate_limited", "count", None, "<", 10),
    ("timeout == 0", "timeout", "count", None, "==", 0),
    ("requests > 1_000", "requests", "count", None, ">", 1000),
    ("requests rate > 1e3", "requests", "rate", None, ">", 1000),
    ("rps > 100/s", "rps", "rate", None, ">", 100),
    ("checks > 99%", "checks", "rate", None, ">", 0.99),
    ("tokens output_per_s > 50", "tokens", "output_per_s", None, ">", 50),
    ("dropped_iterations == 0", "dropped_iterations", "count", None, "==", 0),
    ("phase.llm_call med < 2s", "phase", "med", None, "<", 2000),
    ("goodput > 90%", "goodput", "rate", None, ">", 0.9),
    ("schedule_lag p99 < 5ms", "schedule_lag", "p", 99, "<", 5),
]

#: Text, the column (from 1) where it goes wrong, what is said.
BAD = [
    # k6 refuses these
    ("failed count!20", 13, "expected one of < <= > >= == !="),
    ("foo>20", 1, 'unknown metric "foo"'),
    ("failed foo>20", 8, 'failed has no "foo"; it has count, rate'),
    ("failed count>abc", 14, "expected a number"),
    ("latency foo", 9, 'latency has no "foo"; it has p(N), avg, min, max, med, count'),
    ("latency p()<1", 9, "expected a percentile from 0 to 100"),
    ("latency p(99<1", 13, "expected )"),
    ("latency p(foo)<1", 9, "expected a percentile"),
    ("latency p(-1)<1", 9, "expected a percentile"),
    ("latency p(101)<1", 9, "expected a percentile"),
    ("latency p(NaN)<1", 9, "expected a percentile"),
    ("latency p(+Inf)<1", 9, "expected a percentile"),
    ("latency p101<1", 9, "expected a percentile"),
    # and so do we
    ("", 1, "expected the name of a metric"),
    ("< 5", 1, "expected the name of a metric"),
    ("latnecy p95 < 5", 1, 'unknown metric "latnecy"; did you mean "latency"?'),
    ("http_req_duration p(95)<500", 1, 'here it is called "latency"'),
    ("latency < 5", 9, "say which figure of latency"),
    ("latency value < 5", 9, "say which figure of latency"),
    ("latency", 8, "expected p(N), avg"),
    ("latency p95", 12, "expected one of <"),
    ("latency p95 = 3", 13, "one = is not a comparison"),
    ("latency p95 <", 14, "expected a number"),
    ("latency p95 < NaN", 15, "expected a number"),
    ("latency p95 < -3", 15, "expected a number of 0 or more"),
    ("latency p95 < 1e999", 15, "expected a number"),
    ("latency p95 < 5%", 16, "a unit of a time: us ms s m"),
    ("latency p95 < 5 s x", 17, "a unit of a time"),
    ("failed count < 5s", 17, "a count has no unit"),
    ("error_rate < 5ms", 15, "a unit of a share: %"),
    ("error_rate < 5", 14, "a share is at most 1"),
    ("error_rate < 101%", 14, "a share is at most 1"),
    ("error_rate p95 < 5%", 12, "error_rate has no percentiles"),
    ("latency{pol:chat} p95<1", 9, 'latency has no tag "pol"; did you mean "pool"?'),
    ("iterations{request:a}>1", 12, 'iterations has no tag "request"'),
    ("latency{} p95<1", 9, "expected a tag of latency: pool, request, stage"),
    ("latency{pool} p95<1", 13, "expected : and a value"),
    ("latency{pool:} p95<1", 14, "expected a value"),
    ('latency{pool:"a" b} p95<1', 18, "expected , or } after a tag"),
    ("latency{pool:chat p95<1", 24, "expected } after the tags"),
    ("latency{pool:'chat} p95<1", 14, "this quote is never closed"),
    ("latency{pool:a, pool:b} p95<1", 17, 'the tag "pool" is there twice'),
    ("phase p95 < 2s", 1, "which phase?"),
    ("latency p95\n! 2s", 13, "expected one of <"),
]  # fmt: skip


def plain(text: str) -> str:
    """The text as an id of a test that pytest takes back as it gave it (mutmut hands ids on): no backslash."""
    return ascii(text)[1:-1].replace("\\", "/")


@pytest.mark.parametrize(
    ("text", "metric", "method", "percent", "symbol", "limit"), GOOD, ids=[plain(case[0]) for case in GOOD]
)
def test_what_is_read(
    text: str, metric: str, method: str, percent: float | None, symbol: str, limit: float
) -> None:  # fmt: skip
    found = parse_threshold(text)
    assert (found.metric, found.method, found.percent, found.operator) == (metric, method, percent, symbol)
    assert found.limit == pytest.approx(limit)
    assert parse_threshold(str(found)) == found


@pytest.mark.parametrize(("text", "column", "message"), BAD, ids=[plain(case[0]) for case in BAD])
def test_what_is_refused_with_its_place_on_one_line(text: str, column: int, message: str) -> None:
    with pytest.raises(ThresholdError) as caught:
        parse_threshold(text)
    said = str(caught.value)
    assert message in said
    assert caught.value.column == column
    assert said.endswith(f"(at column {column})")
    assert said.isprintable()
    rest = text[column - 1 :].split("\n")[0][:20].strip()
    assert (f'at "{rest}' in said) if rest else ("at the end" in said)


def test_a_text_that_is_too_long_is_not_read() -> None:
    assert parse_threshold("timeout == 0" + " " * (MAX_EXPRESSION - 12)).metric == "timeout"
    with pytest.raises(ThresholdError, match=f"at most {MAX_EXPRESSION} characters") as caught:
        parse_threshold("timeout == 0" + " " * (MAX_EXPRESSION - 11))
    assert caught.value.column == MAX_EXPRESSION + 1, "the first character too many"


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ("{pool:chat}", {"pool": "chat"}),
        ("{ pool : chat , stage : peak hour }", {"pool": "chat", "stage": "peak hour"}),
        ("{request:POST /a/{id}/b}", {"request": "POST /a/{id}/b"}),
        ('{request:"a, b", pool:\'c"d\'}', {"request": "a, b", "pool": 'c"d'}),
        ('{request:"\\u00e4}"}', {"request": "ä}"}),
    ],
)
def test_tags(tags: str, found: dict[str, str]) -> None:
    assert dict(parse_threshold(f"latency{tags} p95 < 1s").tags) == found


def test_a_phase_goes_by_its_name_or_by_its_tag() -> None:
    assert parse_threshold("phase.llm_call p95 < 1s") == parse_threshold("phase{phase:llm_call} p95 < 1s")


@pytest.mark.parametrize(
    ("symbol", "holds"),
    [("<", "100"), ("<=", "110"), (">", "001"), (">=", "011"), ("==", "010"), ("===", "010"), ("!=", "101")],
)
def test_operators(symbol: str, holds: str) -> None:
    expression = parse_threshold(f"latency max {symbol} 2s")
    assert [expression.holds(value) for value in (1999.0, 2000.0, 2001.0)] == [char == "1" for char in holds]


VALUES = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: text == text.strip())


@st.composite
def expressions(draw: st.DrawFn) -> Expression:
    name = draw(st.sampled_from(sorted(METRICS)))
    metric = METRICS[name]
    method = draw(st.sampled_from(sorted(metric.methods)))
    names = draw(st.lists(st.sampled_from(sorted(metric.tags)), unique=True))
    names = ["phase", *(tag for tag in names if tag != "phase")] if name == PHASE else names
    kind = metric.methods[method]
    unit = draw(st.sampled_from(sorted(UNITS[kind])))
    most = 1 / UNITS[kind][unit] if kind == SHARE else 1e12
    return Expression(
        name,
        method,
        draw(st.floats(0.001, 100)) if method == PERCENTILE else None,
        tuple((tag, draw(VALUES)) for tag in names),
        draw(st.sampled_from(sorted(OPERATORS))),
        draw(st.floats(0.001, most)),
        unit,
    )


@given(expressions())
def test_what_is_written_is_read_as_the_same(expression: Expression) -> None:
    assert parse_threshold(str(expression)) == expression


@given(
    st.text(st.sampled_from(string.printable + "µ…ä"), max_size=40), st.sampled_from(["", "latency", "latency{pool:"])
)
def test_any_text_is_a_threshold_or_a_threshold_error(text: str, start: str) -> None:
    error = refusal(start + text)
    assert error is None or (1 <= error.column <= len(start + text) + 1 and str(error).isprintable())


def refusal(text: str) -> ThresholdError | None:
    try:
        parse_threshold(text)
    except ThresholdError as error:
        return error
    return None
