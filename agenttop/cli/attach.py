"""``agenttop attach``: looks at a live run again."""

from __future__ import annotations

import argparse
import asyncio
import sys

from agenttop.cli.ctl import tell, unanswered
from agenttop.cli.viewing import conclude, view
from agenttop.exits import DONE, FAILED
from agenttop.journal.places import runs_directory, socket_path
from agenttop.runs.control_socket import SocketFeed
from agenttop.runs.resolve import find_live_run


def attach(run: str | None, options: argparse.Namespace) -> int:
    """View a live run; return the exit code."""
    run_id = find_live_run(run)
    feed = SocketFeed(socket_path(run_id), can_detach=True, attached=True)
    try:
        outcome = view(feed, options, sys.stdout, lines=False)
    except (ConnectionError, FileNotFoundError) as error:
        raise unanswered(run_id, error) from None
    if outcome.left:
        if options.on_hangup == "stop":
            asyncio.run(tell(socket_path(run_id), "stop"))
        return FAILED if outcome.failed else DONE
    return conclude(outcome.ended, str(runs_directory() / run_id), sys.stdout, options)
