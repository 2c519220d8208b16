"""A target stands beside its figure, and a miss is said."""

from __future__ import annotations

import pytest

from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge


@pytest.mark.parametrize(("at_least", "at_most"), [(20.0, None), (None, 30.0)])
def test_what_reaches_its_target_is_not_mentioned(at_least: float | None, at_most: float | None) -> None:
    results = Results("title")
    results.add("case", rate=10)
    results.add("case", rate=30)
    results.add("case", rate=20)

    judge(results, "case", "rate", at_least=at_least, at_most=at_most)

    assert results.rows["case"]["target"] == [at_least or at_most]
    assert results.notes == []


@pytest.mark.parametrize(
    ("at_least", "at_most", "wanted"), [(20.0, None, "wanted at least 20"), (None, 10.0, "wanted at most 10")]
)
def test_a_missed_target_is_a_note_and_no_problem(at_least: float | None, at_most: float | None, wanted: str) -> None:
    results = Results("title")
    results.add("case", rate=15)

    judge(results, "case", "rate", at_least=at_least, at_most=at_most)

    assert results.notes == [f"target missed: case: rate is 15, {wanted}"]
    assert results.problems == []


def test_what_was_not_measured_is_said() -> None:
    results = Results("title")
    results.add("case", rate=None)

    judge(results, "case", "rate", at_least=20.0)

    assert results.notes == ["target not measured: case: rate"]
