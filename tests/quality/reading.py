"""Reads cases in tests: files of the data folder, and texts."""

from __future__ import annotations

from pathlib import Path

from agenttop.quality.case import Case
from agenttop.quality.cases import Cases, read_cases

DATA = Path(__file__).parent / "data"


def data(name: str) -> Cases:
    """Return what is read of a file of the data folder."""
    return read_cases([(name, (DATA / name).read_text(encoding="utf-8"))])


def sound(name: str, text: str) -> list[Case]:
    """Return the cases of a text that has no problems."""
    found = read_cases([(name, text)])
    assert not found.problems, "\n".join(map(str, found.problems))
    return list(found.cases)


def problems(name: str, text: str) -> list[str]:
    """Return the problems of a text, as they are printed."""
    return [str(problem) for problem in read_cases([(name, text)]).problems]
