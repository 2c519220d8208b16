"""A run in a browser: textual-serve with a page of our own, on loopback, behind a token in its address.

Whoever opens the address gets a viewer of their own (``serve.viewer``), a process that shows the run and cannot change
it. Every path begins with the token; whatever does not is not found.
"""

from __future__ import annotations

import secrets
import shlex
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from aiohttp import web
from textual_serve.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: A browser asks nobody else for anything, tells nobody where the page was, and keeps nothing of it.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self' data:; style-src 'self' 'unsafe-inline'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RunServer(Server):
    """Serves one run.

    Args:
        run_id: the run's.
        host: an address of this machine.
        port: a free one.
        token: what the address holds.
    """

    def __init__(self, run_id: str, host: str, port: int, token: str) -> None:
        command = shlex.join([sys.executable, "-m", "agenttop.serve.viewer", run_id])
        super().__init__(
            command, host, port, title=run_id, templates_path=str(Path(__file__).with_name("templates").resolve())
        )
        self.token = token

    @property
    def address(self) -> str:
        """Where to look."""
        return f"{self.public_url}/{self.token}/"

    def initialize_logging(self) -> None:
        """Nothing is logged: standard output is the user's, and has the address on it."""

    async def on_startup(self, app: web.Application) -> None:
        """Nothing but the address is said, by who starts the server."""

    async def _make_app(self) -> web.Application:
        inner = await super()._make_app()
        app = web.Application(middlewares=[_sealed])
        app.add_subapp(f"/{self.token}", inner)
        return app


@web.middleware
async def _sealed(request: web.Request, handler: Handler) -> web.StreamResponse:
    response = await handler(request)
    if not response.prepared:
        response.headers.update(_HEADERS)
    return response


def serve(run_id: str, port: int, say: Callable[[str], None]) -> None:
    """Serve a run on loopback until Ctrl-C; ``say`` is told the address.

    Raises:
        OSError: the port is taken.
    """
    host = "127.0.0.1"
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        port = probe.getsockname()[1]
    server = RunServer(run_id, host, port, secrets.token_urlsafe(16))
    say(server.address)
    server.serve()
