"""``agenttop serve``: shows a live run in a browser."""

from __future__ import annotations

import sys

from agenttop.exits import DONE, UsageError
from agenttop.runs.resolve import find_live_run
from agenttop.view.pipes import say


def serve(run: str | None, port: int) -> int:
    """Show a live run in a browser until Ctrl-C."""
    try:
        from agenttop.serve import server
    except ModuleNotFoundError:
        raise UsageError("serve needs textual-serve: pip install 'agenttop[serve]'") from None
    run_id = find_live_run(run)
    try:
        server.serve(run_id, port, lambda address: say(f"{address}  (Ctrl-C ends it; the run goes on)", sys.stdout))
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}; name another, or leave it out") from None
    return DONE
