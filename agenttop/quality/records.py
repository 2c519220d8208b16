"""Takes the text of a file of cases apart: JSON lines, YAML (and with it JSON), CSV; each record knows its line.

YAML is read as YAML 1.2 has it (``no`` is a text, and so are ``12:30`` and ``2026-01-01``), with PyYAML's safe loader.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import msgspec

from agenttop.quality.packages import needed

#: Characters of a file of cases; of YAML fewer, for it is read slowly.
MAX_TEXT = 64 * 1024 * 1024
MAX_YAML = 8 * 1024 * 1024
#: Values of a YAML file with its aliases written out: a few lines of aliases of aliases stand for billions.
MAX_VALUES = 1_000_000
#: Characters of a cell of CSV.
MAX_CELL = 4 * 1024 * 1024

Fault = Callable[[int, str], None]
"""Told of a problem: its line, the message."""
_NULL = r"^(?:~|null|Null|NULL|)$"
_BOOL = r"^(?:true|True|TRUE|false|False|FALSE)$"
_INT = r"^(?:[-+]?(?:0|[1-9][0-9]{0,17})|0x[0-9a-fA-F]{1,15})$"
_FLOAT = r"^[-+]?(?:(?:\.[0-9]{1,30}|[0-9]{1,30}\.[0-9]{0,30})(?:[eE][-+]?[0-9]{1,2})?|[0-9]{1,30}[eE][-+]?[0-9]{1,2})$"


@dataclass(frozen=True, slots=True)
class Record:
    """A value of a file, and where it stands."""

    value: Any
    line: int
    node: Any = None
    """YAML's, which knows the lines inside."""

    def line_at(self, *path: str | int) -> int:
        """Return the line of what stands at a path of keys and indexes inside; the record's own if that is unknown."""
        node, line = self.node, self.line
        for part in path:
            if node is None:
                break
            step = _step(node, part)
            if step is None:
                break
            line, node = step
        return line

    def at(self, *path: str | int) -> Record:
        """Return what stands at a path inside, which has to be there."""
        value, node = self.value, self.node
        for part in path:
            value = value[part]
            step = _step(node, part) if node is not None else None
            node = step[1] if step else None
        return Record(value, self.line_at(*path), node)


def _step(node: Any, part: str | int) -> tuple[int, Any] | None:
    """Return the line and node of an entry of a YAML node, or None."""
    if node.id == "mapping":
        for key, value in node.value:
            if key.id == "scalar" and key.value == str(part):
                return key.start_mark.line + 1, value
    elif node.id == "sequence" and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None


def json_lines(text: str, fault: Fault) -> list[Record]:
    """Return a record a line, each a table; lines of blanks are left out."""
    records = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = msgspec.json.decode(line.encode("utf-8", "surrogatepass"))
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            said = str(error).removeprefix("JSON is malformed: ")
            fault(number, "the line is nested too deep" if isinstance(error, RecursionError) else f"no JSON: {said}")
            continue
        if isinstance(value, dict):
            records.append(Record(value, number))
        else:
            fault(number, "a line is one case, a JSON object")
    return records


def csv_rows(text: str, fault: Fault) -> tuple[list[str], list[Record]]:
    """Return the header and a record a row, a table by column; empty rows are left out."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    records: list[Record] = []
    line = 1
    try:
        for row in reader:
            begin, line = line, reader.line_num + 1
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = [cell.strip() for cell in row]
                for name in sorted({name for name in header if header.count(name) > 1}):
                    fault(begin, f'the column "{name}" is there twice')
            elif len(row) != len(header):
                fault(begin, f"the row has {len(row)} cells, the header {len(header)}; quote texts with commas in them")
            else:
                records.append(Record(dict(zip(header, row, strict=True)), begin))
    except csv.Error as error:
        fault(max(line, 1), f"no CSV: {error}")
    return header, records


def yaml_tree(text: str, fault: Fault) -> Record | None:
    """Return the whole of a YAML or JSON file, or None where it cannot be read.

    Raises:
        MissingPackage: PyYAML is not installed.
    """
    yaml = needed("yaml", "cases in YAML")
    if len(text) > MAX_YAML:
        fault(0, f"a YAML file of cases has at most {MAX_YAML >> 20} MiB; write it as .jsonl")
        return None
    try:
        loader = _loader()(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return Record(None, 1)
            before = len(twice := list(_twice(node)))
            for line, key in twice:
                fault(line, f'the key "{key}" is there twice')
            if _values(node, {}) > MAX_VALUES:
                fault(0, f"with its aliases written out it has more than {MAX_VALUES:,} values")
                return None
            value = loader.construct_document(node)
        finally:
            loader.dispose()
        value = _json_like(value)
        return None if before else Record(value, node.start_mark.line + 1, node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = " ".join(str(getattr(error, "problem", None) or error).split())
        fault(mark.line + 1 if mark else 0, f"no YAML: {said}")
    except RecursionError:
        fault(0, "it is nested too deep")
    except ValueError as error:
        fault(0, f"no YAML: {error}")
    return None


@cache
def _loader() -> Any:
    yaml = needed("yaml", "cases in YAML")
    import re

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # PyYAML is an extra
        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    for tag, pattern, first in (
        ("null", _NULL, ["~", "n", "N", ""]),
        ("bool", _BOOL, list("tTfF")),
        ("int", _INT, list("-+0123456789")),
        ("float", _FLOAT, list("-+0123456789.")),
        ("merge", r"^<<$", ["<"]),
    ):
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)
    return Loader


def _values(node: Any, known: dict[int, int]) -> int:
    """Return how many values a node stands for, its aliases written out.

    Raises:
        ValueError: it is within itself.
    """
    seen = known.get(id(node))
    if seen is not None:
        if seen == 0:
            raise ValueError("an alias stands within what it is an alias of")
        return seen
    known[id(node)] = 0
    inside: tuple[Any, ...] = ()
    if node.id == "mapping":
        inside = tuple(part for pair in node.value for part in pair)
    elif node.id == "sequence":
        inside = tuple(node.value)
    known[id(node)] = count = 1 + sum(_values(part, known) for part in inside)
    return count


def _twice(node: Any) -> Iterator[tuple[int, str]]:
    """Yield keys that a table has twice, with their lines."""
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "mapping":
            keys = set()
            for key, value in node.value:
                waiting.append(value)
                if key.id == "scalar" and key.value != "<<":
                    if key.value in keys:
                        yield key.start_mark.line + 1, key.value
                    keys.add(key.value)
        elif node.id == "sequence":
            waiting.extend(node.value)


def _json_like(value: Any) -> Any:
    """Return a value of YAML as one of JSON: keys are texts.

    Raises:
        ValueError: it has something that JSON has not.
    """
    if isinstance(value, dict):
        return {key if isinstance(key, str) else str(key): _json_like(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_json_like(inner) for inner in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError(f"a {type(value).__name__} is nothing that JSON has; write it as text")
