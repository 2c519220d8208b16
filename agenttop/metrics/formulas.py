"""Computes figures that follow from counts, one formula each: the summary rounds them, thresholds judge them as is.

    goodput                 good / max(attempts, requests)
    refusals                (rate_limited + retries) / (requests + retries)
    violations              rate_limit_violations / (requests + retries)
    cost                    (input − cached) · p_in + cached · p_cached + output · p_out, per million

A part of nothing is None.
"""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from agenttop.metrics.counts import Counts
from agenttop.metrics.layout import Price


class Part(NamedTuple):
    """A number and the whole it is part of."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """Return the share, 0 to 1; None of nothing."""
        return per(self.part, self.whole)


def per(part: float, whole: float) -> float | None:
    """Return ``part / whole``; None where ``whole`` is not above 0."""
    return part / whole if whole > 0 else None


def goodput(counts: Counts) -> Part:
    """Return how many requests met every objective, of all attempts."""
    # A request that found no connection is no attempt, and not good either.
    return Part(counts.sums["good"], max(counts.sums["attempts"], counts.requests))


def refusals(counts: Counts) -> Part:
    """Return the rate-limited answers, those whose request was sent again among them, of all answers."""
    return Part(counts.rate_limited + counts.sums["retries"], _answers(counts))


def violations(counts: Counts) -> Part:
    """Return the answers that are not what a rate-limited one should be, of all: one whose request was sent again may
    be among them."""
    return Part(counts.sums["rate_limit_violations"], _answers(counts))


def _answers(counts: Counts) -> int:
    return counts.requests + counts.sums["retries"]


class Tokens(NamedTuple):
    """Tokens; None where nobody told. ``told`` and ``estimated`` are requests."""

    source: str
    """``server`` if any server told tokens, else ``chunks`` if chunks were counted, else ``none``."""
    input: int | None
    output: int | None
    cached: int | None
    reasoning: int | None
    counted: int | None
    """Output chunks of answers whose server told no tokens: an estimate, never added to what was told."""
    output_per_s: float | None
    """None also if nothing was measured."""
    per_request_mean: float | None
    told: int
    estimated: int


def tokens(sums: Counter[str], seconds: float) -> Tokens:
    """Return the tokens of some requests over ``seconds``."""
    told, estimated = sums["token_requests"], sums["token_estimates"]
    written, requests = written_tokens(sums)
    return Tokens(
        source="server" if told else "chunks" if estimated else "none",
        input=_told(sums, "input"),
        output=_told(sums, "output"),
        cached=_told(sums, "cached"),
        reasoning=_told(sums, "reasoning"),
        counted=sums["estimated_tokens"] if estimated else None,
        output_per_s=per(written, seconds) if requests else None,
        per_request_mean=per(written, requests),
        told=told,
        estimated=estimated,
    )


def written_tokens(sums: Counter[str]) -> tuple[int, int]:
    """Return output tokens and the requests that have them: as servers told them, or as their chunks were counted where
    no server told any. The two are never added."""
    if sums["output_told"] or not sums["token_estimates"]:
        return sums["output_tokens"], sums["output_told"]
    return sums["estimated_tokens"], sums["token_estimates"]


def _told(sums: Counter[str], kind: str) -> int | None:
    return sums[f"{kind}_tokens"] if sums[f"{kind}_told"] else None


class Calls(NamedTuple):
    """Calls over the requests that told theirs; None where none did."""

    total: int | None
    per_request_mean: float | None


def calls(sums: Counter[str], metric: str) -> Calls:
    """Return the calls of one kind, ``llm_calls`` or ``tool_calls``."""
    count, told = sums[metric], sums[metric.replace("calls", "requests")]
    return Calls(count if told else None, per(count, told))


def cost_usd(sums: Counter[str], price: Price | None) -> float | None:
    """Return tokens × the profile's prices, of the requests whose tokens the server told; None without either."""
    if price is None or not sums["token_requests"]:
        return None
    cached = min(sums["cached_tokens"], sums["input_tokens"])
    each = (sums["input_tokens"] - cached) * price.input + cached * price.cached
    each += sums["output_tokens"] * price.output
    return round(each / 1e6, 9)
