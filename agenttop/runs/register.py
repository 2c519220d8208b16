"""Lists the runs of this machine, live and finished, reading each cheaply.

A live run is asked over its socket; of a finished one the first lines of its summary are read (``encode_summary``
writes a line for each key; ``build_summary`` those first that are asked for here), of one that was cut off the header
of its journal.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from agenttop.exits import DONE, STOPPED, THRESHOLD, USAGE, UsageError
from agenttop.journal.journal import BROKEN, FILE_NAME, JournalError, read_header
from agenttop.journal.places import (
    BEGIN_S,
    SUMMARY,
    is_held,
    live_runs,
    name_of,
    plain_name,
    runs_directory,
    socket_path,
)
from agenttop.metrics.snapshot import Message, RunInfo, Snapshot

#: Runs that are listed unless all are asked for.
NEWEST = 20
#: How long a live run may take to say what it is, seconds.
PATIENCE_S = 1.0
#: Bytes that the path of a Unix socket may have: ``sun_path`` of unix(7), and of the BSDs, without its end.
SOCKET_PATH = 107 if sys.platform.startswith("linux") else 103
_STATES = {"completed": "done", "error": "failed", "target_unreachable": "failed"}
#: Exit codes that a gate can make: it blocks, or it could not compare.
_GATED = (THRESHOLD, USAGE)
_VERDICTS = {DONE: "passed", THRESHOLD: "threshold", STOPPED: "by hand"}


class Entry(msgspec.Struct, frozen=True):
    """One run. Unknown values are None; ``users`` are those of now, for a finished run the most at once."""

    run: str
    directory: str
    state: str = "broken"
    """``starting``, ``armed``, ``running`` or ``draining`` of a live run; ``done``, ``stopped`` (by hand or by a
    rule of its profile), ``failed`` or ``cut off`` of one that is over; ``broken``: it cannot be read, and ``problem``
    says why."""
    live: bool = False
    elapsed_s: float | None = None
    duration_s: float | None = None
    """Length of a live run's plan."""
    started_at: str | None = None
    profile: str | None = None
    target: str | None = None
    users: int | None = None
    requests: int | None = None
    error_rate: float | None = None
    score: float | None = None
    """Of its graded answers, 0 to 1; of a live run so far. None where nothing is graded."""
    result: str | None = None
    """How it ended, in a word: ``passed``, ``threshold`` (one failed, or an objective of a search's first level),
    ``gate`` (it blocked, or could not compare), ``breaker``, ``by hand``, ``error``, ``cut off``; None if it lives."""
    stop_reason: str | None = None
    exit_code: int | None = None
    verdict: str | None = None
    """Whether the target keeps up, now or in all of a finished run: ``keeps_up``, ``queues`` …"""
    problem: str = ""


class _Verdict(msgspec.Struct):
    state: str


class _Run(msgspec.Struct):
    name: str
    started_at: str
    duration_s: float
    stop_reason: str
    exit_code: int
    target: str = ""
    incomplete: bool = False
    users_max: int | None = None
    verdict: _Verdict | None = None


class _Totals(msgspec.Struct):
    requests: int
    error_rate: float


class _Quality(msgspec.Struct):
    score: float | None = None


class _Gate(msgspec.Struct):
    verdict: str = ""
    blocked: bool = False


class _Head(msgspec.Struct):
    run: _Run
    totals: _Totals
    quality: _Quality | None = None
    gate: _Gate | None = None


def live_ids() -> list[str]:
    """Return the ids of the live runs, the newest last.

    Raises:
        UsageError: the directory of their sockets cannot be used; the message says how to mend that.
    """
    try:
        return live_runs()
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.strerror else str(error)
        raise UsageError(f"{what}; XDG_RUNTIME_DIR says where live runs listen") from None


def live_entries() -> list[Entry]:
    """Return the live runs, the newest first."""
    return [_live(run) for run in live_ids()[::-1]]


def require_place(name: str) -> None:
    """Make sure that a run of this name can listen, before anything of it is there.

    Raises:
        UsageError: it cannot; the message says how to mend that.
    """
    live_ids()
    # An id is as long as this one: see places.new_run.
    path = socket_path(f"20260101-120000-{plain_name(name)}-0a0b")
    if len(os.fsencode(path)) > SOCKET_PATH:
        raise UsageError(f"{path.parent}: too long a path for a socket; XDG_RUNTIME_DIR says where live runs listen")


def all_runs() -> list[str]:
    """Return the ids of all runs, the newest first: they begin with the time.

    Raises:
        UsageError: a directory of them cannot be read.
    """
    found = set(live_ids())
    try:
        found |= {path.name for path in runs_directory().iterdir() if path.is_dir()}
    except FileNotFoundError:
        pass  # none has been yet
    except OSError as error:
        raise UsageError(f"{runs_directory()}: {error.strerror}; XDG_STATE_HOME says where runs are kept") from None
    return sorted(found, key=lambda run: (bool(name_of(run)), run), reverse=True)


def entries(limit: int | None = NEWEST) -> tuple[list[Entry], int]:
    """Return the live runs and the newest others, the newest first, and the number of those left out.

    Args:
        limit: how many at most, live ones not counted; None for all.
    """
    live, runs = set(live_ids()), all_runs()
    over = [run for run in runs if run not in live]
    left_out = set() if limit is None else set(over[limit:])
    return [_live(run) if run in live else _over(run) for run in runs if run not in left_out], len(left_out)


def finished() -> Iterator[tuple[str, int | None]]:
    """Yield the id and exit code of each run that is over and has its summary, the newest first; None of one that was
    cut off.
    """
    live = set(live_ids())
    for run in all_runs():
        path = runs_directory() / run / SUMMARY
        if run in live or not path.is_file():
            continue
        try:
            head = _head(path)
        except (*BROKEN, OSError):
            continue
        yield run, None if head.run.incomplete else head.run.exit_code


def called(runs: list[str], name: str) -> list[str]:
    """Return those of ``runs`` whose profile has this name."""
    return [run for run in runs if name_of(run) == plain_name(name)]


def ask(path: Path, patience_s: float) -> tuple[RunInfo | None, Snapshot | None]:
    """Ask a live run for its description and its newest snapshot; None for what does not come in time."""
    info: RunInfo | None = None
    with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError), socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(patience_s)
        asking.connect(str(path))
        with asking.makefile("rb") as lines:
            while line := lines.readline():
                message = msgspec.json.decode(line, type=Message)
                if isinstance(message, Snapshot):
                    return info, message
                info = message if isinstance(message, RunInfo) else info
    return info, None


def _live(run: str) -> Entry:
    info, snapshot = ask(socket_path(run), PATIENCE_S)
    if info is None:
        directory = runs_directory() / run
        if (directory / SUMMARY).is_file():
            return _over(run)  # it has ended since it was listed
        if not (directory / FILE_NAME).is_file():
            return Entry(run, str(directory), "starting", live=True)
        return Entry(run, str(directory), "running", live=True, problem="it does not answer")
    entry = Entry(
        run,
        info.directory,
        "starting",
        live=True,
        duration_s=info.duration_s,
        started_at=info.started_at,
        profile=info.name,
        target=info.target,
    )
    if snapshot is None:
        return entry
    return msgspec.structs.replace(
        entry,
        state=snapshot.state,
        elapsed_s=snapshot.t_s,
        users=snapshot.users,
        requests=snapshot.requests,
        error_rate=snapshot.error_rate,
        score=None if snapshot.quality is None else snapshot.quality.score,
        verdict=snapshot.verdict.state if snapshot.verdict is not None else None,
    )


def _over(run: str) -> Entry:
    directory = runs_directory() / run
    try:
        if (directory / SUMMARY).is_file():
            return _finished(run, directory, _head(directory / SUMMARY))
        if not (directory / FILE_NAME).is_file():
            if _is_starting(directory):
                return Entry(run, str(directory), "starting", live=True)
            return Entry(run, str(directory), problem=f"neither {SUMMARY} nor {FILE_NAME}")
        header = read_header(directory)
    except JournalError as error:
        return Entry(run, str(directory), problem=str(error).removeprefix(f"{directory / FILE_NAME}: "))
    except BROKEN:
        return Entry(run, str(directory), problem=f"{SUMMARY} is no summary")
    except OSError as error:
        return Entry(run, str(directory), problem=error.strerror or "it cannot be read")
    info = header.info
    return Entry(
        run,
        str(directory),
        "cut off",
        started_at=info.started_at,
        profile=info.name,
        target=info.target,
        result="cut off",
    )


def _is_starting(directory: Path) -> bool:
    """Whether a run that has written nothing yet is about to: its process is there, or was only now begun."""
    held = is_held(directory)
    if held is None and not any(directory.iterdir()):
        return time.time() - directory.stat().st_mtime < BEGIN_S
    return bool(held)


def _finished(run: str, directory: Path, head: _Head) -> Entry:
    found = head.run
    return Entry(
        run,
        str(directory),
        "cut off" if found.incomplete else _STATES.get(found.stop_reason, "stopped"),
        elapsed_s=found.duration_s,
        started_at=found.started_at,
        profile=found.name,
        target=found.target,
        users=found.users_max,
        requests=head.totals.requests,
        error_rate=head.totals.error_rate,
        score=None if head.quality is None else head.quality.score,
        result=_result(head),
        stop_reason=found.stop_reason,
        exit_code=None if found.incomplete else found.exit_code,
        verdict=found.verdict.state if found.verdict is not None else None,
    )


def _result(head: _Head) -> str:
    """Return how a run ended, in a word."""
    run = head.run
    if run.incomplete:
        return "cut off"
    if run.exit_code == THRESHOLD and run.stop_reason == "circuit_breaker":
        return "breaker"
    if run.exit_code in _GATED and run.stop_reason == "completed" and head.gate is not None and head.gate.blocked:
        # One that could not compare does not let pass either, but says nothing beside a threshold that failed.
        return "gate" if run.exit_code == USAGE or head.gate.verdict == "block" else "threshold"
    return _VERDICTS.get(run.exit_code, "error")


def _head(path: Path) -> _Head:
    """Return the first lines of a summary, or all of it if it is laid out in another way.

    Of one in which a threshold failed or a gate did not let it pass, lines are read as far as that of the gate.

    Raises:
        OSError: it cannot be read.
        msgspec.DecodeError: it is none.
    """
    found: dict[str, Any] = {}
    types: dict[str, Any] = {"run": _Run, "totals": _Totals, "quality": _Quality | None, "gate": _Gate | None}
    wanted = set(types)
    with path.open("rb") as file:
        for line in file:
            key, _, value = line.partition(b": ")
            name = key.strip(b'"{ \n').decode(errors="replace")
            if name in types:
                try:
                    found[name] = msgspec.json.decode(value.rstrip(b",\n"), type=types[name])
                except msgspec.DecodeError:
                    break
                if name == "run" and found[name].exit_code not in _GATED:
                    wanted.discard("gate")
            if wanted <= found.keys():
                break
    if "run" in found and "totals" in found:
        return _Head(**found)
    return msgspec.json.decode(path.read_bytes(), type=_Head)
