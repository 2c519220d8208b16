"""Every key of METRICS, from counts that all differ."""

from __future__ import annotations

from array import array
from typing import Any

import msgspec

from agenttop.metrics.catalogue import DISTRIBUTIONS, OWN_DISTRIBUTIONS
from agenttop.metrics.counts import Counts
from agenttop.metrics.delta import VIOLATION, ErrorDelta, HistDelta, PoolDelta
from agenttop.metrics.figures import metrics, rate, share
from agenttop.metrics.formulas import Part
from agenttop.metrics.histogram import fold
from agenttop.metrics.layout import Layout, Price
from agenttop.metrics.scope import Scope

LAYOUT = Layout((), (), (), objectives=True, rate_limit=True, retries=True, price=Price(2.0, 8.0, 0.5))
OUTCOMES = {"ok": 6, "rate_limited": 3, "timeout": 1, "cancelled": 50, "server_error": 0}
SUMS = {
    "attempts": 13, "sent_again": 21, "sessions_lost": 22, "user_errors": 23, "said_nothing": 24, "bytes_sent": 31,
    "bytes_received": 32, "connections_opened": 33, "connections_reused": 34, "connections_reopened": 35,
    "input_tokens": 100, "input_told": 4, "output_tokens": 60, "output_told": 3, "cached_tokens": 30, "cached_told": 2,
    "reasoning_tokens": 20, "reasoning_told": 1, "token_requests": 4, "token_estimates": 5, "estimated_tokens": 9,
    "llm_calls": 10, "llm_requests": 3, "tool_calls": 5, "tool_requests": 4, "good": 4, "retries": 2, "recovered": 41,
    "conformant": 42, "rate_limit_violations": 43, "streamed": 8, "one_burst": 2, "stalled": 51, "unterminated": 52,
    VIOLATION + "b": 1, VIOLATION + "c": 7, VIOLATION + "a": 1,
}  # fmt: skip


def ms(*values: float) -> HistDelta:
    return fold(array("q", [int(value * 1e6) for value in values]))


def made(*, of_pools: bool = True) -> Scope:
    scope = Scope(of_pools=of_pools)
    hists = {name: ms(number) for number, name in enumerate(DISTRIBUTIONS, 1)}
    hists |= {"phase.plan": ms(30), "phase.act": ms(60, 90), "phase_share.act": fold(array("q", [250_000, 500_000]))}
    hists |= {"retry_after": ms(2_000), "unattributed": ms(20)}
    scope.add_merged(Counts(OUTCOMES, SUMS), hists)
    scope.status.update({429: 3, 200: 7, 500: 0})
    scope.add_pool(PoolDelta(0, 0, 61, 62, 63))
    scope.errors.add(ErrorDelta(0, 0, "timeout", "slow", 1, 0.5, 1.5))
    return scope


def bare(found: dict[str, Any]) -> dict[str, Any]:
    """The same, of each distribution only (count, mean)."""
    return {
        key: (value["count"], value["mean"])
        if isinstance(value, dict) and "hdr" in value
        else bare(value)
        if isinstance(value, dict)
        else value
        for key, value in found.items()
    }


def test_every_key() -> None:
    assert bare(metrics(made(), 4.0, LAYOUT)) == {
        "requests": 10, "ok": 6, "failed": 4, "rate_limited": 3, "cancelled": 50, "attempts": 13,
        "sessions": 61, "iterations": 62, "dropped_iterations": 63,
        "sent_again": 21, "sessions_lost": 22, "user_errors": 23, "said_nothing": 24,
        "rps": 2.5, "error_rate": 0.4,
        "status": {"200": 7, "429": 3},
        "outcomes": {"ok": 6, "rate_limited": 3, "timeout": 1, "cancelled": 50},
        "errors": [{"outcome": "timeout", "message": "slow", "count": 1, "first_s": 0.5, "last_s": 1.5}],
        **{f"{name}_ms": (1, float(list(DISTRIBUTIONS).index(name) + 1)) for name in OWN_DISTRIBUTIONS},
        "phases_ms": {"act": (2, 75.0), "plan": (1, 30.0)},
        "unattributed_ms": (1, 20.0),
        "phase_shares": {
            "act": {"mean": 0.75, "p95": 0.5}, "plan": {"mean": 0.15, "p95": None},
            "(unattributed)": {"mean": 0.1, "p95": None},
        },
        "tokens": {
            "source": "server", "input": 100, "output": 60, "cached": 30, "reasoning": 20, "estimated": 9,
            "output_per_s": 15.0, "per_request_mean": 20.0, "told_requests": 4, "estimated_requests": 5,
        },
        "llm_calls": {"total": 10, "per_request_mean": 3.333},
        "tool_calls": {"total": 5, "per_request_mean": 1.25},
        "cost_usd": 0.000635,
        "goodput": {"good": 4, "share": 0.307692, "per_s": 1.0},
        "rate_limit": {
            "count": 5, "share": 0.416667, "conformant": 42, "violations": {"c": 7, "a": 1, "b": 1},
            "retry_after_s": (1, 2.0), "recovered": 41, "amplification": 1.3,
        },
        "streams": {
            "streamed": 8, "one_burst": 2, "stalled": 51, "unterminated": 52, "share": 0.25,
        },
        "bytes_sent": 31, "bytes_received": 32, "connections_opened": 33, "connections_reused": 34,
        "connections_reopened": 35,
    }  # fmt: skip


def test_the_order_is_that_of_the_summary() -> None:
    found = metrics(made(), 4.0, LAYOUT)
    assert list(found["rate_limit"]["violations"]) == ["c", "a", "b"], "the most frequent first, equals by name"
    assert list(found["status"]) == ["200", "429"]
    assert list(found["phases_ms"]) == ["act", "plan"]
    assert list(found["phase_shares"]) == ["act", "plan", "(unattributed)"]


def test_of_a_single_request_pools_say_nothing() -> None:
    found = metrics(made(of_pools=False), 4.0, LAYOUT)
    assert [found[name] for name in ("sessions", "iterations", "dropped_iterations")] == [None] * 3


def test_what_the_profile_does_not_judge_is_null() -> None:
    found = metrics(made(), 4.0, Layout((), (), ()))
    assert (found["goodput"], found["cost_usd"]) == (None, None)
    limit = found["rate_limit"]
    assert (limit["conformant"], limit["violations"], limit["recovered"]) == (None, None, 41), "some were sent again"
    scope = Scope()
    scope.add(Counts({"ok": 1}))
    assert metrics(scope, 1.0, Layout((), (), ()))["rate_limit"]["recovered"] is None
    assert metrics(scope, 1.0, LAYOUT)["rate_limit"]["recovered"] == 0


def test_of_nothing() -> None:
    found = metrics(Scope(), 0.0, LAYOUT)
    assert (found["streams"], found["phase_shares"], found["phases_ms"], found["cost_usd"]) == (None, {}, {}, None)
    assert (found["rps"], found["error_rate"], found["rate_limit"]["amplification"]) == (0.0, 0.0, None)
    assert (found["rate_limit"]["retry_after_s"], found["rate_limit"]["violations"]) == (None, {})
    assert found["goodput"] == {"good": 0, "share": 0.0, "per_s": 0.0}
    assert all(found[f"{name}_ms"] is None for name in OWN_DISTRIBUTIONS)
    assert found["tokens"]["output_per_s"] is None
    assert found["llm_calls"] == {"total": None, "per_request_mean": None}


def test_amplification_needs_both_requests_and_attempts() -> None:
    for outcomes, sums, expected in (
        ({"ok": 3}, {"attempts": 7}, 2.333333),
        ({"ok": 3}, {}, None),
        ({"cancelled": 3}, {"attempts": 7}, None),
    ):
        scope = Scope()
        scope.add(Counts(outcomes, sums))
        assert metrics(scope, 1.0, LAYOUT)["rate_limit"]["amplification"] == expected


def test_streams_are_told_where_anything_of_them_is() -> None:
    for name in ("streamed", "one_burst", "stalled", "unterminated"):
        scope = Scope()
        scope.add(Counts({}, {name: 1}))
        streams = metrics(scope, 1.0, LAYOUT)["streams"]
        assert streams == {key: int(key == name) for key in ("streamed", "one_burst", "stalled", "unterminated")} | {
            "share": 0.0
        }


def test_phases_that_took_no_time_have_no_share() -> None:
    scope = Scope()
    scope.add_merged(Counts(), {"phase.a": ms(0), "phase.b": ms(0)})
    none = {"mean": 0.0, "p95": None}
    assert metrics(scope, 1.0, LAYOUT)["phase_shares"] == {"a": none, "b": none, "(unattributed)": none}


def test_rates_and_shares_are_rounded() -> None:
    assert (rate(1, 3.0), rate(5, 0.0), rate(5, -1.0)) == (0.333333, 0.0, 0.0)
    assert (share(Part(2, 3)), share(Part(1, 0))) == (0.666667, 0.0)
    assert msgspec.json.encode(metrics(made(), 4.0, LAYOUT))
