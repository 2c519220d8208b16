from __future__ import annotations

import pytest

from agenttop.metrics.floors import FLOORS, too_few


@pytest.mark.parametrize(("percent", "floor"), [(50, 11), (90, 64), (95, 130), (99, 662), (99.9, 6_636)])
def test_the_floors_are_those_of_the_contract(percent: float, floor: int) -> None:
    assert too_few(percent, floor - 1)
    assert not too_few(percent, floor)
    assert percent in FLOORS
