"""Prints to readers that may leave and disks that may be full: neither ends a run or changes its exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO


def say(text: str, stream: TextIO) -> None:
    """Print a line (or lines) at once. If that fails, say so once, unless the reader has left."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        hush(stream)
    except OSError as error:  # a full disk, a terminal that is gone
        hush(stream)
        with contextlib.suppress(OSError):
            print(f"agenttop: what follows cannot be written: {error.strerror}", file=sys.stderr)


def hush(stream: TextIO) -> None:
    """Send what is left of a stream nowhere, its last flush at the end of the process included."""
    with contextlib.suppress(OSError):  # not every stream is a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
