"""Every problem of some profiles, for ``agenttop validate``: nothing is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from agenttop.profile.load import load_profile
from agenttop.profile.problems import Problem, ProfileError


def validate_files(paths: Iterable[str | Path], *, env: Mapping[str, str] | None = None) -> list[Problem]:
    """The problems of all files, in their order, and of the files they name (certificates, data). Empty: all well."""
    problems: list[Problem] = []
    for path in paths:
        try:
            load_profile(path, env=env)
        except ProfileError as error:
            problems += error.problems
    return problems
