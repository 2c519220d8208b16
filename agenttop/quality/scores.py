"""The score of many answers: the mean over cases, with its interval.

Of case *i* s_i is the mean over its answers. score = Σ w_i·s_i / Σ w_i; its interval is cluster-robust by case (E.
Miller, Adding Error Bars to Evals, arXiv:2411.00640): mean ± t·SE of the s_i. Where every answer passes or fails, each
case was asked once and all weigh the same: Wilson's, and so where no two cases differ: 200 right of 200 are no proof
that the next one is, though their deviation is 0. Neither is wider than 0 to 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from agenttop.quality.case import Case, slices_of_case
from agenttop.quality.score import Score
from agenttop.quality.statistics import (
    Interval,
    Paired,
    alike,
    mean_interval,
    smallest_visible,
    unshown,
    weighted_mean,
    wilson,
)

#: Scores that are nearer than this are the same.
_ALIKE = 1e-9


class Scored(msgspec.Struct, frozen=True):
    """The score of some answers."""

    score: float | None
    """None: nothing was graded."""
    interval: tuple[float, float] | None
    """Of 95 %."""
    cases: int
    """That have a graded answer."""
    answers: int
    """That were graded."""
    passed: int


def scored(scores: Iterable[Score], cases: Mapping[str, Case]) -> Scored:
    """Return the score of answers; those that could not be graded are left out."""
    by_case: dict[str, list[float]] = {}
    passed = 0
    for score in scores:
        if score.value is not None and score.case in cases:
            by_case.setdefault(score.case, []).append(score.value)
            passed += score.passed
    weights = {name: cases[name].weight for name in by_case}
    values = {name: of for name, of in by_case.items() if weights[name] > 0}
    count = sum(map(len, by_case.values()))
    if not values:
        return Scored(None, None, len(by_case), count, passed)
    means = [sum(of) / len(of) for of in values.values()]
    shares = [weights[name] for name in values]
    once = all(len(of) == 1 and of[0] in (0.0, 1.0) for of in values.values())
    mean = weighted_mean(means, shares)
    return Scored(mean, interval_of(means, shares, once=once), len(by_case), count, passed)


def shown_by(
    found: Paired, differences: Sequence[float], weights: Sequence[float] | None = None
) -> tuple[Interval, float]:
    """Return the interval of a difference of scores paired by case, and the smallest that these cases could have shown.

    Neither is narrower than what may be rare and was in no case: see :func:`agenttop.quality.statistics.unshown`.
    """
    low, high = found.interval
    visible = smallest_visible(found.error)
    hidden = unshown(differences, weights)
    return (min(low, found.mean - hidden), max(high, found.mean + hidden)), max(visible, hidden)


def interval_of(means: Sequence[float], weights: Sequence[float], *, once: bool) -> Interval:
    """Return the interval of a score.

    Args:
        means: of each case over its answers; one at least.
        weights: of the cases.
        once: each case was asked once, and passed or failed.
    """
    used = [(mean, weight) for mean, weight in zip(means, weights, strict=True) if weight > 0]
    values = [mean for mean, _ in used]
    if once and len(set(weights)) == 1:
        low, high = wilson(round(sum(means)), len(means))
    elif len(values) > 1 and max(values) - min(values) < _ALIKE:
        n = alike([weight for _, weight in used])
        low, high = wilson(min(1.0, max(0.0, values[0])) * n, n)
    else:
        low, high = mean_interval(means, weights)
    return max(0.0, low), min(1.0, high)


def by_slice(scores: Sequence[Score], cases: Mapping[str, Case]) -> dict[str, Scored]:
    """Return the score of each slice that has an answer, in the order of the cases."""
    names = dict.fromkeys(name for case in cases.values() for name in slices_of_case(case))
    inside = {name: [s for s in scores if s.case in cases and name in slices_of_case(cases[s.case])] for name in names}
    return {name: scored(those, cases) for name, those in inside.items() if those}


def by_level(scores: Sequence[Score], cases: Mapping[str, Case]) -> dict[str, Scored]:
    """Return the score at each level of load, in the order in which they began; none of answers without a level."""
    levels: dict[str, list[Score]] = {}
    for score in sorted(scores, key=lambda score: score.at_s):
        if score.level:
            levels.setdefault(score.level, []).append(score)
    return {level: scored(those, cases) for level, those in levels.items()}


def by_metric(scores: Iterable[Score]) -> dict[str, tuple[float, int]]:
    """Return the mean of each named metric over the answers that have it, and how many they are."""
    values: dict[str, list[float]] = {}
    for score in scores:
        for part in score.parts:
            if part.metric and part.value is not None:
                values.setdefault(part.metric, []).append(part.value)
    return {name: (sum(of) / len(of), len(of)) for name, of in values.items()}


def lost_by_cause(scores: Iterable[Score]) -> dict[str, float]:
    """Return the shares of lost points by cause, the largest first; they sum to 1, or there are none."""
    lost: dict[str, float] = {}
    for score in scores:
        if score.value is not None and score.cause:
            lost[score.cause] = lost.get(score.cause, 0.0) + 1.0 - score.value
    total = sum(lost.values())
    return {cause: points / total for cause, points in sorted(lost.items(), key=lambda item: -item[1])} if total else {}
