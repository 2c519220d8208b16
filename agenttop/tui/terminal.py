"""The terminal under the screen: given back when a shell stops us, taken again when it goes on, and never waited for.

    shown ──SIGTSTP (ctrl+z)──► away ──in the foreground again──► shown

Textual's driver (8.2) writes to standard error, by a thread behind a short queue: once nobody reads the terminal, the
screen stands still in that queue, and with it keys, signals and the end. It takes every SIGCONT for the end of a stop
of its own, and paints nothing anew after one. Here the terminal is opened a second time, so that writes to it do not
block and whoever shares our standard streams need not know: what it does not take now is sent when it does, and the
screen draws nothing new until then (:attr:`Terminal.behind`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

#: How long a terminal that is not read may take for the last words.
GRACE_S = 2.0
#: A terminal that was full is tried again so soon.
AGAIN_S = 0.05
#: While the terminal is not ours we look so often whether it is again: ``fg`` after ``bg`` comes without a signal.
LOOK_S = 0.1
#: Bytes at a time.
_CHUNK = 16 * 1024


class TerminalReady(Message):
    """The terminal takes more again. If it is ours again, it is ``blank``: nothing that we drew is on it."""

    def __init__(self, *, blank: bool) -> None:
        super().__init__()
        self.blank = blank


class TerminalGone(Message):
    """There is no terminal any more."""


class Terminal(LinuxDriver):
    """Textual's driver, with its output and its job control."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._out = _opened_again(sys.__stdout__.fileno() if sys.__stdout__ is not None else self.fileno)
        self._main = threading.get_ident()
        self._unsent = bytearray()
        self._goodbye = b""
        """Bytes that give the terminal back to the shell."""
        self._planned = False
        self._waiting = False
        self._away = True
        self._looking: asyncio.TimerHandle | None = None
        for number, handler in ((signal.SIGTSTP, self._stop), (signal.SIGCONT, self._continued)):
            self._loop.add_signal_handler(number, handler)

    # -- output

    @property
    def behind(self) -> bool:
        """Return whether the terminal has not taken what it was sent, or is not ours: more of it is of no use."""
        return self._waiting or self._away

    @property
    def dead(self) -> bool:
        """Return whether there is no terminal any more."""
        return not os.isatty(self._out)

    def write(self, data: str) -> None:
        if threading.get_ident() != self._main:  # the thread that reads asks the terminal for its size
            self._loop.call_soon_threadsafe(self.write, data)
        elif not self._away:
            self._unsent += data.encode(errors="replace")
            if not self._planned:
                self._planned = True
                self._loop.call_soon(self._send)

    def _send(self) -> None:
        """Send, and plan to send again until all is sent. (Not every system says when a terminal takes more.)"""
        if not self._push():
            self._waiting = True
            self._loop.call_later(AGAIN_S, self._send)
            return
        self._planned = False
        if self._waiting:
            self._waiting = False
            self._app.post_message(TerminalReady(blank=False))

    def _push(self) -> bool:
        """Send what the terminal takes; return whether that was all."""
        try:
            while self._unsent:
                del self._unsent[: os.write(self._out, self._unsent[:_CHUNK])]
        except BlockingIOError:
            return False
        except OSError:
            self._lose()
        return True

    def _lose(self) -> None:
        self._unsent.clear()
        self._away = True
        self._app.post_message(TerminalGone())

    def close(self) -> None:
        """Send the rest. A terminal that is not read keeps nobody: it gets what gives it back, in place of the rest."""
        deadline = time.monotonic() + GRACE_S
        while not self._push() and (left_s := deadline - time.monotonic()) > 0:
            time.sleep(min(left_s, AGAIN_S))
        if self._unsent:
            with suppress(termios.error):
                termios.tcflush(self._out, termios.TCOFLUSH)
            self._unsent[:] = self._goodbye
            self._push()
            self._unsent.clear()
        self._waiting = False
        super().close()

    # -- whose it is

    def start_application_mode(self) -> None:
        if _in_front(self.fileno):
            self._away = False
            super().start_application_mode()  # type: ignore[no-untyped-call]
        else:  # begun in the background
            self._look_later()

    def disable_input(self) -> None:
        if not self._away:  # a background process that touches the terminal is stopped
            super().disable_input()

    def stop_application_mode(self) -> None:
        if self._away:
            self._stop_reading()
            return
        before = len(self._unsent)
        super().stop_application_mode()
        self._goodbye = bytes(self._unsent[before:])
        self._away = True

    def ask_to_stop(self) -> None:
        """Stop the whole job, as a terminal does at ctrl+z that does not hand the key to us."""
        os.killpg(os.getpgrp(), signal.SIGTSTP)

    def _stop(self) -> None:
        """Handle SIGTSTP. Without a shell to continue us (an orphaned group) the system ignores it, and so we are
        back.
        """
        self.suspend_application_mode()
        self._loop.remove_signal_handler(signal.SIGTSTP)
        os.kill(os.getpid(), signal.SIGTSTP)
        self._loop.add_signal_handler(signal.SIGTSTP, self._stop)
        self._look_later()

    def _continued(self) -> None:
        """Handle SIGCONT, also after a SIGSTOP, which gives no notice: the shell has had the terminal meanwhile."""
        if not self._app.is_running:
            return
        if self.dead:  # a SIGCONT comes with every hang-up, and no SIGHUP where that is ignored
            self._lose()
            return
        if not _in_front(self.fileno):
            if not self._away:
                self._let_go()
            self._look_later()
            return
        self.suspend_application_mode()
        self.start_application_mode()
        self._app.post_message(TerminalReady(blank=True))

    def _let_go(self) -> None:
        """Leave the terminal to somebody else; what we changed is not ours to change back."""
        self._away = True
        self._unsent.clear()
        self._waiting = False
        self._stop_reading()
        super().close()

    def _stop_reading(self) -> None:
        """End the thread that reads, and touch the terminal no more."""
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()

    def _look_later(self) -> None:
        if self._looking is None:
            self._looking = self._loop.call_later(LOOK_S, self._look)

    def _look(self) -> None:
        self._looking = None
        if self._away and self._app.is_running:
            self._continued()


def _in_front(terminal: int) -> bool:
    """Return whether this process is in the terminal's foreground; True if nobody controls jobs."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return os.isatty(terminal)  # not our controlling terminal, unless it is dead


def _opened_again(terminal: int) -> int:
    """Return the same terminal, opened so that writes do not block; unchanged if it cannot be opened by name."""
    try:
        return os.open(os.ttyname(terminal), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return terminal
