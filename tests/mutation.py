"""``python -m tests mutation [ROOM…]``: would the tests notice? mutmut changes one thing at a time in these rooms,
and counts the changes that some test of the room fails for.

    python -m tests mutation budget search                   every mutant
    python -m tests mutation dialects --sample 300           so many of them, the same ones each time
    python -m tests mutation dialects --sample 300 --seed 7  others

Everything happens in a copy of the checkout. A room's mutants are tried with the room's own tests only, so the score
says what these notice; property tests try a few examples each. What runs only while a module is imported cannot be
tried, and is left out of the score. Survivors are printed as diffs, to be read, and so are mutants whose tests were
stopped because they never ended.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
#: Rooms of pure functions: what they promise can be tested without a clock, a process or a network.
ROOMS = ("schedule", "budget", "thresholds", "search", "metrics", "dialects")
#: Percent of a room's mutants that tests are to notice.
WANTED = 90.0
_SETTINGS = """
[tool.mutmut]
source_paths = ["agenttop"]
only_mutate = ["agenttop/{room}/*.py"]
also_copy = ["README.md", "CONTRIBUTING.md", "profiles"]
pytest_add_cli_args_test_selection = ["tests/{room}"]
pytest_add_cli_args = [
    "-p", "no:xdist", "--tb=no", "-o", "addopts=--strict-markers -p no:cacheprovider --benchmark-disable",
]
timeout_multiplier = 8
timeout_constant = 2
track_dependencies = false
"""
#: Makes the mutants of all files, a process a core: a quarter of the time of a small sample. ``mutmut run`` finds them
#: made, and needs to be told their names.
_MAKE = """
import sys
from pathlib import Path
from mutmut.__main__ import create_mutants
from mutmut.utils.file_utils import copy_also_copy_files, copy_src_dir
Path("mutants").mkdir()
copy_src_dir()
copy_also_copy_files()
create_mutants(int(sys.argv[1]))
"""
#: Goes to the end of the copy's conftest.py. A mutant is switched on once its module has been imported: what only an
#: import runs (tables made by functions) cannot be tried, and mutmut would leave it to the very first test.
_CONFTEST = """

def pytest_collection_finish() -> None:
    import json
    from mutmut.state import state
    if state()._stats:
        Path("at-import.json").write_text(json.dumps(sorted(state()._stats)))
        state()._stats.clear()
"""
_NO_TESTS = 33
#: Exit codes of a mutant's tests, as mutmut keeps them: they never ended; noticed, so or otherwise; not noticed.
#: One that somebody interrupted (2) is none of them.
_ENDLESS = {24, 36, 152, 255, -24, -9}
_KILLED = {1, 3, -11} | _ENDLESS
_SURVIVED = {0, 5, _NO_TESTS}


@dataclass(frozen=True, slots=True)
class Score:
    """What became of a room's mutants."""

    room: str
    killed: int
    survivors: tuple[str, ...]
    """Names, as mutmut gives them."""
    mutants: int
    """How many there are, tried or not."""
    endless: tuple[str, ...] = ()
    """Those noticed only because tests were stopped: many on a busy machine say that it was too slow."""
    at_import: int = 0
    """How many of those chosen could not be tried, for only an import runs them."""

    @property
    def percent(self) -> float:
        """Percent of those tried that a test noticed; 0 where none was tried."""
        tried = self.killed + len(self.survivors)
        return 100 * self.killed / tried if tried else 0.0


def pick(names: Iterable[str], count: int | None, seed: int) -> list[str]:
    """Return ``count`` of the names (all, where there are no more or no count is given), the same for the same seed."""
    ordered = sorted(names)
    if count is None or count >= len(ordered):
        return ordered
    return sorted(Random(seed).sample(ordered, count))


def score_of(
    room: str, codes: dict[str, int | None], chosen: Sequence[str], at_import: Callable[[str], bool] = lambda _: False
) -> Score:
    """Return the score of the chosen mutants by their exit codes; one that was not tried is no part of it, nor one that
    no test runs because it ran ``at_import``.

    Raises:
        ValueError: a code that says neither that a test noticed nor that none did.
    """
    imported = {name for name in chosen if codes.get(name) == _NO_TESTS and at_import(name)}
    tried = {name: codes[name] for name in chosen if codes.get(name) is not None and name not in imported}
    strange = {code for code in tried.values() if code not in _KILLED | _SURVIVED}
    if strange:
        raise ValueError(f"{room}: exit codes {sorted(map(str, strange))} of mutants are neither killed nor survived")
    survivors = tuple(sorted(name for name, code in tried.items() if code in _SURVIVED))
    endless = tuple(sorted(name for name, code in tried.items() if code in _ENDLESS))
    return Score(room, len(tried) - len(survivors), survivors, len(codes), endless, len(imported))


def _copy(place: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    files = [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
    for name in files:
        target = place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


def _mutmut(program: str, *arguments: str) -> str:
    """Run it here; return what it says.

    Raises:
        RuntimeError: it failed.
    """
    done = subprocess.run(
        [program, *arguments],
        env=os.environ | {"HYPOTHESIS": "mutation"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"mutmut failed:\n{done.stdout[-4000:]}")
    return done.stdout


def _codes() -> dict[str, int | None]:
    codes: dict[str, int | None] = {}
    for path in Path("mutants").rglob("*.py.meta"):
        codes |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    return codes


def _at_import() -> Callable[[str], bool]:
    from mutmut.utils.format_utils import mangled_name_from_mutant_name

    path = Path("mutants", "at-import.json")
    functions = set(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else set()
    return lambda mutant: mangled_name_from_mutant_name(mutant) in functions


def _diff(name: str) -> str:
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    return str(get_diff_for_mutant(name))


def try_room(room: str, count: int | None, seed: int, at_once: int) -> Score:
    """Run mutmut over one room in a copy of this checkout, print the survivors, return the score.

    Raises:
        RuntimeError: mutmut failed: most often because the room's tests fail without any change.
    """
    from mutmut.configuration import reset_config

    with tempfile.TemporaryDirectory(prefix="agenttop-mutation-") as name:
        place = Path(name)
        _copy(place)
        with (place / "tests" / "conftest.py").open("a", encoding="utf-8") as conftest:
            conftest.write(_CONFTEST)
        with contextlib.chdir(place):
            reset_config()  # mutmut remembers that of the room before
            with Path("pyproject.toml").open("a", encoding="utf-8") as settings:
                settings.write(_SETTINGS.format(room=room))
            _mutmut(sys.executable, "-c", _MAKE, str(at_once))
            every = _codes()
            chosen = pick(every, count, seed)
            names = chosen if len(chosen) < len(every) else []
            print(f"{room}: {len(chosen)} of {len(every)} mutants", flush=True)
            _mutmut(str(Path(sys.executable).parent / "mutmut"), "run", "--max-children", str(at_once), *names)
            score = score_of(room, _codes(), chosen, _at_import())
            for what, mutants in (("survived", score.survivors), ("never ended", score.endless)):
                for mutant in mutants:
                    print(f"\n# {what}: {mutant}\n{_diff(mutant)}", flush=True)
    return score


def main(arguments: list[str]) -> int:
    """Try the rooms named, print their scores; 1 where one is under ``WANTED``."""
    parser = argparse.ArgumentParser(prog="python -m tests mutation", description=__doc__)
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], metavar="ROOM", help=f"{', '.join(ROOMS)} (all)")
    parser.add_argument("--sample", type=int, metavar="N", help="try so many mutants of each room, not all")
    parser.add_argument("--seed", type=int, default=1, help="which ones (1)")
    parser.add_argument("--at-once", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    options = parser.parse_args(arguments)
    try:
        import mutmut  # noqa: F401
    except ImportError:
        print("mutation: mutmut is not installed: pip install -e '.[dev,mutation]'", file=sys.stderr)
        return 2
    scores = [
        try_room(room, options.sample, options.seed, options.at_once) for room in dict.fromkeys(options.rooms or ROOMS)
    ]
    print()
    for score in scores:
        tried = score.killed + len(score.survivors)
        files = Counter(name.split(".x")[0] for name in score.survivors).most_common(3)
        where = ", ".join(f"{file} {count}" for file, count in files)
        hung = f", {len(score.endless)} by never ending" if score.endless else ""
        untried = f", {score.at_import} that only imports run not tried" if score.at_import else ""
        noticed = f"{score.percent:.1f} % of {tried} mutants noticed"
        print(f"{score.room}: {noticed}{hung} (of {score.mutants}{untried}) {where}")
    return int(any(score.percent < WANTED for score in scores))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
