"""What a page shows beside a summary."""

from __future__ import annotations

from pathlib import Path

from agenttop.journal.beside import beside
from agenttop.journal.journal import FILE_NAME, JournalWriter
from agenttop.journal.summarize import run_header
from agenttop.metrics.snapshot import Event
from agenttop.report.files import Asked
from tests.metrics.fakes import FakeRun


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


def test_without_a_journal_there_is_what_the_summary_has(tmp_path: Path) -> None:
    found = beside(tmp_path, {"profile": {"a": None}})
    assert (found.events, found.profile) == ((), "")
    (tmp_path / FILE_NAME).write_text("something else")
    assert beside(tmp_path, {"profile": {}}).events == ()
