"""Tests of agenttop.report.summary, agenttop.report.model."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agenttop.report.summary import SummaryError, load_summary, summary_schema, write_summary
from tests.journal.test_summarize import summary_of
from tests.metrics.fakes import FakeRun


@pytest.fixture(scope="module")
def summary() -> dict[str, Any]:
    return summary_of(FakeRun(seconds=10))


def test_schema_is_one() -> None:
    schema = summary_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"].endswith("2020-12/schema")
    for name, definition in schema["$defs"].items():
        assert definition["description"], name


def test_round_trip(tmp_path: Path, summary: dict[str, Any]) -> None:
    path = tmp_path / "summary.json"
    path.write_text("old")
    write_summary(path, summary)
    assert load_summary(path) == json.loads(json.dumps(summary))
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]
    assert path.read_text().startswith('{\n"schema": "agenttop.summary/1",\n')


def test_unknown_keys_are_kept_and_nothing_is_nan(tmp_path: Path, summary: dict[str, Any]) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, summary | {"mine": math.inf, "totals": summary["totals"] | {"cost_usd": math.nan}})
    loaded = load_summary(path)
    assert loaded["mine"] is None
    assert loaded["totals"]["cost_usd"] is None
    jsonschema.Draft202012Validator(summary_schema()).validate(loaded)


def test_links_and_devices_are_written_through(tmp_path: Path, summary: dict[str, Any]) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    write_summary(tmp_path / "link.json", summary)
    assert (tmp_path / "link.json").is_symlink()
    assert load_summary(tmp_path / "real.json")["schema"] == "agenttop.summary/1"
    write_summary("/dev/null", summary)
    assert Path("/dev/null").is_char_device()


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, summary: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, summary)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="No space"):
        write_summary(path, {})
    assert load_summary(path)["schema"] == "agenttop.summary/1"
    assert [file.name for file in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "agenttop.summary/2"}', "\x00", "nonsense"])
def test_what_is_no_summary(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text)
    with pytest.raises(SummaryError, match=r"other\.json"):
        load_summary(path)


def test_the_place_of_a_fault_is_named(tmp_path: Path, summary: dict[str, Any]) -> None:
    path = tmp_path / "summary.json"
    write_summary(path, summary | {"totals": summary["totals"] | {"requests": "many"}})
    with pytest.raises(SummaryError, match=r"\$\.totals\.requests"):
        load_summary(path)
