"""The program on a terminal: a pty, a screen that understands what it draws, keys, and what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import pyte

from tests.e2e.harness import PATIENCE_S, Place, Viewer, until

#: Private modes and how they must stand when a program is done: alternate screen, mouse, focus, paste off; cursor on.
MODES = {25: True, 47: False, 1047: False, 1049: False, 2004: False} | dict.fromkeys(
    (9, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016), False
)
#: What a terminal runs unless told otherwise.
AGENTTOP = (sys.executable, "-m", "agenttop")
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")


class Terminal:
    """``agenttop ARGUMENTS`` (or another ``program``) on a terminal of its own. A context manager: what is left of it
    is killed.
    """

    def __init__(
        self,
        place: Place,
        *arguments: object,
        rows: int = 24,
        columns: int = 80,
        env: dict[str, str] | None = None,
        program: Sequence[str] | None = None,
    ) -> None:
        self.place = place
        self._master, self._slave = pty.openpty()
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self._slave)
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._lock = threading.Lock()
        slave = self._slave

        def take_terminal() -> None:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*(program or AGENTTOP), *map(str, arguments)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=place.env(**{"TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}),
            cwd=place.root,
            start_new_session=True,
            preexec_fn=take_terminal,
        )
        self._look()
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
        self._look_away()
        os.close(self._slave)
        if self._master >= 0:
            os.close(self._master)

    def _look(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _look_away(self) -> None:
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                with contextlib.suppress(OSError):
                    data = os.read(self._master, 65536)
                    with self._lock:
                        self.raw += data
                        self._stream.feed(data)

    def text(self) -> str:
        """What stands on the screen."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self.screen.display)

    def wait_for(self, wanted: str | Callable[[str], Any], patience_s: float = PATIENCE_S) -> str:
        """The screen, as soon as it shows these words, or is what the function wants."""
        look = wanted if callable(wanted) else lambda text: wanted in text
        deadline = time.monotonic() + patience_s
        while not look(text := self.text()):
            assert self.process.poll() is None, f"it ended:\n{text}\n{self.raw[-2000:]!r}"
            assert time.monotonic() < deadline, f"waited {patience_s:g}s for {wanted!r}:\n{text}"
            time.sleep(0.02)
        return text

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def hang_up(self) -> None:
        """What the system does to a session whose terminal has gone."""
        self.process.send_signal(signal.SIGHUP)

    def drop(self) -> None:
        """The terminal goes, and the system hangs up: an emulator that was closed, a line that was lost."""
        self._look_away()
        os.close(self._master)
        self._master = -1

    def stall(self) -> None:
        """Read nothing any more: the terminal takes not one byte from now on."""
        self._look_away()
        ours = os.open(os.ttyname(self._slave), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        while select.select([], [ours], [], 0.2)[1]:  # the program may be writing at this very moment
            with contextlib.suppress(BlockingIOError):
                os.write(ours, bytes(4096))  # NUL, which terminals ignore
        os.close(ours)

    def go_on(self) -> None:
        """Read again."""
        self._look()

    def resize(self, rows: int, columns: int) -> None:
        """As an emulator does: the system tells the program with a SIGWINCH."""
        with self._lock:
            self.screen.resize(rows, columns)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def alternate(self) -> bool:
        """Whether the screen is the alternate one."""
        with self._lock:
            return self.raw.rfind(b"\x1b[?1049h") > self.raw.rfind(b"\x1b[?1049l")

    def cooked(self) -> bool:
        """Whether the terminal is as it was before the program: echo, lines, signals."""
        return self.state() == self.before

    def state(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._slave)

    def viewer(self) -> Viewer:
        """A connection to the run's control socket."""
        viewer = self.place.viewer()
        self._viewers.append(viewer)
        return viewer

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """The exit code, when it has ended and all it said is read."""
        code = self.process.wait(patience_s)
        mark = b"\x1b[6n"  # a byte sequence of ours, written after everything of the program's
        os.write(self._slave, mark)
        until(lambda: mark in self.raw, "the end of its output")
        return code

    def after(self) -> str:
        """What was printed once the alternate screen had been left, without escape sequences."""
        left = re.split(rb"\x1b\[\?1049l", self.raw)[-1].decode(errors="replace")
        return re.sub(r"\x1b(\[[0-?]*[ -/]*[@-~]|[=>])", "", left).replace("\r\n", "\n")

    def whole(self) -> None:
        """Fail unless the terminal is as it was: modes, cursor, echo and line editing."""
        modes: dict[int, bool] = {}
        for numbers, letter in _MODE.findall(self.raw):
            modes |= {int(number): letter == b"h" for number in numbers.split(b";")}
        assert modes, "it never drew a screen"
        wrong = {mode: on for mode, on in modes.items() if on != MODES.get(mode, on)}
        assert not wrong, f"modes left behind: {wrong}"
        # The kitty keyboard protocol is a stack: what was pushed is popped.
        assert len(re.findall(rb"\x1b\[>\d+u", self.raw)) == self.raw.count(b"\x1b[<u")
        until(self.cooked, "the terminal as it was")
