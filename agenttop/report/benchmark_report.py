"""Renders a run as a Benchmark Report v0.2 of llm-d-benchmark, beside those made of other tools' results.

Its schema (``br_v0_2_json_schema.json`` of github.com/llm-d/llm-d-benchmark) allows no key of its own making; the
profile stands under ``scenario.load.native.config``. Times are in seconds. Its gap between tokens is our gap between
chunks, and its lengths are means, for no summary has their distribution.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from agenttop.metrics.histogram import hdr_percentiles

VERSION = "0.2"
_PERCENTILES = {
    "p0p1": 0.1, "p1": 1.0, "p5": 5.0, "p10": 10.0, "p25": 25.0, "p50": 50.0, "p75": 75.0, "p90": 90.0, "p95": 95.0,
    "p99": 99.0, "p99p9": 99.9,
}  # fmt: skip
_US_PER_MS = 1000.0


def report_yaml(summary: Mapping[str, Any]) -> str:
    """Return a run as the YAML text of a Benchmark Report."""
    return "\n".join(_yaml(benchmark_report(summary))) + "\n"


def benchmark_report(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run as a Benchmark Report; keys without a value are left out."""
    run, totals = summary["run"], summary["totals"]
    return {
        "version": VERSION,
        "run": {
            "uid": run["id"],
            "time": _some(start=run["started_at"], end=run["ended_at"], duration=f"PT{run['duration_s']:.3f}S"),
            "description": run["name"],
        },
        **_scenario(summary),
        "results": {
            "request_performance": {
                "aggregate": {
                    "requests": _some(
                        total=totals["requests"] + totals["cancelled"],
                        failures=totals["failed"],
                        incomplete=totals["cancelled"],
                        input_length=_mean("count", _each(totals["tokens"], "input")),
                        output_length=_mean("count", _each(totals["tokens"], "output")),
                    ),
                    "latency": _some(
                        time_to_first_token=_statistics("s", totals["ttft_ms"]),
                        time_per_output_token=_statistics("s/token", totals["tpot_ms"]),
                        inter_token_latency=_statistics("s/token", totals["inter_chunk_ms"]),
                        request_latency=_statistics("s", totals["latency_ms"]),
                    ),
                    "throughput": _throughput(run, totals),
                }
            }
        },
    }


def _scenario(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the load. The schema has none without the length of inputs: where no answer told that, there is none."""
    run, totals = summary["run"], summary["totals"]
    length = _each(totals["tokens"], "input")
    if length is None or length < 1:
        return {}
    standardized = {
        "tool": "agenttop",
        "tool_version": run["agenttop_version"],
        "source": "sampled",
        "input_seq_len": {"distribution": "other", "value": round(length, 3)},
        **_steady(summary),
    }
    metadata = {"cfg_id": summary["profile_sha256"], "description": run["name"]}
    load = {"metadata": metadata, "standardized": standardized, "native": {"config": summary["profile"]}}
    return {"scenario": {"load": load}}


def _steady(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rate or the users of a run that had one level all the time; nothing of any other."""
    levels = {(stage["unit"], stage[end]) for stage in summary["stages"] for end in ("target_start", "target_end")}
    if len(levels) != 1 or summary["controls"]:
        return {}
    ((unit, level),) = levels
    if unit == "users":
        return {"concurrency": int(level)} if level >= 1 else {}
    return {"rate_qps": float(level)} if level > 0 else {}


def _throughput(run: Mapping[str, Any], totals: Mapping[str, Any]) -> dict[str, Any]:
    seconds, tokens = run.get("measured_s") or 0.0, totals["tokens"]
    per_s = {name: tokens[name] / seconds for name in ("input", "output") if seconds and tokens[name] is not None}
    return _some(
        request_rate=_mean("queries/s", totals["rps"]),
        input_token_rate=_mean("tokens/s", per_s.get("input")),
        output_token_rate=_mean("tokens/s", per_s.get("output")),
        total_token_rate=_mean("tokens/s", sum(per_s.values()) if len(per_s) == 2 else None),
    )


def _each(tokens: Mapping[str, Any], kind: str) -> float | None:
    """Return the tokens of a request that told any, on average; None where none did."""
    told = tokens.get("told_requests")
    return tokens[kind] / told if told and tokens[kind] is not None else None


def _statistics(units: str, dist: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return a DIST in ms as the report has statistics, in seconds; None without a record."""
    if dist is None:
        return None
    values = zip(_PERCENTILES, hdr_percentiles(dist["hdr"], _PERCENTILES.values()), strict=True)
    low, high = dist["min"], dist["max"]
    found = {name: min(max(value / _US_PER_MS, low), high) for name, value in values}
    found = {"mean": dist["mean"], "stddev": dist["stddev"], "min": low, **found, "max": high}
    return {"units": units, **{name: round(value / 1000, 9) for name, value in found.items()}}


def _mean(units: str, value: float | None) -> dict[str, Any] | None:
    return None if value is None else {"units": units, "mean": round(value, 6)}


def _some(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _yaml(table: Mapping[str, Any], depth: int = 0) -> Iterator[str]:
    """Yield the lines of a table in block style. Whatever is not a table is written as JSON, which is YAML too."""
    indent = "  " * depth
    for key, value in table.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_key(key)}:"
            yield from _yaml(value, depth + 1)
        else:
            yield f"{indent}{_key(key)}: {_flow(value)}"


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() and key.lower() not in _WORDS else _flow(key)


def _flow(value: Any) -> str:
    """Return a value as JSON without the characters that YAML does not allow as they are."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


#: YAML 1.2, 5.1, and what YAML 1.1 takes for the end of a line.
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
#: What YAML 1.1 takes for something else than text.
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
