"""What a page shows beside a summary."""

from __future__ import annotations

from pathlib import Path

import pytest

from agenttop.journal.beside import beside, write_run
from agenttop.journal.journal import FILE_NAME, JournalWriter
from agenttop.journal.summarize import run_header
from agenttop.metrics.snapshot import Event
from agenttop.report.files import Asked
from tests.metrics.fakes import FakeRun
from tests.report.test_text import full


def test_events_are_the_journals_and_the_profile_is_toml(tmp_path: Path) -> None:
    run = FakeRun(seconds=3)
    told = [Event(1.0, "warn", "first"), Event(2.0, "info", "second")]
    with JournalWriter(tmp_path, run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)) as journal:
        for second in (1, 2):
            journal.second(run.situation(second), run.deltas(second), events=told[second - 1 : second])
    found = beside(tmp_path, {"profile": {"name": "peak", "users": 3}}, Asked(table="stages"))
    assert found.events == tuple(told)
    assert found.profile == 'name = "peak"\nusers = 3\n'
    assert found.table == "stages"
    data = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(data[:-5])
    assert beside(tmp_path, {"profile": {"a": None}}).events == (told[0],)


def test_only_a_page_reads_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = full()
    read: list[str] = []

    def note(directory: str, *_: object) -> Asked:
        read.append(directory)
        return Asked(profile="name = 'beside'")

    monkeypatch.setattr("agenttop.journal.beside.beside", note)
    for name in ("a.md", "a.csv", "a.html"):
        assert write_run(str(tmp_path / name), "run", summary, Asked(table="stages")) == [str(tmp_path / name)]
    assert read == ["run"]
    assert (tmp_path / "a.csv").read_text().startswith("index,name,pool,")
    assert "&#x27;beside&#x27;" in (tmp_path / "a.html").read_text()


def test_without_a_journal_there_is_what_the_summary_has(tmp_path: Path) -> None:
    found = beside(tmp_path, {"profile": {"a": None}})
    assert (found.events, found.profile) == ((), "")
    (tmp_path / FILE_NAME).write_text("something else")
    assert beside(tmp_path, {"profile": {}}).events == ()
