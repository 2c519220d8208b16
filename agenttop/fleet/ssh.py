"""One box over SSH: its agent process, the lines that are exchanged with it, and tunnels to and from it.

Ports are opened on loopback interfaces alone, on both sides: what Dask sends goes through the SSH connection, so that a
box needs to be reached at its SSH port and nowhere else. ``~/.ssh/config`` and ``known_hosts`` count, as with ssh.
"""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import sys
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import asyncssh
import msgspec

from agenttop.fleet.clock import ClockOffset
from agenttop.fleet.messages import Ask, Clock, Failed, Hello, Join, Joined, Leave, line, read_from_box
from agenttop.metrics.scope import clean_text
from agenttop.profile.fleet import Host

#: Seconds to reach a box and be let in.
CONNECT_S = 10.0
#: … to hear what it is, and to have it join: an interpreter starts, and imports a lot.
ANSWER_S = 30.0
#: Round trips that its clock is measured by at first.
TRIPS = 8
#: Bytes of what a box writes to its standard error that are kept; what follows is read, and dropped.
MAX_STDERR = 1 << 20
_AGENT, _SWEEP = "agenttop.fleet.host", "agenttop.fleet.sweep"
_LOOPBACK = "127.0.0.1"


class BoxLost(Exception):
    """A box cannot be reached, is not fit, or is gone; the message says why, without its name."""


class Remote:
    """The agent process of one box.

    Args:
        host: where.
        python: the interpreter there.
        log: takes what it writes to its standard error.
    """

    def __init__(
        self, host: Host, python: str, log: Callable[[str], object] = lambda text: sys.stderr.write(text)
    ) -> None:
        self.host = host
        self.clock = ClockOffset()
        self.gone = asyncio.Event()
        """Its process has ended, or the connection to it has."""
        self.why = ""
        self._python = python
        self._log = log
        self._conn: asyncssh.SSHClientConnection | None = None
        self._process: asyncssh.SSHClientProcess[bytes] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._hello: asyncio.Future[Hello] = asyncio.get_running_loop().create_future()
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._trips: dict[int, int] = {}
        self._tripped = asyncio.Event()
        self._asked = 0
        self._last_words = ""
        self._stderr = 0
        self._listeners: list[asyncssh.SSHListener] = []

    async def open(self) -> Hello:
        """Connect, start the agent, and return what it says it is.

        Raises:
            BoxLost: one of them cannot be.
        """
        self._conn = await self._connect()
        command = f"exec {shlex.quote(self._python)} -m {_AGENT}"
        try:
            self._process = await self._conn.create_process(command, encoding=None)
        except (OSError, asyncssh.Error) as error:
            raise BoxLost(f"cannot start {self._python}: {_said(error)}") from None
        self._tasks = [asyncio.create_task(each) for each in (self._drain(), self._listen(), self._until_closed())]
        hello = await self._answer(self._hello, "it says nothing")
        assert isinstance(hello, Hello)
        return hello

    @property
    def hello(self) -> Hello:
        """Return what it said it is; it has been opened."""
        return self._hello.result()

    async def measure_first(self) -> None:
        """Measure the clock for the first time.

        Raises:
            BoxLost: it is gone, or does not tell it.
        """
        for _ in range(TRIPS):
            await self.measure()
            if not self._tripped.is_set():
                raise BoxLost(f"it does not tell its clock within {ANSWER_S:g} s")

    async def measure(self) -> None:
        """Measure the clock by one round trip. Raises :class:`BoxLost`."""
        self._asked += 1
        self._tripped.clear()
        self._trips[self._asked] = perf_counter_ns()
        self._say(line(Ask(self._asked)))
        waiting = asyncio.ensure_future(self._tripped.wait())
        await self._first_of(waiting)
        waiting.cancel()
        if self.gone.is_set():
            raise BoxLost(self.why)

    async def join(self, message: Join) -> None:
        """Have the box join.

        Raises:
            BoxLost: it did not.
        """
        self._say(line(message))
        await self._answer(self._joined, "it does not join")

    async def forward(self, scheduler_port: int) -> tuple[str, str]:
        """Open tunnels from it to a port here, and from here to its own; return where they begin, as Dask has it.

        Raises:
            BoxLost: it does not allow that.
        """
        assert self._conn is not None
        try:
            there = await self._conn.forward_remote_port(_LOOPBACK, 0, _LOOPBACK, scheduler_port)
            here = await self._conn.forward_local_port(_LOOPBACK, 0, _LOOPBACK, self.hello.port)
        except (OSError, asyncssh.Error):
            raise BoxLost("its sshd forwards no ports: AllowTcpForwarding yes is needed for this user") from None
        self._listeners = [there, here]
        return f"tls://{_LOOPBACK}:{there.get_port()}", f"tls://{_LOOPBACK}:{here.get_port()}"

    async def send_file(self, path: str, content: bytes) -> None:
        """Write a file there that only its user may read.

        Raises:
            BoxLost: it cannot be written.
        """
        assert self._conn is not None
        try:
            async with self._conn.start_sftp_client() as sftp:
                attributes = asyncssh.SFTPAttrs(permissions=0o600)
                async with sftp.open(path, "wb", attributes) as file:
                    await file.write(content)
        except (OSError, asyncssh.Error) as error:
            raise BoxLost(f"cannot write {path}: {_said(error)}") from None

    async def close(self, patience_s: float = 3.0) -> None:
        """End the agent, whatever state it is in, and the connection."""
        if self._process is not None and not self.gone.is_set():
            with contextlib.suppress(OSError, asyncssh.Error):
                self._say(line(Leave()))
                self._process.stdin.write_eof()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self.gone.wait()
        await self.sweep()
        for listener in self._listeners:
            listener.close()
        for task in self._tasks:
            task.cancel()
        if self._conn is not None:
            self._conn.abort()

    async def sweep(self, patience_s: float = 5.0) -> None:
        """Kill what is left of its processes, by their number, if the box can still be reached."""
        if self._conn is None or not self._hello.done() or self._hello.cancelled() or self._hello.exception():
            return
        hello = self._hello.result()
        words = [self._python, "-m", _SWEEP, str(hello.pid), hello.folder]
        with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._conn.run(" ".join(map(shlex.quote, words)), stdin=asyncssh.DEVNULL)

    # -- inside

    async def _connect(self) -> asyncssh.SSHClientConnection:
        where: dict[str, Any] = {}
        if self.host.port is not None:
            where["port"] = self.host.port
        if self.host.user is not None:
            where["username"] = self.host.user
        try:
            async with asyncio.timeout(CONNECT_S):
                return await asyncssh.connect(self.host.host, keepalive_interval=15, login_timeout=CONNECT_S, **where)
        except asyncssh.HostKeyNotVerifiable:
            raise BoxLost("its host key is not the one in known_hosts, or not there: connect once with ssh") from None
        except asyncssh.PermissionDenied:
            raise BoxLost("permission denied: is there a key for it, in an agent or in ~/.ssh/config?") from None
        except TimeoutError:
            raise BoxLost(f"no answer within {CONNECT_S:g} s: is it up, and its SSH port open from here?") from None
        except (OSError, asyncssh.Error, ValueError) as error:
            raise BoxLost(f"cannot connect: {_said(error)}") from None

    def _say(self, text: bytes) -> None:
        if self._process is not None and not self.gone.is_set():
            with contextlib.suppress(OSError, asyncssh.Error):
                self._process.stdin.write(text)

    async def _first_of(self, future: asyncio.Future[Any]) -> None:
        gone = asyncio.ensure_future(self.gone.wait())
        await asyncio.wait({future, gone}, timeout=ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()

    async def _answer(self, future: asyncio.Future[Any], silent: str) -> Any:
        await self._first_of(future)
        if future.done():
            return future.result()
        future.cancel()
        raise BoxLost(self.why if self.gone.is_set() else f"{silent} within {ANSWER_S:g} s")

    async def _listen(self) -> None:
        assert self._process is not None
        try:
            async for text in self._process.stdout:
                answered = perf_counter_ns()
                try:
                    message = read_from_box(text)
                except msgspec.DecodeError:
                    continue  # what a login script prints
                if isinstance(message, Clock):
                    self.clock.add(self._trips.pop(message.number, answered), message.ns, answered)
                    self._tripped.set()
                elif isinstance(message, Hello) and not self._hello.done():
                    self._hello.set_result(message)
                elif isinstance(message, Joined) and not self._joined.done():
                    self._joined.set_result(None)
                elif isinstance(message, Failed):
                    self._end(clean_text(message.message, 500))
        except (OSError, asyncssh.Error):
            pass
        # What it said last may still be on its way.
        await asyncio.sleep(0)
        process = self._process
        with contextlib.suppress(OSError, asyncssh.Error, TimeoutError):
            async with asyncio.timeout(1.0):
                await process.wait_closed()
        self._end(self._ending())

    async def _until_closed(self) -> None:
        assert self._conn is not None
        await self._conn.wait_closed()
        self._end("the connection to it was lost")

    def _end(self, why: str) -> None:
        if not self.gone.is_set():
            self.why = why
            self.gone.set()

    def _ending(self) -> str:
        """Return why the agent has ended."""
        process, words = self._process, self._last_words
        if "No module named" in words and "agenttop" in words:
            return f"{self._python} has no agenttop there: pip install 'agenttop[fleet]', or say --remote-python PATH"
        signal = process.exit_signal if process is not None else None
        if signal:
            return f"its agent was killed by SIG{signal[0]}"
        code = process.exit_status if process is not None else None
        if not self._hello.done() and code == 127:
            return f"there is no {self._python}: say --remote-python PATH"
        said = f": {words}" if words else ""
        return f"its agent has ended{'' if code is None else f' with code {code}'}{said}"

    async def _drain(self) -> None:
        """Read what it writes to its standard error: a pipe that is full would stop it."""
        assert self._process is not None
        with contextlib.suppress(OSError, asyncssh.Error):
            while data := await self._process.stderr.read(1 << 16):
                text = data.decode(errors="replace")
                if words := text.strip().rpartition("\n")[2]:
                    self._last_words = clean_text(words, 300)
                kept = text[: max(MAX_STDERR - self._stderr, 0)]
                self._stderr += len(text)
                if kept:
                    self._log("".join(f"{self.host.name}: {each}\n" for each in kept.splitlines()))


def _said(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or getattr(error, "reason", None) or str(error)
    return clean_text(str(text) or type(error).__name__, 300)
