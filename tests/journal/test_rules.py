from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from agenttop.journal.journal import JournalWriter, read_header
from agenttop.journal.rules import Rules, rules_as_written, rules_of
from agenttop.journal.summarize import run_header
from agenttop.profile.load import load_profile
from agenttop.thresholds.breaker import BreakerRule
from tests.metrics.fakes import FakeRun
from tests.steering.plans import STAGES, TASK

RUN = FakeRun(seconds=4)
TEXT = f"""target = "http://127.0.0.1:1"
thresholds = [
    "latency p95 < ${{LIMIT}}",
    "error_rate < 5%",
    {{ expression = 'requests{{stage:hold}} count > 5', window = "${{WINDOW}}" }},
    {{ expression = "ttft p(99.9) <= 2s", abort = true, delay = "3s", window = "1m", allow_empty = true }},
]
[circuit_breaker]
failed = "7%"
over = "8s"
min_requests = 3
count_429 = true
{STAGES}[[pools]]
name = "chat"
{TASK}"""
ENVIRONMENT = {"LIMIT": "271828ms", "WINDOW": "31415s"}


def test_a_header_has_them_as_they_are_but_for_values_of_the_environment(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(TEXT)
    loaded = load_profile(tmp_path / "p.toml", env=ENVIRONMENT)
    rules = rules_of(loaded.profile, loaded.masked)
    assert [rule.text for rule in rules.thresholds][:2] == ["latency p95 < ***", "error_rate < 5%"]
    assert rules.breaker == BreakerRule(0.07, 8.0, 3, True)
    kept = rules.writable(loaded.references)
    assert kept.thresholds == (rules.thresholds[1], rules.thresholds[3])
    header = run_header(RUN.info(), RUN.layout, loaded.masked, "0" * 64, kept)
    JournalWriter(tmp_path, header).close()
    assert read_header(tmp_path).rules == kept, "values, and none has to be read out of a text again"
    written = msgspec.msgpack.encode(header)
    assert b"271828" not in written
    assert msgspec.msgpack.encode(31415.0) not in written
    assert msgspec.msgpack.encode(31415.0) in msgspec.msgpack.encode(rules), "which would be seen"


def test_a_breaker_with_a_value_of_the_environment_is_not_written() -> None:
    rules = Rules((), BreakerRule(0.5, 10.0), by_level=True)
    assert rules.writable([(("circuit_breaker", "failed"), "${SHARE}")]) == Rules((), None, by_level=True)
    assert rules.writable([(("pools", 0, "name"), "${NAME}")]) == rules


def test_an_older_journal_has_a_masked_profile_alone() -> None:
    thresholds = ["error_rate < 5%", "latency p95 < ***", "latency{pool:***} p95 < 1s", {}, 5]
    thresholds.append({"expression": "ttft med < 1s", "abort": True, "window": "2s"})
    found = rules_as_written({"thresholds": thresholds, "search": {}}, RUN.layout)
    told = [(rule.text, rule.abort, rule.window_s) for rule in found.thresholds]
    assert told == [("error_rate < 5%", False, None), ("ttft med < 1s", True, 2.0)]
    assert (found.breaker, found.by_level) == (None, True)


@pytest.mark.parametrize(
    ("written", "breaker"),
    [({}, None), ({"circuit_breaker": {"over": "***"}}, None), ({"circuit_breaker": {}}, BreakerRule(0.5, 10.0))],
)
def test_so_is_the_breaker_of_one(written: dict[str, object], breaker: BreakerRule | None) -> None:
    assert rules_as_written(written, RUN.layout) == Rules((), breaker)
