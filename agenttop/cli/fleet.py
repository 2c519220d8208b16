"""``agenttop fleet check``, and which boxes a run has by its profile and the command line."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from agenttop.controller.spec import FleetSpec
from agenttop.exits import DONE, USAGE, UsageError
from agenttop.profile.fleet import Host, parse_hosts
from agenttop.view.pipes import say

if TYPE_CHECKING:
    from agenttop.profile.model import Fleet

#: What the extra brings.
MODULES = ("asyncssh", "distributed")
INSTALL = "pip install 'agenttop[fleet]'"


def fleet_of(written: Fleet | None, options: argparse.Namespace) -> FleetSpec | None:
    """Return the boxes of a run; None where it is to be on this machine.

    Raises:
        UsageError: they cannot be had.
    """
    hosts: tuple[Host, ...] = options.hosts or (parse_hosts(written.hosts) if written and written.hosts else ())
    if not hosts:
        if options.min_hosts is not None or options.remote_python is not None:
            raise UsageError("--min-hosts and --remote-python go with --hosts, or with hosts under [fleet]")
        return None
    missing = [name for name in MODULES if find_spec(name) is None]
    if missing:
        raise UsageError(f"--hosts needs {' and '.join(missing)}: {INSTALL}")
    least = options.min_hosts if options.min_hosts is not None else written.min_hosts if written else None
    if least is not None and least > len(hosts):
        raise UsageError(f"--min-hosts {least}: there are only {len(hosts)} hosts")
    python = options.remote_python or (written.python if written else "python3")
    return FleetSpec(hosts, python, least, written.on_loss if written else "share")


def refused(lines: str, fleet: FleetSpec | None) -> UsageError:
    """Say which boxes are not there, a line each; return the error that ends the command."""
    for line in lines.splitlines():
        print(f"agenttop: {line}", file=sys.stderr)
    assert fleet is not None
    least, hosts = fleet.min_hosts, len(fleet.hosts)
    how = f"{least} of {hosts} boxes" if least is not None else f"all {hosts} boxes" if hosts > 1 else "its box"
    return UsageError(f"nothing was sent: the run needs {how} (--min-hosts N does with fewer)")


def fleet(options: argparse.Namespace) -> int:
    """Look at the boxes, tell of each in a line, and return the exit code.

    Raises:
        UsageError: something the user can mend.
    """
    written, workers = _written(options.profile)
    spec = fleet_of(written, options)
    if spec is None:
        raise UsageError("which boxes? agenttop fleet check --hosts b1,b2:2222,user@b3")
    from agenttop.fleet.check import check

    found = check(replace(spec, workers=workers), options.users)
    for line in found.lines:
        say(line, sys.stdout)
    return DONE if found.enough else USAGE


def _written(profile: str | None) -> tuple[Fleet | None, int | None]:
    """Return the [fleet] of a profile, if one is named, and the workers that a run of it has on each box."""
    if profile is None:
        return None, None
    from agenttop.profile.load import load_profile
    from agenttop.profile.problems import ProfileError

    try:
        loaded = load_profile(Path(profile))
    except ProfileError as error:
        raise UsageError("\n".join(str(problem) for problem in error.problems)) from None
    workers = loaded.settings.workers
    return loaded.profile.fleet, workers if isinstance(workers, int) else None
