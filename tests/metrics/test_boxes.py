from __future__ import annotations

from array import array

import msgspec
from hdrh.histogram import HdrHistogram
from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.boxes import LOST, UP, Boxes, BoxInfo, BoxState
from agenttop.metrics.delta import Delta, Health, LeafDelta, Network, PoolState
from agenttop.metrics.histogram import HIGHEST_US, fold
from agenttop.metrics.run_state import RunState
from tests.metrics.fakes import FakeRun

INFOS = (BoxInfo("b1", 0, 2, 3, "h1"), BoxInfo("b2", 2, 1, 2, "h2"))
LAYOUT = FakeRun(seconds=1).layout
samples = st.lists(st.integers(1_000, HIGHEST_US * 1000), max_size=40)


def delta(worker: int, latencies_ns: list[int], second: int = 0, stage: int = 0, **changes: object) -> Delta:
    """What a worker tells of one second."""
    hist = fold(array("q", latencies_ns)) if latencies_ns else None
    hists = {"latency": hist, "response_time": hist} if hist is not None else {}
    leaf = LeafDelta(0, stage, {"ok": len(latencies_ns), "cancelled": 1}, {200: len(latencies_ns)}, hists, {})
    health = Health(None, 30.0, 50.0, 20, **changes)  # type: ignore[arg-type]
    states = [PoolState(0, 3, 1)]
    return Delta(worker, 0, second + 1.0, [leaf], [], [], {}, states, 0.0, health, from_s=float(second))


@given(st.lists(st.tuples(st.integers(0, 2), samples), max_size=8))
def test_the_whole_is_bit_for_bit_what_one_box_would_have_recorded(found: list[tuple[int, list[int]]]) -> None:
    fleet, one = Aggregate(LAYOUT, boxes=INFOS), Aggregate(LAYOUT)
    for worker, latencies in found:
        fleet.fold(delta(worker, latencies))
    together = [latency for _, latencies in found for latency in latencies]
    one.fold(delta(0, together))
    for aggregate in (fleet, one):
        aggregate.second(RunState(1.0))
    of_fleet, of_one = (each.metrics_total(1.0)["latency_ms"] for each in (fleet, one))
    # Mean and deviation are sums of floats, which may differ in their last digit by the order they are added in.
    exact = {"count", "min", "max", "p50", "p75", "p90", "p95", "p99", "p99_9", "hdr"}
    assert [of_fleet and of_fleet[key] for key in exact] == [of_one and of_one[key] for key in exact]
    parts = [box["latency_ms"]["hdr"] for box in fleet.boxes.summary() if box["latency_ms"]]
    if parts:
        whole = HdrHistogram.decode(parts[0])
        for part in parts[1:]:
            whole.add(HdrHistogram.decode(part))
        assert whole.encode() == HdrHistogram.decode(of_one["hdr"]).encode()
    assert sum(box["requests"] for box in fleet.boxes.summary()) == len(together)


def test_a_second_of_each_box() -> None:
    boxes = Boxes(INFOS)
    for worker in range(3):
        boxes.fold(delta(worker, [10_000_000] * (worker + 1), network=None))
    states = (BoxState("b1", UP, 1.5, 0.75), BoxState("b2", UP, 3.0, 6.0))
    boxes.close(1.0, states, {0: (3, 1, 40.0), 1: (2, 0, 60.0), 2: (4, 2, 20.0)})
    first, second = boxes.rows
    assert (first.name, first.users, first.in_flight, first.workers, first.cpu_percent) == ("b1", 5, 1, 2, 60.0)
    assert (first.rps, second.rps) == (3.0, 3.0)
    assert (first.trip_ms, second.clock_error_ms) == (1.5, 6.0)
    assert first.latency_p95_ms is not None
    assert abs(first.latency_p95_ms - 10) < 0.01
    boxes.close(2.0, (), {0: (3, 1, 40.0)})
    assert (boxes.rows[0].rps, boxes.rows[0].workers, boxes.rows[1].workers) == (1.5, 1, 0)
    boxes.close(3.0, (BoxState("b2", LOST),), {})
    found = boxes.summary()
    assert [(box["state"], box["lost_s"]) for box in found] == [("up", None), ("lost", 3.0)]
    assert [(box["users_max"], box["cpu_percent_max"], box["clock_error_ms"]) for box in found] == [
        (5, 60.0, 0.75),
        (4, 20.0, 6.0),
    ]


def test_the_warm_up_is_in_what_is_seen_live_alone() -> None:
    boxes = Boxes(INFOS)
    boxes.fold(delta(0, [10_000_000], stage=-1))
    boxes.close(1.0, (), {})
    assert boxes.rows[0].rps == 1.0
    assert (boxes.summary()[0]["requests"], boxes.summary()[0]["latency_ms"]) == (0, None)


def test_one_machine_has_no_boxes() -> None:
    boxes = Boxes()
    assert not boxes
    assert (boxes.worker(3), boxes.machine(0), boxes.machines, boxes.rows) == ("worker 3", "", 1, ())
    assert Boxes(INFOS).worker(2) == "b2 worker 2"


def test_saturation_names_the_box_and_adds_no_ports_of_different_machines() -> None:
    aggregate = Aggregate(LAYOUT, boxes=INFOS)
    network = Network(ports=1000, sockets=10, time_wait=0)
    for second in range(5):
        for worker in range(3):
            own = delta(worker, [], second, connections=450 if worker < 2 else 990, network=network)
            aggregate.fold(own)
        aggregate.second(RunState(second + 1.0, workers=3, alive=3))
    assert aggregate.saturation.reasons == ("b2: 990 of 1 000 ephemeral ports to one address",)
    busy = Aggregate(LAYOUT, boxes=INFOS)
    for second in range(5):
        one = delta(2, [], second)
        busy.fold(msgspec.structs.replace(one, health=msgspec.structs.replace(one.health, cpu_percent=95.0)))
        busy.second(RunState(second + 1.0, workers=0))
    assert busy.saturation.reasons == ("b2 worker 2: CPU 95 % of its core (over 70 %)",)
