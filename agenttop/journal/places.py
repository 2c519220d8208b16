"""Where runs live on this machine: a directory each for what they leave behind, and a socket each while they live."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import stat
import tempfile
from datetime import UTC, datetime
from pathlib import Path

SUMMARY = "summary.json"
LOG = "controller.log"
_BLOCK = 4096


def runs_directory() -> Path:
    """Where runs leave their journals and summaries: ``$XDG_STATE_HOME/agenttop/runs``."""
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state and os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "agenttop" / "runs"


def new_run(name: str) -> tuple[str, Path]:
    """An id, and a fresh directory of that name, which can be written to.

    Raises:
        OSError: the directory cannot be made, or there is no room in it.
    """
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{plain_name(name)}-{secrets.token_hex(2)}"
    directory = runs_directory() / run_id
    # Made by itself: mkdir's mode is for the last directory only, and what runs leave behind is nobody else's business.
    directory.parent.parent.parent.mkdir(parents=True, exist_ok=True)
    directory.parent.parent.mkdir(mode=0o700, exist_ok=True)
    directory.parent.mkdir(mode=0o700, exist_ok=True)
    directory.mkdir(mode=0o700)
    try:
        _try_to_write(directory / ".room")
    except OSError as error:
        with contextlib.suppress(OSError):
            directory.rmdir()
        raise OSError(error.errno, error.strerror, str(directory.parent)) from None
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
    """The name of a profile as it stands in a run's id."""
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in name)
    # In bytes, for the id names a socket too.
    return plain.encode()[:40].decode(errors="ignore").strip("-") or "run"


def socket_directory() -> Path:
    """A directory of ours alone for the control sockets of live runs.

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
    """The control socket of a run. Short, for a path of a Unix socket holds 107 bytes."""
    return socket_directory() / f"{run_id[:70]}.sock"


def live_runs() -> list[str]:
    """Ids of the runs whose controller listens, the newest last."""
    return sorted(path.stem for path in socket_directory().glob("*.sock") if _answers(path))


def _answers(path: Path) -> bool:
    """Whether somebody listens: a controller that was killed leaves its socket behind."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True  # more callers than it has answered yet
        except OSError:
            return False
    return True
