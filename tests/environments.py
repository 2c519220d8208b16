"""The suite in other environments, each made anew by uv and left beside the checkout's own for a look:

``python -m tests oldest [ARGUMENTS]``: the oldest versions that pyproject.toml allows, on the oldest Python.
``python -m tests python VERSION... [ARGUMENTS]``: the newest versions, on each of these Pythons.

Arguments go to pytest.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORES = os.cpu_count() or 1
#: Tests at a time, more than there are cores: those of whole runs wait for time to pass more than they work.
AT_ONCE = CORES + 2
_VERSION = re.compile(r"3\.[0-9]+(\.[0-9]+)?")


def oldest(arguments: Sequence[str]) -> int:
    """Run the suite with the lower bounds; the exit code is pytest's, or uv's."""
    return _suite("oldest", _oldest_python(), ["--resolution", "lowest-direct"], arguments)


def pythons(arguments: Sequence[str]) -> int:
    """Run the suite on the Pythons that come first among the arguments.

    Returns:
        The first exit code that is not 0: pytest's, 2 where a Python cannot be had.
    """
    count = next((index for index, text in enumerate(arguments) if not _VERSION.fullmatch(text)), len(arguments))
    if not count:
        print("say which: python -m tests python 3.12 3.13", file=sys.stderr)
        return 2
    codes = [_suite(version, version, [], arguments[count:]) for version in arguments[:count]]
    return next((code for code in codes if code), 0)


def remembering() -> dict[str, str]:
    """Return the environment of a suite: Python may keep what it compiled. Tests start hundreds of programs, and where
    ``PYTHONDONTWRITEBYTECODE`` is set each of them compiles all that it imports, which takes longer than what it does.
    """
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _suite(name: str, version: str, options: Sequence[str], arguments: Sequence[str]) -> int:
    place = ROOT / f".venv-{name}"
    python = place / "bin" / "python"
    with tempfile.TemporaryDirectory(prefix="agenttop-uv-") as folder:
        uv = _uv(Path(folder))
        found = _python(version)
        made = subprocess.run(
            [uv, "venv", "--quiet", "--clear", "--python", found, place], cwd=ROOT, capture_output=True, text=True
        )
        if made.returncode:
            reason = (made.stderr.strip().splitlines() or ["no reason given"])[-1].strip()
            print(f"Python {version} cannot be had here: {reason}", file=sys.stderr, flush=True)
            return 2
        install: list[str | Path] = [
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            python,
            *options,
            "--editable",
            ".[dev]",
        ]
        code = subprocess.call(install, cwd=ROOT)
        if code:
            return code
        subprocess.call([uv, "pip", "list", "--python", python], cwd=ROOT)
    # The suite starts the program by its name, too.
    path = os.pathsep.join((str(python.parent), os.environ.get("PATH", "")))
    command: list[str | Path] = [python, "-m", "pytest", "-n", str(AT_ONCE), "--dist", "worksteal", *arguments]
    return subprocess.call(command, cwd=ROOT, env=remembering() | {"PATH": path})


def _uv(folder: Path) -> Path:
    """uv of the path, else one installed into a folder."""
    found = shutil.which("uv")
    if found is not None:
        return Path(found)
    subprocess.check_call([sys.executable, "-m", "venv", folder])
    subprocess.check_call([folder / "bin" / "python", "-m", "pip", "install", "--quiet", "uv"])
    return folder / "bin" / "uv"


def _oldest_python() -> str:
    """``3.11``: the least that pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["requires-python"]).removeprefix(">=")


def _python(version: str) -> str:
    """What uv is asked for: an interpreter of pyenv's where there is one, whose commands on the path uv cannot use."""
    if version == ".".join(map(str, sys.version_info[: version.count(".") + 1])):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(pyenv.glob(f"versions/{version}*/bin/python"))
    return str(found[-1]) if found else version
