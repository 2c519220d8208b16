"""`agenttop agent`: the embedded agent as a server of its own."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import uvicorn

from agenttop.agent.app import Agent
from agenttop.agent.config import PRESETS, AgentConfig, ConfigError, load_config

GRACE_S = 3  # how long requests in flight get to end when the server stops
KEEP_ALIVE_S = 75  # longer than users think: a server that closes first makes their next request fail
PARENT_CHECK_S = 0.5
READY_PREFIX = "agenttop agent listening on "


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see agenttop agent --help")


class _Server(uvicorn.Server):
    """Says on standard output when it accepts connections, and stops when its parent has gone."""

    def __init__(self, config: uvicorn.Config, url: str, parent_pid: int | None) -> None:
        super().__init__(config)
        self._url = url
        self._parent_pid = parent_pid

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"{READY_PREFIX}{self._url}", flush=True)

    async def main_loop(self) -> None:
        watcher = asyncio.create_task(self._watch_parent())
        try:
            await super().main_loop()
        finally:
            watcher.cancel()

    async def _watch_parent(self) -> None:
        # An orphan has another parent. Unlike a pipe, this cannot be held open by the parent's other children.
        while self._parent_pid is not None:
            if os.getppid() != self._parent_pid:
                self.should_exit = True
                return
            await asyncio.sleep(PARENT_CHECK_S)


def main(argv: list[str]) -> int:
    """Run `agenttop agent ARGV` until a signal stops it.

    Returns the exit code: 0 stopped by a signal, 2 a mistake of the user's, told in one line on standard error.
    """
    try:
        arguments = vars(agent_parser().parse_args(argv))
        host, port, parent_pid = arguments.pop("host"), arguments.pop("port"), arguments.pop("parent_pid")
        config = load_config(arguments.pop("config"), arguments)
        listener = _bind(host, port)
    except ConfigError as error:
        print(f"agenttop agent: {error}", file=sys.stderr)
        return 2
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    _serve(config, listener, parent_pid)
    return 0


def agent_parser() -> argparse.ArgumentParser:
    """Return the parser of ``agenttop agent``."""
    parser = _Parser(
        prog="agenttop agent",
        description="A target to play with: a server that behaves as AI agents do, faults included.",
        epilog="Durations are written 250ms, 2s or 1m30s, shares 0.05 or 5%%. A flag wins over the file. The agent "
        "answers for a small shop, which profiles/golden.jsonl asks. GET /stats tells what it served, and how well.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port; 0, the default, picks a free one")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file with any of the keys below")
    parser.add_argument("--parent-pid", type=int, metavar="PID", help="stop when process PID is no longer the parent")
    keys = parser.add_argument_group("behaviour", "each is a key of the file too, with _ for -")
    keys.add_argument(
        "--preset",
        default=argparse.SUPPRESS,
        metavar="NAME",
        help=f"{' or '.join(PRESETS)}: what the other keys start from (default demo); quiet: no waits, limits, faults",
    )
    for name, field in AgentConfig.model_fields.items():
        # What a flag without a value means, where it may have none.
        bare = field.json_schema_extra.get("bare") if isinstance(field.json_schema_extra, dict) else None
        meant = f"default {field.default}" + (f"; without a value {bare}" if bare else "")
        keys.add_argument(
            f"--{name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            metavar="VALUE",
            nargs="?" if bare else None,
            const=bare,
            help=f"{field.description} ({meant})".replace("%", "%%"),
        )
    return parser


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address. Raises ConfigError when that cannot be had."""
    if not 0 <= port <= 65535:
        raise ConfigError(f"--port: should be between 0 and 65535, not {port}")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as closed_on_error:
            listener = closed_on_error.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            closed_on_error.pop_all()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        remedy = "choose another --host" if isinstance(error, socket.gaierror) else "choose another --port, 0 for any"
        raise ConfigError(f"cannot listen on {host} port {port}: {reason}; {remedy}") from None
    return listener


def _serve(config: AgentConfig, listener: socket.socket, parent_pid: int | None) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    _raise_file_limit()
    logger = logging.getLogger("uvicorn.error")
    logger.addFilter(_is_news)
    settings = uvicorn.Config(
        Agent(config),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=1_000_000,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(settings, url, parent_pid)
    with _stopped_by_signals(server):
        server.run(sockets=[listener])


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """Let signals stop the server; uvicorn raises them again afterwards, which then does nothing more."""

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_news(record: logging.LogRecord) -> bool:
    """Return whether a line of uvicorn's log is worth showing: cut streams and requests ended by a stop are meant."""
    error = record.exc_info[1] if record.exc_info else None
    meant = "without completing response" in record.msg or "timeout graceful shutdown" in record.msg
    return not (meant or isinstance(error, asyncio.CancelledError))


def _raise_file_limit() -> None:
    """Allow as many connections as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
