"""Tests of agenttop.dialects.server_timing, agenttop.dialects.retry_after, agenttop.dialects.hints."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.dialects.retry_after import parse_retry_after, parse_retry_after_ms, retry_after
from agenttop.dialects.server_timing import parse_server_timing


@pytest.mark.parametrize(
    ("value", "timings"),
    [
        ("", {}),
        ("miss", {}),
        ("db;dur=53", {"db": 53.0}),
        ("db;dur=53.2, app;dur=47.2", {"db": 53.2, "app": 47.2}),
        ("llm_call ; desc = \"a, b; c\" ; DUR = 1e2", {"llm_call": 100.0}),
        ('a;desc="say \\"hi\\", all";dur=2', {"a": 2.0}),
        ('a;dur="7.5"', {"a": 7.5}),
        ("a;dur=1;dur=9", {"a": 1.0}),
        ("a;dur=1, b, a;dur=2.5", {"a": 3.5}),
        ("a;dur", {}),
        ("a;dur=;dur=5", {}),
        ("a;dur=-1, b;dur=nan, c;dur=inf, d;dur=1e999, e;dur=1_0, f;dur=0", {"f": 0.0}),
        ("a b;dur=1, c;dur=2", {"c": 2.0}),
        (";dur=1,,;,b;dur=2", {"b": 2.0}),
        ('a;desc="never closed, b;dur=2', {}),
        ("a;dur=3 trailing", {"a": 3.0}),
        ("total;desc=whole;dur=12.34;x=y", {"total": 12.34}),
    ],
)  # fmt: skip
def test_server_timing(value: str, timings: dict[str, float]) -> None:
    assert parse_server_timing(value) == timings


_text = st.text(st.sampled_from('ab;,="\\ dur=1.5e') | st.characters(), max_size=40)


@given(_text, st.integers(0, 1000))
def test_server_timing_never_raises_and_reads_what_follows(junk: str, value: int) -> None:
    assert all(0 <= duration < math.inf for duration in parse_server_timing(junk).values())
    if '"' not in junk and "zz" not in junk:
        assert parse_server_timing(f"{junk},zz;dur={value}")["zz"] == value


DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("0.5", 0.5),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30.0),
        ("Sun Nov  6 08:50:07 1994", 30.0),
        ("Sun, 06 Nov 1994 08:49:00 GMT", 0.0),
        ("Sun, 06 Nov 1994 09:50:07 +0100", 30.0),
        ("Sun, 06 Nov 1994 08:50:07 -0000", 30.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("1e3", None),
        ("٣", None),
        ("9" * 5000, None),
        ("Sun, 99 Nov 1994 08:49:00 GMT", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after(value, date=DATE, now=0) == seconds


def test_a_date_needs_something_to_be_relative_to() -> None:
    assert parse_retry_after(DATE, now=784111767) == 10.0
    assert parse_retry_after(DATE, date="rubbish", now=784111767) == 10.0
    assert parse_retry_after(DATE) is None


def test_milliseconds() -> None:
    assert [parse_retry_after_ms(text) for text in ("1500", "0.5", "-1", "soon")] == [1.5, 0.0005, None, None]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "1", "retry-after-ms": "250"}, 0.25),
        ({"retry-after": "1", "retry-after-ms": "soon"}, 1.0),
        ({"llm_provider-retry-after": "7"}, 7.0),
        ({"retry-after": "Sun, 06 Nov 1994 08:50:07 GMT", "date": DATE}, 30.0),
    ],
)
def test_the_headers_of_an_answer(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds


@given(st.text(max_size=30))
def test_retry_after_never_raises(value: str) -> None:
    for seconds in (parse_retry_after(value, date=value, now=0), parse_retry_after_ms(value)):
        assert seconds is None or 0 <= seconds < math.inf
