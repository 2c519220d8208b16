"""A run as a Benchmark Report v0.2.

``SCHEMA`` says of the published one what it says of the keys that are written here: their types, which are required,
that there are no others, and the units of each figure.
"""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import yaml

from agenttop.report.benchmark_report import report_yaml
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun
from tests.report.test_escaping import HOSTILE
from tests.report.test_text import full


def closed(required: str = "", **properties: Any) -> dict[str, Any]:
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return found | {"required": required.split()}


def statistics(*units: str) -> dict[str, Any]:
    names = ["mean", "mode", "min", "p0p1", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "p99p9", "max"]
    figures = dict.fromkeys(names, NUMBER) | {"stddev": {"type": "number", "minimum": 0}}
    return closed("units mean", units={"enum": list(units)}, **figures)


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
COUNT = {"type": "integer", "minimum": 0}
PER_S = statistics("tokens/s")
SCHEMA = closed(
    "run results",
    version={"const": "0.2"},
    run=closed(
        "uid", uid=TEXT, eid=TEXT, description=TEXT, time=closed(start=TEXT, end=TEXT, duration=TEXT), user=TEXT
    ),
    scenario=closed(
        load=closed(
            "metadata standardized native",
            metadata=closed(schema_version=TEXT, cfg_id=TEXT, description=TEXT),
            standardized=closed(
                "tool tool_version source input_seq_len",
                tool=TEXT,
                tool_version=TEXT,
                source={"enum": ["random", "sampled", "unknown"]},
                input_seq_len=closed(
                    "distribution value",
                    distribution={"enum": ["fixed", "gaussian", "random", "other"]},
                    value={"type": "number", "minimum": 1},
                ),
                rate_qps={"type": "number", "exclusiveMinimum": 0},
                concurrency={"type": "integer", "minimum": 1},
            ),
            native=closed(config={}),
        )
    ),
    results=closed(
        request_performance=closed(
            aggregate=closed(
                requests=closed(
                    "total",
                    total=COUNT,
                    failures=COUNT,
                    incomplete=COUNT,
                    input_length=statistics("count"),
                    output_length=statistics("count"),
                ),
                latency=closed(
                    time_to_first_token=statistics("ms", "s"),
                    time_per_output_token=statistics("ms/token", "s/token"),
                    inter_token_latency=statistics("ms/token", "s/token"),
                    request_latency=statistics("ms", "s"),
                ),
                throughput=closed(
                    request_rate=statistics("queries/s"),
                    input_token_rate=PER_S,
                    output_token_rate=PER_S,
                    total_token_rate=PER_S,
                ),
            )
        )
    ),
)


def read(summary: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(report_yaml(summary))
    jsonschema.validate(found, SCHEMA)
    return found


def test_its_figures_are_the_summarys() -> None:
    summary = full()
    summary["totals"] |= {"cancelled": 3}
    found = read(summary)["results"]["request_performance"]["aggregate"]
    totals = summary["totals"]
    requests = found["requests"]
    assert (requests["failures"], requests["incomplete"]) == (totals["failed"], 3)
    assert requests["total"] - requests["failures"] - requests["incomplete"] == totals["ok"]
    for name, key in (("request_latency", "latency_ms"), ("time_to_first_token", "ttft_ms")):
        for mine, theirs in (("mean", "mean"), ("p50", "p50"), ("p95", "p95"), ("p99p9", "p99_9"), ("max", "max")):
            assert found["latency"][name][mine] == pytest.approx(totals[key][theirs] / 1000, rel=1e-5), (name, mine)
    assert found["throughput"]["request_rate"]["mean"] == totals["rps"]
    assert requests["output_length"]["mean"] * totals["tokens"]["told_requests"] == pytest.approx(
        totals["tokens"]["output"], rel=1e-4
    )


def test_what_was_not_measured_is_left_out() -> None:
    found = read(summary_of(FakeRun(seconds=3, warmup_s=9.0)))
    assert "scenario" not in found
    assert found["results"]["request_performance"]["aggregate"]["latency"] == {}


def test_a_steady_load_is_told() -> None:
    summary = full()
    summary["stages"] = summary["stages"][1:2]
    assert read(summary)["scenario"]["load"]["standardized"]["concurrency"] == 60
    summary["stages"][0] |= {"unit": "rate", "target_start": 2.5, "target_end": 2.5}
    assert read(summary)["scenario"]["load"]["standardized"]["rate_qps"] == 2.5
    assert "concurrency" not in read(full())["scenario"]["load"]["standardized"]


@pytest.mark.parametrize("text", [*HOSTILE, "yes", "1e3", "\x7f\x85\ufeff\u2028", "a: b # c", "- x", "😀"])
def test_any_text_comes_back_as_it_was(text: str) -> None:
    summary = copy.deepcopy(full())
    summary["profile"] = {"name": text, "y": [text, None, True, 0.5], text: {"on": {}}, "stages": {"a b": {text: 1}}}
    if "\ud800" in text:
        report_yaml(summary)  # half a character: no text of any file
        return
    config = read(summary)["scenario"]["load"]["native"]["config"]
    assert config == summary["profile"]
