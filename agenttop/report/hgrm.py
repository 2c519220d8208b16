"""Renders distributions in HdrHistogram's percentile format (``.hgrm``), which its plotter reads, a text a metric.

The values are those of the summary's ``hdr`` in ms, or s where the metric is in s; the counts are exact.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from hdrh.histogram import HdrHistogram

from agenttop.metrics.catalogue import OWN_DISTRIBUTIONS

_US_PER_MS = 1000.0
_US_PER_S = 1_000_000.0
_TICKS = 5


def report_hgrm(summary: Mapping[str, Any]) -> dict[str, str]:
    """Return the text of each metric of the whole run that has a record, by its name."""
    totals = summary["totals"]
    found = {name: (totals.get(f"{name}_ms"), _US_PER_MS) for name in OWN_DISTRIBUTIONS}
    found |= {f"phase.{name}": (dist, _US_PER_MS) for name, dist in totals["phases_ms"].items()}
    found |= {"unattributed": (totals["unattributed_ms"], _US_PER_MS)}
    found |= {"retry_after": (totals["rate_limit"]["retry_after_s"], _US_PER_S)}
    return {name: _text(dist, per_unit) for name, (dist, per_unit) in found.items() if dist}


def _text(dist: Mapping[str, Any], per_unit: float) -> str:
    """Return the lines of one distribution; its mean, deviation and maximum are the exact ones."""
    histogram = HdrHistogram.decode(dist["hdr"])
    out = io.BytesIO()
    histogram.output_percentile_distribution(out, per_unit, _TICKS)
    lines = [line for line in out.getvalue().decode().split("\n") if not line.startswith("#")]
    return "\n".join(lines) + (
        f"#[Mean    = {dist['mean']:12.3f}, StdDeviation   = {dist['stddev']:12.3f}]\n"
        f"#[Max     = {dist['max']:12.3f}, Total count    = {dist['count']:12d}]\n"
        f"#[Buckets = {histogram.bucket_count:12d}, SubBuckets     = {histogram.sub_bucket_count:12d}]\n"
    )
