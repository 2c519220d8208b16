from __future__ import annotations

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.compact import compact
from tests.metrics.fakes import FakeRun


def test_compacted_deltas_say_the_same() -> None:
    run = FakeRun(seconds=20, storm=(8, 12), warmup_s=3.0, saturated=(10, 15))
    plain, short = Aggregate(run.layout), Aggregate(run.layout)
    for second in range(1, 21):
        deltas = run.deltas(second)
        merged = compact(deltas)
        assert len(merged) == run.workers
        for delta in deltas:
            plain.fold(delta)
        for delta in merged:
            short.fold(delta)
        assert short.second(run.situation(second)) == plain.second(run.situation(second))
    left, right = plain.metrics_total(17.0), short.metrics_total(17.0)
    for key, value in left.items():
        if key.endswith("_ms") and value and "hdr" in value:
            assert right[key]["hdr"] == value["hdr"]
        elif key not in ("phases_ms", "rate_limit"):
            assert right[key] == value
    assert plain.checks == short.checks
    assert plain.saturation.warnings() == short.saturation.warnings()
    assert plain.workers.users_max == short.workers.users_max
