"""Signals that come when a run has been launched and its viewer is not there yet: kept, and sent again once it is.

Without it a Ctrl-C in that half second would end the viewer and leave the load going, with nobody to know of it.
"""

from __future__ import annotations

import os
import signal

_came: list[int] = []


def hold() -> None:
    """From now on they are kept; one that is ignored (``nohup``) stays so."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda came, _: _came.append(came))


def release() -> None:
    """They are handled from now on; those that came are sent again."""
    came = _came.copy()
    _came.clear()
    for number in came:
        os.kill(os.getpid(), number)
