from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agenttop.controller.records import Records
from agenttop.controller.spec import RunSpec
from agenttop.journal.journal import JournalWriter, rebuild
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.snapshot import Event
from agenttop.profile.load import load_profile
from agenttop.steering.plan import Plan
from tests.metrics.fakes import FakeRun
from tests.steering.plans import STAGES, TASK

RUN = FakeRun(seconds=8, storm=None)


def records_of(folder: Path) -> Records:
    file = folder / "p.toml"
    file.write_text(f'target = "http://127.0.0.1:1"\n{STAGES}[[pools]]\nname = "chat"\n{TASK}')
    loaded = load_profile(file, env={})
    spec = RunSpec("id", str(folder), loaded.profile, "p.toml", loaded.masked, (), loaded.sha256)
    return Records(spec, Plan(loaded.profile, RUN.layout), Aggregate(RUN.layout))


def test_what_a_full_disk_did_not_take_is_with_the_next_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    records = records_of(tmp_path)
    control = {"t_s": 3.5, "command": "hold", "pool": None, "from": "running", "to": "held", "source": "key"}
    controls: list[dict[str, Any]] = []
    for second in range(1, 9):
        with monkeypatch.context() as full:
            if 3 <= second <= 5:
                full.setattr(JournalWriter, "_append", no_space)
            controls = [control] if second >= 4 else []
            events = [Event(float(second), "info", str(second))]
            told: dict[str, Any] = {"controls": controls, "events": events, "gone": [1] if second == 4 else []}
            told["spans"] = {0: (0.0, float(second))} if second <= 4 else {}
            try:
                records.second(RUN.situation(second), RUN.deltas(second), **told)
            except OSError:
                assert 3 <= second <= 5
            else:
                assert second not in (3, 4, 5)
    records._journal.close()
    summary = rebuild(tmp_path)
    whole = RUN.aggregate().metrics_total(8.0)
    assert summary["timeline"]["t_s"] == [1.0, 2.0, 6.0, 7.0, 8.0]
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
