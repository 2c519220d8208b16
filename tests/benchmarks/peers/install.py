"""Published load tools, each in a folder of its own in the cache: made once, whole or not at all."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.nginx import Missing, find

#: The slowest of them takes a minute on a fast line.
_PATIENCE_S = 600.0


def python_peer(name: str, *requirements: str) -> Path:
    """The ``bin`` of a virtual environment of its own that holds these requirements and nothing of ours.

    Args:
        name: what the folder in the cache is called.
        requirements: as pip takes them, with their versions.

    Raises:
        Missing: they cannot be had, as where there is no network.
    """

    def make(folder: Path) -> None:
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements])

    python = f"{platform.python_implementation()} {platform.python_version()} {sys.base_prefix}"
    return _once(name, requirements, python, make) / "bin"


def node_peer(name: str, *packages: str) -> Path:
    """The ``node_modules/.bin`` of a folder of its own that holds these packages of npm, with their versions.

    Raises:
        Missing: node or npm is not installed, or the packages cannot be had.
    """
    node, npm = find("node"), find("npm")

    def make(folder: Path) -> None:
        # Their install scripts fetch browsers and the like, which no load over HTTP needs.
        quiet = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts", "--loglevel=error"]
        _run([npm, "install", *quiet, "--prefix", str(folder), *packages])

    return _once(name, packages, _run([node, "--version"]), make) / "node_modules" / ".bin"


def cache() -> Path:
    """Where they are kept: ``$XDG_CACHE_HOME/agenttop-benchmarks``, by default below ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "agenttop-benchmarks"


def _once(name: str, requirements: tuple[str, ...], runtime: str, make: Callable[[Path], None]) -> Path:
    """The folder that ``make`` filled, now or in an earlier run.

    A virtual environment holds its own path, so it cannot be renamed when it is whole. Each is made under a name that
    stays, and the name that is looked for is a link, set when all is there.
    """
    key = hashlib.sha256("\n".join((runtime, *sorted(requirements))).encode()).hexdigest()[:12]
    whole = cache() / f"{name}-{key}"
    if whole.exists():
        return whole
    whole.parent.mkdir(parents=True, exist_ok=True)
    with whole.with_name(f"{whole.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another process may have made it while this one waited.
        if not whole.exists():
            print(f"installing {' '.join(requirements)} into {whole}", file=sys.stderr, flush=True)
            _make(whole, make)
    return whole


def _make(whole: Path, make: Callable[[Path], None]) -> None:
    """Fill a folder and set the link to it; what an earlier attempt left when it was killed goes."""
    for left in whole.parent.glob(f"{whole.name}.made-*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{whole.name}.made-", dir=whole.parent))
    try:
        make(folder)
        whole.unlink(missing_ok=True)
        whole.symlink_to(folder.name)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _run(command: list[str]) -> str:
    """What the command printed.

    Raises:
        Missing: it failed; the message has the last line of what it said.
    """
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{Path(command[0]).name}: {error}") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Missing(f"{command[-1]} cannot be had: {lines[-1] if lines else 'no reason given'}")
    return done.stdout
