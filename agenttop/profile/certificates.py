"""The files a profile names: there, readable, and what they should be."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agenttop.profile.problems import Fault


def absolute_paths(tls: Any, folder: Path) -> Any:
    """The ``[tls]`` table with its files beside the profile rather than wherever the program was started."""
    if not isinstance(tls, dict):
        return tls
    return {
        key: os.path.realpath(folder / value) if key in ("ca", "cert", "key") and isinstance(value, str) else value
        for key, value in tls.items()
    }


def check_files(tls: Any) -> Iterator[Fault]:
    """Faults of the files that a ``[tls]`` table with absolute paths names."""
    if not isinstance(tls, dict):
        return
    wrong = False
    for key in ("ca", "cert", "key"):
        if isinstance(tls.get(key), str):
            problem = unreadable(Path(tls[key]))
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
            yield Fault(("tls", "ca"), "this file holds no certificates in PEM form")
    if isinstance(tls.get("cert"), str):
        own_key = tls["key"] if isinstance(tls.get("key"), str) else None
        try:
            # A password is never asked for: nobody may be there to type it.
            context.load_cert_chain(tls["cert"], own_key, password=lambda: "")
        except (ssl.SSLError, OSError):
            yield Fault(("tls", "cert"), "cert and key are no certificate in PEM form with its unencrypted private key")


def unreadable(path: Path) -> str | None:
    """What keeps a file from being read, or None."""
    try:
        with path.open("rb"):
            return None
    except FileNotFoundError:
        return "there is no such file (a path is relative to the profile)"
    except IsADirectoryError:
        return "this is a directory, not a file"
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a path"
        return f"this file cannot be read: {reason}"
