"""Ends a run whose controller does not answer because it is stopped or hangs: its load must end all the same."""

from __future__ import annotations

import contextlib

import psutil

#: Workers whose controller is gone cut what is in flight and go; one that cannot (stopped too, say) is killed then.
PATIENCE_S = 2.0
_MODULES = {"agenttop.controller", "agenttop.fleet"}


def end_by_force(pid: int) -> bool:
    """Kill a controller, and those of its workers that do not go by themselves.

    Args:
        pid: of the controller, as the kernel said it of the control socket's other end.

    Returns:
        Whether there was one: a process that is no controller (any more) is left alone.
    """
    try:
        controller = psutil.Process(pid)
        if not _MODULES.intersection(controller.cmdline()):
            return False
        workers = controller.children(recursive=True)
        controller.kill()
    except psutil.Error:
        return False
    _, left = psutil.wait_procs(workers, timeout=PATIENCE_S)
    for worker in left:
        with contextlib.suppress(psutil.Error):
            worker.kill()
    psutil.wait_procs(left, timeout=PATIENCE_S)
    return True
