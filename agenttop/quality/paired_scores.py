"""Pairs the scores of two sides by case."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agenttop.quality.row import Row
from agenttop.quality.scores import shown_by
from agenttop.quality.statistics import VISIBLE, cases_needed, paired, pairs_needed, unshown, weighted_mean

_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class CaseScore:
    """What one side made of a case."""

    score: float
    """The mean of its answers, 0 to 1."""
    runs: float
    """Answers."""
    passed: bool
    weight: float = 1.0
    tags: frozenset[str] = field(default_factory=frozenset)


def case_scores(summaries: Sequence[Mapping[str, Any]]) -> dict[str, CaseScore]:
    """Return the scores of a side by case: over several runs the mean of all answers. Empty without ``quality``."""
    found: dict[str, list[tuple[Mapping[str, Any], float]]] = {}
    for summary in summaries:
        passes = ((summary.get("profile") or {}).get("quality") or {}).get("pass", 1.0)
        for case, row in ((summary.get("quality") or {}).get("by_case") or {}).items():
            if row.get("score") is not None:
                found.setdefault(case, []).append((row, float(passes)))
    return {case: _together(rows) for case, rows in found.items()}


def _together(rows: Sequence[tuple[Mapping[str, Any], float]]) -> CaseScore:
    runs = [max(float(row.get("runs") or 1), 1.0) for row, _ in rows]
    score = weighted_mean([row["score"] for row, _ in rows], runs)
    newest, passes = rows[-1]
    tags = frozenset(str(tag) for tag in newest.get("tags") or ())
    threshold = newest.get("threshold")
    wanted = passes if threshold is None else float(threshold)
    return CaseScore(score, sum(runs), score >= wanted - _NOTHING, float(newest.get("weight", 1.0)), tags)


def score_row(
    name: str, base: Mapping[str, CaseScore], head: Mapping[str, CaseScore], margin: float | None = None
) -> Row | None:
    """Return the row of a score over the cases that both sides answered; None where there are none.

    The interval is t's on the differences of cases' means (E. Miller, arXiv:2411.00640, 4.2), where few differ no
    narrower than what may be rare; of fewer than 30 cases p is that of flipped signs, of single answers that pass or
    fail McNemar's.
    """
    both, differences, weights = _differences(base, head)
    if not both:
        return None
    found = paired(differences, weights, single=all(side[case].runs == 1 for side in (base, head) for case in both))
    interval, visible = shown_by(found, differences, weights)
    note = ""
    if len(both) < 2:
        note = "a single case says nothing of the others"
    return Row(
        name=name,
        unit="share",
        worse_is="lower",
        base=weighted_mean([base[case].score for case in both], weights),
        head=weighted_mean([head[case].score for case in both], weights),
        difference=found.mean,
        interval=interval if math.isfinite(interval[0]) else None,
        visible=visible if math.isfinite(visible) else None,
        margin=margin,
        p=found.p,
        note=note,
    )


def _differences(
    base: Mapping[str, CaseScore], head: Mapping[str, CaseScore]
) -> tuple[list[str], list[float], list[float]]:
    """Return the cases that both sides answered and that weigh something, how much higher head's are, and weights."""
    both = [case for case in base if case in head and base[case].weight > 0]
    return both, [head[case].score - base[case].score for case in both], [base[case].weight for case in both]


def flips(base: Mapping[str, CaseScore], head: Mapping[str, CaseScore]) -> dict[str, list[str]]:
    """Return the cases that passed and fail now (``lost``), and those that failed and pass now (``won``), by id."""
    both = sorted(case for case in base if case in head)
    return {
        "lost": [case for case in both if base[case].passed and not head[case].passed],
        "won": [case for case in both if head[case].passed and not base[case].passed],
    }


def more_cases(row: Row, base: Mapping[str, CaseScore], head: Mapping[str, CaseScore]) -> str:
    """Return what would decide an undecided score of these cases, in words; empty where nothing would."""
    both, differences, weights = _differences(base, head)
    cases = len(both)
    if not row.margin or row.visible is None:
        return ""
    if row.visible <= unshown(differences, weights):
        enough = max(pairs_needed(row.margin), cases + 1)
        return f"{cases} cases that hardly differ cannot show a drop of this size: {enough} would"
    needed = cases_needed(row.visible / VISIBLE * math.sqrt(cases), row.margin, cases)
    if needed is None or needed <= cases:
        return "the drop is near what is allowed: ask each case more often"
    return f"{needed} cases, or about {needed / cases:.1f} times as many answers a case, would show a drop of this size"
