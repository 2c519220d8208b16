"""Finds the runs that are to be removed, and removes them: only what is a run, is over, and is the user's own.

A run is a directory with the name of one. What goes on stays: a run that listens at its socket, one that has processes
(its log is held), one that was begun a moment ago; where nobody can tell (a file system without locks), one that was
written to a moment ago. Links are neither followed nor counted, and a directory in which anything is somebody else's,
or of another file system, is left as it is.

A run is over since it was last written to. The newest run of a profile that passed stays: comparisons and gates mean it
by ``last-passed``.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agenttop.exits import UsageError
from agenttop.journal.places import BEGIN_S, is_held, name_of, runs_directory
from agenttop.runs.register import finished, live_ids

#: A run that nobody can tell to be over is over when it was not written to for so long: it writes every second.
SILENT_S = 60.0
#: Bytes of a block in ``st_blocks`` (stat(2)).
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Over:
    """A run that is over."""

    run: str
    directory: Path
    written_s: float
    """When it was last written to: seconds since 1970."""
    bytes: int
    """That it takes on the disk."""


@dataclass(slots=True)
class Choice:
    """Which runs are to be removed."""

    remove: list[Over] = field(default_factory=list)
    """The newest first."""
    bases: list[str] = field(default_factory=list)
    """Those that would be, but are the newest of their profile that passed."""
    left: dict[str, str] = field(default_factory=dict)
    """Those that would be, but cannot, and why."""


def choose(now_s: float, *, keep: int = 0, older_s: float | None = None, also_last_passed: bool = False) -> Choice:
    """Return the runs that are to be removed.

    Args:
        now_s: the time, in seconds since 1970.
        keep: so many of those that are over stay, the newest by their id.
        older_s: those stay that are over for no longer than this; None: however long they are.
        also_last_passed: the newest of each profile that passed goes as well.

    Raises:
        UsageError: the directories of runs or of their sockets cannot be read.
    """
    choice = Choice()
    kept = set() if also_last_passed else _last_passed()
    for place, found in enumerate(_over(now_s)):
        if place < keep:
            continue
        if isinstance(found, Over):
            if older_s is not None and now_s - found.written_s <= older_s:
                continue
            if found.run in kept:
                choice.bases.append(found.run)
            else:
                choice.remove.append(found)
        else:
            run, why = found
            choice.left[run] = why
    return choice


def remove(over: Over) -> None:
    """Remove a run's directory.

    Raises:
        OSError: not all of it could be removed, or a link stands in its place now.
    """
    shutil.rmtree(over.directory)


def _over(now_s: float) -> Iterator[Over | tuple[str, str]]:
    """Yield the runs that are over, the newest first: of what must be left alone the name, and why."""
    live = set(live_ids())
    try:
        with os.scandir(runs_directory()) as entries:
            runs = [each for each in entries if name_of(each.name) and each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{runs_directory()}: {error.strerror}; XDG_STATE_HOME says where runs are kept") from None
    for entry in sorted(runs, key=lambda each: each.name, reverse=True):
        if entry.name in live:
            continue
        directory = Path(entry.path)
        try:
            over = _looked_at(directory)
        except FileNotFoundError:
            continue  # somebody else has removed it
        except _ForeignError as error:
            yield entry.name, str(error)
        except OSError as error:
            yield entry.name, error.strerror or "it cannot be read"
        else:
            if not _goes_on(over, now_s):
                yield over


class _ForeignError(Exception):
    """It is not all the user's own; the message says what."""


def _looked_at(directory: Path) -> Over:
    """Return what is known of a run's directory without opening a file of it.

    Raises:
        _ForeignError: it is not all the user's own.
        OSError: it cannot be read.
    """
    found = directory.lstat()
    user, disk, size, written_s = os.getuid(), found.st_dev, 0, 0.0
    for path, status in _within(directory, found):
        if status.st_uid != user:
            raise _ForeignError("somebody else's" if path == directory else f"{path.name} in it is somebody else's")
        if status.st_dev != disk:
            raise _ForeignError(f"{path.name} in it is of another file system")
        size += status.st_blocks * _BLOCK
        if not stat.S_ISDIR(status.st_mode):
            written_s = max(written_s, status.st_mtime)
    return Over(directory.name, directory, written_s or found.st_mtime, size)


def _within(path: Path, status: os.stat_result) -> Iterator[tuple[Path, os.stat_result]]:
    """Yield a directory and all that is in it, links as they are."""
    waiting = [(path, status)]
    while waiting:
        path, status = waiting.pop()
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                waiting += [(Path(entry.path), entry.stat(follow_symlinks=False)) for entry in entries]


def _goes_on(over: Over, now_s: float) -> bool:
    """Return whether a run at whose socket nobody listens may go on, or be about to begin."""
    held = is_held(over.directory)
    if held is not None:
        return held
    begun = any(over.directory.iterdir())
    return now_s - over.written_s < (SILENT_S if begun else BEGIN_S)


def _last_passed() -> set[str]:
    """Return the newest run of each profile's name that passed."""
    newest: dict[str, str] = {}
    for run, exit_code in finished():
        if exit_code == 0:
            newest.setdefault(name_of(run), run)
    return set(newest.values())
