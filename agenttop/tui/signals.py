"""Handles signals while the screen is up: Textual handles neither SIGTERM nor SIGHUP."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agenttop.view import held


@contextmanager
def handlers(
    *, interrupt: Callable[[], None], terminate: Callable[[], None], hangup: Callable[[], None]
) -> Iterator[None]:
    """Call these in the running loop for SIGINT, SIGTERM and SIGHUP, as far as a viewer hears them (``held.heard``)."""
    loop = asyncio.get_running_loop()
    handler_of = {signal.SIGINT: interrupt, signal.SIGTERM: terminate, signal.SIGHUP: hangup}
    wanted = {number: handler_of[number] for number in held.heard()}
    for number, handler in wanted.items():
        loop.add_signal_handler(number, handler)
    held.release()
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)


def mute() -> None:
    """Point the standard streams at /dev/null: the terminal is dead, and writing on the way out must not fail."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        # A dead terminal no longer says that it is one; a file or a pipe is left alone.
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(null, stream)
    os.close(null)
