"""Checks the data files that a profile names, and collects the variables they give."""

from __future__ import annotations

import contextlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agenttop.profile.certificates import located, unreadable
from agenttop.profile.model import CheckedData, Data, Pool
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc, Problem, shown, value_at
from agenttop.profile.rows import DataFile, is_data_file, read_data
from agenttop.profile.template import TemplateError, Variable, parse
from agenttop.profile.variables import ANY, texts


@dataclass(slots=True)
class DataFiles:
    """The data files of one profile; each is read once, however often it is named."""

    faults: list[Fault] = field(default_factory=list)
    """Faults of files that cannot be read at all, where the profile names them."""
    problems: list[Problem] = field(default_factory=list)
    """Problems inside the files, by line."""
    warnings: list[str] = field(default_factory=list)
    """Warnings about files of which no column is used."""
    columns: dict[Loc, frozenset[str]] = field(default_factory=dict)
    """Columns by the place of a ``data`` table; :data:`~agenttop.profile.variables.ANY` if unknown."""
    _digests: dict[str, str] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)

    def resolve(self, pool: Pool, folder: Path) -> Pool:
        """Return the pool with its files as a worker finds and recognises them."""
        tasks = [task.model_copy(update={"data": self._checked(task.data, folder)}) for task in pool.tasks]
        return pool.model_copy(update={"data": self._checked(pool.data, folder), "tasks": tasks})

    def _checked(self, data: Data | None, folder: Path) -> CheckedData | None:
        if data is None:
            return None
        path = str(located(folder, data.file))
        return CheckedData(file=path, order=data.order, sha256=self._digests[path], shown=self._shown[path])


def check_data(data: Table, masked: Table, path: Path) -> DataFiles:
    """Read the files that a normalised profile at ``path`` names; ``masked`` is how it may be shown."""
    files = DataFiles()
    read: dict[Path, DataFile] = {}
    for loc, table, owner in _tables(data):
        files.columns[loc] = frozenset({ANY})
        name = table.get("file")
        if not isinstance(name, str):
            continue
        at = (*loc, "file")
        file = located(path.resolve().parent, name)
        written = str(value_at(masked, at))
        problem = _problem(file, written)
        if problem:
            files.faults.append(Fault(at, problem))
            continue
        if file not in read:
            try:
                read[file] = read_data(file)
            except OSError as error:
                files.faults.append(Fault(at, f"{written} cannot be read: {error.strerror or 'no reason given'}"))
                continue
            where = str(path.parent / written)
            files.problems += [Problem(where, "", text, line) for line, text in read[file].faults]
            files._digests[str(file)] = read[file].sha256
            files._shown[str(file)] = Path(where).name
            # Workers read it again, each for itself: what is kept here is what its columns are called.
            read[file].rows = type(read[file].rows)(read[file].rows.columns)
        columns = frozenset(read[file].rows.columns)
        sound = columns and all(column.isidentifier() and column.isascii() for column in columns)
        files.columns[loc] = columns if sound else columns | {ANY}
        if sound and "python" not in owner and not columns & _used(owner):
            what = f"task {owner.get('name')}" if "tasks" in loc else f"pool {owner.get('name')}"
            files.warnings.append(f"{what}: no column of {written} is used")
    return files


def _problem(path: Path, written: str) -> str | None:
    if not is_data_file(path):
        return f"expected a file whose name ends in .jsonl or .csv, not {shown(written)}"
    with contextlib.suppress(OSError, ValueError):
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # opening a pipe would wait for who writes into it
            return f"{written} is no regular file; it is read once by each worker"
    return unreadable(path, written)


def _used(owner: Table) -> set[str]:
    """Return the variables in a pool or a task."""
    found: set[str] = set()
    for _, text in texts(owner, ()):
        with contextlib.suppress(TemplateError):
            found |= {piece for piece in parse(text) if isinstance(piece, Variable)}
    return found


def _tables(data: Mapping[str, Any]) -> Iterator[tuple[Loc, Table, Table]]:
    """Yield every ``data`` table with its place and its owner."""
    for index, pool in enumerate(_list(data.get("pools"))):
        for loc, owner in (
            (("pools", index), pool),
            *((("pools", index, "tasks", number), task) for number, task in enumerate(_list(_get(pool, "tasks")))),
        ):
            table = _get(owner, "data")
            if isinstance(table, dict):
                yield (*loc, "data"), table, owner


def _get(owner: Any, key: str) -> Any:
    return owner.get(key) if isinstance(owner, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
