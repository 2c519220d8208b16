"""Profiles written to a file and loaded, as a user would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agenttop.profile.load import Loaded, load_profile
from agenttop.profile.problems import Problem, ProfileError

#: The smallest profile that runs; more top-level keys go before it, more of its one task after it.
POOL = """
[[pools]]
name = "chat"
[[pools.tasks]]
get = "/"
"""
TOP = """
target = "http://127.0.0.1:8000"
users = 1
duration = "1s"
"""
SMALL = TOP + POOL


def load(folder: Path, text: str, *, env: Mapping[str, str] | None = None, **options: Any) -> Loaded:
    """Load a text as ``peak.toml`` of a folder, with nothing in the environment."""
    path = folder / "peak.toml"
    path.write_text(text, encoding="utf-8")
    return load_profile(path, env=env or {}, **options)


def problems(folder: Path, text: str, **options: Any) -> list[Problem]:
    """What is wrong with a text; [] where nothing is."""
    try:
        load(folder, text, **options)
    except ProfileError as error:
        return error.problems
    return []
