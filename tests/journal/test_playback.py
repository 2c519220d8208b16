"""Tests of agenttop.journal.playback, agenttop.journal.refold, agenttop.journal.verdicts, agenttop.journal.targets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttop.journal import playback as module
from agenttop.journal.figures import Figures
from agenttop.journal.journal import FILE_NAME, JournalError, JournalWriter, Second, read_header, read_journal
from agenttop.journal.playback import Playback
from agenttop.journal.refold import Refold
from agenttop.journal.rules import Rules
from agenttop.journal.summarize import run_header
from agenttop.metrics.run_state import RunState
from agenttop.metrics.searched import SearchState, SearchStep
from agenttop.metrics.snapshot import Edited, Event, ManualChange, Snapshot
from agenttop.thresholds.breaker import Breaker, BreakerRule
from tests.examples import at_most
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=90, storm=(20, 30), saturated=(40, 50))
PROFILE = {"thresholds": ["latency p95 < 1ms", {"expression": "error_rate < 1%", "window": "5s"}]}


def events(second: int) -> list[Event]:
    return [Event(float(second), "info", f"event {second}")] if second % 7 == 0 else []


MARK = ManualChange(30.0, "users 3 → 13")
EARLIER = ManualChange(12.0, "plan held at 00:12")


def situation(run: FakeRun, second: int) -> RunState:
    return msgspec.structs.replace(run.situation(second), by_hand=marks(second))


def marks(second: int) -> tuple[ManualChange, ...]:
    """Those that a snapshot of so many seconds has; the earlier one is not among the newest any more."""
    return (MARK,) if second >= 30 else (EARLIER,) if 12 <= second < 20 else ()


def write(directory: Path, run: FakeRun = RUN, seconds: int | None = None, *, gap: int = 0) -> None:
    """A journal, of which the second ``gap`` could not be written."""
    with JournalWriter(directory, run_header(run.info(), run.layout, PROFILE, "0" * 64)) as journal:
        for second in range(1, (seconds or run.seconds) + 1):
            if second != gap:
                journal.second(situation(run, second), run.deltas(second), events=events(second))


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("run")
    write(made)
    return made


@pytest.fixture
def playback(directory: Path) -> Iterator[Playback]:
    with Playback(directory) as made:
        yield made


@pytest.fixture(scope="module")
def live() -> list[Snapshot]:
    """What viewers of the run itself saw, second by second."""
    figures, seen = Figures(RUN.layout, Rules()), []
    spans = [(stage.start_s, stage.end_s) for stage in RUN.layout.stages]
    told: list[Event] = []
    for second in range(1, RUN.seconds + 1):
        for delta in RUN.deltas(second):
            figures.fold(delta)
        told += events(second)
        now = msgspec.structs.replace(situation(RUN, second), events=tuple(told))
        figures.second(now, spans, sending_ended_s=now.t_s if now.state == "done" else None)
        seen.append(figures.snapshot(now))
    return seen


def same(replayed: Snapshot, seen: Snapshot) -> None:
    """Equal but for the number of the picture, thresholds, and the CPU's mean, whose sum is rounded elsewhere."""

    def plain(snapshot: Snapshot) -> dict[str, object]:
        found = msgspec.to_builtins(snapshot)
        assert isinstance(found, dict)
        found["generator"]["cpu_percent_max"] = round(found["generator"]["cpu_percent_max"], 6)
        for key in ("ttft", "latency", "inter_chunk"):
            found[key] = {name: pytest.approx(value) for name, value in (found[key] or {}).items()}
        return found

    ignored = {"seq": 0, "thresholds": (), "phases_ms": {}, "first_phases_ms": {}}
    assert plain(msgspec.structs.replace(replayed, **ignored)) == plain(msgspec.structs.replace(seen, **ignored))
    assert replayed.phases_ms == pytest.approx(seen.phases_ms)
    assert replayed.first_phases_ms == pytest.approx(seen.first_phases_ms)


def test_every_second_is_what_was_seen_live(playback: Playback, live: list[Snapshot]) -> None:
    assert (len(playback), playback.end_s, playback.note) == (90, 90.0, "")
    for count, seen in enumerate(live, 1):
        assert playback.move(count)
        assert playback.t_s == seen.t_s
        same(playback.snapshot(), seen)
    assert [verdict.verdict for verdict in playback.snapshot().thresholds] == ["fail", "fail"]
    assert {seen.verdict.state for seen in live if seen.verdict is not None} > {"unknown"}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=at_most(40))
@given(st.lists(st.integers(1, 90), min_size=1, max_size=8))
def test_any_way_leads_to_the_same_second(playback: Playback, live: list[Snapshot], ways: list[int]) -> None:
    for count in ways:
        assert playback.move(count)
        same(playback.snapshot(), live[count - 1])
        history = playback.info().history
        assert [tick.t_s for tick in history] == [float(second) for second in range(1, count + 1)]
        assert history == tuple(seen.tick for seen in live[:count])
        told = [mark for mark in (EARLIER, MARK) if mark.t_s <= count]
        assert playback.info().by_hand == tuple(told)


def test_copies_are_bounded_and_save_the_way_back(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "COPIES", 4)
    monkeypatch.setattr(module, "APART_S", 5)
    with Playback(directory) as playback:
        playback.move(90)
        assert sorted(playback._copies) == [20, 40, 60, 80]
        folded: list[int] = []
        real = playback._second

        def second(index: int) -> Second:
            folded.append(index)
            return real(index)

        monkeypatch.setattr(playback, "_second", second)
        playback.move(89)
        playback.move(62)
        playback.move(3)
        assert folded == [*range(80, 89), 60, 61, 0, 1, 2]


def test_it_stops_on_the_way_when_its_time_is_over(playback: Playback) -> None:
    assert not playback.move(50, lambda: playback.at >= 20)
    assert playback.at == 20
    assert playback.move(50)
    assert playback.at == 50


def test_times_are_found_across_gaps(tmp_path: Path) -> None:
    write(tmp_path, gap=10)
    with Playback(tmp_path) as playback:
        assert len(playback) == 89
        assert [playback.count_at(t) for t in (-5.0, 0.0, 1.0, 9.0, 9.9, 10.5, 11.0, 89.9, 90.0, 1e9)] == [
            1, 1, 1, 9, 9, 9, 10, 88, 89, 89,
        ]  # fmt: skip


def test_a_journal_that_was_cut_plays_as_far_as_it_goes(tmp_path: Path, live: list[Snapshot]) -> None:
    write(tmp_path, seconds=40)
    with Playback(tmp_path) as playback:
        assert (playback.end_s, playback.note) == (40.0, "the run was cut off at 00:40")
    with Playback(tmp_path, live=True) as playback:
        assert playback.note == "the run goes on after 00:40"
    path = tmp_path / FILE_NAME
    path.write_bytes(path.read_bytes()[:-7])
    with Playback(tmp_path) as playback:
        assert (playback.end_s, playback.note) == (39.0, "the journal is damaged after 00:39")
        playback.move(100)
        same(playback.snapshot(), live[38])


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], max_examples=at_most(25))
@given(st.floats(0.3, 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_journal_plays_as_far_as_it_goes(
    directory: Path, live: list[Snapshot], tmp_path_factory: pytest.TempPathFactory, share: float, noise: bytes
) -> None:
    copy = tmp_path_factory.mktemp("damaged")
    whole = (directory / FILE_NAME).read_bytes()
    at = min(int(len(whole) * share), len(whole) - 1)
    (copy / FILE_NAME).write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    with Playback(copy) as playback:
        playback.move(1000)
        same(playback.snapshot(), live[playback.at - 1])
        assert bool(playback.note) == (playback.at < 90)
    shutil.rmtree(copy)


@pytest.mark.parametrize("content", [b"", b"something else", b"agenttop-journal/1\n", b"agenttop-journal/1\n\1\0\0\0"])
def test_what_is_no_journal(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(JournalError, match=r"journal\.bin"):
        Playback(tmp_path)


def test_no_second_and_no_journal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Playback(tmp_path)
    JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, {}, "0" * 64)).close()
    with pytest.raises(JournalError, match="holds no second yet"):
        Playback(tmp_path)


def test_the_plan_is_what_it_was_at_the_time(tmp_path: Path) -> None:
    run = FakeRun(seconds=40)
    edited = Edited(run.layout.stages, 95.0)
    with JournalWriter(tmp_path, run_header(run.info(), run.layout, PROFILE, "0" * 64)) as journal:
        for second in range(1, run.seconds + 1):
            now = run.situation(second)
            journal.second(now, run.deltas(second), edited=edited if second == 20 else None)
    with Playback(tmp_path) as made:
        seen = []
        for count in (19, 20, 40, 5, 30):
            made.move(count)
            seen.append((made.info().duration_s, made.snapshot().edited))
    assert seen == [(40.0, None), (95.0, edited), (95.0, edited), (40.0, None), (95.0, edited)]


def test_all_that_was_done_by_hand_is_known_wherever_one_goes(tmp_path: Path) -> None:
    marks = [ManualChange(float(second), f"users {second} → {second + 1}") for second in range(1, 61)]
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, {}, "0" * 64)) as journal:
        for second in range(1, 91):
            now = msgspec.structs.replace(RUN.situation(second), by_hand=tuple(marks[:second][-20:]))
            journal.second(now, RUN.deltas(second))
    with Playback(tmp_path) as playback:
        for count in (90, 30, 61):
            playback.move(count)
            assert playback.info().by_hand == tuple(marks[:count])
            assert playback.snapshot().by_hand == tuple(marks[:count][-20:])


def test_a_change_that_grows_stays_one(tmp_path: Path) -> None:
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, {}, "0" * 64)) as journal:
        for second, text in enumerate(("users 1 → 2", "users 1 → 9"), 1):
            journal.second(msgspec.structs.replace(RUN.situation(second), by_hand=(ManualChange(0.5, text),)), [])
    with Playback(tmp_path) as playback:
        playback.move(2)
        assert playback.info().by_hand == (ManualChange(0.5, "users 1 → 9"),)


RULE = {"failed": "6%", "over": "5s", "min_requests": 5, "count_429": True}


def test_the_circuit_breaker_stands_as_it_did(tmp_path: Path) -> None:
    breaker = Breaker(BreakerRule(0.06, 5.0, 5, True))
    seen = []
    header = run_header(RUN.info(), RUN.layout, {"circuit_breaker": RULE}, "0" * 64)
    with JournalWriter(tmp_path, header) as journal:
        for second in range(1, 41):
            for delta in RUN.deltas(second):
                breaker.fold(delta)
            ending = second > 36
            if not ending:
                breaker.second(float(second))
            seen.append(breaker.state)
            state = "draining" if ending else "running"
            journal.second(msgspec.structs.replace(RUN.situation(second), state=state), RUN.deltas(second))
    assert any(state is not None and state.open for state in seen)
    with Playback(tmp_path) as playback:
        for count in (*range(1, 41), 12, 25):
            playback.move(count)
            assert playback.snapshot().breaker == seen[count - 1]


def test_how_a_level_of_a_search_failed_is_nothing_against_the_one_that_follows(tmp_path: Path) -> None:
    breaker = Breaker(BreakerRule(0.06, 5.0, 5, True))
    profile = {"circuit_breaker": RULE, "search": {}}
    over = {15: {"steps": [{"holds": True}]}, 22: {"steps": [{"holds": True}, {"holds": False}]}}
    seen = []
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, profile, "0" * 64)) as journal:
        for second in range(1, 41):
            for delta in RUN.deltas(second):
                breaker.fold(delta)
            if breaker.second(float(second)) or second == 22:
                breaker.reset(float(second))
            seen.append(breaker.state)
            journal.second(RUN.situation(second), RUN.deltas(second), search=over.get(second))
    fold = Refold(read_header(tmp_path), live_only=True)
    found = []
    for record in list(read_journal(tmp_path))[1:]:
        assert isinstance(record, Second)
        fold.add(record)
        found.append(fold.figures.breaker.state)
    assert found == seen
    assert seen[21] is not None
    assert (seen[21].requests, seen[20] == seen[21]) == (0, False)


@pytest.mark.parametrize("told", [None, {"failed": "***"}])
def test_without_a_breaker_that_can_be_read_there_is_none(told: dict[str, str] | None, tmp_path: Path) -> None:
    profile = {} if told is None else {"circuit_breaker": told}
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, profile, "0" * 64)) as journal:
        journal.second(RUN.situation(1), RUN.deltas(1))
    with Playback(tmp_path) as playback:
        playback.move(1)
        assert playback.snapshot().breaker is None


def test_a_search_stands_where_its_last_step_left_it(tmp_path: Path) -> None:
    step = SearchStep(8.0, 0.0, 2.0, 1.0, 10, 10, 1.0, 0.7, 1.0, "pass", True, 0.97)
    search = SearchState("users", None, 0.95, 0.95, capacity=8.0, lower=8.0, steps=(step,))
    told = {key: value for key, value in msgspec.to_builtins(search).items() if key not in ("now", "phase")}
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, {}, "0" * 64)) as journal:
        for second in (1, 2, 3):
            journal.second(RUN.situation(second), RUN.deltas(second), search=told if second == 2 else None)
    with Playback(tmp_path) as playback:
        found = []
        for count in (1, 2, 3):
            playback.move(count)
            found.append(playback.snapshot().search)
    assert found == [None, search, search]


def test_the_circuit_breaker_and_a_search_stand_as_they_did(tmp_path: Path) -> None:
    run = FakeRun(seconds=40, storm=(20, 30))
    breaker = Breaker(BreakerRule(0.05, 5.0, count_429=True))
    profile = {"circuit_breaker": {"failed": "5%", "over": "5s", "count_429": True}}
    search: dict[str, Any] = {
        "unit": "users",
        "pool": None,
        "good": 0.95,
        "confidence": 0.95,
        "capacity": 4.0,
        "steps": [],
    }
    states = []
    with JournalWriter(tmp_path, run_header(run.info(), run.layout, profile, "0" * 64)) as journal:
        for second in range(1, run.seconds):
            for delta in run.deltas(second):
                breaker.fold(delta)
            breaker.second(float(second))
            states.append(breaker.state)
            journal.second(run.situation(second), run.deltas(second), search=search if second == 10 else None)
    assert any(state is not None and state.open for state in states)
    with Playback(tmp_path) as made:
        for count in (39, 25, 9, 10, 12):
            made.move(count)
            seen = made.snapshot()
            assert seen.breaker == states[count - 1]
            assert seen.search == (SearchState("users", None, 0.95, 0.95, 4.0) if count >= 10 else None)


def test_response_times_that_the_file_leaves_out_are_there_again(tmp_path: Path) -> None:
    """Thresholds on those of a closed pool are judged in a replay as they were in the run."""
    text = "response_time{pool:chat} p95 < 1ms"
    with JournalWriter(tmp_path, run_header(RUN.info(), RUN.layout, {"thresholds": [text]}, "0" * 64)) as journal:
        for second in range(1, 9):
            journal.second(RUN.situation(second), RUN.deltas(second))
    with Playback(tmp_path) as playback:
        playback.move(8)
        (verdict,) = playback.snapshot().thresholds
    assert (verdict.verdict, verdict.observed is None) == ("fail", False)
