"""What a run is judged by, second by second: thresholds and circuit breaker, as a journal's header carries them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from agenttop.metrics.layout import Layout
from agenttop.profile.model import CircuitBreaker, Profile, Threshold
from agenttop.thresholds.breaker import BreakerRule
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Rule, names_of
from agenttop.thresholds.select import select

#: Where a profile has ``${NAME}`` (keys and indices from its top), and the text that it is in.
Reference = tuple[tuple[str | int, ...], str]


class Rules(msgspec.Struct, frozen=True):
    """The rules of one run; times are seconds, shares 0 to 1."""

    thresholds: tuple[Rule, ...] = ()
    """In the order of the profile."""
    breaker: BreakerRule | None = None
    by_level: bool = False
    """The run searches for its capacity: a breaker that opens fails a level, and begins anew with the next one."""

    def writable(self, references: Iterable[Reference]) -> Rules:
        """Return those without a value of the environment in them, for a journal shows none."""
        places = {place[:2] for place, _ in references}
        thresholds = tuple(rule for index, rule in enumerate(self.thresholds) if ("thresholds", index) not in places)
        hidden = any(place[0] == "circuit_breaker" for place in places)
        return Rules(thresholds, None if hidden else self.breaker, self.by_level)


def rules_of(profile: Profile, masked: Mapping[str, Any]) -> Rules:
    """Return the rules of a profile; the texts of thresholds are of ``masked``, for they are shown."""
    shown = masked.get("thresholds") or []
    texts = [item["expression"] if isinstance(item, Mapping) else item for item in shown]
    thresholds = (_rule(str(text), rule) for text, rule in zip(texts, profile.thresholds, strict=True))
    return Rules(tuple(thresholds), _breaker(profile.circuit_breaker), profile.search is not None)


def rules_as_written(written: Mapping[str, Any], layout: Layout) -> Rules:
    """Return the rules of an older journal, whose header has its masked profile alone. What cannot be read in it, such
    as a masked value, is left out.
    """
    thresholds, breaker = [], None
    for item in written.get("thresholds") or []:
        with contextlib.suppress(ValueError):
            threshold = Threshold.model_validate(item if isinstance(item, Mapping) else {"expression": item})
            rule = _rule(threshold.expression, threshold)
            select(rule.expression, names_of(layout))
            thresholds.append(rule)
    if (told := written.get("circuit_breaker")) is not None:
        with contextlib.suppress(ValueError):
            breaker = _breaker(CircuitBreaker.model_validate(told))
    return Rules(tuple(thresholds), breaker, "search" in written)


def _rule(text: str, threshold: Threshold) -> Rule:
    return Rule(
        text=text,
        expression=parse_threshold(threshold.expression),
        abort=threshold.abort,
        delay_s=threshold.delay,
        window_s=threshold.window,
        allow_empty=threshold.allow_empty,
    )


def _breaker(told: CircuitBreaker | None) -> BreakerRule | None:
    return None if told is None else BreakerRule(told.failed, told.over, told.min_requests, told.count_429)
