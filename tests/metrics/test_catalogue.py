"""Tests of agenttop.metrics.catalogue, agenttop.metrics.counts, agenttop.metrics.formulas.

A metric is one row: whatever has to know all of them is made of the catalogue.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import agenttop
from agenttop.metrics.catalogue import CATALOGUE, COUNTERS, DISTRIBUTIONS, Place
from agenttop.thresholds.catalogue import METRICS
from tests.metrics.fakes import FakeRun

REPOSITORY = Path(__file__).parents[2]
#: What there is to write for a new distribution and a new counter: by file, what stands there and what follows it.
NEW = {
    "metrics/catalogue.py": [
        (
            "    tpot: Annotated[Durations, Distribution("
            '"Time per output token after the first.", "Per output token")]\n',
            '    queue_wait: Annotated[Durations, Distribution("Time in a queue.", "Queue wait", live=True)]\n',
        ),
        (
            '    connections_reused: Annotated[int, Counter("", Place.TRAFFIC)]\n',
            '    cache_hits: Annotated[int, Counter("Answers from a cache.", Place.TRAFFIC)]\n',
        ),
    ],
    "users/record.py": [
        (
            "    scheduled, user.scheduled_ns = user.scheduled_ns, 0\n",
            "    leaf.queue_wait.append(latency // 2)\n    leaf.cache_hits += 1\n",
        ),
    ],
}


def test_a_new_distribution_and_a_new_counter_are_two_files(tmp_path: Path) -> None:
    """A row and a line each, from the recorder to the summary of a journal, the live window, the schema, the report and
    the thresholds."""
    package = tmp_path / "agenttop"
    shutil.copytree(Path(agenttop.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in NEW.items():
        text = (package / name).read_text(encoding="utf-8")
        for before, after in changes:
            assert text.count(before) == 1, (name, before)
            text = text.replace(before, before + after)
        (package / name).write_text(text, encoding="utf-8")
    assert len(NEW) <= 3
    (tmp_path / "run").mkdir()
    # -P: not the working directory's package, but the copy.
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "tests.metrics.followed", str(tmp_path / "run")],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert found["package"] == str(package)
    assert found["delta"] == [3, 3]
    assert found["live"] == 3
    for where in ("totals", "stage"):
        dist, hits = found[where]
        assert (dist["count"], hits) == (3, 3)
        assert 0 < dist["min"] <= dist["p95"] <= dist["max"]
    assert found["journal"] == [6, 6], "two deltas of one second, put together"
    assert found["schema"] == ["Time in a queue.", "Answers from a cache."]
    assert found["verdicts"] == ["fail", "pass", "fail"]
    assert "Queue wait" in found["text"]


def test_every_row_says_what_it_is_or_stands_in_a_table_that_does() -> None:
    plain = {name for name, row in CATALOGUE.items() if not row.what}
    assert plain == {"bytes_sent", "bytes_received", "iterations"} | {
        name for name in COUNTERS if name.startswith("connections_")
    }


def test_what_has_a_name_in_the_summary_can_be_judged() -> None:
    total = FakeRun(seconds=4).aggregate().metrics_total(4.0)
    assert {f"{name}_ms" for name, row in DISTRIBUTIONS.items() if row.place is Place.OWN} <= set(total)
    assert {name for name, row in COUNTERS.items() if row.place is not Place.BLOCK} <= set(total)
    assert {*DISTRIBUTIONS} <= set(METRICS)
    assert {name for name, row in COUNTERS.items() if row.judged or row.place is not Place.BLOCK} <= set(METRICS)
