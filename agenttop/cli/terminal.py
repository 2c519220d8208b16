"""The terminal that a command was started on: whether it can show the screen, and be asked; light to import."""

from __future__ import annotations

import os
import signal
import sys

#: What is said where no screen is shown though there is a terminal, and what to do about it.
STRANDED = (
    "this job is in the background of its terminal, and no shell can bring it to the front, as under timeout in a "
    "script: plain lines instead of the screen; say timeout --foreground"
)
#: And of a job of a shell.
BACKGROUND = "in the background: fg shows the screen"


def on_terminal() -> bool:
    """Return whether there is a terminal that can show the screen."""
    return has_terminal() and not stranded()


def has_terminal() -> bool:
    """Return whether input and output are a terminal that can show the screen, whoever it listens to."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def answers() -> bool:
    """Return whether there is somebody at a terminal who can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty() and not stranded()


def in_background() -> bool:
    """Return whether the terminal listens to another job than ours."""
    try:
        return os.tcgetpgrp(0) != os.getpgrp()
    except OSError:  # not our controlling terminal: nobody controls jobs on it
        return False


def stranded() -> bool:
    """Return whether this process is in the background for good: of a job that another program has begun inside one of
    a shell, as ``timeout`` does, which the shell knows nothing of. Whoever leads a job of its own can be brought back.
    """
    return in_background() and os.getpgrp() != os.getpid()


def explain_lines() -> None:
    """Say why there are lines and no screen, if it is for that. A terminal may stop what writes to it from the
    background (``stty tostop``); nobody could let this one go on.
    """
    if has_terminal() and stranded():
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        print(f"agenttop: {STRANDED}", file=sys.stderr)


def wants_ascii(asked: bool) -> bool:
    """Return whether to draw with ASCII only: where that is ``asked`` for, on a Linux console, whose font has neither
    blocks nor dots, and where the locale (``LC_ALL``, ``LC_CTYPE`` or ``LANG``, the first that is set) is not UTF-8.
    """
    found = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "UTF-8")
    utf8 = found.partition("@")[0].upper().replace("-", "").endswith("UTF8")
    return asked or os.environ.get("TERM") == "linux" or not utf8
