"""Verdicts that were given before, by content: a file each in a directory, or in memory alone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import msgspec


class JudgeCache:
    """Values by key. What cannot be read or written is only asked again; nothing here raises.

    Args:
        folder: where they are kept from run to run; None: for this process.
    """

    def __init__(self, folder: Path | str | None) -> None:
        self._folder = Path(folder) if folder is not None else None
        self._known: dict[str, Any] = {}

    def get(self, key: str, kind: Any) -> Any:
        """Return the value of a key, or None where there is none of this type."""
        if key in self._known or self._folder is None:
            return self._known.get(key)
        try:
            value = msgspec.json.decode(self._path(key).read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError, ValueError):
            return None
        self._known[key] = value
        return value

    def put(self, key: str, value: Any) -> None:
        """Keep a value; another process reads all of it or nothing."""
        self._known[key] = value
        if self._folder is None:
            return
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(msgspec.json.encode(value))
                os.replace(name, path)
            except OSError:
                with contextlib.suppress(OSError):
                    os.unlink(name)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / f"{key}.json"


def key_of(*parts: Any) -> str:
    """Return the key of what was asked: a digest of its content."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
