"""``agenttop capacity``: runs a profile as a search for the most that is served well."""

from __future__ import annotations

import argparse
from pathlib import Path

from agenttop.cli.run import run_profile
from agenttop.profile.search import Capacity


def capacity(options: argparse.Namespace) -> int:
    """Search, and return the exit code.

    Raises:
        UsageError: something the user can mend.
    """
    return run_profile(Path(options.profile), options, capacity=Capacity(options.most, options.pool))
