"""What a target can make us hold in memory is bounded."""

from __future__ import annotations

import tracemalloc

from tests.wire.reading import Keeper, connected, exchange
from tests.wire.server import Reader, Writer, read_request, serving

BODY = 200 << 20
BLOCK = bytes(1 << 20)


async def _large(reader: Reader, writer: Writer) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % BODY)
    for _ in range(BODY // len(BLOCK)):
        writer.write(BLOCK)
        await writer.drain()


async def test_a_body_of_any_size_needs_no_memory() -> None:
    async with serving(_large) as server:
        for lean in (True, False):
            connection = await connected(server.port)
            tracemalloc.start()
            try:
                assert await exchange(connection, Keeper(wanted=False), lean=lean) is None
                peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
            assert connection.received > BODY
            assert peak < 8 << 20
            connection.close()
