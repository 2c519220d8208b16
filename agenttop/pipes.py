"""Output whose reader may be gone: no reason to end a run, or to end it with another code."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


def say(text: str, stream: TextIO) -> None:
    """Print a line (or lines) at once, where there is still somebody who reads."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        hush(stream)


def hush(stream: TextIO) -> None:
    """Whoever read has had enough: what is left of a stream goes nowhere, its last flush included."""
    with contextlib.suppress(OSError):  # not every stream is a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
