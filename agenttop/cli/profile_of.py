"""``agenttop profile-of RUN``: writes the profile that drives a run again as it was steered."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from agenttop.cli.run_path import run_path
from agenttop.exits import DONE, UsageError
from agenttop.journal.journal import JournalError, as_journal
from agenttop.journal.repeat import NothingDriven, driven, left_by, rewritten
from agenttop.journal.repeat_user_policy import with_user_policy
from agenttop.journal.replayed_plan import NotRepeatable
from agenttop.profile.load import load_profile
from agenttop.profile.problems import ProfileError
from agenttop.profile.settings import PREFIX
from agenttop.profile.toml import dumps

_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)")
#: A value that a reference may have wherever one is likely: a header, a body, a target.
_ANYTHING = "http://127.0.0.1:1"
_THRESHOLD = re.compile(r"thresholds\[(\d+)\]")


def profile_of(run: str | None, out: str | None) -> int:
    """Print the profile, or write it to a new file; return the exit code.

    Raises:
        UsageError: the run has left too little behind.
    """
    path = run_path(run)
    directory = path if path.is_dir() else path.parent
    try:
        text, notes = _text(directory)
    except JournalError as error:
        raise UsageError(f"{directory.name}: {error}") from None
    except OSError as error:
        raise UsageError(f"{directory}: no journal: {error.strerror}") from None
    if out is None:
        sys.stdout.write(text)
        return DONE
    try:
        with open(out, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{out} is there already; name another file") from None
    except OSError as error:
        raise UsageError(f"{out}: {error.strerror}") from None
    for note in notes:
        print(f"agenttop: {note}", file=sys.stderr)
    print(f"{out} written; agenttop --profile {out}")
    return DONE


def _text(directory: Path) -> tuple[str, list[str]]:
    """The profile, and what is to be said of it."""
    with as_journal(directory):
        try:
            left = left_by(directory)
            found, end_s = driven(left)
        except (NothingDriven, NotRepeatable) as error:
            raise UsageError(f"{directory.name}: {error}") from None
        table, notes = rewritten(left.header, found, end_s)
        notes += with_user_policy(table, left, end_s)
        variables = sorted({name for _, text in left.header.references for name in _VARIABLE.findall(text)})
        if variables:
            notes.insert(0, f"Wants from the environment, or from .env beside this file: {', '.join(variables)}")
        notes += _without_lost_thresholds(table, variables)
        head = [f"The run {left.header.info.run_id} as it was driven.", *notes]
        return "".join(f"# {line}\n" for line in head) + "\n" + dumps(table), notes


def _without_lost_thresholds(table: dict[str, Any], variables: list[str]) -> list[str]:
    """Leave out thresholds on stages that are not there any more, and return notes about it."""
    thresholds = table.get("thresholds")
    if not isinstance(thresholds, list):
        return []
    known = {name: text for name, text in os.environ.items() if not name.upper().startswith(PREFIX)}
    environment = dict.fromkeys(variables, _ANYTHING) | known
    with tempfile.TemporaryDirectory(prefix="agenttop-") as folder:
        path = Path(folder) / "again.toml"
        path.write_text(dumps(table), encoding="utf-8")
        try:
            load_profile(path, env=environment)
        except ProfileError as error:
            lost = {int(match[1]) for problem in error.problems if (match := _THRESHOLD.match(problem.key))}
        else:
            return []
    table["thresholds"] = [item for index, item in enumerate(thresholds) if index not in lost]
    words = [
        item["expression"] if isinstance(item, dict) else item for index, item in enumerate(thresholds) if index in lost
    ]
    return [f"Left out, for it is on what is not in this plan: {word}" for word in words]
