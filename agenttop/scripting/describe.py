"""``python -m agenttop.scripting.describe FILE CLASS…``: what is in a user's file, as JSON on standard output.

In a process of its own, so that whatever the file does as it is imported is not done to who wants to know. What it
prints meanwhile goes to standard error.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

import agenttop.metrics  # noqa: F401 - before the file's own numpy: no threads are started here either
from agenttop.scripting.load import ScriptError, describe, load_class


def main(file: str, classes: list[str]) -> None:
    """Write a description of each class in the file, or ``fault`` and ``place`` of what is wrong."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        found: dict[str, Any] = {}
        for name in classes:
            try:
                found[name] = describe(load_class(file, name))
            except ScriptError as error:
                found[name] = {"fault": error.message, "place": error.place}
            except OSError as error:
                found[name] = {"fault": f"it cannot be read: {error.strerror}", "place": ""}
        out.write(msgspec.json.encode(found))
        out.flush()
        sys.stdout.flush()  # what the file printed: nothing else writes it out
        # Not through the end of the interpreter: threads that the file has begun need not be waited for.
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
