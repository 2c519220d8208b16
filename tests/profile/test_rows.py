"""Data files: what their rows are, and the line a user reads for each that is none."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.profile.rows import MAX_FAULTS, DataError, DataFile, Rows, _csv, _jsonl, _Reading, load_rows, read_data

NAMES = st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,5}x", fullmatch=True), min_size=1, max_size=4, unique=True)


def read(folder: Path, name: str, data: str | bytes) -> DataFile:
    """What is in a file of these bytes."""
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read_data(path)


def rows_of(rows: Rows) -> list[dict[str, str]]:
    """All rows as dicts."""
    found = []
    for number in range(len(rows)):
        variables: dict[str, str] = {}
        rows.fill(variables, number)
        found.append(variables)
    return found


def faults(found: DataFile) -> list[str]:
    """As ``LINE: message``."""
    return [f"{line}: {message}" for line, message in found.faults]


def test_values_of_jsonl_become_texts_as_they_are_written(tmp_path: Path) -> None:
    text = '{"a": "é\\n\\u0000", "b": 1.10, "c": true}\n\n{"c": false, "a": "", "b": -12345678901234567890123e2}\r\n'
    found = read(tmp_path, "a.jsonl", text)
    assert found.faults == []
    assert rows_of(found.rows) == [
        {"a": "é\n\0", "b": "1.10", "c": "true"},
        {"a": "", "b": "-12345678901234567890123e2", "c": "false"},
    ]


def test_csv_is_what_its_rfc_says(tmp_path: Path) -> None:
    text = 'prompt,n\r\n"Say ""hi"",\r\nplease",1\r\n\r\n" a ",\r\n'
    found = read(tmp_path, "A.CSV", text)
    assert found.faults == []
    assert rows_of(found.rows) == [{"prompt": 'Say "hi",\r\nplease', "n": "1"}, {"prompt": " a ", "n": ""}]


@pytest.mark.parametrize(("name", "text"), [("a.csv", "a\nx"), ("a.jsonl", '{"a": "x"}')])
def test_a_byte_order_mark_is_skipped(tmp_path: Path, name: str, text: str) -> None:
    assert rows_of(read(tmp_path, name, "\ufeff" + text).rows) == [{"a": "x"}]


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    assert rows_of(read(tmp_path, "a.csv", "a\n" + "x" * 300_000).rows) == [{"a": "x" * 300_000}]


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.csv", "", "None: is empty"),
        ("a.csv", "a,b\n", "None: holds no rows after its header"),
        ("a.jsonl", "\n \n", "None: is empty"),
        ("a.csv", "a,b\n1,2\n1\n", "3: this row has 1 cell, and the header 2"),
        ("a.csv", 'a,b\n"1\n1",2\n1,2,3\n', "4: this row has 3 cells, and the header 2"),
        ("a.csv", "a,a\n1,2\n", '1: column "a" is there twice'),
        ("a.csv", "a b\n1\n", '1: column "a b": expected the name of a variable: letters, digits and _, not beginning'),
        ("a.csv", "a,\n1,2\n", '1: column "": expected the name of a variable'),
        ("a.csv", "user\n1\n", '1: column "user": {user} is built in; give the column another name'),
        ("a.csv", "sec_websocket_key\n1\n", '1: column "sec_websocket_key": {sec_websocket_key} is built in'),
        ("a.csv", 'a\n1\n"2\n3\n', "3: not CSV: unexpected end of data"),
        ("a.csv", 'a\n"1"x\n', "2: not CSV: ',' expected after '\"'"),
        ("a.csv", b"a\n1\n\xff\n", "3: this line is not UTF-8 text"),
        ("a.csv", "a\n1\n".encode("utf-16"), "1: this line is not UTF-8 text"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', "2: this line is not UTF-8 text"),
        ("a.jsonl", '{"a": 1}\n{"a": 1,}\n', "2: not JSON: "),
        ("a.jsonl", '{"a": 1} {"a": 2}\n', "1: not JSON: extra data (at column 10)"),
        ("a.jsonl", "[1]\n", '1: expected an object on every line, such as {"prompt": "Hello"}'),
        ("a.jsonl", '[{"a": 1}]\n', "1: expected an object on every line"),
        ("a.jsonl", "{}\n", "1: there are no columns in the first row"),
        ("a.jsonl", '{"a": null}\n', '1: column "a": expected text, a number, true or false, not null'),
        ("a.jsonl", '{"a": NaN}\n', '1: column "a": expected text, a number, true or false, not null'),
        ("a.jsonl", '{"a": [1]}\n', '1: column "a": expected text, a number, true or false, not a list'),
        ("a.jsonl", '{"a": {"b": 1}}\n', '1: column "a": expected text, a number, true or false, not an object'),
        ("a.jsonl", '{"a": 1}\n{"b": 1}\n', '2: column "a" is missing; every row has the columns of the first'),
        ("a.jsonl", '{"a": 1}\n{"a": 1, "b": 1}\n', '2: column "b" is not in the first row'),
        ("a.jsonl", '{"a": 1, "a": 2}\n', '1: column "a" is there twice'),
        ("a.jsonl", '{"a": 1}\n{"a": 1, "a": 2}\n', '2: column "a" is there twice'),
        ("a.jsonl", '{"a": ' + "[" * 100_000 + "\n", "1: not a row: it is nested too deep"),
        ("a.jsonl", '{"iteration": 1}\n', '1: column "iteration": {iteration} is built in'),
    ],
)
def test_a_broken_file_says_where_and_what(tmp_path: Path, name: str, data: str | bytes, expected: str) -> None:
    lines = faults(read(tmp_path, name, data))
    assert any(line.startswith(expected) for line in lines), lines
    assert all("\n" not in line for line in lines)


def test_all_faults_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "a,b\n" + "1\n" * 25)
    assert [line for line, _ in found.faults] == [*range(2, 2 + MAX_FAULTS), None]
    assert found.faults[-1] == (None, "15 more like these")


def test_a_file_that_changed_is_not_read(tmp_path: Path) -> None:
    found = read(tmp_path, "a.csv", "a\n1\n")
    path = tmp_path / "a.csv"
    assert rows_of(load_rows(path, found.sha256)) == [{"a": "1"}]
    path.write_text("a\n2\n")
    with pytest.raises(DataError, match=r"^a\.csv: has changed since the profile was checked"):
        load_rows(path, found.sha256)
    path.unlink()
    with pytest.raises(DataError, match=r"^a\.csv: cannot be read any more"):
        load_rows(path, found.sha256)


@given(NAMES, st.data())
def test_what_a_csv_writer_wrote_is_read_again(names: list[str], data: st.DataObject) -> None:
    cell = st.text(st.characters(exclude_categories=["Cs"]))
    rows = data.draw(st.lists(st.lists(cell, min_size=len(names), max_size=len(names)), min_size=1))
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([names, *rows])
    reading = _Reading()
    _csv(reading, io.BytesIO(text.getvalue().encode()))
    found = reading.finished()
    assert found.faults == []
    assert rows_of(found.rows) == [dict(zip(names, row, strict=True)) for row in rows]


@given(NAMES, st.data())
def test_what_json_can_say_is_read_again(names: list[str], data: st.DataObject) -> None:
    row = st.fixed_dictionaries({name: st.text() | st.integers() | st.booleans() for name in names})
    rows = data.draw(st.lists(row, min_size=1))
    reading = _Reading()
    _jsonl(reading, io.BytesIO(b"".join(json.dumps(row).encode() + b"\n" for row in rows)))
    found = reading.finished()
    assert found.faults == []

    def text(value: str | int) -> str:
        return value if isinstance(value, str) else json.dumps(value)

    assert rows_of(found.rows) == [{name: text(value) for name, value in row.items()} for row in rows]


@given(st.binary())
def test_any_bytes_are_faults_at_worst(data: bytes) -> None:
    for read_format in (_csv, _jsonl):
        reading = _Reading()
        read_format(reading, io.BytesIO(data))
        found = reading.finished()
        assert found.faults or len(found.rows)


def test_rows_show_nothing_of_what_is_in_them() -> None:
    rows = Rows(["a", "b"])
    rows.append(["secret", "x"])
    assert repr(rows) == "<1 rows of 2 columns>"
    assert len(rows) == 1


def test_many_rows_take_little_more_than_their_text() -> None:
    tracemalloc.start()
    try:
        rows = Rows(["prompt"])
        for number in range(10_000):
            rows.append([f"{number:050}"])
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken / len(rows) < 50 * 1.25 + 12
