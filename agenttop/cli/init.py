"""``agenttop init``: writes a commented starter profile."""

from __future__ import annotations

from agenttop.exits import DONE, UsageError
from agenttop.profile.starter import STARTER


def init(file: str) -> int:
    """Write the profile, and return the exit code.

    Raises:
        UsageError: the file is there already, or cannot be written.
    """
    try:
        with open(file, "x", encoding="utf-8") as stream:
            stream.write(STARTER)
    except FileExistsError:
        raise UsageError(f"{file} is there already; name another file") from None
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    print(f"{file} written; look through it, then: agenttop --profile {file}")
    return DONE
