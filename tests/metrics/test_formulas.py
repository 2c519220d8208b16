"""Figures that follow from counts, by the formulas at the top of the module."""

from __future__ import annotations

from collections import Counter

import pytest

from agenttop.metrics.counts import Counts
from agenttop.metrics.formulas import (
    Calls,
    Part,
    Tokens,
    calls,
    cost_usd,
    goodput,
    per,
    refusals,
    tokens,
    violations,
    written_tokens,
)
from agenttop.metrics.layout import Price

COUNTS = Counts(
    {"ok": 6, "rate_limited": 3, "timeout": 1, "cancelled": 50, "budget_refused": 60},
    {"retries": 4, "rate_limit_violations": 2, "good": 5, "attempts": 13},
)


def test_a_part_of_nothing_is_none() -> None:
    assert (Part(1, 4).share, Part(0, 4).share, Part(0, 0).share) == (0.25, 0.0, None)
    assert (per(3.0, 2.0), per(1.0, 0.0), per(1.0, -1.0)) == (1.5, None, None)


def test_refusals_and_violations_are_of_all_answers() -> None:
    assert refusals(COUNTS) == (7, 14)
    assert violations(COUNTS) == (2, 14)
    assert (refusals(Counts()), violations(Counts())) == ((0, 0), (0, 0))


def test_goodput_is_of_attempts_or_of_requests_that_found_no_connection() -> None:
    assert goodput(COUNTS) == (5, 13)
    assert goodput(Counts({"connect_error": 20}, {"good": 5, "attempts": 13})) == (5, 20)


TOLD = Counter(
    token_requests=4, token_estimates=3, input_tokens=100, input_told=4, output_tokens=60, output_told=3,
    cached_tokens=30, cached_told=2, reasoning_tokens=20, reasoning_told=1, estimated_tokens=9,
)  # fmt: skip


def test_what_servers_told() -> None:
    assert tokens(TOLD, 2.0) == Tokens("server", 100, 60, 30, 20, 9, 30.0, 20.0, 4, 3)
    assert tokens(TOLD, 0.0).output_per_s is None
    assert written_tokens(TOLD) == (60, 3)


@pytest.mark.parametrize("kind", ["input", "output", "cached", "reasoning"])
def test_what_none_told_is_none(kind: str) -> None:
    found = tokens(TOLD - Counter({f"{kind}_told": 9}), 1.0)
    assert [name for name in ("input", "output", "cached", "reasoning") if getattr(found, name) is None] == [kind]


def test_what_was_counted_in_chunks_is_told_apart() -> None:
    counted = Counter(token_estimates=3, estimated_tokens=12)
    assert tokens(counted, 2.0) == Tokens("chunks", None, None, None, None, 12, 6.0, 4.0, 0, 3)
    assert written_tokens(counted) == (12, 3)
    assert tokens(Counter(), 2.0) == Tokens("none", None, None, None, None, None, None, None, 0, 0)
    assert written_tokens(Counter()) == (0, 0)
    assert tokens(counted + Counter(token_requests=1, output_told=1), 1.0).output_per_s == 0.0


def test_calls_are_over_those_who_told() -> None:
    sums = Counter(llm_calls=6, llm_requests=4, tool_calls=3)
    assert calls(sums, "llm_calls") == Calls(6, 1.5)
    assert calls(sums, "tool_calls") == Calls(None, None)
    assert calls(Counter(tool_requests=2), "tool_calls") == Calls(0, 0.0)


def test_cost_by_price() -> None:
    price = Price(2.0, 8.0, 0.5)
    assert cost_usd(TOLD, price) == pytest.approx((70 * 2.0 + 30 * 0.5 + 60 * 8.0) / 1e6)
    assert cost_usd(TOLD | Counter(cached_tokens=500), price) == pytest.approx((100 * 0.5 + 60 * 8.0) / 1e6)
    assert cost_usd(Counter(token_requests=1, input_tokens=1), Price(0.0012345678, 0, 0)) == 1e-09
    assert cost_usd(TOLD, None) is None
    assert cost_usd(Counter(input_tokens=5), price) is None
    assert cost_usd(Counter(token_requests=1), price) == 0.0
