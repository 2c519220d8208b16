"""How many samples a percentile needs before it can be believed."""

from __future__ import annotations

#: By percentile: the least number of samples of which an order statistic bounds it with 99 % confidence, as MLPerf's
#: inference rules have it (https://github.com/mlcommons/inference_policies).
FLOORS = {50: 11, 90: 64, 95: 130, 99: 662, 99.9: 6_636}


def too_few(percent: float, samples: float) -> bool:
    """Return whether a percentile of so many samples is more of a guess."""
    return samples < FLOORS[percent]
