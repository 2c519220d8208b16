"""Holds signals that come before the viewer of a launched run is ready, and sends them again once it is.

Without it a Ctrl-C in that half second would end the viewer and leave the load going, with nobody to know of it.
"""

from __future__ import annotations

import os
import signal

_came: list[int] = []


def hold() -> None:
    """Keep the signals from now on; one that is ignored (``nohup``) stays ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda came, _: _came.append(came))


def release() -> None:
    """Send the kept signals again; the viewer handles signals from now on."""
    came = _came.copy()
    _came.clear()
    for number in came:
        os.kill(os.getpid(), number)
