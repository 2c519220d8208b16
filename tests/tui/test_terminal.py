"""Tests of agenttop.tui.terminal, agenttop.tui.signals.

The screen in a real pseudo-terminal: signals, and a terminal that is whole again afterwards.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

#: Only a broken program takes so long (seconds).
LIMIT_S = 60.0
#: Leave the alternate screen, show the cursor.
RESTORED = (b"\x1b[?1049l", b"\x1b[?25h")


class Terminal:
    """A program and what it wrote."""

    def __init__(self, pid: int, master: int) -> None:
        self.pid = pid
        self.master = master
        self.output = b""
        self.status: int | None = None

    def until(self, wanted: bytes, start: int = 0) -> None:
        """Read until the program wrote ``wanted``."""
        deadline = time.monotonic() + LIMIT_S
        while wanted not in self.output[start:]:
            assert time.monotonic() < deadline, self.output[-2000:]
            assert self._read(), self.output[-2000:]

    def wait(self) -> int:
        """Read to the end; the exit status."""
        deadline = time.monotonic() + LIMIT_S
        while self.status is None:
            assert time.monotonic() < deadline, self.output[-2000:]
            if self.master >= 0:
                self._read()
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
        while self.master >= 0 and self._read():
            pass
        return self.status

    def hang_up(self) -> None:
        """Close the terminal."""
        os.close(self.master)
        self.master = -1

    def _read(self) -> bool:
        if not select.select([self.master], [], [], 0.2)[0]:
            return self.status is None
        try:
            data = os.read(self.master, 65536)
        except OSError:  # Linux: the other end is closed
            return False
        self.output += data
        return bool(data)


@contextmanager
def demo(*arguments: str, size: tuple[int, int] = (24, 80), nohup: bool = False) -> Iterator[Terminal]:
    pid, master = pty.fork()
    if pid == 0:
        if nohup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            os.environ.pop(name, None)
        os.execv(sys.executable, [sys.executable, "-m", "tests.tui.demo", *arguments])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    terminal = Terminal(pid, master)
    try:
        yield terminal
    finally:
        if terminal.status is None:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        if terminal.master >= 0:
            os.close(terminal.master)


def assert_restored(terminal: Terminal, before: list[object]) -> None:
    for sequence in RESTORED:
        assert sequence in terminal.output
    assert termios.tcgetattr(terminal.master) == before


def test_the_end_of_the_run_gives_the_terminal_back() -> None:
    with demo("--seconds", "2", "--interval", "0.1") as terminal:
        before = termios.tcgetattr(terminal.master)
        assert terminal.wait() == 0
        assert_restored(terminal, before)
        # What the caller prints comes after the screen is gone.
        assert terminal.output.rindex(b"How.ENDED") > terminal.output.rindex(RESTORED[0])


def test_sigterm_stops_the_run_and_gives_the_terminal_back() -> None:
    with demo() as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.until(b"quit")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert_restored(terminal, before)
        assert b"stop_requested=True" in terminal.output


def test_a_second_sigterm_leaves() -> None:
    with demo("--interval", "3600") as terminal:
        terminal.until(b"quit")
        os.kill(terminal.pid, signal.SIGTERM)
        terminal.until(b"STOPPING")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert b"How.LEFT" in terminal.output


def test_control_c_from_the_keyboard_and_from_outside() -> None:
    with demo("--interval", "3600") as terminal:
        terminal.until(b"quit")
        os.write(terminal.master, b"\x03")
        terminal.until(b"STOPPING")
        os.kill(terminal.pid, signal.SIGINT)
        terminal.until(b"ENDING")
        os.write(terminal.master, b"\x03")
        assert terminal.wait() == 0
        assert b"How.LEFT" in terminal.output


def test_what_is_typed_in_one_go_goes_to_the_prompt() -> None:
    with demo("--interval", "3600") as terminal:
        terminal.until(b"quit")
        os.write(terminal.master, b":users +10\r")
        terminal.until("applied: users 124 → 134".encode())


def test_a_hang_up_ends_the_screen_at_once_and_without_a_fault() -> None:
    with demo() as terminal:
        terminal.until(b"quit")
        terminal.hang_up()
        assert terminal.wait() == 0


def test_a_terminal_that_goes_without_a_signal_is_noticed() -> None:
    with demo("--interval", "0.1", nohup=True) as terminal:
        terminal.until(b"quit")
        terminal.hang_up()
        assert terminal.wait() == 0


def test_sighup_alone_gives_the_terminal_back_and_says_nothing() -> None:
    with demo() as terminal:
        before = termios.tcgetattr(terminal.master)
        terminal.until(b"quit")
        os.kill(terminal.pid, signal.SIGHUP)
        assert terminal.wait() == 0
        assert_restored(terminal, before)
        assert b"How." not in terminal.output


def test_pictures_are_whole_where_the_terminal_can_wait_for_them() -> None:
    """DEC private mode 2026: the terminal is asked for it, and what is drawn stands between its begin and its end."""
    with demo("--interval", "0.1") as terminal:
        terminal.until(b"\x1b[?2026$p")
        os.write(terminal.master, b"\x1b[?2026;2$y")
        terminal.until(b"\x1b[?2026h")
        start = len(terminal.output)
        terminal.until(b"\x1b[?2026l", start)
        assert terminal.output.count(b"\x1b[?2026h") - terminal.output.count(b"\x1b[?2026l") in (0, 1)


@pytest.mark.parametrize("size", [(40, 120), (60, 200), (10, 40)])
def test_resizing(size: tuple[int, int]) -> None:
    words = {(40, 120): b"time to first token", (60, 200): b"percentiles", (10, 40): b"needs 60"}
    with demo() as terminal:
        terminal.until(b"quit")
        start = len(terminal.output)
        fcntl.ioctl(terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        terminal.until(words[size], start)
