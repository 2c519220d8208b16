"""``agenttop validate``: checks profiles, sends nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from agenttop.exits import DONE, USAGE
from agenttop.profile.validate import validate_files


def validate(files: Sequence[str]) -> int:
    """Print every problem of these profiles, and what a run would be warned of; return the exit code."""
    problems, warnings, counts = validate_files(files)
    for line in (*problems, *warnings):
        print(line, file=sys.stderr)
    if problems:
        return USAGE
    for name in files:
        print(f"{name}: ok")
        for line in counts.get(name, ()):
            print(f"  {line}")
    return DONE
