"""The slowest of a run are the slowest of its workers' slowest."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.metrics.delta import SlowRequest
from agenttop.metrics.slowest import MAX_SLOWEST, Slowest
from tests.metrics.fakes import FakeRun

TIMES = st.integers(1, 40).map(float)
ROWS = st.lists(st.tuples(TIMES, st.none() | TIMES, st.integers(0, 2)), max_size=120)


def rows_of(drawn: list[tuple[float, float | None, int]]) -> list[tuple[int, SlowRequest]]:
    """(worker, request) in the order of time; many are equally slow."""
    return [
        (worker, SlowRequest(0, 0, number / 10, latency + (ttft or 0.0), ttft, 200, f"{number:032x}"))
        for number, (latency, ttft, worker) in enumerate(drawn)
    ]


@given(ROWS, st.integers(1, 50))
def test_of_all_workers_together(drawn: list[tuple[float, float | None, int]], every: int) -> None:
    layout = FakeRun().layout
    rows = rows_of(drawn)
    workers = [Slowest() for _ in range(3)]
    whole = Slowest()
    for number, (worker, row) in enumerate(rows):
        if workers[worker].lets_in(row.latency_ms, row.ttft_ms):
            workers[worker].add(row)
        if number % every == 0:
            taken = workers[worker].take()
            assert len(taken) <= 2 * MAX_SLOWEST
            for each in taken:
                whole.add(each)
    for slowest in workers:
        for each in slowest.take():
            whole.add(each)
        assert slowest.take() == []
    told = whole.summary(layout)
    by_latency = sorted((row for _, row in rows), key=lambda row: (-row.latency_ms, row.t_s))[:MAX_SLOWEST]
    by_ttft = sorted((row for _, row in rows if row.ttft_ms), key=lambda row: (-(row.ttft_ms or 0), row.t_s))[
        :MAX_SLOWEST
    ]
    assert [row["trace_id"] for row in told["by_latency"]] == [row.trace_id for row in by_latency]
    assert [row["trace_id"] for row in told["by_ttft"]] == [row.trace_id for row in by_ttft]


def test_a_row_of_the_summary() -> None:
    slowest = Slowest()
    slowest.add(SlowRequest(5, 1, 12.34567, 880.5, None, None, "a" * 32))
    told = slowest.summary(FakeRun().layout)
    assert told["by_ttft"] == []
    assert told["by_latency"] == [
        {
            "request": "voice/response.create",
            "stage": 1,
            "t_s": 12.346,
            "latency_ms": 880.5,
            "ttft_ms": None,
            "status": None,
            "trace_id": "a" * 32,
        }
    ]


def test_either_figure_lets_a_request_in() -> None:
    slowest = Slowest()
    for number in range(MAX_SLOWEST):
        slowest.add(SlowRequest(0, 0, float(number), 100.0, 50.0, 200, f"{number}"))
    told = ((99.0, 49.0, False), (100.0, None, True), (99.0, 50.0, True), (99.0, None, False), (1.0, 60.0, True))
    for latency_ms, ttft_ms, let_in in told:
        assert slowest.lets_in(latency_ms, ttft_ms) is let_in, (latency_ms, ttft_ms)
