"""Finds the places of runs on this machine: a directory each for what they leave behind, a socket each while they
live.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import socket
import stat
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

SUMMARY = "summary.json"
LOG = "controller.log"
#: Seconds that a run may take from its directory to its log, or from its socket to listening at it.
BEGIN_S = 10.0
_BLOCK = 4096
_ID = re.compile(r"\d{8}-\d{6}-(.+)-[0-9a-f]{4}")


def runs_directory() -> Path:
    """Return the directory of journals and summaries: ``$XDG_STATE_HOME/agenttop/runs``."""
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state and os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "agenttop" / "runs"


def new_run(name: str) -> tuple[str, Path]:
    """Return a new id, and a fresh directory of that name, which can be written to.

    Raises:
        OSError: the directory cannot be made, or there is no room in it.
    """
    runs = runs_directory()
    # Made by itself: mkdir's mode is for the last directory only, and what runs leave behind is nobody else's business.
    runs.parent.parent.mkdir(parents=True, exist_ok=True)
    runs.parent.mkdir(mode=0o700, exist_ok=True)
    runs.mkdir(mode=0o700, exist_ok=True)
    directory = None
    while directory is None:
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{plain_name(name)}-{secrets.token_hex(2)}"
        # Runs of one name that begin in one second have 65 536 endings between them.
        with contextlib.suppress(FileExistsError):
            (runs / run_id).mkdir(mode=0o700)
            directory = runs / run_id
    try:
        _try_to_write(directory / ".room")
    except OSError as error:
        with contextlib.suppress(OSError):
            directory.rmdir()
        raise OSError(error.errno, error.strerror, str(runs)) from None
    return run_id, directory


def _try_to_write(path: Path) -> None:
    """Write a block and remove it: that a full disk still takes names says nothing."""
    try:
        with path.open("wb") as file:
            file.write(bytes(_BLOCK))
            file.flush()
            os.fsync(file.fileno())
    finally:
        path.unlink(missing_ok=True)


def plain_name(name: str) -> str:
    """Return the name of a profile as it stands in a run's id."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    # In bytes, for the id names a socket too.
    return plain.encode()[:40].decode(errors="ignore").strip("-") or "run"


def name_of(run: str) -> str:
    """Return the profile's name as it stands in a run's id; empty if it is no id of ours."""
    match = _ID.fullmatch(run)
    return match[1] if match else ""


def socket_directory() -> Path:
    """Return the directory for the control sockets of live runs, which only its owner may enter.

    Raises:
        PermissionError: it belongs to somebody else, or others may enter it.
    """
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime) and os.access(runtime, os.W_OK):
        directory = Path(runtime) / "agenttop"
    else:
        directory = Path(tempfile.gettempdir()) / f"agenttop-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PermissionError(f"{directory} must be a directory of yours with mode 0700")
    return directory


def socket_path(run_id: str) -> Path:
    """Return the control socket of a run. The name is short: the path of a Unix socket holds 107 bytes."""
    return socket_directory() / f"{run_id[:70]}.sock"


def live_runs() -> list[str]:
    """Ids of the runs whose controller listens, the newest last. Sockets of controllers that are dead are swept."""
    live = []
    for path in socket_directory().glob("*.sock"):
        if _answers(path):
            live.append(path.stem)
        elif _is_left_behind(path):
            with contextlib.suppress(OSError):
                path.unlink()
    return sorted(live)


def hold(log: IO[bytes]) -> None:
    """Mark a run as one that has processes: all that inherit its log, as controller and workers do, hold it (flock(2))
    until they end, however they do.
    """
    with contextlib.suppress(OSError):  # not every file system knows locks
        fcntl.flock(log, fcntl.LOCK_EX)


def is_held(directory: Path) -> bool | None:
    """Whether a process of the run of this directory is there; None where nobody knows: it has no log."""
    try:
        # Nothing is waited for: what is called so in a damaged directory may be a pipe.
        with os.fdopen(os.open(directory / LOG, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb") as log:
            fcntl.flock(log, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _is_left_behind(path: Path) -> bool:
    """Whether a socket at which nobody listens is that of a run that is over, and not one that is about to listen."""
    held = is_held(runs_directory() / path.stem)
    if held is not None:
        return not held
    try:
        return time.time() - path.stat().st_mtime > BEGIN_S
    except OSError:
        return False


def _answers(path: Path) -> bool:
    """Return whether somebody listens: a controller that was killed leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # more callers than it has answered yet
        except OSError:
            return False
    return True
