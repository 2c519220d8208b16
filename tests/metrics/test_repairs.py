"""What was made good is said."""

from __future__ import annotations

import pytest

from agenttop.metrics.repairs import repairs


@pytest.mark.parametrize(
    ("sums", "begins"),
    [
        ({}, []),
        ({"sent_again": 0, "sessions_lost": 0}, []),
        ({"sent_again": 10}, ["sent again: 10 "]),
        ({"sent_again": 1, "sessions_lost": 3}, ["sent again: 1 ", "sessions lost: 3 "]),
    ],
)
def test_a_line_for_each_kind(sums: dict[str, int], begins: list[str]) -> None:
    found = repairs(sums)
    assert [line[: len(begin)] for line, begin in zip(found, begins, strict=True)] == begins
