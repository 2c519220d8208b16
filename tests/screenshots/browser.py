"""A made-up run in a real browser: the server and the page of ``agenttop serve``, and a headless Chromium."""

from __future__ import annotations

import asyncio
import shlex
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from agenttop.serve.server import HOST, RunServer
from agenttop.tui.app import show_in_browser
from agenttop.view.feed import ReadOnly
from tests.e2e.browser import page
from tests.e2e.harness import until
from tests.tui.fake import FakeFeed

COMMAND = (sys.executable, "-m", "tests.screenshots.browser")
#: It has what the pictures of a terminal have not: limits, and a storm over a budget.
SCENARIO = "promised"
#: Bytes of the picture of a screen at least; a page whose run is not there yet has a third of it.
DRAWN = 60_000


def picture() -> bytes:
    """What the browser shows, as PNG."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([*COMMAND, "serve"], stdout=subprocess.PIPE, text=True) as serving,
    ):
        assert serving.stdout is not None
        try:
            with page(serving.stdout.readline().strip(), Path(folder)) as shown:
                until(lambda: "-first-byte" in (shown.value("document.body.className") or ""), "a first byte")

                def whole() -> bytes:
                    # The run stands still: when two pictures are the same, all of it is there.
                    one = shown.picture()
                    return one if len(one) > DRAWN and one == shown.picture() else b""

                return until(whole, "the whole screen")
        finally:
            serving.terminate()


def serve() -> None:
    """Serve the run as ``agenttop serve`` does, until the process is ended."""
    with socket.create_server((HOST, 0)) as listener:
        server = RunServer("k3f9", HOST, listener.getsockname()[1], "token")
        server.command = shlex.join(COMMAND)
        print(server.address, flush=True)
        server.serve_on(listener)


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve()
    else:
        # The process behind one browser, which the server starts.
        asyncio.run(show_in_browser(ReadOnly(FakeFeed(SCENARIO))))
