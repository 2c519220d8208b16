"""A run in a browser: textual-serve with a page of our own, on loopback, behind a token in its address.

Whoever opens the address gets a viewer of their own (``serve.viewer``), a process that shows the run and cannot change
it. Every path begins with the token; whatever does not is not found, and neither is what is asked for by a name that is
not this machine's own, or by a page that is not ours.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import re
import secrets
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.server import Server, to_int

from agenttop.runs.register import live_ids

#: A browser asks nobody else for anything, tells nobody where the page was, and keeps nothing of it.
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HOST = "127.0.0.1"
#: What a browser may call us: no name of which somebody else says that it is 127.0.0.1. A tunnel has a port of its own.
_OURS = re.compile(r"(?i)(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")


class RunServer(Server):
    """Serves one run.

    Args:
        run_id: the run's.
        host: an address of this machine.
        port: a free one.
        token: what the address holds.
        goes_on: whether there is something to look at; where not, the page says so.
    """

    def __init__(
        self, run_id: str, host: str, port: int, token: str, goes_on: Callable[[], bool] = lambda: True
    ) -> None:
        command = shlex.join([sys.executable, "-m", "agenttop.serve.viewer", run_id])
        super().__init__(
            command, host, port, title=run_id, templates_path=str(Path(__file__).with_name("templates").resolve())
        )
        self.token = token
        self._goes_on = goes_on

    @property
    def address(self) -> str:
        """Return the address to open in a browser."""
        return f"{self.public_url}/{self.token}/"

    def initialize_logging(self) -> None:
        """Log nothing: standard output is the user's, and has the address on it."""
        logging.getLogger("textual-serve").disabled = True

    async def on_startup(self, app: web.Application) -> None:
        """Print nothing: the caller prints the address."""

    async def handle_index(self, request: web.Request) -> web.Response:
        """Return the page, whose addresses are those of the browser: a tunnel may have brought it to another port."""
        if not self._goes_on():
            text = f"The run {self.title} is over. What it measured: agenttop report {self.title}\n"
            return web.Response(status=410, text=text)
        context = {
            "name": self.title,
            "websocket": f"ws://{request.host}/{self.token}/ws",
            "font_size": to_int(request.query.get("fontsize", ""), 16),
        }
        return aiohttp_jinja2.render_template("app_index.html", request, context)

    def serve_on(self, listener: socket.socket) -> None:
        """Serve on a socket that listens, until SIGINT or SIGTERM."""
        loop = asyncio.new_event_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.request_exit)
        self.initialize_logging()
        web.run_app(self._make_app(), sock=listener, handle_signals=False, loop=loop, print=None)

    async def _make_app(self) -> web.Application:
        inner = await super()._make_app()
        app = web.Application(middlewares=[_sealed(self.token)])
        app.add_subapp(f"/{self.token}", inner)
        return app


def _sealed(token: str) -> Middleware:
    @web.middleware
    async def sealed(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            if not is_ours(request.path, request.host, request.headers.get("Origin"), token):
                raise web.HTTPNotFound
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(_HEADERS)
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    return sealed


def is_ours(path: str, host: str, origin: str | None, token: str) -> bool:
    """Return whether to answer: the path has the token, the host is this machine, and the page that asks, if any, is
    ours.
    """
    begin = path.removeprefix("/").partition("/")[0]
    known = hmac.compare_digest(begin.encode(errors="surrogatepass"), token.encode())
    return known and bool(_OURS.fullmatch(host)) and origin in (None, f"http://{host}", f"https://{host}")


def serve(run_id: str, port: int, say: Callable[[str], None]) -> None:
    """Serve a run on loopback until Ctrl-C; ``say`` is told the address.

    Raises:
        OSError: the port is taken.
    """
    with socket.create_server((HOST, port)) as listener:
        token = secrets.token_urlsafe(16)
        server = RunServer(run_id, HOST, listener.getsockname()[1], token, lambda: run_id in live_ids())
        say(server.address)  # who looks at once is answered: the socket listens already
        server.serve_on(listener)
