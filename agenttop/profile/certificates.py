"""Checks the files a profile names: there, readable, and of the right kind."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agenttop.profile.problems import Fault, value_at


def absolute_paths(tls: Any, folder: Path) -> Any:
    """Return the ``[tls]`` table with its files beside the profile rather than wherever the program was started."""
    if not isinstance(tls, dict):
        return tls
    return {
        key: str(located(folder, value)) if key in ("ca", "cert", "key") and isinstance(value, str) else value
        for key, value in tls.items()
    }


def located(folder: Path, name: str) -> Path:
    """Return the file itself, behind every link; of a loop of links the way into it, so that opening reports it."""
    return Path(os.path.realpath(folder / name)) if "\0" not in name else Path(name)


def check_files(tls: Any, masked: Any) -> Iterator[Fault]:
    """Yield the faults of the files in a ``[tls]`` table with absolute paths; ``masked`` is how it may be shown."""
    if not isinstance(tls, dict):
        return
    written = {key: str(value_at(masked, (key,))) for key in tls}
    wrong = False
    for key in ("ca", "cert", "key"):
        if isinstance(tls.get(key), str):
            problem = unreadable(Path(tls[key]), written[key])
            if problem:
                wrong = True
                yield Fault(("tls", key), problem)
    if wrong:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(tls.get("ca"), str):
        try:
            context.load_verify_locations(tls["ca"])
        except (ssl.SSLError, OSError):
            yield Fault(("tls", "ca"), f"{written['ca']} holds no certificates in PEM form")
    if isinstance(tls.get("cert"), str):
        own_key = tls["key"] if isinstance(tls.get("key"), str) else None
        try:
            # A password is never asked for: nobody may be there to type it.
            context.load_cert_chain(tls["cert"], own_key, password=lambda: "")
        except (ssl.SSLError, OSError):
            files = " and ".join(written[name] for name in ("cert", "key") if name in written)
            text = "no certificate in PEM form with its unencrypted private key"
            yield Fault(("tls", "cert"), f"{files}: {text}")


def unreadable(path: Path, written: str) -> str | None:
    """Return what keeps a file from being read, or None; ``written`` is what the profile calls it, as it may
    be shown.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            return f"{written} is no regular file"  # opening a pipe would wait for who writes to it
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return f"there is no such file: {written} (a path is relative to the profile)"
    except IsADirectoryError:
        return f"{written} is a directory, not a file"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        return f"{written} cannot be read: {reason}"
