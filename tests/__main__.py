"""``python -m tests``: everything that must hold. Arguments go to pytest. Types and contracts are checked while tests
run: they keep one core busy for half a minute, and tests wait more than they work.

python -m tests                      the gate
python -m tests fast                 lint, types, unit tests of what differs from main (all where nothing does),
                                     with a few examples of each property
python -m tests mutation [ROOM…]     would the tests notice? see tests/mutation.py
python -m tests oldest               the suite on the oldest versions of all dependencies (tests/environments.py)
python -m tests python 3.12 3.13     the suite on other Pythons
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.environments import AT_ONCE, CORES, oldest, pythons, remembering
from tests.test_mirror import claims

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
LINT = (
    [sys.executable, "-m", "ruff", "check", "."],
    [sys.executable, "-m", "ruff", "format", "--check", "."],
)
TYPES = ([sys.executable, "-m", "mypy"], [str(BIN / "lint-imports"), "--no-logo"])
#: Folders whose tests start whole programs, terminals or other projects: no unit tests.
WHOLE = ("e2e", "peers", "screenshots", "benchmarks", "tui", "serve", "hostile")


def pytest(*arguments: str, at_once: int = AT_ONCE) -> list[str]:
    """Return the command that runs these tests."""
    return [sys.executable, "-m", "pytest", "-n", str(at_once), "--dist", "worksteal", *arguments]


def changed() -> list[str]:
    """Return the files that differ from main, or from the last commit where there is no main; none outside of git."""
    for base in ("main...", "HEAD"):
        told = [
            subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            for command in (
                ["git", "diff", "--name-only", base],
                ["git", "diff", "--name-only", "HEAD"],
                ["git", "ls-files", "--others", "--exclude-standard"],
            )
        ]
        if all(each.returncode == 0 for each in told):
            return sorted({line for each in told for line in each.stdout.splitlines()})
    return []


def unit_tests(files: Iterable[str], rooms: Sequence[str]) -> list[str]:
    """Return the folders, or files, of unit tests that these files ask for: the folder of a room for its modules and
    helpers, and what else says that it tests them; a test module for itself; all folders where no file says which.
    """
    wanted: set[str] = set()
    named = claims()
    for name in files:
        path = Path(name)
        if path.parts[0] == "agenttop":
            wanted |= named.get(".".join(path.with_suffix("").parts), set())
        if len(path.parts) < 3 or path.parts[0] not in ("agenttop", "tests"):
            continue
        itself = path.parts[0] == "tests" and path.name.startswith("test_") and (ROOT / name).is_file()
        wanted.add(name if itself else f"tests/{path.parts[1]}")
    found = {name for name in wanted if name.split("/")[1] in rooms}
    folders = {name for name in found if not name.endswith(".py")}
    return sorted(name for name in found if name in folders or str(Path(name).parent) not in folders) or [
        f"tests/{room}" for room in rooms
    ]


def unit_rooms() -> list[str]:
    """Return the names of the folders with unit tests."""
    return sorted(path.parent.name for path in ROOT.glob("tests/*/__init__.py") if path.parent.name not in WHOLE)


def main(arguments: list[str]) -> int:
    """Run the checks; stop at the first that fails and return its code."""
    if arguments[:1] == ["mutation"]:
        from tests.mutation import main as mutation

        return mutation(arguments[1:])
    if arguments[:1] in (["oldest"], ["python"]):
        return (oldest if arguments[0] == "oldest" else pythons)(arguments[1:])
    environment = remembering()
    if arguments[:1] == ["fast"]:
        environment.setdefault("HYPOTHESIS", "fast")
        chosen = unit_tests(changed(), unit_rooms())
        own = sorted(f"tests/{path.name}" for path in ROOT.glob("tests/test_*.py"))
        tests = pytest(*chosen, *own, *arguments[1:], at_once=CORES)
    else:
        tests = pytest(*arguments)
    for check in LINT:
        say(check)
        code = subprocess.call(check, cwd=ROOT, env=environment)
        if code != 0:
            return code
    return together(TYPES, tests, environment)


def say(check: Sequence[str]) -> None:
    """Print a command."""
    print("$", " ".join([Path(check[0]).name, *check[1:]]), flush=True)


def together(beside: Iterable[Sequence[str]], check: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run checks beside another whose output is seen at once; theirs is printed as each ends.

    Returns:
        The first exit code that is not 0.
    """
    say(check)
    codes: list[int] = []

    def run(quiet: Sequence[str]) -> None:
        done = subprocess.run(
            quiet, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
        )
        name = " ".join([Path(quiet[0]).name, *quiet[1:]])
        verdict = f"failed with {done.returncode}" if done.returncode else "ok"
        print(f"\n$ {name}\n{done.stdout}({name}: {verdict})", flush=True)
        codes.append(done.returncode)

    threads = [threading.Thread(target=run, args=(quiet,)) for quiet in beside]
    for thread in threads:
        thread.start()
    own = subprocess.call(check, cwd=ROOT, env=environment)
    for thread in threads:
        thread.join()
    failed = next((code for code in codes if code), 0)
    if failed and not own:
        print("tests passed, but a check beside them failed: see above", flush=True)
    return failed or own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
