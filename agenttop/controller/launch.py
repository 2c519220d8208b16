"""Starts a controller: a process in a session of its own, which gets its run over a pipe."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

from agenttop.controller.spec import RunSpec
from agenttop.journal.places import LOG, hold, socket_path

#: What a controller says instead of ``ready`` where it cannot begin its journal, before the reason.
NO_ROOM = "no room: "
#: What that of a fleet says before each line of why it has too few boxes.
REFUSED = "refused: "


class LaunchError(Exception):
    """The controller did not start; the message says where to look."""


class NoRoomError(LaunchError):
    """The directory of the run cannot be written to."""


class RefusedError(LaunchError):
    """There are not enough boxes; the message has a line for each that is missing. Nothing was sent."""


def launch(spec: RunSpec) -> Path:
    """Start the controller of a run, and return its control socket once that is open.

    Raises:
        RefusedError: its boxes are not there.
        NoRoomError: it has nowhere to keep its records.
        LaunchError: it did not start.
        OSError: its log cannot be written.
    """
    log = Path(spec.directory) / LOG
    with log.open("wb") as stream:
        os.chmod(log, 0o600)
        hold(stream)
        process = subprocess.Popen(
            [sys.executable, "-m", "agenttop.controller" if spec.fleet is None else "agenttop.fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stream,
            start_new_session=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(pickle.dumps(spec))
        process.stdin.close()
        answer = process.stdout.readline()
        refused = []
        while answer.startswith(REFUSED.encode()):
            refused.append(answer.decode(errors="replace").strip().removeprefix(REFUSED))
            answer = process.stdout.readline()
    except BrokenPipeError:
        answer, refused = b"", []
    process.stdout.close()
    if refused:
        process.wait()
        shutil.rmtree(spec.directory, ignore_errors=True)
        raise RefusedError("\n".join(refused))
    if answer.startswith(NO_ROOM.encode()):
        process.wait()
        raise NoRoomError(f"{spec.directory}: {answer.decode(errors='replace').strip().removeprefix(NO_ROOM)}")
    if answer.strip() != b"ready":
        process.wait()
        lines = log.read_text(errors="replace").strip().splitlines()
        raise LaunchError(f"the run could not be started: {lines[-1] if lines else 'no reason given'} (see {log})")
    # The controller is on its own from here; it is nobody's child to wait for.
    process.returncode = 0
    return socket_path(spec.run_id)


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """Return one worker per core this process may use, but one, which controller and view share; at least one."""
    return max(usable_cores() - 1, 1)
