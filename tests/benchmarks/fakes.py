"""A transport that only remembers, for the wire without a network."""

from __future__ import annotations

import asyncio


class FakeTransport(asyncio.Transport):
    """Keeps what was written; is never full and never lost."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True
