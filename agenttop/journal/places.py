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


def runs_directory() -> Path:
    """Where runs leave their journals and summaries: ``$XDG_STATE_HOME/agenttop/runs``."""
    state = os.environ.get("XDG_STATE_HOME")
    base = Path(state) if state and os.path.isabs(state) else Path.home() / ".local" / "state"
    return base / "agenttop" / "runs"


def new_run(name: str) -> tuple[str, Path]:
    """An id, and a fresh directory of that name.

    Raises:
        OSError: the directory cannot be made.
    """
    runs = runs_directory()
    # Made by itself: mkdir's mode is for the last directory only, and what runs leave behind is nobody else's business.
    runs.parent.parent.mkdir(parents=True, exist_ok=True)
    runs.parent.mkdir(mode=0o700, exist_ok=True)
    runs.mkdir(mode=0o700, exist_ok=True)
    while True:
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{plain_name(name)}-{secrets.token_hex(2)}"
        # Runs of one name that begin in one second have 65 536 endings between them.
        with contextlib.suppress(FileExistsError):
            (runs / run_id).mkdir(mode=0o700)
            return run_id, runs / run_id


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
