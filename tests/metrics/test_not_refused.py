"""Tests of agenttop.metrics.not_refused: what is said of figures that leave refused answers out."""

from __future__ import annotations

import pytest

from agenttop.metrics.not_refused import basis, explained, left_out, some_of, starred


@pytest.mark.parametrize(
    ("metric", "method", "rate_limited", "retries", "expected"),
    [
        ("latency", "p", 3, 2, 5),
        ("latency", "max", 3, 0, 3),
        ("phase", "med", 3, 2, 5),
        ("unattributed", "avg", 0, 2, 2),
        ("tokens", "per_request_mean", 3, 0, 3),
        ("latency", "p", 0, 0, 0),
        # These count refused answers, or are no parts of anything.
        ("latency", "count", 3, 2, 0),
        ("connect", "p", 3, 2, 0),
        ("schedule_lag", "p", 3, 2, 0),
        ("time_to_failure", "p", 3, 2, 0),
        ("rps", "rate", 3, 2, 0),
        ("goodput", "rate", 0, 2, 0),
        ("rate_limit_violations", "rate", 0, 2, 0),
        # What is sent again is in no share of requests; a request refused for good is.
        ("error_rate", "rate", 0, 2, 2),
        ("rate_limited", "rate", 0, 2, 2),
        ("error_rate", "rate", 3, 2, 0),
        ("checks", "rate", 0, 2, 2),
        ("checks", "rate", 3, 0, 0),
    ],
)
def test_what_a_figure_leaves_out(metric: str, method: str, rate_limited: int, retries: int, expected: int) -> None:
    assert left_out(metric, method, rate_limited, retries) == expected


def test_words_for_none_some_and_all() -> None:
    assert [basis(each) for each in ([], [0, 0], [3, 0, 4], [3, 4])] == [
        "",
        "",
        "2 only of answers not refused",
        "only of answers not refused",
    ]
    assert [some_of(each) for each in ([], [0, 0], [3, 0, 4])] == [0, 0, 2]
    assert (starred("1.2s", 0), starred("1.2s", 7)) == ("1.2s", "1.2s*")


def test_the_star_is_explained_as_far_as_there_is_room() -> None:
    assert explained([0, 0], 80) == explained([], 80) == ""
    assert explained([318, 0, 318], 80) == "* of answers not refused (429: 318)"
    assert explained([318, 4], 80) == "* of answers not refused (429)"
    assert explained([318], 30) == "* of answers not refused"
    assert explained([318], 16) == "* not refused"
    assert explained([318], 5) == ""
