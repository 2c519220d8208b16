from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from agenttop.exits import UsageError
from agenttop.journal.journal import FILE_NAME, JournalWriter
from agenttop.journal.places import LOG, hold, name_of, new_run, runs_directory, socket_path
from agenttop.journal.summarize import build_summary, run_header
from agenttop.metrics.graded import QualityState
from agenttop.metrics.snapshot import Reply, RunInfo
from agenttop.report.summary import load_summary, write_summary
from agenttop.runs import register
from agenttop.runs.control_socket import ControlSocket
from agenttop.runs.register import Entry, all_runs, called, entries, require_place
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=5, storm=None)
pytestmark = pytest.mark.usefixtures("home")


def finish(run: str, stop_reason: str = "completed", exit_code: int = 0, *, incomplete: bool = False) -> Path:
    """Leave behind what a run does that is over."""
    directory = runs_directory() / run
    directory.mkdir(parents=True, exist_ok=True)
    summary = build_summary(
        RUN.aggregate(),
        run_header(RUN.info(), RUN.layout, {"name": "peak"}, "0" * 64),
        duration_s=5.0,
        sending_ended_s=5.0,
        stop_reason=stop_reason,
        exit_code=exit_code,
        incomplete=incomplete,
    )
    write_summary(directory / "summary.json", summary)
    return directory


def graded(run: str, score: float | None, exit_code: int = 0, **more: object) -> Path:
    """Leave behind a run with graded answers; ``more`` is what else its summary has."""
    path = finish(run, exit_code=exit_code) / "summary.json"
    summary = load_summary(path)
    found = {"quality": {"score": score, "cases": 200}, **more}
    write_summary(path, {key: found.pop(key, value) for key, value in summary.items()} | found)
    return path


def only() -> Entry:
    (entry,), _ = entries()
    return entry


@pytest.mark.parametrize(
    ("stop_reason", "exit_code", "state"),
    [
        ("completed", 0, "done"),
        ("completed", 99, "done"),
        ("stopped_by_user", 130, "stopped"),
        ("threshold_abort", 99, "stopped"),
        ("target_unreachable", 1, "failed"),
        ("error", 1, "failed"),
    ],
)
def test_a_run_that_is_over(stop_reason: str, exit_code: int, state: str) -> None:
    directory = finish("20260101-120000-peak-0a0b", stop_reason, exit_code)
    summary = json.loads((directory / "summary.json").read_text())
    entry = only()
    assert (entry.state, entry.stop_reason, entry.exit_code) == (state, stop_reason, exit_code)
    assert (entry.profile, entry.target, entry.elapsed_s) == ("peak", RUN.info().target, 5.0)
    assert entry.requests == summary["totals"]["requests"] > 0
    assert entry.error_rate == summary["totals"]["error_rate"]
    assert entry.users == max(summary["timeline"]["users"])
    assert not entry.live


def test_only_the_beginning_of_a_summary_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    path = finish("20260101-120000-peak-0a0b") / "summary.json"
    first, mark, _ = path.read_text().partition('"pools": ')
    path.write_text(first + mark + "what follows is never looked at")
    assert only().state == "done"


@pytest.mark.parametrize(
    ("stop_reason", "exit_code", "verdict"),
    [
        ("completed", 0, "passed"),
        ("budget", 0, "passed"),
        ("completed", 99, "threshold"),
        ("threshold_abort", 99, "threshold"),
        ("circuit_breaker", 99, "breaker"),
        ("stopped_by_user", 130, "by hand"),
        ("target_unreachable", 1, "error"),
        ("error", 1, "error"),
    ],
)
def test_how_a_run_ended_in_a_word(stop_reason: str, exit_code: int, verdict: str) -> None:
    finish("20260101-120000-peak-0a0b", stop_reason, exit_code)
    assert only().result == verdict
    finish("20260101-120000-peak-0a0b", stop_reason, exit_code, incomplete=True)
    assert only().result == "cut off"


def test_the_score_of_graded_answers() -> None:
    run = "20260101-120000-peak-0a0b"
    finish(run)
    assert only().score is None
    graded(run, 0.9312)
    assert (only().score, only().result) == (0.9312, "passed")
    graded(run, None)
    assert only().score is None, "nothing of it was graded"


def test_the_score_is_there_before_what_is_long_and_after_it_in_older_summaries() -> None:
    path = graded("20260101-120000-peak-0a0b", 0.9312)
    summary = json.loads(path.read_text())
    assert list(summary).index("quality") < list(summary).index("pools")
    summary["quality"] = summary.pop("quality")
    write_summary(path, summary)
    assert only().score == 0.9312
    del summary["quality"]
    write_summary(path, summary)
    assert (only().score, only().state) == (None, "done"), "one from before there was any"


def test_a_gate_that_blocked_is_told_from_a_threshold_that_failed() -> None:
    run = "20260101-120000-peak-0a0b"
    blocks, passes = {"verdict": "block", "blocked": True}, {"verdict": "pass", "blocked": False}
    uncompared = {"verdict": "not_compared", "blocked": True}
    for exit_code, gate, verdict in (
        (99, blocks, "gate"),
        (99, passes, "threshold"),
        (99, uncompared, "threshold"),
        (99, None, "threshold"),
        (2, uncompared, "gate"),
        (0, passes, "passed"),
        (0, {"verdict": "no_base", "blocked": False}, "passed"),
        (1, uncompared, "error"),
        (130, uncompared, "by hand"),
    ):
        graded(run, 0.9, exit_code, gate=gate)
        assert only().result == verdict, (exit_code, gate)


def test_a_summary_in_another_layout() -> None:
    path = finish("20260101-120000-peak-0a0b") / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2))
    assert only().state == "done"
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert only().state == "done"


def test_a_run_that_was_cut_off() -> None:
    run, directory = new_run("peak")
    JournalWriter(directory, run_header(RUN.info(), RUN.layout, {}, "0" * 64)).close()
    entry = only()
    assert (entry.run, entry.state, entry.profile, entry.result) == (run, "cut off", "peak", "cut off")
    assert entry.requests is None
    finish(run, "error", 1, incomplete=True)
    entry = only()
    assert (entry.state, entry.exit_code, entry.elapsed_s) == ("cut off", None, 5.0)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("summary.json", b"", "summary.json is no summary"),
        ("summary.json", b'{\n"schema": 1,\n"run": {},\n"totals": {}}', "summary.json is no summary"),
        ("summary.json", b"\xff\x00", "summary.json is no summary"),
        (FILE_NAME, b"something else", "not a journal of this version"),
        (FILE_NAME, b"", "not a journal of this version"),
        ("notes.txt", b"", "neither summary.json nor journal.bin"),
    ],
)
def test_a_broken_directory_is_a_row_that_says_so(file: str, content: bytes, problem: str) -> None:
    finish("20260101-120000-peak-0a0b")
    broken = runs_directory() / "20260101-120001-peak-0a0b"
    broken.mkdir()
    (broken / file).write_bytes(content)
    first, second = entries()[0]
    assert (first.state, first.problem) == ("broken", problem)
    assert second.state == "done"


def test_the_newest_come_first_and_are_bounded() -> None:
    for number in range(25):
        finish(f"20260101-1200{number:02}-peak-0a0b")
    found, more = entries(20)
    assert [entry.run[13:15] for entry in found] == [f"{number:02}" for number in range(24, 4, -1)]
    assert more == 5
    assert (len(entries(None)[0]), entries(None)[1]) == (25, 0)
    assert all_runs()[0].startswith("20260101-120024")


async def test_a_live_run_says_itself_how_it_is() -> None:
    run, _ = new_run("peak")
    known: list[RunInfo] = []
    server = ControlSocket(
        socket_path(run), lambda text, source: Reply(0, True, ""), lambda: known[0] if known else None
    )
    await server.open()
    try:
        known.append(RUN.info())
        entry = await asyncio.to_thread(only)
        assert (entry.state, entry.live, entry.duration_s, entry.requests) == ("starting", True, 5.0, None)
        server.publish(RUN.aggregate().snapshot(RUN.situation(3)))
        entry = await asyncio.to_thread(only)
        assert (entry.state, entry.elapsed_s) == ("running", 3.0)
        assert (entry.score, entry.result) == (None, None)
        assert entry.requests
        server.publish(
            replace(RUN.aggregate().snapshot(RUN.situation(3)), quality=QualityState(0.875, 0.8, 0.95, 8, 8, 8, 8, 0))
        )
        entry = await asyncio.to_thread(only)
        assert entry.score == 0.875, "so far"
        # Live ones are listed however old they are.
        finish("20990101-120000-later-0a0b")
        found, more = await asyncio.to_thread(entries, 0)
        assert ([entry.run for entry in found], more) == ([run], 1)
    finally:
        await server.close()


async def test_a_live_run_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register, "PATIENCE_S", 0.01)
    run, directory = new_run("peak")
    server = ControlSocket(socket_path(run), lambda text, source: Reply(0, True, ""), lambda: None)
    await server.open()
    try:
        entry = await asyncio.to_thread(only)
        assert (entry.state, entry.problem) == ("starting", "")
        (directory / FILE_NAME).touch()
        entry = await asyncio.to_thread(only)
        assert (entry.state, entry.problem) == ("running", "it does not answer")
    finally:
        await server.close()


def test_a_run_that_is_starting_says_so_until_its_process_is_gone() -> None:
    _, directory = new_run("peak")
    assert only().state == "starting", "its directory is there, and nothing else yet"
    with (directory / LOG).open("wb") as log:
        hold(log)
        child = os.dup(log.fileno())  # as a process that inherits it
    os.utime(directory, (0, 0))
    try:
        assert (only().state, only().live) == ("starting", True)
    finally:
        os.close(child)
    assert (only().state, only().problem) == ("broken", "neither summary.json nor journal.bin")


def test_an_empty_directory_is_not_starting_for_ever() -> None:
    _, directory = new_run("peak")
    os.utime(directory, (0, 0))
    assert only().state == "broken"


def test_the_name_within_an_id() -> None:
    run, _ = new_run("my agent: peak")
    other, _ = new_run("peak")
    assert name_of(run) == "my-agent--peak"
    assert name_of("something") == ""
    assert called([run, other], "my agent: peak") == [run]
    assert called([run, other], "peak") == [other]


def test_a_run_that_has_ended_since_it_was_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    run = "20260101-120000-peak-0a0b"
    finish(run)
    monkeypatch.setattr(register, "live_runs", lambda: [run])
    assert only().state == "done"


def test_what_is_no_file_is_not_waited_for() -> None:
    directory = runs_directory() / "20260101-120000-peak-0a0b"
    directory.mkdir(parents=True)
    os.mkfifo(directory / "summary.json")
    assert only().problem == "neither summary.json nor journal.bin"


def test_a_summary_that_is_nested_too_deep() -> None:
    (finish("20260101-120000-peak-0a0b") / "summary.json").write_text('{"run": ' + "[" * 200_000)
    assert only().problem == "summary.json is no summary"


def test_places_that_cannot_be_used(home: Path) -> None:
    runs_directory().parent.mkdir(parents=True)
    runs_directory().write_text("a file")
    with pytest.raises(UsageError, match=r"/runs: Not a directory; XDG_STATE_HOME says where runs are kept$"):
        entries()
    (home / "r" / "agenttop").rmdir()
    (home / "r" / "agenttop").mkdir(mode=0o755)
    with pytest.raises(UsageError, match=r"with mode 0700; XDG_RUNTIME_DIR says where live runs listen$"):
        entries()
    (home / "r" / "agenttop").rmdir()
    (home / "r" / "agenttop").write_text("a file")
    with pytest.raises(UsageError, match=r"/agenttop: File exists; XDG_RUNTIME_DIR says"):
        entries()


def test_a_run_that_could_not_listen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require_place("peak")
    deep = home / ("x" * 90)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    with pytest.raises(UsageError, match=r"/agenttop: too long a path for a socket; XDG_RUNTIME_DIR says"):
        require_place("peak")
