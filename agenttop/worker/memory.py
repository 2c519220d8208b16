"""What was large goes back to the system when it is freed."""

from __future__ import annotations

import ctypes
import sys

#: Blocks of so many bytes are taken from the system, one each, and given back. glibc begins so, at 128 KiB; with every
#: such block that is freed it raises that, to 32 MiB at most. Bodies of that size then leave holes among what stays:
#: a third more memory than all that is held.
LARGE = 1 << 20
_M_MMAP_THRESHOLD = -3


def return_large() -> bool:
    """Ask the C library to give back what is large; whether it took the wish. Only glibc needs it, and knows the call
    (``mallopt(3)``).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        return bool(ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE) == 1)
    except (OSError, AttributeError):
        return False
