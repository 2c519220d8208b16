from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from agenttop.journal.journal import JournalError, JournalWriter
from agenttop.journal.repeat import Left, NothingDriven, driven, left_by, plan_of, rewritten
from agenttop.journal.replayed_plan import NotRepeatable
from agenttop.journal.summarize import RunHeader, build_summary, run_header
from agenttop.metrics.snapshot import RunInfo
from agenttop.profile.load import load_profile
from agenttop.profile.toml import dumps
from agenttop.report.summary import write_summary
from agenttop.steering.plan import written_stages
from agenttop.users.compile import layout_of
from tests.metrics.fakes import FakeRun
from tests.steering.plans import MIXED, STAGES, TASK
from tests.steering.plans import plan_of as plan_of_text

PROFILE = (
    'target = "${URL}"\nwarmup = "3s"\n[headers]\nauthorization = "Bearer ${KEY:-none}"\nx-plain = "$${{KEY}}"\n'
    + STAGES
    + f'[[pools]]\nname = "chat"\ndata = {{ file = "rows.csv" }}\n{TASK}'
)
ENVIRONMENT = {"URL": "http://127.0.0.1:1", "KEY": "sesame-open"}
CONTROL: dict[str, Any] = {"t_s": 5.0, "command": "users 20", "pool": None, "from": 5, "to": 20, "source": "key"}


def header_of(folder: Path, text: str = PROFILE, environment: dict[str, str] = ENVIRONMENT) -> RunHeader:
    """What the journal of a run of this profile begins with."""
    (folder / "rows.csv").write_text("a\nb\n")
    (folder / "p.toml").write_text(text)
    loaded = load_profile(folder / "p.toml", env=environment)
    layout = layout_of(loaded.profile)
    info = RunInfo(
        "id", "p", "p.toml", "http://127.0.0.1:1", "2026-01-01T00:00:00Z", 30.0, loaded.profile.warmup, layout.stages,
        ("chat",), 0, 1, str(folder),
    )  # fmt: skip
    header = run_header(info, layout, loaded.masked, loaded.sha256)
    durations_s = tuple(stage.duration for stage in written_stages(loaded.profile))
    return msgspec.structs.replace(header, references=loaded.references, folder=str(folder), durations_s=durations_s)


def test_the_plan_of_a_header_is_that_of_its_profile(tmp_path: Path) -> None:
    made = plan_of(header_of(tmp_path, f'target = "http://127.0.0.1:1"\n{MIXED}'))
    plan = plan_of_text(tmp_path, MIXED)
    assert [(pool.open, pool.weight) for pool in made.pools] == [(pool.open, pool.weight) for pool in plan.pools]
    assert made.duration_s == plan.duration_s == 30.0
    for of_header, of_profile in zip(
        (made.ramp, *(pool.ramp for pool in made.pools)), (plan.ramp, *(pool.ramp for pool in plan.pools)), strict=True
    ):
        assert (of_header is None) == (of_profile is None)
        if of_header is not None and of_profile is not None:
            times = (0.0, 5.0, 9.9, 10.0, 15.0, 25.0, 99.0)
            assert [of_header.at(t) for t in times] == [of_profile.at(t) for t in times]


def test_references_stay_references_and_paths_are_found(tmp_path: Path) -> None:
    header = header_of(tmp_path)
    assert "sesame" not in msgspec.json.encode(header).decode()
    found, end_s = driven(Left(header, [CONTROL], 30.03, completed=True))
    assert end_s == 30.0
    table, notes = rewritten(header, found, end_s)
    assert notes == []
    assert table["target"] == "${URL}"
    assert table["headers"] == {"authorization": "Bearer ${KEY:-none}", "x-plain": "$${{KEY}}"}
    assert table["pools"][0]["data"]["file"] == str(tmp_path / "rows.csv")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "again.toml").write_text(dumps(table))
    again = load_profile(elsewhere / "again.toml", env=ENVIRONMENT).profile
    assert again.headers == {"authorization": "Bearer sesame-open", "x-plain": "${{KEY}}"}
    assert [(stage.duration, stage.users) for stage in again.stages] == [(5.0, 5), (25.0, 20)]


def test_what_had_no_reference_is_told(tmp_path: Path) -> None:
    header = msgspec.structs.replace(header_of(tmp_path), references=())
    found, end_s = driven(Left(header, [CONTROL], 30.0, completed=True))
    table, notes = rewritten(header, found, end_s)
    assert table["headers"]["authorization"] == "Bearer ***"
    assert notes == [
        "*** stands where the run had a secret: target",
        "*** stands where the run had a secret: headers.authorization",
    ]


def test_a_run_nobody_steered_keeps_its_stages_as_they_were_written(tmp_path: Path) -> None:
    short = PROFILE.replace(STAGES, "").replace("[headers]", 'users = 3\nduration = "30s"\n[headers]')
    for text in (PROFILE, short):
        header = header_of(tmp_path, text)
        table, _ = rewritten(header, *driven(Left(header, [], 30.05, completed=True)))
        (tmp_path / "again.toml").write_text(dumps(table))
        again = load_profile(tmp_path / "again.toml", env=ENVIRONMENT).profile
        assert again.stages == load_profile(tmp_path / "p.toml", env=ENVIRONMENT).profile.stages
    assert ("stages" in table, table["users"], table["duration"]) == (False, 3, "30s")


@pytest.mark.parametrize(
    ("ended_s", "completed", "limit_s", "end_s"),
    [(30.04, True, 30.0, 30.0), (12.34, False, 30.0, 12.34), (12.04, True, 12.0, 12.0), (7.2, True, 30.0, 7.2)],
)
def test_where_a_run_ended(tmp_path: Path, ended_s: float, completed: bool, limit_s: float, end_s: float) -> None:
    header = header_of(tmp_path)
    header = msgspec.structs.replace(header, info=msgspec.structs.replace(header.info, duration_s=limit_s))
    assert driven(Left(header, [], ended_s, completed))[1] == end_s


def test_a_run_within_its_warm_up(tmp_path: Path) -> None:
    header = header_of(tmp_path)
    table, notes = rewritten(header, *driven(Left(header, [], 2.0, completed=False)))
    assert table["warmup"] == "0s"
    assert notes == ["The run ended within its warm-up, which is left out."]
    with pytest.raises(NothingDriven):
        driven(Left(header, [], 0.0, completed=False))


@pytest.mark.parametrize("exact", [True, False])
def test_what_is_left_of_a_run_that_was_cut_off_and_of_one_that_is_over(tmp_path: Path, exact: bool) -> None:
    run = FakeRun(seconds=8, storm=None)
    header = run_header(run.info(), run.layout, {"name": "peak"}, "0" * 64)
    with JournalWriter(tmp_path, header) as journal:
        for second in range(1, 9):
            state = "running" if second <= 6 else "draining"
            now = msgspec.structs.replace(run.situation(second), state=state)
            ended = 6.2 if second > 6 and exact else None
            told = [CONTROL] if second == 5 else []
            journal.second(now, run.deltas(second), controls=told, sending_ended_s=ended)
    assert left_by(tmp_path) == Left(header, [CONTROL], 6.2 if exact else 6.0, completed=False)
    summary = build_summary(
        run.aggregate(), header, duration_s=8.5, sending_ended_s=6.25, stop_reason="completed", exit_code=0
    )
    write_summary(tmp_path / "summary.json", summary)
    assert left_by(tmp_path) == Left(header, [], 6.25, completed=True)
    (tmp_path / "summary.json").write_text("{}")
    assert left_by(tmp_path).ended_s == (6.2 if exact else 6.0)


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        left_by(tmp_path)
    (tmp_path / "journal.bin").write_bytes(b"something else")
    with pytest.raises(JournalError):
        left_by(tmp_path)


def test_a_weight_that_came_from_the_environment(tmp_path: Path) -> None:
    environment = ENVIRONMENT | {"WEIGHT": "3"}
    by_hand = CONTROL | {"command": "users 2 chat", "to": 2}
    header = header_of(tmp_path, f'{PROFILE}[[pools]]\nname = "tools"\nweight = "${{WEIGHT}}"\n{TASK}', environment)
    with pytest.raises(NotRepeatable, match="the weight of tools came from the environment"):
        driven(Left(header, [by_hand], 30.0, completed=True))
    header = header_of(tmp_path, PROFILE.replace("data =", 'weight = "${WEIGHT}"\ndata ='), environment)
    assert driven(Left(header, [CONTROL], 30.0, completed=True))[1] == 30.0


def test_a_search_says_how_to_search_again(tmp_path: Path) -> None:
    search = '[objectives]\nlatency = "1s"\n[search]\nto = 50\n'
    header = header_of(tmp_path, f'target = "${{URL}}"\n{search}[[pools]]\nname = "chat"\n{TASK}')
    with pytest.raises(NotRepeatable, match=f"search for capacity, .* capacity --profile {tmp_path}/p.toml"):
        driven(Left(header, [], 30.0, completed=True))


def test_paths_of_cases_of_a_gate_and_of_labels_are_found_and_words_for_runs_stay(tmp_path: Path) -> None:
    header = header_of(tmp_path)
    header.profile["quality"] = {"cases": ["a.jsonl", "/b.yaml"], "judge": {"calibration": "labels.jsonl"}}
    header.profile["gate"] = {"base": "base.json"}
    found, end_s = driven(Left(header, [CONTROL], 30.03, completed=True))
    table, _ = rewritten(header, found, end_s)
    assert table["quality"]["cases"] == [str(tmp_path / "a.jsonl"), "/b.yaml"]
    assert table["quality"]["judge"]["calibration"] == str(tmp_path / "labels.jsonl")
    assert table["gate"] == {"base": str(tmp_path / "base.json")}
    for word in ("last", "last-passed", "${BASE}"):
        header.profile["gate"] = {"base": word}
        assert rewritten(header, found, end_s)[0]["gate"] == {"base": word}
