"""Sets who runs first if processes outnumber cores: a worker reads what arrives at once, all else can wait."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import struct
import sys

#: How long a worker wants to run at a time, ns. The system's own slice is some 3 ms, and that long it lets whoever runs
#: go on before it wakes a worker whose bytes are there; one with a shorter slice comes first (Linux 6.12, EEVDF).
SLICE_NS = 100_000
#: ``sched_setattr(2)``, which the C library has no function for, by machine.
_CALLS = {"x86_64": 314, "aarch64": 274}
#: size, policy, flags, nice, priority, runtime, deadline, period
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")


def wake_first() -> bool:
    """Ask for short slices of the processor; return whether the system took it. An older one ignores it."""
    number = _CALLS.get(platform.machine())
    if not sys.platform.startswith("linux") or number is None or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return False
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, SLICE_NS, 0, 0)
    try:
        call = ctypes.CDLL(None, use_errno=True).syscall
    except OSError:
        return False
    return bool(call(ctypes.c_long(number), 0, ctypes.c_char_p(attributes), 0) == 0)


def step_back() -> None:
    """Let the workers come first: on a busy machine sums and screen can wait, the load cannot."""
    with contextlib.suppress(OSError):
        os.nice(5)
