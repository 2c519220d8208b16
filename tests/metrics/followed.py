"""Follows two metrics that are made up, ``queue_wait`` and ``cache_hits``, from an answer to everything that is told of
it. Run by ``test_catalogue`` as a process of its own, whose ``agenttop`` is a copy that has a row for each.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

import agenttop
from agenttop.journal.journal import JournalWriter, rebuild
from agenttop.journal.summarize import run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.delta import Delta, Health
from agenttop.metrics.live import percentiles
from agenttop.metrics.run_state import RunState
from agenttop.metrics.snapshot import RunInfo
from agenttop.report.summary import check_summary, summary_schema
from agenttop.report.text import render_text
from agenttop.thresholds.expression import parse_threshold
from agenttop.thresholds.judge import Judge, Rule
from tests.users.playing import Play, Script, ended, playing, profile
from tests.wire.server import ok

THRESHOLDS = ("queue_wait p95 < 1us", "cache_hits count > 2", "cache_hits rate > 100")


async def follow(folder: Path) -> dict[str, Any]:
    """One user, three answers; return what every place on the way has of the two."""
    text = profile('get = "/"\nchecks = { fine = "status == 200" }')
    script = Script(ok(b"a"), ok(b"b"), ok(b"c"))
    async with playing(folder, text, script) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
        leaf = Play(layout, recorder).only
    delta = Delta(0, 1, 0.5, [leaf], [], [], {}, [], 0.0, Health(None, 1.0, 1.0, 1))
    delta = msgspec.msgpack.decode(msgspec.msgpack.encode(delta), type=Delta)
    aggregate = Aggregate(layout)
    judge = Judge([Rule(text, parse_threshold(text)) for text in THRESHOLDS], layout)
    aggregate.fold(delta)
    judge.fold(delta)
    now = RunState(1.0, state="running")
    aggregate.second(now)
    judge.second(1.0, lambda _: 1.0, sending=True, running=True)
    info = RunInfo("1", "made up", "", "", "2026-01-01T00:00:00Z", 1.0, 0.0, layout.stages, ("chat",), 0, 1, "")
    header = run_header(info, layout, {}, "")
    with JournalWriter(folder, header) as journal:
        journal.second(now, [delta, delta])
    summary = rebuild(folder)
    check_summary(summary)
    live = percentiles(aggregate.live.records("queue_wait"))
    fields = summary_schema()["$defs"]["Metrics"]["properties"]
    return {
        "package": str(Path(agenttop.__file__).parent),
        "delta": [leaf.hists["queue_wait"].count, leaf.sums["cache_hits"]],
        "live": live.count if live is not None else None,
        "totals": [aggregate.metrics_total(1.0)[key] for key in ("queue_wait_ms", "cache_hits")],
        "stage": [aggregate.metrics_stage(0, 1.0)[key] for key in ("queue_wait_ms", "cache_hits")],
        "journal": [summary["totals"]["queue_wait_ms"]["count"], summary["totals"]["cache_hits"]],
        "schema": [fields["queue_wait_ms"]["description"], fields["cache_hits"]["description"]],
        "verdicts": [verdict.verdict for verdict in judge.verdicts],
        "text": render_text(summary, color=False),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(follow(Path(sys.argv[1])))))
