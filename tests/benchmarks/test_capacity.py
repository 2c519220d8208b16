"""What the staircase of load says of a step."""

from __future__ import annotations

from typing import Any

import pytest

from agenttop.metrics.delta import Delta, Health
from agenttop.metrics.saturation import Saturation
from tests.benchmarks.capacity import first_warned_s, timing_error


def summary(probe: float | None, lag: float | None) -> dict[str, Any]:
    return {
        "pools": {"probe": {"unattributed_ms": None if probe is None else {"p99": probe}}},
        "totals": {"schedule_lag_ms": None if lag is None else {"p99": lag}},
    }


@pytest.mark.parametrize(
    ("probe", "lag", "error"), [(1.5, None, 1.5), (1.5, 7.0, 7.0), (9.0, 7.0, 9.0), (None, None, 0.0)]
)
def test_the_error_is_the_worse_of_probe_and_lateness(probe: float | None, lag: float | None, error: float) -> None:
    assert timing_error(summary(probe, lag)) == error


def test_when_it_was_first_said() -> None:
    # As the program words them: of what it measured of a worker that was busy from its twelfth second on.
    saturation = Saturation()
    for second in range(1, 30):
        saturation.observe(fake_delta(second, 95.0 if second > 11 else 5.0))
        saturation.judge(float(second))
    assert first_warned_s(saturation.warnings()) == pytest.approx(13.0, abs=3.0)
    assert first_warned_s([]) is None


def fake_delta(second: int, cpu_percent: float) -> Delta:
    return Delta(0, second, float(second), [], [], [], {}, [], 0.0, Health(None, cpu_percent, 0.0, 0))
