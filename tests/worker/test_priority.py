"""Workers wake first, the rest stands back; each is tried in a process of its own."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

ASK = """
import os
from agenttop.worker.priority import SLICE_NS, step_back, wake_first
print(int(wake_first()), end=" ")
try:
    scheduling = open("/proc/self/sched").read()
except OSError:
    scheduling = ""
step_back()
print(os.getpriority(os.PRIO_PROCESS, 0), SLICE_NS, scheduling)
"""


@pytest.fixture(scope="module")
def told() -> list[str]:
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split(None, 3)


def test_stepping_back_lowers_the_priority(told: list[str]) -> None:
    before = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert int(told[1]) == min(int(before.stdout) + 5, 19)


@pytest.mark.skipif(platform.system() != "Linux", reason="Linux only")
@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the call's number is not known")
def test_a_worker_asks_for_short_slices(told: list[str]) -> None:
    version = re.match(r"(\d+)\.(\d+)", platform.release())
    assert version is not None
    slices = re.search(r"se\.slice\s*:\s*(\d+)", told[3] if len(told) > 3 else "")
    if (int(version[1]), int(version[2])) < (6, 12) or slices is None or not Path("/proc/self/sched").exists():
        pytest.skip("this kernel takes no wishes, or does not tell")
    if told[0] == "0":
        pytest.skip("the call is forbidden here")  # a sandbox may; nothing then changes
    assert slices[1] == told[2]
