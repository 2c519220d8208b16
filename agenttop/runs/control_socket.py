"""The control socket of a run: newline-delimited JSON over a Unix socket that only its owner may use.

A viewer gets the :class:`RunInfo`, then a snapshot a second. It may send ``{"id": 1, "command": "users +10", "source":
"key"}`` and gets a :class:`Reply` of the same id.

Nothing a viewer does disturbs the run or the others: one that does not read only misses snapshots, and is told the run
anew (a :class:`RunInfo`) once it has read what there was; garbage is answered, lines are read :data:`PACE_S` apart
however fast they come, and of too many viewers the last are sent away. Whoever is not the owner is: by the mode of the
socket and of its directory, and by what the kernel says of a caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from agenttop.metrics.snapshot import Ended, Message, Reply, RunInfo, Snapshot
from agenttop.runs.force import end_by_force
from agenttop.runs.peer import peer_process, peer_user
from agenttop.schedule.quantities import MAX_COMMAND
from agenttop.steering.command import too_long
from agenttop.view.feed import ANSWER_S, SILENT, Events

#: A viewer that has so many bytes unread is not sent more snapshots.
BACKLOG = 1 << 20
#: Longest line a viewer may send.
MAX_LINE = 64 * 1024
#: Viewers at once.
MAX_VIEWERS = 32
#: Between two lines of one viewer: whoever floods the socket must not keep the controller from its workers.
PACE_S = 0.001
#: What a line that is too long gets to come to its end, and be answered.
LONG_LINE_S = 1.0
#: How long who has no screen to say it on waits for a controller that does not work.
PATIENCE_S = 10.0
#: Where commands may come from; whatever else a viewer says is the last of them.
SOURCES = ("key", "ctl", "api")


class Request(msgspec.Struct):
    """A message from a viewer."""

    id: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
    command: str
    source: str = "api"


#: Instead of a line that was longer than may be; no line is so.
_TOO_LONG = b"too long"

_request = msgspec.json.Decoder(Request)
_encode = msgspec.json.Encoder().encode

Handler = Callable[[str, str], Reply]
"""Takes (command, source) and returns the answer, whose id is filled in here."""


class ControlSocket:
    """Serves the viewers of one run."""

    def __init__(self, path: Path, handle: Handler, describe: Callable[[], RunInfo | None]) -> None:
        self._path = path
        self._handle = handle
        self._describe = describe
        self._viewers: dict[asyncio.StreamWriter, bool] = {}
        self._behind: set[asyncio.StreamWriter] = set()
        """Viewers that have missed snapshots."""
        self._server: asyncio.Server | None = None
        self._last: bytes = b""
        self._visited = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen. Raises OSError if the socket cannot be made."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        mask = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE)
        finally:
            os.umask(mask)

    def announce(self) -> None:
        """Send the run's description to viewers that came before there was one."""
        for writer, told in list(self._viewers.items()):
            if not told:
                self._tell(writer)

    def publish(self, message: Snapshot | Ended) -> None:
        """Send a message to every viewer that keeps up."""
        line = _encode(message) + b"\n"
        self._last = line
        for writer in [writer for writer, told in self._viewers.items() if told]:
            unread = writer.transport.get_write_buffer_size()
            if isinstance(message, Ended) or (unread < BACKLOG and writer not in self._behind):
                writer.write(line)
            elif unread:
                self._behind.add(writer)
            else:
                self._behind.discard(writer)
                self._tell(writer)

    async def close(self, patience_s: float = 2.0) -> None:
        """Let the viewers read what they were sent, then close. Waits ``patience_s`` for the first one, which may be
        on its way.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._visited.wait()
        for _ in range(8):
            # The loop takes some turns to make a viewer of whom it has accepted; a server closed meanwhile loses it.
            await asyncio.sleep(0)
        if self._server is not None:
            self._server.close()
        writers = list(self._viewers)
        for writer in writers:
            writer.close()
        if self._serving:
            await asyncio.wait(self._serving, timeout=patience_s)
        for writer in writers:
            writer.transport.abort()  # who has not read it by now will not
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    def _tell(self, writer: asyncio.StreamWriter) -> None:
        info = self._describe()
        if info is not None:
            self._viewers[writer] = True
            writer.write(_encode(info) + b"\n" + self._last)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        self._visited.set()
        try:
            if self._admits(writer):
                self._viewers[writer] = False
                self._tell(writer)
                while line := await _line(reader):
                    writer.write(_encode(self._answer(line)) + b"\n")
                    await writer.drain()
                    await asyncio.sleep(PACE_S)
        except ConnectionError:
            pass
        finally:
            self._viewers.pop(writer, None)
            self._behind.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    def _admits(self, writer: asyncio.StreamWriter) -> bool:
        user = peer_user(writer.get_extra_info("socket"))
        if user is not None and user != os.getuid():
            return False
        if len(self._viewers) < MAX_VIEWERS:
            return True
        writer.write(_encode(Reply(-1, False, f"{MAX_VIEWERS} viewers look at this run already")) + b"\n")
        return False

    def _answer(self, line: bytes) -> Reply:
        if line == _TOO_LONG:
            return Reply(-1, False, f"a line has {MAX_LINE} bytes at most, and a command {MAX_COMMAND} characters")
        try:
            request = _request.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Reply(-1, False, 'say {"id": 1, "command": "users +10"}')
        source = request.source if request.source in SOURCES else SOURCES[-1]
        reply = self._handle(" ".join(request.command.split()), source)
        return Reply(request.id, reply.applied, reply.message)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """Return the next line, empty at the end; :data:`_TOO_LONG` for one longer than :data:`MAX_LINE`.

    A line that goes on for more than :data:`LONG_LINE_S` counts as the end.
    """
    try:
        return await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError as error:
        dropped = error.consumed
    try:
        async with asyncio.timeout(LONG_LINE_S):
            while dropped:
                await reader.readexactly(dropped)
                await asyncio.sleep(PACE_S)
                try:
                    await reader.readuntil(b"\n")
                    dropped = 0
                except asyncio.LimitOverrunError as error:
                    dropped = error.consumed
    except (asyncio.IncompleteReadError, TimeoutError):
        return b""
    return _TOO_LONG


class NoAnswer(ConnectionError):
    """A run is there, and does not answer."""

    def __init__(self) -> None:
        super().__init__(f"the run does not answer: {SILENT}")


class SocketFeed:
    """A run seen over its socket (:class:`agenttop.view.feed.Feed`); ``patience_s`` is how long it may take to say what
    it is, None for ever.
    """

    def __init__(
        self, path: Path, *, can_detach: bool = False, attached: bool = False, patience_s: float | None = None
    ) -> None:
        self._path = path
        self._patience_s = patience_s
        self.attached = attached
        """The run was begun by another process or elsewhere, so that Ctrl-C here does not end it."""
        self.can_detach = can_detach
        """The run goes on without this viewer."""
        self._messages: asyncio.Queue[RunInfo | Snapshot | Ended | None] = asyncio.Queue()
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._next = 0
        self._controller: int | None = None

    async def open(self) -> RunInfo:
        """See :class:`agenttop.view.feed.Feed`."""
        try:
            return await self._open()
        finally:
            self._opened.set()

    async def _open(self) -> RunInfo:
        reader, self._writer = await asyncio.open_unix_connection(self._path, limit=1 << 26)
        self._controller = peer_process(self._writer.get_extra_info("socket"))
        try:
            async with asyncio.timeout(self._patience_s):
                line = await reader.readline()
        except TimeoutError:
            self._writer.close()
            raise NoAnswer from None
        info = msgspec.json.decode(line, type=Message) if line else None
        if not isinstance(info, RunInfo):
            self._writer.close()
            said = info.message if isinstance(info, Reply) else ""
            raise ConnectionError(said or ("the run does not say what it is" if line else "the run is over"))
        self._listening = asyncio.create_task(self._listen(reader, Events(info.events)))
        return info

    async def messages(self) -> AsyncIterator[RunInfo | Snapshot | Ended]:
        """See :class:`agenttop.view.feed.Feed`."""
        while (message := await self._messages.get()) is not None:
            yield message

    async def command(self, text: str, *, source: str = "key") -> Reply:
        """Send a command; see :class:`agenttop.view.feed.Feed`. Waits until the feed is open."""
        await self._opened.wait()
        # When the other side has gone the socket can still be written to; nobody would answer.
        if len(text) > MAX_COMMAND:
            return Reply(-1, False, too_long(len(text)))
        gone = self._listening is None or self._listening.done()
        if gone or self._writer is None or self._writer.is_closing():
            return Reply(-1, False, "the run is gone")
        self._next += 1
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = waiting
        self._writer.write(_encode(Request(self._next, text, source)) + b"\n")
        return await waiting

    async def kill(self) -> str:
        """See :class:`agenttop.view.feed.Feed`."""
        try:
            async with asyncio.timeout(ANSWER_S):
                reply = await self.command("stop now")
                return "" if reply.applied else reply.message
        except TimeoutError:
            pass
        if self._controller is None or not await asyncio.to_thread(end_by_force, self._controller):
            return "the run does not answer, and its controller cannot be found"
        return "its controller did not answer and was killed: the load has ended"

    async def status(self) -> dict[str, Any]:
        """Return the newest snapshot, or the first message if none was made yet."""
        message = await self._messages.get()
        status: dict[str, Any] = msgspec.to_builtins(message) if message is not None else {"state": "over"}
        return status

    async def close(self) -> None:
        """See :class:`agenttop.view.feed.Feed`."""
        if self._listening is not None:
            self._listening.cancel()
        if self._writer is not None:
            self._writer.close()

    async def _listen(self, reader: asyncio.StreamReader, events: Events) -> None:
        decoder: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)
        try:
            while line := await reader.readline():
                message = decoder.decode(line)
                if isinstance(message, Reply):
                    waiting = self._waiting.pop(message.id, None)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                elif isinstance(message, Snapshot):
                    self._messages.put_nowait(events.complete(message))
                elif isinstance(message, RunInfo):
                    events = Events(message.events)
                    self._messages.put_nowait(message)
                elif isinstance(message, Ended):
                    self._messages.put_nowait(message)
        except (ConnectionError, ValueError, msgspec.DecodeError):
            pass
        self._messages.put_nowait(None)
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(Reply(-1, False, "the run is gone"))
