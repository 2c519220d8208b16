"""Reads data files: rows of jsonl or csv, whose columns become variables of the virtual user.

What every file must be, for a worker to hand out its rows without looking at them again:

    jsonl   an object a line; text, numbers (as they are written), true and false become variables, nothing else does
    csv     RFC 4180, the first row the names of the columns; every cell is text
    both    UTF-8, a byte order mark is skipped, and so are blank lines; every row has all columns, and no others
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from agenttop.profile.template import BUILT_IN

#: Faults of one file that are told; the rest are counted.
MAX_FAULTS = 10
#: Variables that no column may be: those of every user, and the one that a WebSocket is opened with.
RESERVED = BUILT_IN | {"sec_websocket_key"}

_BOM = b"\xef\xbb\xbf"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST_CELL = 2**31 - 1
_KINDS: dict[type, str] = {list: "a list", tuple: "an object", type(None): "null"}


class DataError(Exception):
    """A data file is not what it was when the profile was checked; the message says which and how."""


class Rows:
    """Rows of texts, as one block of UTF-8: a cell takes its bytes and 8 more, where a dict of ``str`` takes 100 more.

    The hot path needs only ``fill``.
    """

    __slots__ = ("_ends", "_text", "columns")

    def __init__(self, columns: Iterable[str] = ()) -> None:
        self.columns = tuple(columns)
        self._text = bytearray()
        self._ends = array("Q", [0])

    def __len__(self) -> int:
        return (len(self._ends) - 1) // len(self.columns) if self.columns else 0

    def __repr__(self) -> str:
        return f"<{len(self)} rows of {len(self.columns)} columns>"  # what is in them may be private

    def append(self, cells: Iterable[str]) -> None:
        """Add a row: a text for every column, in their order."""
        text, ends = self._text, self._ends
        for cell in cells:
            # JSON can spell half a surrogate pair, which is no UTF-8.
            text += cell.encode("utf-8", "surrogatepass")
            ends.append(len(text))

    def fill(self, variables: dict[str, str], row: int) -> None:
        """Put the cells of a row (from 0) into the variables."""
        text, ends = self._text, self._ends
        at = row * len(self.columns)
        begin = ends[at]
        for column in self.columns:
            at += 1
            end = ends[at]
            variables[column] = text[begin:end].decode("utf-8", "surrogatepass")
            begin = end


@dataclass(slots=True)
class DataFile:
    """The content of one file, and its faults."""

    rows: Rows = field(default_factory=Rows)
    faults: list[tuple[int | None, str]] = field(default_factory=list)
    """Line (None: the file as a whole) and message; at most :data:`MAX_FAULTS`, and one that counts the rest."""
    sha256: str = ""
    """Hash of the file's bytes, in hexadecimal."""


def is_data_file(path: Path) -> bool:
    """Return whether the name of a file names a format that can be read."""
    return path.suffix.lower() in _FORMATS


def read_data(path: Path) -> DataFile:
    """Read a whole file and find all its faults.

    Raises:
        OSError: it cannot be read.
        KeyError: its name says no format: see :func:`is_data_file`.
    """
    reading = _Reading()
    with path.open("rb") as file:
        _FORMATS[path.suffix.lower()](reading, file)
    return reading.finished()


def load_rows(path: Path, sha256: str, shown: str = "") -> Rows:
    """Return the rows of a file that was checked when it was these bytes; an error may call it ``shown``.

    Raises:
        DataError: it has changed since, or cannot be read any more.
    """
    name = shown or path.name
    try:
        found = read_data(path)
    except OSError as error:
        raise DataError(f"{name}: cannot be read any more: {error.strerror or 'no reason given'}") from None
    if found.sha256 != sha256:
        raise DataError(f"{name}: has changed since the profile was checked; start the run again")
    return found.rows


class _Reading:
    """Reads one file."""

    def __init__(self) -> None:
        self._file = DataFile()
        self._digest = hashlib.sha256()
        self._untold = 0
        self._names: tuple[str, ...] | None = None
        self.known: frozenset[str] = frozenset()
        """The columns, as a set for look-ups."""

    def fault(self, line: int | None, message: str) -> None:
        """Keep a fault, or count it."""
        if len(self._file.faults) < MAX_FAULTS:
            self._file.faults.append((line, message))
        else:
            self._untold += 1

    def lines(self, file: BinaryIO) -> Iterator[tuple[int, str]]:
        """Yield the lines of a file with their numbers, ends included; what is not UTF-8 is a fault."""
        for number, line in enumerate(file, 1):
            self._digest.update(line)
            data = line.removeprefix(_BOM) if number == 1 else line
            try:
                text = data.decode()
            except UnicodeDecodeError:
                self.fault(number, "this line is not UTF-8 text")
                text = data.decode("utf-8", "replace")
            yield number, text

    @property
    def names(self) -> tuple[str, ...] | None:
        """Return the columns; None before the first row."""
        return self._names

    def header(self, line: int, names: tuple[str, ...]) -> None:
        """Take the names of the columns."""
        self._names = names
        self.known = frozenset(names)
        self._file.rows = Rows(names)
        for name in names:
            shown = json.dumps(name[:60], ensure_ascii=True)
            if not _VARIABLE.fullmatch(name):
                what = "letters, digits and _, not beginning with a digit"
                self.fault(line, f"column {shown}: expected the name of a variable: {what}")
            elif name in RESERVED:
                self.fault(line, f"column {shown}: {{{name}}} is built in; give the column another name")
        for name in sorted(name for name, count in Counter(names).items() if count > 1):
            self.fault(line, f"column {json.dumps(name[:60])} is there twice")
        if not names:
            self.fault(line, "there are no columns in the first row")

    def row(self, cells: Iterable[str]) -> None:
        """Add a row without faults."""
        self._file.rows.append(cells)

    def finished(self) -> DataFile:
        """Return the file, whole."""
        file = self._file
        if not file.faults and not len(file.rows):
            self.fault(None, "is empty" if self._names is None else "holds no rows after its header")
        if self._untold:
            file.faults.append((None, f"{self._untold} more like these"))
        file.sha256 = self._digest.hexdigest()
        return file


def _jsonl(reading: _Reading, file: BinaryIO) -> None:
    # Numbers stay as they are written: 1.10 is a price, 007 is refused by JSON itself. Lists are lists, objects tuples.
    decode = json.JSONDecoder(
        object_pairs_hook=tuple, parse_float=str, parse_int=str, parse_constant=lambda _: None
    ).decode
    for line, text in reading.lines(file):
        if text.isspace() or not text:
            continue
        try:
            value = decode(text)
        except json.JSONDecodeError as error:
            reading.fault(line, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]} (at column {error.colno})")
            continue
        except RecursionError:
            reading.fault(line, "not a row: it is nested too deep")
            continue
        if not isinstance(value, tuple):
            reading.fault(line, 'expected an object on every line, such as {"prompt": "Hello"}')
            continue
        _object(reading, line, value)


def _object(reading: _Reading, line: int, pairs: tuple[tuple[str, Any], ...]) -> None:
    names = tuple(name for name, _ in pairs)
    if reading.names is None:
        reading.header(line, names)
        if len(set(names)) < len(names):
            return
    columns = reading.names or ()
    if names != columns:
        wrong = _difference(names, columns, reading.known)
        if wrong:
            reading.fault(line, wrong)
            return
        found = dict(pairs)
        pairs = tuple((name, found[name]) for name in columns)
    cells = []
    for name, value in pairs:
        if isinstance(value, str):
            cells.append(value)
        elif isinstance(value, bool):
            cells.append("true" if value else "false")
        else:
            kind = _KINDS[type(value)]
            reading.fault(line, f"column {_shown(name)}: expected text, a number, true or false, not {kind}")
    if len(cells) == len(columns):
        reading.row(cells)


def _difference(names: tuple[str, ...], columns: tuple[str, ...], known: frozenset[str]) -> str:
    """Return what keeps a row from having the columns of the first; empty if only their order differs."""
    there = Counter(names)
    twice = next((name for name, count in there.items() if count > 1), None)
    if twice is not None:
        return f"column {_shown(twice)} is there twice"
    missing = next((name for name in columns if name not in there), None)
    if missing is not None:
        return f"column {_shown(missing)} is missing; every row has the columns of the first"
    other = next((name for name in names if name not in known), None)
    return "" if other is None else f"column {_shown(other)} is not in the first row; every row has the columns of that"


def _csv(reading: _Reading, file: BinaryIO) -> None:
    csv.field_size_limit(_LARGEST_CELL)  # a prompt may be longer than the module's 128 kB
    records = csv.reader((text for _, text in reading.lines(file)), strict=True)
    line = 1  # where the record begins: one in quotes may go over many
    try:
        for cells in records:
            if cells and reading.names is None:
                reading.header(line, tuple(cells))
            elif cells and len(cells) == len(reading.names or ()):
                reading.row(cells)
            elif cells:
                count = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
                reading.fault(line, f"this row has {count}, and the header {len(reading.names or ())}")
            line = records.line_num + 1
    except csv.Error as error:
        reading.fault(line, f"not CSV: {error}")


def _shown(name: str) -> str:
    return json.dumps(name[:60])


_FORMATS: dict[str, Callable[[_Reading, BinaryIO], None]] = {".jsonl": _jsonl, ".csv": _csv}
