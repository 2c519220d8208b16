"""The hostile server by itself: ``python -m tests.hostile.server [PORT]`` on loopback, until it is ended.

It prints one line of JSON: the port of the paths of the table (any other path is answered well), and those of listeners
that misbehave before anything was asked. ``python -m tests.hostile.server --well`` is a target that is well alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.hostile.acts import answer
from tests.hostile.peer import MAX_S, Act, Gone, Peer
from tests.hostile.table import LISTENERS, ROWS

HOST = "127.0.0.1"
WELL_S = 0.02
"""How long the target that is well takes for an answer."""
_ACTS: dict[str, Act] = {row.path: row.act for row in ROWS}


async def well(peer: Peer) -> None:
    """Answer as a server should."""
    await asyncio.sleep(WELL_S)
    await peer.send(answer())


async def serve(
    ports: dict[str, int],
    at_once: Act | None,
    acts: dict[str, Act],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Behave on one connection until its client leaves, or a behaviour has lasted long enough."""
    peer = Peer(reader, writer, ports)
    with contextlib.suppress(Gone, TimeoutError, OSError):
        while True:
            act = at_once
            if act is None:
                path = await peer.request()
                act = acts.get(path, well)
            async with asyncio.timeout(MAX_S):
                await peer.act(act)
            if at_once is not None:
                break
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def listen(port: int = 0, *, hostile: bool = True) -> tuple[dict[str, int], list[asyncio.Server]]:
    """Listen; by name: the ``paths``' port, and those of the listeners."""
    ports: dict[str, int] = {}
    wanted: dict[str, Act | None] = {"paths": None, **(LISTENERS if hostile else {})}
    servers = []
    for name, act in wanted.items():
        begin = partial(serve, ports, act, _ACTS if hostile else {})
        servers.append(await asyncio.start_server(begin, HOST, port if name == "paths" else 0))
        ports[name] = servers[-1].sockets[0].getsockname()[1]
    return ports, servers


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[dict[str, int]]:
    """A server in a process of its own; its ports."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", __name__, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            ports: dict[str, int] = json.loads(process.stdout.readline())
            yield ports
        finally:
            process.terminate()


async def main(arguments: list[str]) -> None:
    """Serve until ended."""
    hostile = "--well" not in arguments
    numbers = [int(text) for text in arguments if text.isdecimal()]
    ports, servers = await listen(*numbers[:1], hostile=hostile)
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1:]))
