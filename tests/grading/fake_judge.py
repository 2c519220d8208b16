"""A judge on loopback that behaves as it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

#: What it does with one request: status, headers, body; None: it never answers.
Reply = tuple[int, dict[str, str], bytes] | None
#: The key of a reply's headers that is none: it closes when so many bytes of the body are sent.
CLOSES_AFTER = ":closes-after"


def verdict(text: str, tokens: tuple[int, int] | None = (100, 10)) -> Reply:
    """Return a chat completion that says a text."""
    body: dict[str, Any] = {"choices": [{"message": {"role": "assistant", "content": text}}]}
    if tokens is not None:
        body["usage"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return 200, {}, json.dumps(body).encode()


def scored(score: float, reason: str = "so it is") -> Reply:
    """Return a sound verdict."""
    return verdict(json.dumps({"reason": reason, "score": score}))


class FakeJudge:
    """The server: ``replies`` are given in order, the last of them for ever; ``asked`` is what it was sent."""

    def __init__(self, replies: Iterable[Reply] | Callable[[str, Any], Reply]) -> None:
        self.replies = replies if callable(replies) else list(replies)
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.at_once = self.most_at_once = 0
        self.hold: asyncio.Event | None = None
        self.delay_s = 0.0
        """What each answer takes."""
        self.url = ""

    def next(self, path: str, body: Any) -> Reply:
        if callable(self.replies):
            return self.replies(path, body)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
                body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"null")
                path = first.split()[1]
                self.asked.append((path, headers, body))
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                if self.hold is not None:
                    await self.hold.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                reply = self.next(path, body)
                if reply is None:
                    await asyncio.Event().wait()
                assert reply is not None
                self.at_once -= 1
                status, more, data = reply
                more = dict(more)
                sent = data[: int(more.pop(CLOSES_AFTER, len(data)))]
                extra = "".join(f"{name}: {value}\r\n" for name, value in more.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{extra}content-length: {len(data)}\r\n\r\n".encode() + sent)
                await writer.drain()
                if len(sent) < len(data):
                    break
        writer.close()


@contextlib.asynccontextmanager
async def fake_judge(replies: Iterable[Reply] | Callable[[str, Any], Reply]) -> AsyncIterator[FakeJudge]:
    """Serve on a free port of loopback."""
    fake = FakeJudge(replies)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await fake.serve(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    fake.url = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
    try:
        yield fake
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextlib.contextmanager
def judge_beside(replies: Iterable[Reply] | Callable[[str, Any], Reply], delay_s: float = 0.0) -> Iterator[FakeJudge]:
    """Serve from a thread, for programs and commands that have a loop of their own."""
    started = threading.Event()
    found: list[FakeJudge] = []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with fake_judge(replies) as fake:
            fake.delay_s = delay_s
            found.append(fake)
            ended = asyncio.Event()
            stop.append((asyncio.get_running_loop(), ended))
            started.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    try:
        assert started.wait(20)
        yield found[0]
    finally:
        if stop:
            loop, over = stop[0]
            loop.call_soon_threadsafe(over.set)
        thread.join(20)
