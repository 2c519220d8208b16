"""A server that answers at once and knows when: ``python -m tests.benchmarks.count_server``.

    GET …        200, an empty JSON object
    GET /counts  {"slices": {number: [requests, the longest pause before one in ms]}, "opened": [seconds]}

``slices`` are of :data:`SLICE_S` each; ``opened`` has every connection on which something was asked but this. Times are
those of ``time.monotonic``, one clock on one machine.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import cast

from tests.benchmarks.serve import serve

SLICE_S = 0.1
_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class _Counts:
    slices: dict[int, list[float]]
    opened: list[float]
    last_s: float


COUNTS = _Counts()
COUNTS.slices, COUNTS.opened, COUNTS.last_s = {}, [], 0.0


class Connection(asyncio.Protocol):
    """One client; requests have no body and come whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.opened_s = time.monotonic()
        self.asked = False

    def data_received(self, data: bytes) -> None:
        now_s = time.monotonic()
        if data.startswith(b"GET /counts"):
            body = json.dumps({"slices": COUNTS.slices, "opened": COUNTS.opened}).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
            return
        if not self.asked:
            self.asked = True
            COUNTS.opened.append(self.opened_s)
        found = COUNTS.slices.setdefault(int(now_s / SLICE_S), [0, 0.0])
        found[0] += 1
        found[1] = max(found[1], 1000 * (now_s - COUNTS.last_s))
        COUNTS.last_s = now_s
        self.transport.write(_OK)


if __name__ == "__main__":
    serve(Connection)
