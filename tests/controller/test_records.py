from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.ending import End
from agenttop.controller.records import Records
from agenttop.controller.spec import RunSpec
from agenttop.journal.figures import Figures
from agenttop.journal.journal import JournalWriter, Second, read_header, read_journal, rebuild
from agenttop.journal.rules import Rules
from agenttop.metrics.snapshot import Event
from agenttop.profile.load import load_profile
from agenttop.report.summary import load_summary, write_summary
from agenttop.steering.plan import Plan
from tests.metrics.fakes import FakeRun
from tests.steering.plans import STAGES, TASK

RUN = FakeRun(seconds=8, storm=None)


def records_of(folder: Path, out: str | None = None) -> Records:
    file = folder / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "chat"\n{TASK}')
    loaded = load_profile(file, env={})
    spec = RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256, out=out)
    records = Records(spec, Plan(loaded.profile, RUN.layout), Figures(RUN.layout, Rules()))
    records.open()
    return records


def test_what_a_full_disk_did_not_take_is_with_the_next_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = records_of(tmp_path)
    control = {"t_s": 3.5, "command": "hold", "pool": None, "from": "running", "to": "held", "source": "key"}
    controls: list[dict[str, Any]] = []
    said = []
    search: dict[str, Any] = {
        "unit": "users",
        "pool": None,
        "good": 0.99,
        "confidence": 0.95,
        "steps": [],
        "stopped": "",
    }
    search |= {"capacity": None, "lower": None, "upper": None, "limited_by": None}
    for second in range(1, 9):
        with monkeypatch.context() as full:
            if 3 <= second <= 5:
                full.setattr(JournalWriter, "_append", no_space)
            for delta in RUN.deltas(second):
                records.fold(delta)
            if second == 4:
                controls = [control]
                records.gone(1)
                records.replan(Plan(records._spec.profile, RUN.layout))
            said.append(
                records.second(
                    RUN.situation(second),
                    controls=controls,
                    events=[Event(float(second), "info", str(second))],
                    search=search if second == 4 else None,
                    spans={0: (0.0, float(second))} if second <= 4 else {},
                )
            )
    assert records._journal is not None
    records._journal.close()
    assert said == ["", "", "No space left on device", "", "", "", "", ""], "once"
    assert read_header(tmp_path).rules == Rules()
    written = {record.situation.t_s: record for record in read_journal(tmp_path) if isinstance(record, Second)}
    assert sorted(written) == [1.0, 2.0, 6.0, 7.0, 8.0]
    assert [event.text for event in written[6.0].events] == ["3", "4", "5", "6"]
    assert [record.gone for record in written.values()] == [[], [], [1], [], []]
    assert [record.search for record in written.values()] == [None, None, search, None, None]
    assert [record.edited is not None for record in written.values()] == [False, False, True, False, False]
    summary = rebuild(tmp_path)
    whole = RUN.aggregate().metrics_total(8.0)
    for key in ("requests", "ok", "outcomes", "iterations", "bytes_received"):
        assert summary["totals"][key] == whole[key]
    # Four seconds are one now, and its rate is theirs.
    assert summary["timeline"]["rps"][2] == pytest.approx(sum(requests(second) for second in range(3, 7)) / 4, abs=1e-3)
    assert summary["controls"] == [control]
    assert summary["stages"][0]["end_s"] == 4.0


def no_space(_: JournalWriter, __: bytes) -> None:
    raise OSError(28, "No space left on device")


def requests(second: int) -> int:
    return sum(sum(leaf.outcomes.values()) for delta in RUN.deltas(second) for leaf in delta.leaves)


def finish(records: Records, end: End) -> tuple[str, End]:
    summary = records.summary(duration_s=2.0, sending_ended_s=2.0, end=end, stage_spans=[], controls=[])
    return records.finish(summary, end)


OWN, OUT = "summary.json", "out.json"
KEPT = "the end of the run is not in its journal: No space left on device"


@pytest.mark.parametrize("exit_code", [0, 1, 99, 130])
@pytest.mark.parametrize("full", [(), (OWN,), (OUT,), (OWN, OUT)], ids=str)
@pytest.mark.parametrize("journal", [True, False])
def test_what_could_not_be_written_is_in_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exit_code: int, full: tuple[str, ...], journal: bool
) -> None:
    records = records_of(tmp_path, out=str(tmp_path / OUT))
    records.second(RUN.situation(1), controls=[], events=[])
    if not journal:
        with monkeypatch.context() as context:
            context.setattr(JournalWriter, "_append", no_space)
            assert "No space" in records.second(RUN.situation(2), controls=[], events=[])

    def write(place: str, summary: dict[str, Any]) -> None:
        if Path(place).name in full:
            raise OSError(28, "No space left on device")
        write_summary(place, summary)

    monkeypatch.setattr("agenttop.controller.records.write_summary", write)
    path, end = finish(records, End("completed", exit_code, "mine"))
    lacks = [
        f"cannot write the summary to {tmp_path / name}: No space left on device" for name in (OWN, OUT) if name in full
    ]
    lacks += [] if journal else [KEPT]
    assert end.exit_code == (exit_code or bool(lacks))
    assert end.message == "; ".join(["mine", *lacks])
    assert path == ("" if OWN in full else str(tmp_path / OWN))
    for name in {OWN, OUT} - set(full):
        run = load_summary(tmp_path / name)["run"]
        assert (run["exit_code"], run["message"]) == (end.exit_code, end.message)


def test_a_summary_that_is_written_says_nothing(tmp_path: Path) -> None:
    records = records_of(tmp_path)
    records.second(RUN.situation(1), controls=[], events=[])
    assert finish(records, End()) == (str(tmp_path / OWN), End())
    assert "message" not in load_summary(tmp_path / OWN)["run"]


def test_a_run_has_started_when_its_load_began(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = records_of(tmp_path)
    monkeypatch.setattr("agenttop.controller.records._now", lambda: "2030-01-01T00:00:07Z")
    records.begin_anew()
    info = records.describe(())
    assert info is not None
    assert info.started_at == read_header(tmp_path).info.started_at == "2030-01-01T00:00:07Z"
    assert records._journal is not None
    records._journal.close()
