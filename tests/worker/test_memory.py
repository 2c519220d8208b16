"""What was large is given back; tried in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

#: Bodies of all sizes, and something small that stays behind each.
ASK = """
import sys
import psutil
from agenttop.worker.memory import return_large
took = return_large() if "return" in sys.argv else None
before = psutil.Process().memory_info().rss
stays = []
for _ in range(3):
    for mib in (31, 20, 20, 20):
        body = bytearray(b"x") * (mib << 20)
        stays.append([bytearray(100_000), body])
    for pair in stays:
        del pair[1:]
    del body
print(took, (psutil.Process().memory_info().rss - before) >> 20)
"""


def ask(*arguments: str) -> tuple[str, int]:
    """Whether the wish was taken, and the MiB that are left of what was freed."""
    command = [sys.executable, "-c", ASK, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    took, mib = done.stdout.split()
    return took, int(mib)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc only")
def test_what_was_large_goes_back_to_the_system() -> None:
    took, left = ask("return")
    assert took == "True"
    assert left < 10
    assert ask()[1] > 30, "without asking for it"
