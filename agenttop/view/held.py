"""Holds signals that come before the viewer of a launched run is ready, and sends them again once it is.

Without it a Ctrl-C in that half second would end the viewer and leave the load going, with nobody to know of it.
"""

from __future__ import annotations

import os
import signal

_came: list[int] = []


def heard() -> tuple[signal.Signals, ...]:
    """Return the signals that a viewer hears: SIGINT and SIGTERM also where whoever started it had them ignored (a job
    of a script, a CI runner: who sends one means the run), SIGHUP unless it is ignored (``nohup``).
    """
    always = (signal.SIGINT, signal.SIGTERM)
    return always if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (*always, signal.SIGHUP)


def hold() -> None:
    """Keep the signals that a viewer hears from now on."""
    for number in heard():
        signal.signal(number, lambda came, _: _came.append(came))


def release() -> None:
    """Send the kept signals again; the viewer handles signals from now on."""
    came = _came.copy()
    _came.clear()
    for number in came:
        os.kill(os.getpid(), number)
