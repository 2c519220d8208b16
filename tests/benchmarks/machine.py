"""Which machine this is, and which process runs on which of its cores."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path

Cores = frozenset[int]

#: What the figures depend on.
LIBRARIES = ("agenttop", "httptools", "uvloop", "websockets", "msgspec", "numpy", "hdrhistogram")


@cache
def cores() -> Cores:
    """The cores this process may use; empty where the system does not say."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def server_cores() -> Cores:
    """The last core, where there are two; else all."""
    return frozenset({max(cores())}) if len(cores()) > 1 else cores()


def client_cores() -> Cores:
    """All but the server's."""
    return cores() - server_cores() or cores()


@contextlib.contextmanager
def started_on(where: Cores) -> Iterator[None]:
    """Processes started within run on these cores, their children too: affinity is inherited."""
    if not where:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, where)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def put_first(pid: int) -> bool:
    """Let the session of a process come before those of others; return whether the system let us (Linux, as root).

    Within a session, whose processes share one scheduling group, nothing changes: who is nice there stays so.
    """
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text("-19", encoding="ascii")
        return True
    return False


def load_average() -> float:
    """Processes that wanted a core, over the last minute; 0 where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def description() -> dict[str, object]:
    """The machine, the interpreter and the libraries, for the JSON."""
    return {
        "cpu": _cpu_model(),
        "cores": len(cores()) or os.cpu_count() or 1,
        "server_cores": sorted(server_cores()),
        "client_cores": sorted(client_cores()),
        "os": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "libraries": {name: version(name) for name in LIBRARIES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def tool_version(command: list[str]) -> str:
    """The line in which a tool names its version; empty where it names none."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
    return next((line for line in lines if any(c.isdigit() for c in line)), "")


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
