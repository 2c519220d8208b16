"""A shell whose memory is limited (``ulimit -v``): no process takes room for threads that it never starts."""

from __future__ import annotations

import subprocess
import sys

from agenttop.agent.process import AgentProcess
from tests.e2e.harness import PATIENCE_S, Place

AGENTTOP = (sys.executable, "-m", "agenttop")
LIMIT_KB = 2 << 20
"""KiB of address space of each process; 700 MB are enough on one machine with 2 cores."""


def test_a_short_run_works(place: Place) -> None:
    profile = 'target = "{url}"\nusers = 2\nduration = "1s"\n[[pools]]\nname = "a"\n[[pools.tasks]]\nget = "/health"\n'
    with AgentProcess({"preset": "quiet"}) as agent:
        path = place.write(profile.format(url=agent.url))
        done = subprocess.run(
            ["sh", "-c", f'ulimit -v {LIMIT_KB}; exec "$@"', "", *AGENTTOP, "--profile", path, "--headless"],
            env=place.env(),
            cwd=place.root,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert place.summary()["totals"]["ok"] > 0
