"""Figures beside what they are meant to be."""

from __future__ import annotations

from statistics import median

from tests.benchmarks.results import Results


def judge(
    results: Results, case: str, figure: str, *, at_least: float | None = None, at_most: float | None = None
) -> None:
    """Put the target in the row of a case, and say whether the median of its figure reaches it. It is a note, not a
    problem: what a busy machine measures is no fault of the program.

    Args:
        results: what has been measured.
        case: a row of it.
        figure: a figure of that row.
        at_least: the target, where more is better.
        at_most: the target, where less is better. One of the two.
    """
    target = at_least if at_least is not None else at_most
    assert target is not None
    results.add(case, target=target)
    values = results.rows[case][figure]
    if not values:
        results.note(f"target not measured: {case}: {figure}")
        return
    value = median(values)
    if (value < target) if at_least is not None else (value > target):
        word = "at least" if at_least is not None else "at most"
        results.note(f"target missed: {case}: {figure} is {value:,.4g}, wanted {word} {target:,g}")
