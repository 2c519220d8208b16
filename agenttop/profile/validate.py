"""Finds every problem of some profiles, for ``agenttop validate``: nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from agenttop.profile.load import load_profile
from agenttop.profile.problems import Problem, ProfileError


def validate_files(
    paths: Iterable[str | Path], *, env: Mapping[str, str] | None = None
) -> tuple[list[Problem], list[str], dict[str, tuple[str, ...]]]:
    """Return the problems of all files, in order, and of the files they name (certificates, data); empty if all is
    well.

    Beside them, return a line for each warning that the run of a file without problems would start with, and by file
    what it has to grade.
    """
    problems: list[Problem] = []
    warnings: list[str] = []
    counts: dict[str, tuple[str, ...]] = {}
    for path in paths:
        try:
            loaded = load_profile(path, env=env)
        except ProfileError as error:
            problems += error.problems
        else:
            warnings += [f"{path}: warning: {text}" for text in loaded.warnings]
            counts[str(path)] = loaded.counts
    return problems, warnings, counts
