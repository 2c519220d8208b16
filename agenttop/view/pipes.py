"""Output that nobody reads, or that cannot be written: no reason to end a run. A reader that leaves is none to end it
with another code either; a full disk is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO
from weakref import WeakSet

_lost: WeakSet[TextIO] = WeakSet()
"""Streams to which something could not be written."""


def lost(stream: TextIO) -> bool:
    """Whether something that was said there could not be written; a reader that has left wanted no more."""
    return stream in _lost


def say(text: str, stream: TextIO) -> None:
    """Print a line (or lines) at once. If that fails, say so once, unless the reader has left."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        hush(stream)
    except OSError as error:  # a full disk, a terminal that is gone
        _lost.add(stream)
        hush(stream)
        with contextlib.suppress(OSError):
            print(f"agenttop: what follows cannot be written: {error.strerror}", file=sys.stderr)


def hush(stream: TextIO) -> None:
    """Send what is left of a stream nowhere, its last flush at the end of the process included."""
    with contextlib.suppress(OSError):  # not every stream is a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
