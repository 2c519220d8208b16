"""The thresholds of a profile on a run: what is judged, what is said about it, what the summary gets."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from agenttop.metrics.layout import Layout
from agenttop.metrics.snapshot import Verdict
from agenttop.profile.model import CircuitBreaker, Profile
from agenttop.schedule.quantities import parse_duration
from agenttop.thresholds.breaker import Breaker, BreakerRule
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Rule, Seconds, names_of
from agenttop.thresholds.select import select

#: Begin and end of a stage, in seconds since the run began.
Span = tuple[float, float]
#: A controller looks at the clock so often: the end of the sending is late by so much at most.
STEP_S = 0.05


def rules_of(profile: Profile, masked: Mapping[str, Any]) -> list[Rule]:
    """The thresholds of a profile; their texts are of ``masked``, for they are shown."""
    shown = masked.get("thresholds") or []
    texts = [item["expression"] if isinstance(item, Mapping) else item for item in shown]
    return [
        Rule(
            text=str(text),
            expression=parse_threshold(threshold.expression),
            abort=threshold.abort,
            delay_s=threshold.delay,
            window_s=threshold.window,
            allow_empty=threshold.allow_empty,
        )
        for text, threshold in zip(texts, profile.thresholds, strict=True)
    ]


def breaker_of(profile: Profile) -> Breaker:
    """The circuit breaker of a profile; one that never opens where it has none."""
    return _breaker(profile.circuit_breaker)


def breaker_of_file(written: Mapping[str, Any]) -> Breaker:
    """That of a profile as a journal has it; none where it cannot be read, such as a masked secret."""
    told = written.get("circuit_breaker")
    with contextlib.suppress(ValidationError):
        return _breaker(None if told is None else CircuitBreaker.model_validate(told))
    return Breaker(None)


def _breaker(told: CircuitBreaker | None) -> Breaker:
    if told is None:
        return Breaker(None)
    return Breaker(BreakerRule(told.failed, told.over, told.min_requests, told.count_429))


def rules_of_file(written: Mapping[str, Any], layout: Layout) -> list[Rule]:
    """Those of a profile as a journal has it. What cannot be read, such as a masked secret, is left out."""
    found = []
    for item in written.get("thresholds") or []:
        table: Mapping[str, Any] = item if isinstance(item, Mapping) else {"expression": item}
        with contextlib.suppress(ValueError, KeyError, TypeError):
            delay, window = (
                None if table.get(key) is None else parse_duration(table[key]) for key in ("delay", "window")
            )
            expression = parse_threshold(table["expression"])
            select(expression, names_of(layout))
            empty = bool(table.get("allow_empty"))
            found.append(Rule(table["expression"], expression, False, delay, window, empty))
    return found


def measured(end_s: float, warmup_s: float, spans: Sequence[Span | None]) -> Seconds:
    """Measured seconds up to ``end_s``, where the sending has ended or it is now; ``spans`` are when stages were."""

    def seconds(stages: frozenset[int] | None) -> float:
        if stages is None:
            return max(0.0, end_s - warmup_s)
        found = [span for index in stages if (span := spans[index]) is not None]
        return sum(max(0.0, min(end, end_s) - max(start, warmup_s)) for start, end in found)

    return seconds


def still_sent(t_s: float, sending_ended_s: float) -> bool:
    """Whether requests were still sent in the second that ends at ``t_s``, or at its very end."""
    return t_s <= sending_ended_s + STEP_S


def told(verdict: Verdict) -> str:
    """A failed threshold in words."""
    if verdict.observed is None:
        return f"{verdict.expression} (no data)"
    over = " in a window" if verdict.window_s is not None else ""
    return f"{verdict.expression} (observed {verdict.observed:.4g}{verdict.unit}{over})"


def summed(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """The summary's ``thresholds``."""
    keys = ("expression", "observed", "passed", "aborted_run", "verdict", "unit", "window_s")
    return [{key: getattr(verdict, key) for key in keys} for verdict in verdicts]
