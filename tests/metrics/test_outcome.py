"""What a status alone stands for."""

from __future__ import annotations

import pytest

from agenttop.metrics.outcome import NOT_FAILED, NOT_FINISHED, Outcome, outcome_of_status


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (101, Outcome.OK), (200, Outcome.OK), (399, Outcome.OK), (400, Outcome.CLIENT_ERROR),
        (428, Outcome.CLIENT_ERROR), (429, Outcome.RATE_LIMITED), (430, Outcome.CLIENT_ERROR),
        (499, Outcome.CLIENT_ERROR), (500, Outcome.SERVER_ERROR),
        (503, Outcome.SERVER_ERROR), (599, Outcome.SERVER_ERROR),
    ],
)  # fmt: skip
def test_the_outcome_of_a_status(status: int, outcome: Outcome) -> None:
    assert outcome_of_status(status) is outcome


def test_what_is_no_finished_request_is_no_failure() -> None:
    assert set(NOT_FINISHED) == {Outcome.CANCELLED, Outcome.BUDGET_REFUSED}
    assert {*NOT_FINISHED, Outcome.OK} == NOT_FAILED
