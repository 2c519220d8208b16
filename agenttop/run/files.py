"""A connection is an open file: how many this system lets us have, and whether they will do."""

from __future__ import annotations

import contextlib
import resource

from agenttop.profile.model import Profile

#: What a worker needs besides its connections.
SPARE = 100
#: As many as anybody asks for; some systems say "unlimited" and then refuse it.
MOST = 1 << 20


def raise_file_limit() -> None:
    """Take as many as the hard limit grants."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _usable(hard):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (_usable(hard), hard))


def files_warning(profile: Profile, workers: int) -> list[str]:
    """A line that says that a worker will want more files than it can have; none where they will do."""
    users = -(-most_users(profile) // workers)
    needed = users + SPARE
    allowed = _usable(resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    if needed <= allowed:
        return []
    return [
        f"{users} users need {needed} open files, this shell allows {allowed}: ulimit -n {needed}, or more --workers"
    ]


def most_users(profile: Profile) -> int:
    """The most users that may be there at once: of the run's stages, of pools with their own, of open pools."""
    total = max((stage.users or 0 for stage in profile.stages), default=0)
    for pool in profile.pools:
        if pool.open:
            total += pool.max_users
        elif pool.stages:
            total += max(stage.users or 0 for stage in pool.stages)
    return total


def _usable(limit: int) -> int:
    return MOST if limit == resource.RLIM_INFINITY else min(limit, MOST)
