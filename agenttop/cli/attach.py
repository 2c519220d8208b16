"""``agenttop attach``: looks at a live run again."""

from __future__ import annotations

import argparse
import sys

from agenttop.cli.ctl import stop, unanswered
from agenttop.cli.viewing import conclude, view
from agenttop.exits import DONE, FAILED
from agenttop.journal.places import runs_directory, socket_path
from agenttop.runs import control_socket
from agenttop.runs.control_socket import SocketFeed
from agenttop.runs.resolve import find_live_run


def attach(run: str | None, options: argparse.Namespace) -> int:
    """View a live run; return the exit code."""
    run_id = find_live_run(run)
    patience_s = control_socket.PATIENCE_S
    feed = SocketFeed(socket_path(run_id), can_detach=True, attached=True, patience_s=patience_s)
    try:
        outcome = view(feed, options, sys.stdout, lines=False)
    except (ConnectionError, FileNotFoundError) as error:
        raise unanswered(run_id, error) from None
    if outcome.left:
        code = stop(run_id) if options.on_hangup == "stop" else DONE
        return FAILED if outcome.failed else code
    return conclude(outcome.ended, str(runs_directory() / run_id), sys.stdout, options)
