from __future__ import annotations

import os
import subprocess
import sys

from agenttop.runs.force import end_by_force


def test_a_process_that_is_no_controller_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not end_by_force(other.pid)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
    assert not end_by_force(other.pid)
    assert not end_by_force(os.getpid())
