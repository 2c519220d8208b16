"""What our servers have in common: a loop, a port, and an end when whoever started them is gone."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Callable

import uvloop


def serve(protocol: Callable[[], asyncio.Protocol], started: Callable[[], None] = lambda: None) -> None:
    """Serve on a free port of 127.0.0.1, print it, and end when standard input does."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0, backlog=4096)
        started()
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    def leave() -> None:
        sys.stdin.read()
        os._exit(0)

    threading.Thread(target=leave, daemon=True).start()
    # The collector's pauses would be in everything that is measured against us.
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    uvloop.run(main())
