from __future__ import annotations

from array import array

import msgspec

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.compact import compact
from agenttop.metrics.delta import Delta, Health, Network
from agenttop.metrics.histogram import fold
from tests.metrics.fakes import FakeRun
from tests.metrics.strain import strained


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


def test_what_is_measured_once_a_second_is_kept() -> None:
    network = Network(28_232, 40, 12, "eth0", 20.0, 1_000)
    late = fold(array("q", [9_000_000]))
    first = Delta(0, 1, 0.5, [], [], [], {}, [], 0.0, Health(None, 10.0, 50.0, 20, 1_024, late, 5, network))
    newer = Health(None, 20.0, 51.0, 30, 2_048, late, 6)
    (whole,) = compact([first, msgspec.structs.replace(first, seq=2, t_s=0.75, health=newer)])
    health = whole.health
    assert (health.cpu_percent, health.open_files, health.file_limit, health.connections) == (15.0, 30, 2_048, 6)
    assert health.network == network
    assert health.arrival_lag is not None
    assert health.arrival_lag.count == 2


def test_the_longest_turn_is_kept() -> None:
    deltas = [strained(float(second)) for second in range(3)]
    health = msgspec.structs.replace(deltas[1].health, longest_turn_ms=180.0, turn_of="flood")
    deltas[1] = msgspec.structs.replace(deltas[1], health=health)
    (one,) = compact(deltas)
    assert (one.health.longest_turn_ms, one.health.turn_of) == (180.0, "flood")


def test_connections_are_added() -> None:
    one = msgspec.structs.replace(strained(1.0), addresses={"192.0.2.1:80": 2})
    other = msgspec.structs.replace(strained(1.5), addresses={"192.0.2.1:80": 3, "[::1]:80": 1})
    layout = FakeRun().layout
    (whole,) = compact([one, other])
    assert whole.addresses == {"192.0.2.1:80": 5, "[::1]:80": 1}
    aggregate = Aggregate(layout)
    aggregate.fold(whole)
    assert dict(aggregate.workers.addresses) == whole.addresses
