"""Writes a file so that a reader sees the whole old or the whole new one; says beforehand whether it can be."""

from __future__ import annotations

import os
from pathlib import Path


def unwritable(path: str | os.PathLike[str]) -> str:
    """Return why no file can be written to this path; empty if one can, as far as can be seen."""
    place = Path(path)
    try:
        if place.is_dir():
            return "is a directory; name a file"
        if not place.absolute().parent.is_dir():
            return f"there is no directory {place.absolute().parent}"
        if not os.access(place if place.exists() else place.absolute().parent, os.W_OK):
            return "cannot be written"
    except OSError as error:
        return str(error.strerror)
    return ""


def write_whole(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file in one step.

    Links are followed; what is no regular file (a pipe, ``/dev/null``) is written to as it is.

    Raises:
        OSError: it cannot be written; an old file is left as it was.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(data)
        return
    beside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
