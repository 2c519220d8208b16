"""Whatever is in a journal, its readers say one clear line or what can be read of it, and hide no other run."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agenttop.cli.main import main
from agenttop.journal.journal import FILE_NAME, MAGIC, JournalWriter, _record, next_payload
from agenttop.journal.places import runs_directory
from agenttop.journal.summarize import run_header
from agenttop.runs.register import entries
from tests.examples import at_most
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=3, storm=None)
BAD, GOOD = "20260102-120000-bad-0a0b", "20260101-120000-good-0a0b"
PROFILE = {"target": "http://127.0.0.1:1", "pools": [{"name": "chat"}], "thresholds": ["latency p95 < 2s"]}


def journal(directory: Path) -> bytes:
    """A small journal, whole."""
    directory.mkdir(parents=True, exist_ok=True)
    with JournalWriter(directory, run_header(RUN.info(), RUN.layout, PROFILE, "0" * 64)) as writer:
        for second in range(1, 4):
            writer.second(RUN.situation(second), RUN.deltas(second))
    return (directory / FILE_NAME).read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return journal(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def read(home: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[bytes], None]:
    """Lets everything that reads journals read this one."""
    journal(runs_directory() / GOOD)
    directory = runs_directory() / BAD
    directory.mkdir()

    def look(data: bytes) -> None:
        for file in directory.iterdir():
            file.unlink()
        (directory / FILE_NAME).write_bytes(data)
        for words in (["replay", "--headless", BAD], ["profile-of", BAD], ["report", BAD], ["ps"]):
            code = main(words)
            said = capsys.readouterr()
            assert code in (0, 2), words
            if code:
                assert said.err.startswith("agenttop: "), (words, said.err)
                assert said.err.count("\n") == 1, (words, said.err)
            if words == ["ps"]:
                assert code == 0
                assert {GOOD, BAD} <= set(said.out.split())

    return look


def test_every_truncation(whole: bytes, read: Callable[[bytes], None]) -> None:
    first = int.from_bytes(whole[len(MAGIC) : len(MAGIC) + 4], "little")
    for length in (*range(len(MAGIC) + 12), len(MAGIC) + 9 + first, *range(0, len(whole), 1 + len(whole) // 25)):
        read(whole[:length])


def test_single_bytes_flipped(whole: bytes, read: Callable[[bytes], None]) -> None:
    for at in (*range(len(MAGIC), len(MAGIC) + 9), *range(0, len(whole), 1 + len(whole) // 25)):
        read(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])


def records(data: bytes) -> Iterator[Any]:
    """The records, decoded to plain values."""
    file = io.BytesIO(data[len(MAGIC) :])
    while (payload := next_payload(file.read)) is not None:
        yield msgspec.msgpack.decode(payload)


def packed(values: list[Any]) -> bytes:
    return MAGIC + b"".join(_record(msgspec.msgpack.encode(value)) for value in values)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from nodes(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """The value with something odd in a place of it."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], odd)
    return copy


ODD: list[Any] = [
    *(None, True, [], {}, "", "x" * 3000, b"\xff", [[1]], {"a": 1}),
    *(-1, 2**63, -(2**63), 1e308, -1e308, float("nan"), float("inf")),
]


@settings(suppress_health_check=list(HealthCheck), max_examples=at_most(40), deadline=None)
@given(data=st.data())
def test_records_of_another_shape(whole: bytes, read: Callable[[bytes], None], data: st.DataObject) -> None:
    values = list(records(whole))
    index = data.draw(st.integers(0, len(values) - 1))
    path = data.draw(st.sampled_from(list(nodes(values[index]))))
    values[index] = put(values[index], path, data.draw(st.sampled_from(ODD)))
    read(packed(values))


@pytest.mark.parametrize("at", [0, 1, 3])
def test_records_that_are_something_else(whole: bytes, read: Callable[[bytes], None], at: int) -> None:
    values = list(records(whole))
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    for odd in (*ODD, {**values[1], "deltas": deep}, {}, values[0], values[1]):
        read(packed([*values[:at], odd, *values[at + 1 :]]))
    nested = b"\x91" * 100_000 + b"\x90"
    read(packed(values[:at]) + _record(nested))
    read(packed(values[:at]) + _record(b"\x78\x01 no zlib"))


def test_what_is_no_journal_hides_no_other(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal(runs_directory() / GOOD)
    (runs_directory() / "20260102-000000-empty-0001").mkdir()
    (runs_directory() / "20260102-000000-folder-0002" / FILE_NAME).mkdir(parents=True)
    (runs_directory() / "20260102-000000-summary-0003" / "summary.json").mkdir(parents=True)
    (runs_directory() / "20260102-000000-file-0004").write_text("")
    (runs_directory() / "20260102-000000-loop-0005").symlink_to("20260102-000000-loop-0005")
    closed = runs_directory() / "20260102-000000-closed-0006"
    journal(closed)
    (closed / FILE_NAME).chmod(0)
    closed.chmod(0)
    os.utime(runs_directory() / "20260102-000000-empty-0001", (0, 0))
    try:
        found = {entry.run: entry.state for entry in entries()[0]}
        assert found[GOOD] == "cut off"
        assert found["20260102-000000-empty-0001"] == "broken"
        assert main(["ps"]) == 0
        capsys.readouterr()
        for run in ("empty-0001", "folder-0002", "summary-0003", "closed-0006"):
            for command in ("report", "replay", "profile-of"):
                code = main([command, f"20260102-000000-{run}", *(["--headless"] if command == "replay" else [])])
                assert code == 2 or run == "closed-0006", (command, run)  # root may read everything
                assert capsys.readouterr().err.count("\n") == (1 if code else 0)
    finally:
        closed.chmod(0o700)
