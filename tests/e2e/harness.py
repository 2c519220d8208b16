"""The program as its users have it: a process, its lines, its control socket, its files; alone in a place of its own.

    with place.start("--profile", file, "--headless") as run:
        run.viewer().wait(lambda s: s["users"] == 10)
        assert run.wait() == 0

Nothing here sleeps to be in time: everything waits for a line, a snapshot or an end, until a generous deadline.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, TypeVar

import psutil

#: Seconds until a test gives up. A busy machine may take long; a correct program is much faster.
PATIENCE_S = 60.0
ROOT = Path(__file__).resolve().parents[2]
#: The modules that the processes of a run are started by.
CONTROLLER, WORKER = "agenttop.controller", "agenttop.worker.worker"

T = TypeVar("T")


def until(look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """What ``look`` returns as soon as that is true."""
    deadline = time.monotonic() + patience_s
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {patience_s:g}s for {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def frozen(process: psutil.Process) -> Iterator[None]:
    """Stopped meanwhile; it may be killed while it is."""
    process.suspend()
    try:
        yield
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.resume()


class Viewer:
    """One connection to a control socket, and everything it has read."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(PATIENCE_S)
        self._replies = 0
        try:
            self._socket.connect(str(path))  # refused while the socket is bound and not listening yet
            self._lines = self._socket.makefile("rb")
            self.info: dict[str, Any] = self._next() or {}
        except BaseException:
            self._socket.close()
            raise
        self.snapshots: list[dict[str, Any]] = []
        self.ended: dict[str, Any] | None = None

    def _next(self) -> dict[str, Any] | None:
        line = self._lines.readline()
        return json.loads(line) if line else None

    def read(self) -> dict[str, Any] | None:
        """The next message, None where the connection is closed."""
        message = self._next()
        if message is not None and message["type"] == "snapshot":
            self.snapshots.append(message)
        elif message is not None and message["type"] == "ended":
            self.ended = message
        return message

    def wait(self, wanted: Callable[[dict[str, Any]], object], patience_s: float = PATIENCE_S) -> dict[str, Any]:
        """The first snapshot from now on that is ``wanted``."""
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            message = self.read()
            assert message is not None, f"the run ended; last snapshot: {self.snapshots[-1:]}"
            if message["type"] == "snapshot" and wanted(message):
                return message
        raise AssertionError(f"no such snapshot within {patience_s:g}s; the last: {self.snapshots[-1]}")

    def command(self, text: str) -> dict[str, Any]:
        """Send a command; its answer."""
        self._replies += 1
        request = {"id": self._replies, "command": text, "source": "api"}
        self._socket.sendall(json.dumps(request).encode() + b"\n")
        while True:
            message = self.read()
            assert message is not None, "the run ended"
            if message["type"] == "reply":
                assert message["id"] == self._replies
                return message

    def drain(self) -> dict[str, Any]:
        """Read to the end; the last message of the run."""
        while self.read() is not None:
            pass
        assert self.ended is not None
        return self.ended

    def close(self) -> None:
        """Leave."""
        self._lines.close()
        self._socket.close()


class Lines:
    """What a stream said so far, read by a thread so that the program never waits for the test."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.lines: list[str] = []
        self._thread = threading.Thread(target=self._read, args=(stream,), daemon=True)
        self._thread.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def text(self) -> str:
        """All of it, when the stream has ended."""
        self._thread.join(PATIENCE_S)
        return "\n".join(self.lines)


class Run:
    """One ``agenttop …`` process. A context manager: what is left of it is killed."""

    def __init__(self, place: Place, arguments: tuple[object, ...], env: dict[str, str], **options: Any) -> None:
        self.place = place
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agenttop", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=env,
            cwd=place.root,
            **options,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.out, self.err = Lines(self.process.stdout), Lines(self.process.stderr)
        self._viewers: list[Viewer] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for viewer in self._viewers:
            viewer.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.out.text(), self.err.text()

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Its exit code, when it has ended and everything it said is read."""
        code = self.process.wait(patience_s)
        self.out.text(), self.err.text()
        return code

    def viewer(self) -> Viewer:
        """A connection to the run's control socket, as soon as there is one."""

        viewer = self.place.viewer()
        self._viewers.append(viewer)
        return viewer

    def line(self, wanted: str) -> str:
        """The first line of standard output with these words."""
        return until(lambda: next((line for line in self.out.lines if wanted in line), ""), f"a line with {wanted!r}")

    def signal(self, number: int) -> None:
        """Send the process a signal, as soon as it handles signals: it says its first line after that."""
        until(lambda: self.out.lines or self.err.lines, "a first line")
        self.process.send_signal(number)


class Place:
    """A home for runs, and nothing but them: what they write, their sockets, their processes."""

    def __init__(self) -> None:
        # pytest's tmp_path is too long: the path of a Unix socket holds 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="att-"))
        self.state, self.runtime = self.root / "s", self.root / "r"
        self.state.mkdir()
        self.runtime.mkdir(mode=0o700)
        self._agent_env = {key: value for key, value in os.environ.items() if not key.startswith("AGENTTOP_")}
        self._agent_env.pop("NO_COLOR", None)

    def env(self, **more: str) -> dict[str, str]:
        """The environment of a process that lives here."""
        own = {"XDG_STATE_HOME": str(self.state), "XDG_RUNTIME_DIR": str(self.runtime), "PYTHONPATH": str(ROOT)}
        return self._agent_env | own | more

    def viewer(self) -> Viewer:
        """A connection to the control socket of the only run, as soon as there is one that listens."""

        def look() -> Viewer | None:
            with contextlib.suppress(OSError):
                return Viewer(self.sockets()[0]) if self.sockets() else None
            return None

        viewer = until(look, "a control socket")
        assert viewer is not None
        return viewer

    def start(self, *arguments: object, env: dict[str, str] | None = None, **options: Any) -> Run:
        """Start ``agenttop ARGUMENTS``; ``env`` adds to the environment, ``options`` go to Popen."""
        return Run(self, arguments, self.env(**(env or {})), **options)

    def finish(self, *arguments: object, env: dict[str, str] | None = None, patience_s: float = PATIENCE_S) -> Run:
        """Run ``agenttop ARGUMENTS`` to its end."""
        with self.start(*arguments, env=env) as run:
            run.wait(patience_s)
        return run

    def write(self, text: str, name: str = "p.toml") -> Path:
        """A file here."""
        path = self.root / name
        path.write_text(text, encoding="utf-8")
        return path

    def sockets(self) -> list[Path]:
        """Control sockets of live runs."""
        return sorted((self.runtime / "agenttop").glob("*.sock"))

    def directory(self) -> Path:
        """The directory of the only run."""
        (found,) = (self.state / "agenttop" / "runs").iterdir()
        return found

    def summary(self) -> dict[str, Any]:
        """The summary of the only run, as soon as it is written."""
        path = self.directory() / "summary.json"
        until(path.exists, "a summary")
        summary: dict[str, Any] = json.loads(path.read_text())
        return summary

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Processes that live here (their environment says so), those whose command line has ``words``."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                ours = process.environ().get("XDG_RUNTIME_DIR") == str(self.runtime)
                if ours and process.status() != psutil.STATUS_ZOMBIE and words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def controller(self) -> psutil.Process:
        """The controller of the only run."""
        return until(lambda: self.processes(CONTROLLER), "a controller")[0]

    def workers(self, count: int = 1) -> list[psutil.Process]:
        """The workers of the only run, when there are so many."""
        found = until(lambda: len(self.processes(WORKER)) == count, f"{count} workers")
        assert found
        return sorted(self.processes(WORKER), key=lambda process: process.pid)

    def gone(self, *words: str) -> None:
        """Wait until no process of a run is left; with words, none that has some of them in its command line."""
        wanted = words or (CONTROLLER, WORKER)
        until(lambda: not any(map(self.processes, wanted)), f"the end of every process of {' or '.join(wanted)}")

    def close(self) -> None:
        """End what is left here, and remove all of it."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()
        self.gone("")
        shutil.rmtree(self.root)


@contextlib.contextmanager
def place() -> Iterator[Place]:
    """A place for the time of a ``with``."""
    made = Place()
    try:
        yield made
    finally:
        made.close()
