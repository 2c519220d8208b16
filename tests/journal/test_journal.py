from __future__ import annotations

import shutil
from array import array
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenttop.journal.figures import Figures
from agenttop.journal.journal import (
    FILE_NAME,
    MAGIC,
    JournalError,
    JournalWriter,
    Second,
    next_payload,
    read_journal,
    rebuild,
)
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import RunHeader, build_summary, run_header
from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.compact import compact
from agenttop.metrics.delta import Delta
from agenttop.metrics.histogram import fold
from agenttop.metrics.snapshot import Edited, Event, StageInfo
from agenttop.report.summary import check_summary
from agenttop.report.text import render_text
from tests.metrics.fakes import FakeRun

CONTROL = {"t_s": 4.5, "command": "users", "pool": "chat", "from": 10.0, "to": 20.0, "source": "key"}


def header_of(run: FakeRun) -> RunHeader:
    return run_header(run.info(), run.layout, {"name": "peak", "headers": {"authorization": "***"}}, "0" * 64)


def write(run: FakeRun, directory: Path) -> Figures:
    figures = Figures(run.layout, Rules())
    with JournalWriter(directory, header_of(run)) as journal:
        for second in range(1, run.seconds + 1):
            deltas, now = run.deltas(second), run.situation(second)
            for delta in deltas:
                figures.fold(delta)
            figures.second(now, [None] * len(run.layout.stages))
            journal.second(now, deltas, controls=[CONTROL] if second == 5 else (), events=now.events)
    return figures


def test_rebuilt_is_what_would_have_been_written(tmp_path: Path) -> None:
    run = FakeRun(seconds=20, warmup_s=2.0, storm=(8, 12), saturated=(5, 14))
    figures = write(run, tmp_path)
    expected = build_summary(
        figures.aggregate,
        header_of(run),
        duration_s=20.0,
        sending_ended_s=20.0,
        stop_reason="error",
        exit_code=1,
        controls=[CONTROL],
        assessor=figures.assessor,
        incomplete=True,
    )
    rebuilt = rebuild(tmp_path)
    check_summary(rebuilt)
    assert rebuilt["run"]["incomplete"] is True
    assert rebuilt["run"]["verdict"]["changes"]
    assert {key: value for key, value in rebuilt.items() if key not in _FLOATS} == {
        key: value for key, value in expected.items() if key not in _FLOATS
    }
    for key in ("requests", "outcomes", "status", "errors", "tokens", "iterations"):
        assert rebuilt["totals"][key] == expected["totals"][key]
    assert rebuilt["totals"]["latency_ms"] == pytest.approx(expected["totals"]["latency_ms"])


def test_a_gate_says_that_a_run_that_was_cut_off_is_compared_with_nothing(tmp_path: Path) -> None:
    run = FakeRun(seconds=2)
    header = header_of(run)
    with JournalWriter(tmp_path, msgspec.structs.replace(header, profile=header.profile | {"gate": {}})) as journal:
        journal.second(run.situation(1), run.deltas(1))
    rebuilt = rebuild(tmp_path)
    check_summary(rebuilt)
    assert (rebuilt["gate"]["verdict"], rebuilt["gate"]["blocked"], rebuilt["gate"]["rows"]) == (
        "not_compared",
        True,
        [],
    )
    text = render_text(rebuilt, color=False)
    assert "NOT COMPARED: the run was cut off, and is compared with nothing" in text


def test_a_plan_that_was_edited(tmp_path: Path) -> None:
    run = FakeRun(seconds=20, storm=None)
    ramp, hold, drain = run.layout.stages
    hold = msgspec.structs.replace(hold, end_s=10.0, target_end=60.0)
    spike = StageInfo(3, "spike", 10.0, 20.0, 60.0, 90.0, "users")
    stages = (ramp, hold, msgspec.structs.replace(drain, dropped=True), spike)
    thresholds = ["requests{stage:spike} count > 5", "requests{stage:hold} count > 5"]
    header = msgspec.structs.replace(header_of(run), profile={"thresholds": thresholds})
    aggregate = Aggregate(run.layout)
    with JournalWriter(tmp_path, header) as journal:
        for second in range(1, 21):
            deltas, now = run.deltas(second), run.situation(second)
            edited = Edited(stages, 20.0) if second == 11 else None
            if second > 10:
                now = msgspec.structs.replace(now, stage=3)
                deltas = [_moved(delta, 3) for delta in deltas]
            if edited is not None:
                aggregate.replan(edited)
            for delta in deltas:
                aggregate.fold(delta)
            aggregate.second(now)
            journal.second(now, deltas, edited=edited)
    summary = rebuild(tmp_path)
    check_summary(summary)
    assert [(s["index"], s["name"], s["start_s"], s["end_s"]) for s in summary["stages"]] == [
        (0, "ramp", 0, 4), (1, "hold", 4, 10), (2, "spike", 10, 20)
    ]  # fmt: skip
    assert sum(stage["requests"] for stage in summary["stages"]) == summary["totals"]["requests"]
    assert summary["stages"][2]["requests"] > 100
    assert set(summary["timeline"]["stage"]) == {0, 1, 2}
    assert [(t["verdict"], t["passed"]) for t in summary["thresholds"]] == [("pass", True)]
    assert aggregate.snapshot(run.situation(20)).edited == Edited(stages, 20.0)
    expected = build_summary(
        aggregate, header, duration_s=20.0, sending_ended_s=20.0, stop_reason="error", exit_code=1, incomplete=True
    )
    assert rebuilt_stages(summary) == rebuilt_stages(expected)


def rebuilt_stages(summary: dict[str, Any]) -> list[tuple[str, int, float]]:
    return [(stage["name"], stage["requests"], stage["rps"]) for stage in summary["stages"]]


def _moved(delta: Delta, stage: int) -> Delta:
    """As if it had been counted in another stage."""
    return msgspec.structs.replace(
        delta,
        leaves=[msgspec.structs.replace(leaf, stage=stage) for leaf in delta.leaves],
        pools=[msgspec.structs.replace(pool, stage=stage) for pool in delta.pools],
        errors=[msgspec.structs.replace(error, stage=stage) for error in delta.errors],
    )


def test_what_the_file_leaves_out_is_read_all_the_same(tmp_path: Path) -> None:
    """Response times of closed pools, where they are the latencies; one that was sent again has its own."""
    run = FakeRun(seconds=8)
    header = msgspec.structs.replace(header_of(run), profile={"thresholds": ["response_time{pool:chat} p95 < 1ms"]})
    written = [compact(run.deltas(second)) for second in range(1, 9)]
    late = next(leaf for leaf in written[-1][0].leaves if leaf.request == 0 and "latency" in leaf.hists)
    late.hists["response_time"] = fold(array("q", [900_000_000_000] * late.hists["latency"].count))
    with JournalWriter(tmp_path, header) as journal:
        for second, deltas in enumerate(written, 1):
            journal.second(run.situation(second), deltas)
    _, *seconds = read_journal(tmp_path)
    assert [second.deltas for second in seconds if isinstance(second, Second)] == written
    told = [leaf for second in _as_written(tmp_path) for delta in second.deltas for leaf in delta.leaves]
    kept = [leaf for leaf in told if run.layout.closed[leaf.request] and "response_time" in leaf.hists]
    assert kept == [late]
    assert any("response_time" in leaf.hists for leaf in told if not run.layout.closed[leaf.request])
    rebuilt = rebuild(tmp_path)
    simple, turns = rebuilt["requests"]["chat/simple"], rebuilt["requests"]["chat/multi_turn"]
    assert turns["response_time_ms"] == turns["latency_ms"]
    assert simple["response_time_ms"]["max"] == 900_000.0
    assert rebuilt["thresholds"][0]["verdict"] == "fail"


def _as_written(folder: Path) -> list[Second]:
    """The seconds as they are in the file."""
    with (folder / FILE_NAME).open("rb") as file:
        file.read(len(MAGIC))
        _, *payloads = iter(lambda: next_payload(file.read), None)
    return [msgspec.msgpack.decode(payload, type=Second) for payload in payloads]


def test_thresholds_are_judged_again(tmp_path: Path) -> None:
    run = FakeRun(seconds=10, storm=None)
    window = {"expression": "latency{stage:hold} max < 1us", "window": "2s", "abort": True}
    thresholds = ["latency p95 < 1m", window, "latency p95 < ***", "latency{pool:***} p95 < 1s", {}, 5]
    header = msgspec.structs.replace(header_of(run), profile={"thresholds": thresholds})
    with JournalWriter(tmp_path, header) as journal:
        for second in range(1, run.seconds + 1):
            journal.second(run.situation(second), run.deltas(second))
    summary = rebuild(tmp_path)
    check_summary(summary)
    first, second_ = summary["thresholds"]
    assert (first["expression"], first["passed"]) == ("latency p95 < 1m", True)
    assert first["observed"] == round(summary["totals"]["latency_ms"]["p95"] / 60_000, 6)
    assert (second_["expression"], second_["verdict"], second_["window_s"]) == (window["expression"], "fail", 2.0)


def test_a_torn_or_damaged_end_loses_that_second_alone(tmp_path: Path) -> None:
    write(FakeRun(seconds=5), tmp_path)
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    for cut in (1, 5, 40):
        path.write_bytes(whole[:-cut])
        assert len(list(read_journal(tmp_path))) == 5
    path.write_bytes(whole[:-3] + b"\0\0\0")
    assert len(list(read_journal(path))) == 5
    assert rebuild(tmp_path)["timeline"]["t_s"] == [1.0, 2.0, 3.0, 4.0]


def test_zeros_that_a_disk_left_are_the_end(tmp_path: Path) -> None:
    write(FakeRun(seconds=5), tmp_path)
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes() + bytes(4096))
    assert len(list(read_journal(tmp_path))) == 6
    assert rebuild(tmp_path)["run"]["duration_s"] == 5.0


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[object]]:
    """One, and what is in it."""
    made = tmp_path_factory.mktemp("whole")
    write(FakeRun(seconds=4, workers=1), made)
    return (made / FILE_NAME).read_bytes(), list(read_journal(made))


@settings(deadline=None)
@given(st.floats(0, 1), st.integers(1, 255))
def test_any_byte_may_be_wrong(
    journal: tuple[bytes, list[object]], tmp_path_factory: pytest.TempPathFactory, share: float, flip: int
) -> None:
    """What was before it is read, and nothing that was not written."""
    whole, expected = journal
    at = min(int(len(whole) * share), len(whole) - 1)
    damaged = tmp_path_factory.mktemp("damaged")
    (damaged / FILE_NAME).write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
    try:
        found = list(read_journal(damaged))
    except JournalError:
        found = []
    assert found == expected[: len(found)]
    shutil.rmtree(damaged)


def test_a_flag_that_is_wrong_ends_the_reading(tmp_path: Path) -> None:
    """It is the one byte of a record that stands in no checksum."""
    write(FakeRun(seconds=5), tmp_path)
    path = tmp_path / FILE_NAME
    whole = bytearray(path.read_bytes())
    at, flags = len(MAGIC), []
    while at < len(whole):
        flags.append(at + 8)
        at += 9 + int.from_bytes(whole[at : at + 4], "little")
    for index, flag in enumerate(flags[1:], 1):
        for wrong in (0, 1, 2, 255):
            if wrong != whole[flag]:
                path.write_bytes(whole[:flag] + bytes([wrong]) + whole[flag + 1 :])
                assert len(list(read_journal(path))) == index


def test_stages_are_as_they_were_and_not_as_planned(tmp_path: Path) -> None:
    run = FakeRun(seconds=10, storm=None)
    header = msgspec.structs.replace(header_of(run), profile={"thresholds": ["requests{stage:hold} rate > 0"]})
    spans = {1: {0: (0.0, 1.0)}, 4: {0: (0.0, 3.5), 1: (3.5, 4.0)}, 10: {1: (3.5, 9.25)}}
    with JournalWriter(tmp_path, header) as journal:
        for second in range(1, 11):
            ended = 9.25 if second == 10 else None
            now = msgspec.structs.replace(run.situation(second), state="draining" if ended else "running")
            journal.second(now, run.deltas(second), spans=spans.get(second), sending_ended_s=ended)
    summary = rebuild(tmp_path)
    check_summary(summary)
    assert [(s["start_s"], s["end_s"], s["measured_s"]) for s in summary["stages"]] == [
        (0.0, 3.5, 3.5), (3.5, 9.25, 5.75), (8.0, 10.0, 0.0)
    ]  # fmt: skip
    assert summary["run"]["measured_s"] == 9.25
    hold = summary["stages"][1]
    assert summary["thresholds"][0]["observed"] == pytest.approx(hold["requests"] / 5.75)


def test_records_come_back(tmp_path: Path) -> None:
    run = FakeRun(seconds=3, storm=(2, 2))
    write(run, tmp_path)
    first, *seconds = read_journal(tmp_path)
    assert first == header_of(run)
    assert all(isinstance(second, Second) for second in seconds)
    assert [second.events for second in seconds if isinstance(second, Second)] == [[], [_event()], []]


def test_a_run_that_never_had_a_second(tmp_path: Path) -> None:
    JournalWriter(tmp_path, header_of(FakeRun())).close()
    summary = rebuild(tmp_path)
    check_summary(summary)
    assert (summary["run"]["duration_s"], summary["totals"]["requests"]) == (0.0, 0)


def test_rates_of_a_draining_run_are_of_the_time_it_sent(tmp_path: Path) -> None:
    run = FakeRun(seconds=8, storm=None)
    with JournalWriter(tmp_path, header_of(run)) as journal:
        for second in range(1, 9):
            state = "running" if second <= 5 else "draining" if second <= 7 else "done"
            journal.second(msgspec.structs.replace(run.situation(second), state=state), run.deltas(second))
    summary = rebuild(tmp_path)
    assert (summary["run"]["measured_s"], summary["run"]["duration_s"]) == (5.0, 8.0)


def test_no_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        rebuild(tmp_path)
    for content in (b"", b"something else", b"agenttop-journal/1\n", b"agenttop-journal/1\n\1\0\0\0"):
        (tmp_path / FILE_NAME).write_bytes(content)
        with pytest.raises(JournalError, match=r"journal\.bin"):
            rebuild(tmp_path)
    with pytest.raises(FileExistsError):
        JournalWriter(tmp_path, header_of(FakeRun()))


def test_a_full_disk_leaves_what_was_written_readable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = FakeRun(seconds=4)
    with JournalWriter(tmp_path, header_of(run)) as journal:
        journal.second(run.situation(1), run.deltas(1))
        real = journal._file

        class Full:
            wrote = False

            def write(self, data: memoryview) -> int:
                if self.wrote:
                    raise OSError(28, "No space left on device")
                self.wrote = True
                return real.write(data[: len(data) // 2]) or 0

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        monkeypatch.setattr(journal, "_file", Full())
        with pytest.raises(OSError, match="No space"):
            journal.second(run.situation(2), run.deltas(2))
        monkeypatch.setattr(journal, "_file", real)
        journal.second(run.situation(3), run.deltas(3))
    assert len(list(read_journal(tmp_path))) == 3


def _event() -> Event:
    return Event(30.0, "warn", "429 rate passed 2% on chat")


#: Parts of a summary that hold sums of floats, which differ in the last digit by the order of adding.
_FLOATS = {"totals", "pools", "requests", "stages", "generator"}


def test_a_search_that_was_cut_off_is_as_far_as_it_came(tmp_path: Path) -> None:
    run = FakeRun(seconds=6, storm=None)
    search: dict[str, Any] = {
        "unit": "users",
        "pool": None,
        "good": 0.95,
        "confidence": 0.95,
        "capacity": 4.0,
        "lower": 4.0,
        "upper": None,
        "stopped": "",
        "limited_by": None,
        "steps": [],
    }
    with JournalWriter(tmp_path, header_of(run)) as journal:
        for second in range(1, 7):
            news = {2: search | {"capacity": 2.0}, 4: search}.get(second)
            journal.second(run.situation(second), run.deltas(second), search=news)
    rebuilt = rebuild(tmp_path)
    check_summary(rebuilt)
    assert rebuilt["search"] == search | {"stopped": "aborted"}
