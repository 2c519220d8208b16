"""``agenttop attach``: looks at a live run again."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Sequence

from agenttop.cli.ctl import stop, unanswered
from agenttop.cli.ps import render_runs
from agenttop.cli.terminal import answers
from agenttop.cli.viewing import conclude, goes_on, view
from agenttop.exits import DONE, FAILED, UsageError
from agenttop.journal.places import runs_directory, socket_path
from agenttop.runs import control_socket
from agenttop.runs.control_socket import SocketFeed
from agenttop.runs.register import Entry, live_entries
from agenttop.runs.resolve import find_live_run
from agenttop.view.pipes import say


def attach(run: str | None, options: argparse.Namespace) -> int:
    """View a live run; return the exit code. Of several that may be meant one is picked on a terminal."""
    run_id = find_live_run(run) if run is not None else _picked(live_entries())
    patience_s = control_socket.PATIENCE_S
    feed = SocketFeed(socket_path(run_id), can_detach=True, attached=True, patience_s=patience_s)
    try:
        outcome = view(feed, options, sys.stdout, lines=False)
    except (ConnectionError, FileNotFoundError) as error:
        raise unanswered(run_id, error) from None
    if outcome.left:
        if options.on_hangup == "stop":
            code = stop(run_id)
        else:
            say(goes_on(run_id), sys.stdout)
            code = DONE
        return FAILED if outcome.failed else code
    return conclude(outcome.ended, str(runs_directory() / run_id), sys.stdout, options)


def _picked(found: Sequence[Entry]) -> str:
    """Return the id of the only live run, or of the one that the user picks from a list.

    Raises:
        UsageError: there is none, or more than one and nobody to ask; the list is printed then.
    """
    if len(found) < 2:
        return find_live_run()
    asks = answers()
    out = sys.stdout if asks else sys.stderr
    width = shutil.get_terminal_size().columns if out.isatty() else None
    head, *rows = render_runs(found, width if width is None else width - 4)
    say("\n".join([f"    {head}", *(f"{number:>2}  {row}" for number, row in enumerate(rows, 1))]), out)
    if asks:
        with contextlib.suppress(EOFError):
            answer = input(f"which one? 1 to {len(found)}: ").strip()
            if answer.isascii() and answer.isdigit() and 0 < int(answer) <= len(found):
                return found[int(answer) - 1].run
            return find_live_run(answer)
    raise UsageError(f"{len(found)} runs are live; say which: agenttop attach {found[0].run}")
