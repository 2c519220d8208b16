"""``python -m tests``: everything that must hold, in the order in which it fails fastest. Arguments go to pytest.

``oldest`` and ``python 3.12 3.13`` run the suite in other environments (:mod:`tests.environments`)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.environments import oldest, pythons

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: One more at a time than there are cores: tests of whole runs wait for time to pass more than they work.
AT_ONCE = (os.cpu_count() or 1) + 1


def main(arguments: list[str]) -> int:
    """Run the checks; stop at the first that fails and return its code."""
    if arguments[:1] in (["oldest"], ["python"]):
        return (oldest if arguments[0] == "oldest" else pythons)(arguments[1:])
    checks = [
        [sys.executable, "-m", "ruff", "check", "."],
        [sys.executable, "-m", "ruff", "format", "--check", "."],
        [sys.executable, "-m", "mypy"],
        [str(BIN / "lint-imports"), "--no-logo"],
        [sys.executable, "-m", "pytest", "-n", str(AT_ONCE), "--dist", "worksteal", *arguments],
    ]
    for check in checks:
        print("$", " ".join([Path(check[0]).name, *check[1:]]), flush=True)
        code = subprocess.call(check, cwd=ROOT)
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
