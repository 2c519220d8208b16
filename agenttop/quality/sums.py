"""Sums of scores by case, for one level of load or for several together, and what is told of them: score, points lost
by cause, drop from one to another. The formulas are in ``quality.curve``. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agenttop.metrics.graded import Drop
from agenttop.quality.score import CAUSES
from agenttop.quality.scores import interval_of, shown_by
from agenttop.quality.statistics import CONFIDENCE, Interval, paired

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Sums:
    """The scores of one level, by case: arrays with a place for each case of the golden set."""

    total: Floats
    count: Ints
    whole: Ints
    """Answers with a score of 0 or 1."""
    lost: Floats
    """Points lost, by case and cause."""
    values: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By case, in the order of the answers."""

    @classmethod
    def of(cls, cases: int) -> Sums:
        """Return those of so many cases, none asked."""
        return cls(
            np.zeros(cases),
            np.zeros(cases, dtype=np.int64),
            np.zeros(cases, dtype=np.int64),
            np.zeros((cases, len(CAUSES))),
        )

    def add(self, case: int, value: float, cause: str) -> None:
        """Take the score, from 0 to 1, of an answer to a case."""
        self.total[case] += value
        self.count[case] += 1
        self.whole[case] += value in (0.0, 1.0)
        if value < 1.0:
            self.lost[case, CAUSES.index(cause if cause in CAUSES else "wrong")] += 1.0 - value
        self.values[case].append(value)

    def __add__(self, other: Sums) -> Sums:
        """Return both together, without the single values."""
        return Sums(
            self.total + other.total, self.count + other.count, self.whole + other.whole, self.lost + other.lost
        )


def score_of(sums: Sums, weights: Floats, among: Ints) -> tuple[float, Interval, int] | None:
    """Return score, interval and number of the cases ``among`` which any was asked; None if none was."""
    asked = among[sums.count[among] > 0]
    if not len(asked):
        return None
    means, weighed = sums.total[asked] / sums.count[asked], _usable(weights[asked])
    score = float((means * weighed).sum() / weighed.sum())
    once = _once(sums.count[asked], sums.whole[asked])
    return score, interval_of(means.tolist(), weighed.tolist(), once=once), len(asked)


def lost_of(sums: Sums, weights: Floats, asked: Ints | None = None) -> Floats:
    """Return the points lost by cause, means over the cases that were ``asked`` (None: all that were; not none)."""
    asked = np.flatnonzero(sums.count) if asked is None else asked
    weighed = _usable(weights[asked])
    parts = sums.lost[asked] / sums.count[asked][:, None]
    found: Floats = (parts * weighed[:, None]).sum(axis=0) / weighed.sum()
    return found


def drop_of(before: Sums, after: Sums, weights: Floats, users: tuple[int, int], margin: float) -> Drop | None:
    """Return the drop between two levels of so many ``users``, paired by case; None if fewer than two cases have
    both.
    """
    both = np.flatnonzero((before.count > 0) & (after.count > 0))
    if len(both) < 2:
        return None
    differences = before.total[both] / before.count[both] - after.total[both] / after.count[both]
    weighed = _usable(weights[both])
    single = all(_once(sums.count[both], sums.whole[both]) for sums in (before, after))
    found = paired(differences.tolist(), weighed.tolist(), single=single)
    interval, visible = shown_by(found, differences.tolist(), weighed.tolist())
    return Drop(
        *users,
        found.mean,
        *interval,
        visible,
        len(both),
        verdict_of(found.mean, interval, found.p, margin),
        by_cause(lost_of(after, weights, both) - lost_of(before, weights, both)),
    )


def verdict_of(drop: float, interval: Interval, p: float, margin: float) -> str:
    """Return ``ok`` where the whole interval is within the margin, ``worse`` where the drop is beyond it and no
    accident (``p`` at most 5 %), else ``undecided``.
    """
    if interval[1] <= margin:
        return "ok"
    return "worse" if drop > margin and p <= 1 - CONFIDENCE else "undecided"


def halves(levels: Iterable[Sums], cases: int) -> tuple[Sums, Sums]:
    """Return the earlier and the later answers of each case that was asked more than once."""
    together: dict[int, list[float]] = defaultdict(list)
    for sums in levels:
        for case, values in sums.values.items():
            together[case] += values
    found = Sums.of(cases), Sums.of(cases)
    for case, values in together.items():
        middle = len(values) // 2
        if middle:
            for half, part in zip(found, (values[:middle], values[middle:]), strict=True):
                for value in part:
                    half.add(case, value, "")
    return found


def by_cause(lost: Sequence[float] | Floats) -> dict[str, float]:
    """Return points by cause, the largest first, without those that nothing was lost to."""
    found = {cause: float(part) for cause, part in zip(CAUSES, lost, strict=True) if abs(part) > 1e-12}
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))


def _usable(weights: Floats) -> Floats:
    """Return the weights, or equal ones where all are 0."""
    return weights if weights.sum() else np.ones(len(weights))


def _once(count: Ints, whole: Ints) -> bool:
    """Return whether each of these cases was asked once, and passed or failed."""
    return bool((count == 1).all() and (whole == 1).all())
