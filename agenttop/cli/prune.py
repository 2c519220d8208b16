"""``agenttop prune``: removes runs that are over, and asks before."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from agenttop.cli.terminal import answers
from agenttop.exits import DONE, FAILED, UsageError
from agenttop.report.figures import bytes_, count, fit
from agenttop.runs.prune import Choice, Over, choose, remove

#: Names of runs that a line has.
NAMED = 3


def prune(options: argparse.Namespace) -> int:
    """Remove them and return 0; 1 where not all could be.

    Raises:
        UsageError: there is nobody to ask, or the directory of runs cannot be read.
    """
    if not (options.yes or options.dry_run or answers()):
        raise UsageError(
            "it asks before it removes, and there is no terminal to ask on; say --yes (--dry-run lists what would go)"
        )
    choice = choose(
        time.time(),
        keep=options.keep or 0,
        older_s=options.older,
        also_last_passed=options.also_last_passed,
    )
    if options.dry_run:
        print("\n".join(_listed(choice)))
        return DONE
    for line in _stays(choice):
        print(line)
    if not choice.remove:
        print("no run to remove")
        return DONE
    if not options.yes and not _agrees(choice.remove):
        print("nothing was removed")
        return DONE
    return _remove(choice.remove)


def _agrees(runs: Sequence[Over]) -> bool:
    print(f"{_size(runs)}, from {fit(runs[-1].run, 61)} to {fit(runs[0].run, 61)}" if len(runs) > 1 else _size(runs))
    try:
        answer = input(f"remove {'them' if len(runs) > 1 else fit(runs[0].run, 61)}? [y/N] ")
    except EOFError:
        print()
        return False
    return answer.strip().lower() in ("y", "yes")


def _remove(runs: Sequence[Over]) -> int:
    removed: list[Over] = []
    code = DONE
    # The oldest first: whoever stops it has the newest left.
    for each in reversed(runs):
        try:
            remove(each)
        except FileNotFoundError:
            continue  # somebody else has removed it
        except OSError as error:
            print(f"agenttop: {fit(each.run, 61)} is not all removed: {error.strerror or error}", file=sys.stderr)
            code = FAILED
        else:
            removed.append(each)
    print(f"removed {_size(removed)}")
    return code


def _listed(choice: Choice) -> list[str]:
    """Return the runs that would go, a line each, and a line that sums them up."""
    lines = [f"{fit(each.run, 61):61}  {bytes_(each.bytes):>8}" for each in choice.remove]
    return [*lines, f"{_size(choice.remove)} would be removed", *_stays(choice)]


def _stays(choice: Choice) -> list[str]:
    """Return what would go and stays, and why."""
    lines = []
    if choice.bases:
        bases = ", ".join(fit(run, 61) for run in choice.bases[:NAMED])
        more = f" and {len(choice.bases) - NAMED} more" if len(choice.bases) > NAMED else ""
        what = "the newest of its profile that passed" if len(choice.bases) == 1 else "the newest that passed, each"
        lines.append(f"kept, {what}: {bases}{more}")
    return lines + [f"left alone: {fit(run, 61)}: {fit(why, 80)}" for run, why in choice.left.items()]


def _size(runs: Sequence[Over]) -> str:
    """Return ``12 runs (84.0MB)``."""
    return f"{count(len(runs))} run{'' if len(runs) == 1 else 's'} ({bytes_(sum(each.bytes for each in runs))})"
