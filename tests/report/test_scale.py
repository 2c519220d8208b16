"""Where an axis ends."""

from __future__ import annotations

import pytest

from agenttop.report.scale import nice


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.01, 2), (4369, 5000), (612, 800), (0.03, 0.04), (950, 1000)]
)
def test_scales_end_at_the_next_round_number(value: float, top: float) -> None:
    assert nice(value) == pytest.approx(top)
