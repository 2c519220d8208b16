"""Tests of agenttop.export.prometheus, agenttop.export.exposition: what is scraped is what the summary will say."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from agenttop.export.exposition import Family, exposition
from agenttop.export.prometheus import BOUNDS, MAX_REQUESTS, buckets, scrape
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.histogram import Hist, fold
from agenttop.metrics.layout import RequestInfo
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.snapshot import Trust
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_escaping import HOSTILE


def read(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Samples by name, as Prometheus' own client reads them."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((dict(sample.labels), sample.value))
    return found


def of(run: FakeRun) -> dict[str, list[tuple[dict[str, str], float]]]:
    aggregate = run.aggregate()
    return read(scrape(aggregate, run.info(), aggregate.snapshot(run.situation(run.seconds))))


@pytest.mark.parametrize("run", [FakeRun(), FakeRun(seconds=20, warmup_s=5.0)])
def test_sums_are_the_summarys(run: FakeRun) -> None:
    found, totals = of(run), summary_of(run)["totals"]
    outcomes: Counter[str] = Counter()
    for labels, value in found["agenttop_requests_total"]:
        outcomes[labels["outcome"]] += int(value)
    assert {name: count for name, count in outcomes.items() if count} == totals["outcomes"]
    finished = sum(n for name, n in outcomes.items() if name not in ("cancelled", "budget_refused"))
    assert finished == totals["requests"]
    assert sum(value for _, value in found["agenttop_attempts_total"]) == totals["attempts"]
    for metric, key in (("request_duration", "latency_ms"), ("time_to_first_token", "ttft_ms")):
        count = sum(value for _, value in found[f"agenttop_{metric}_seconds_count"])
        total = sum(value for _, value in found[f"agenttop_{metric}_seconds_sum"])
        assert count == totals[key]["count"]
        assert total == pytest.approx(totals[key]["mean"] * totals[key]["count"] / 1000)
    output = sum(value for labels, value in found["agenttop_tokens_total"] if labels["type"] == "output")
    assert output == totals["tokens"]["output"]


def test_one_request_is_one_of_its_summary() -> None:
    run = FakeRun()
    found, told = of(run), summary_of(run)["requests"]["chat/simple"]
    mine = {"pool": "chat", "request": "simple"}
    (ok,) = [v for labels, v in found["agenttop_requests_total"] if labels == mine | {"outcome": "ok"}]
    assert ok == told["ok"]


def test_buckets_count_what_is_at_most_as_large() -> None:
    hist = Hist()
    times_s = [0.0005, 0.0015, 0.05, 0.050_01, 3.0, 700.0, 3599.0]
    hist.add(fold(array("q", [round(t * 1e9) for t in times_s])))
    for bound, reached in buckets(hist):
        # A record is kept to three digits, so that one just beyond a bound may count under it.
        assert reached == sum(t <= bound * 1.001 for t in times_s), bound
    assert [reached for _, reached in buckets(Hist())] == [0] * len(BOUNDS)


def test_gauges_are_the_snapshots() -> None:
    run = FakeRun()
    aggregate = run.aggregate()
    snapshot = aggregate.snapshot(run.situation(30))
    found = read(scrape(aggregate, run.info(), snapshot))
    assert [(labels["pool"], value) for labels, value in found["agenttop_users"]] == [
        (pool.name, pool.users) for pool in snapshot.pools
    ]
    assert found["agenttop_run_info"] == [
        ({"id": "20260105-120000-peak", "name": "peak", "target": run.info().target}, 1)
    ]
    assert "agenttop_users" not in read(scrape(aggregate, run.info(), None))


@pytest.mark.parametrize(("grade", "value"), [("ok", 0), ("late", 0), ("saturated", 1)])
def test_a_generator_is_saturated_by_its_grade(grade: str, value: float) -> None:
    run = FakeRun(seconds=2)
    aggregate = run.aggregate()
    snapshot = aggregate.snapshot(run.situation(2))
    generator = msgspec.structs.replace(snapshot.generator, saturated=grade != "ok", trust=Trust(grade))
    found = read(scrape(aggregate, run.info(), msgspec.structs.replace(snapshot, generator=generator)))
    assert found["agenttop_generator_saturated"] == [({}, value)]


def test_labels_are_bounded() -> None:
    run = FakeRun(seconds=2)
    many = tuple(RequestInfo(0, f"r{at}") for at in range(1000))
    layout = msgspec.structs.replace(run.layout, requests=many)
    aggregate = Aggregate(layout)
    for delta in run.deltas(1):
        leaves = [msgspec.structs.replace(leaf, request=leaf.request + 900) for leaf in delta.leaves]
        aggregate.fold(msgspec.structs.replace(delta, leaves=leaves, errors=[]))
    aggregate.second(run.situation(1))
    found = read(scrape(aggregate, run.info(), None))
    attempts = found["agenttop_attempts_total"]
    assert len(attempts) == MAX_REQUESTS + 1
    assert attempts[-1][0] == {"pool": "(other)", "request": "(other)"}
    assert sum(value for _, value in attempts) == aggregate.total().sums["attempts"] > 0
    assert len(found["agenttop_requests_total"]) <= (MAX_REQUESTS + 1) * len(Outcome)


@pytest.mark.parametrize("text", [*HOSTILE, 'a"b\\c', "x\ny"])
def test_any_label_is_read_as_it_was(text: str) -> None:
    family = Family("m", "gauge", "h")
    family.add(1.5, {"name": text, "plain": "p"})
    found: Any = read(exposition([family]))["m"]
    assert len(found) == 1
    assert found[0][0]["plain"] == "p"
    assert found[0][1] == 1.5
    assert exposition([Family("none", "counter", "h")]) == ""
