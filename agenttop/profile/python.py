"""Checks the Python files that a profile names, and collects the tasks and rows they give."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from agenttop.profile.certificates import located, unreadable
from agenttop.profile.fields import script_parts
from agenttop.profile.model import Profile
from agenttop.profile.normalise import Table
from agenttop.profile.problems import Fault, Loc, Problem, value_at
from agenttop.profile.script import Script, ScriptedPool, ScriptTask

#: How long importing a file may take.
IMPORT_S = 60.0


@dataclass(slots=True)
class Scripts:
    """The classes of one profile."""

    faults: list[Fault] = field(default_factory=list)
    """Faults where the profile names what cannot be used."""
    problems: list[Problem] = field(default_factory=list)
    """Problems inside the files, by line."""
    found: dict[int, Script] = field(default_factory=dict)
    """Classes by pool."""

    @property
    def sound(self) -> bool:
        """Return whether all classes are known, and so every row."""
        return not self.faults and not self.problems

    def resolve(self, profile: Profile) -> Profile:
        """Return the profile with its classes as a worker finds and recognises them."""
        if not self.found:
            return profile
        pools = [
            ScriptedPool.model_construct(**dict(pool), script=self.found[index]) if index in self.found else pool
            for index, pool in enumerate(profile.pools)
        ]
        return profile.model_copy(update={"pools": pools})


def check_scripts(data: Table, masked: Table, path: Path) -> Scripts:
    """Look at the files that a normalised profile at ``path`` names; ``masked`` is how it may be shown.

    Each is imported, by a process of its own.
    """
    scripts = Scripts()
    pools = data.get("pools")
    for index, pool in enumerate(pools if isinstance(pools, list) else []):
        value = pool.get("python") if isinstance(pool, dict) else None
        parts = script_parts(value) if isinstance(value, str) else None
        if parts is not None:
            loc: Loc = ("pools", index, "python")
            written = str(value_at(masked, loc)).rpartition(":")[0]
            _look(scripts, index, parts, path, written)
    return scripts


def _look(scripts: Scripts, index: int, parts: tuple[str, str], path: Path, written: str) -> None:
    name, class_name = parts
    loc: Loc = ("pools", index, "python")
    file = located(path.resolve().parent, name)
    problem = unreadable(file, written)
    if problem:
        scripts.faults.append(Fault(loc, problem))
        return
    where = path.parent / written
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    found = _described(file, class_name)
    if "fault" not in found:
        scripts.faults += [Fault(loc, text) for text in found["faults"]]
        scripts.found[index] = Script(
            file=str(file),
            shown=where.name,
            sha256=digest,
            class_name=class_name,
            tasks=tuple(ScriptTask(*task) for task in found["tasks"]),
            setup=found["setup"],
            teardown=found["teardown"],
            requests=tuple(found["requests"]),
        )
    elif found["place"]:
        inside, _, line = found["place"].rpartition(":")
        at = str(where.parent / inside) if inside else str(where)
        scripts.problems.append(Problem(at, "", found["fault"], int(line) if inside else None))
    else:
        scripts.faults.append(Fault(loc, found["fault"]))


def _described(file: Path, class_name: str) -> Mapping[str, Any]:
    """Return what ``scripting.describe`` says of the class, or ``fault`` and ``place``."""
    command = [sys.executable, "-m", "agenttop.scripting.describe", str(file), class_name]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=IMPORT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"fault": f"importing this file has not come to an end within {IMPORT_S:g}s", "place": ""}
    try:
        found: Mapping[str, Any] = msgspec.json.decode(done.stdout)[class_name]
    except (msgspec.DecodeError, KeyError):
        return {"fault": f"importing this file ended Python (code {done.returncode})", "place": ""}
    return found
