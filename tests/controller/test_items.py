from __future__ import annotations

import asyncio

from agenttop.controller.items import Item, Items


def put(items: Items, *workers: int) -> None:
    for worker in workers:
        items.put(Item(items.number(), worker))


async def test_what_is_not_acknowledged_comes_again_and_in_order() -> None:
    items = Items()
    assert not items.pending(0)
    put(items, 5, 3)
    assert [(item.seq, item.worker) for item in await items.poll(0, 0.0)] == [(1, 5), (2, 3)]
    assert [item.seq for item in await items.poll(0, 0.0)] == [1, 2]
    assert (items.pending(1), items.pending(2)) == (True, False)
    put(items, 4)
    assert [item.seq for item in await items.poll(2, 0.0)] == [3]
    assert await items.poll(3, 0.0) == []
    assert not items.pending(3)


async def test_who_waits_hears_of_what_comes_meanwhile() -> None:
    items = Items()
    put(items, 0)
    waiting = asyncio.create_task(items.poll(1, 60.0))
    await asyncio.sleep(0)
    assert not waiting.done()
    put(items, 1)
    assert [item.worker for item in await waiting] == [1]
