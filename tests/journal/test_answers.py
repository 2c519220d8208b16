"""Tests of agenttop.journal.answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agenttop.journal import answers
from agenttop.journal.answers import FILE_NAME, AnswersError, AnswersWriter, read_answers
from agenttop.quality.answer import Answer, ToolCall

SAID = [
    Answer("a", "low", 2, text="nine\n\u2028é", tools=(ToolCall("f", {"a": 1}),), latency_ms=1.5),
    Answer("b", "peak", 9, 1, False, outcome="timeout", error="no whole answer within 1s"),
]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    writer = AnswersWriter(tmp_path, kept_free=0)
    writer.append(SAID[:1])
    writer.append(SAID[1:])
    writer.close()
    assert list(read_answers(tmp_path)) == list(read_answers(tmp_path / FILE_NAME)) == SAID
    lines = (tmp_path / FILE_NAME).read_text(encoding="utf-8").split("\n")
    assert [json.loads(line)["case"] for line in lines if line] == ["a", "b"]
    assert (writer.unwritten, writer.why) == (0, "")


def test_a_run_without_answers_has_no_file(tmp_path: Path) -> None:
    AnswersWriter(tmp_path).close()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        list(read_answers(tmp_path))


def test_a_torn_last_line_is_not_read_and_any_other_is_named(tmp_path: Path) -> None:
    writer = AnswersWriter(tmp_path, kept_free=0)
    writer.append(SAID)
    writer.close()
    file = tmp_path / FILE_NAME
    whole = file.read_bytes()
    for cut in range(len(whole)):
        file.write_bytes(whole[:cut])
        # A line that lacks its end alone is whole.
        assert len(list(read_answers(tmp_path))) == whole[: cut + 1].count(b"\n")
    file.write_bytes(b'{"case":7}\n' + whole)
    with pytest.raises(AnswersError, match=r"answers\.jsonl:1: not an answer: Expected `str`"):
        list(read_answers(tmp_path))


def test_the_disk_keeps_room_for_the_journal_and_what_had_none_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = AnswersWriter(tmp_path, kept_free=1 << 62)
    writer.append(SAID)
    assert writer.unwritten == 2
    assert "would be left free" in writer.why
    monkeypatch.setattr(writer, "_kept_free", 0)
    writer.append(SAID[:1])
    writer.close()
    assert list(read_answers(tmp_path)) == SAID[:1]
    assert writer.unwritten == 2


def test_a_disk_that_fills_up_in_a_line_leaves_whole_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = AnswersWriter(tmp_path, kept_free=0)
    writer.append(SAID[:1])

    class Full:
        def __init__(self, file: object) -> None:
            self._file = file

        def __getattr__(self, name: str) -> object:
            return getattr(self._file, name)

        def write(self, data: bytes) -> int:
            if len(data) > 20:
                return self._file.write(data[:20])  # type: ignore[attr-defined, no-any-return]
            raise OSError(28, "No space left on device")

    file = writer._file
    monkeypatch.setattr(writer, "_file", Full(file))
    writer.append(SAID)
    monkeypatch.setattr(writer, "_file", file)
    writer.close()
    assert (writer.unwritten, writer.why) == (2, "No space left on device")
    assert list(read_answers(tmp_path)) == SAID[:1]


def test_enough_stays_free_for_a_journal() -> None:
    assert answers.KEPT_FREE >= 1 << 20
