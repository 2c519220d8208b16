"""Open files: a connection is one, so how many this system allows, and whether they suffice."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Mapping

from agenttop.profile.model import Profile
from agenttop.report.figures import count

#: What a worker needs besides its connections.
SPARE = 100
#: As many as anybody asks for; some systems say "unlimited" and then refuse it.
MAX_FILES = 1 << 20
_SIZED, _LISTED = "/proc/self/fd", "/dev/fd"
#: From this share of the limit on it is worth a walk to count open files.
_WALK = 0.9


def raise_file_limit() -> int:
    """Raise the limit of open files as far as the system grants, and return it.

    The hard limit, or what is left of it by halves where the system refuses to keep its word (macOS: "unlimited" is
    no more than ``kern.maxfilesperproc``).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, wanted = _usable(soft), _usable(hard)
    while wanted > soft:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
        wanted //= 2
    return soft


def file_limit() -> int:
    """Return how many files this process may have open now."""
    return _usable(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def open_files(at_most: int) -> int:
    """Return the files this process has open, if that is cheap or matters; else ``at_most``.

    Linux says it since 6.2, as the size of a directory. Elsewhere a walk through all of them says it, which is for the
    case that they may be near their limit.
    """
    with contextlib.suppress(OSError):
        if size := os.stat(_SIZED).st_size:
            return size
    limit = file_limit()
    return min((count_open_files() or at_most) if at_most >= _WALK * limit else at_most, limit)


def count_open_files() -> int:
    """Return the files this process has open, by a walk through all of them.

    0 if the system does not show them, or has no file left to look with.
    """
    with contextlib.suppress(OSError):
        return len(os.listdir(_LISTED)) - 1  # without the one that the walk needs
    return 0


def files_warning(profile: Profile, workers: int) -> list[str]:
    """Return a warning if a worker will need more files than it can have; nothing if they suffice.

    The limit of this process is raised as far as it goes, as every worker's will be: only what is refused is said.
    """
    users = most_users(profile)
    needed, allowed = _needed(users, workers), raise_file_limit()
    if needed <= allowed:
        return []
    text = f"{_needs(users, workers)}, this shell allows {count(allowed)}: ulimit -n {_round_up(needed)}"
    if os.geteuid() != 0:
        text += " (as root: it is the hard limit)"
    enough = -(-users // (allowed - SPARE)) if allowed > SPARE else 0
    return [f"{text}, or --workers {enough}" if 0 < enough <= (os.cpu_count() or 1) else text]


def short_on_boxes(profile: Profile, workers: int, limits: Mapping[str, int]) -> list[str]:
    """Return the same as :func:`files_warning` for boxes of a fleet, by the limit of each."""
    users = most_users(profile)
    needed = _needed(users, workers)
    needs, remedy = _needs(users, workers), "raise the limit of open files there, or use more boxes"
    return [f"{name}: {needs}, it allows {count(limit)}: {remedy}" for name, limit in limits.items() if needed > limit]


def short_of_files(users: int, workers: int, allowed: int | None = None) -> str:
    """Return the same for the users that a run is steered to, whose limit cannot be raised any more; empty if it
    suffices. ``allowed``: the limit of other machines, where they are on some.
    """
    allowed = raise_file_limit() if allowed is None else allowed
    if _needed(users, workers) <= allowed:
        return ""
    limit = f"the limit is {count(allowed)}: connections beyond it fail here, not at the target"
    return f"{_needs(users, workers)}, {limit}"


def _needed(users: int, workers: int) -> int:
    return -(-users // workers) + SPARE


def _needs(users: int, workers: int) -> str:
    where = f" in each of {workers} workers" if workers > 1 else ""
    return f"{count(users)} users need {count(_needed(users, workers))} files{where}"


def most_users(profile: Profile) -> int:
    """Return the most users there may be at once: of the run's stages or a search, of pools with their own, of open
    ones.
    """
    total = max((stage.users or 0 for stage in profile.stages), default=0)
    if profile.search is not None and profile.search.unit != "rate":
        total += int(profile.search.to or 0)
    total += most_of_open(profile)
    for pool in profile.pools:
        if not pool.open and pool.stages:
            total += max(stage.users or 0 for stage in pool.stages)
    return total


def most_of_open(profile: Profile) -> int:
    """Return the users of open pools at most, whatever their rates."""
    return sum(pool.max_users for pool in profile.pools if pool.open)


def _usable(limit: int) -> int:
    return MAX_FILES if limit == resource.RLIM_INFINITY else min(limit, MAX_FILES)


def _round_up(number: int) -> int:
    """Return the next of 1, 2 and 5 times a power of ten: a number to type."""
    step = 1
    while True:
        for times in (1, 2, 5):
            if times * step >= number:
                return times * step
        step *= 10
