"""The process behind one browser: shows a run on Textual's web driver, and lets nobody change it.

Started by textual-serve as ``python -m agenttop.serve.viewer RUN``: its standard streams speak to the browser, so that
nothing else may be written to them.
"""

from __future__ import annotations

import asyncio
import sys

from agenttop.journal.places import socket_path
from agenttop.runs.control_socket import SocketFeed
from agenttop.view.feed import ReadOnly


def main() -> None:
    """Show the run that the command line names."""
    from agenttop.tui.app import show_in_browser

    asyncio.run(show_in_browser(ReadOnly(SocketFeed(socket_path(sys.argv[1]), can_detach=True))))


if __name__ == "__main__":
    main()
