"""Signals that come when a run has been launched and its viewer is not there yet: kept, and sent again once it is.

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
    """From now on those that a viewer hears are kept."""
    for number in heard():
        signal.signal(number, lambda came, _: _came.append(came))


def release() -> None:
    """They are handled from now on; those that came are sent again."""
    came = _came.copy()
    _came.clear()
    for number in came:
        os.kill(os.getpid(), number)
