"""A shell whose memory is limited (``ulimit -v``): no process takes room for threads that it never starts."""

from __future__ import annotations

import resource
import subprocess
import sys

from tests.e2e.harness import PATIENCE_S, Place
from tests.e2e.targets import answer, says, target

LIMIT = 2 << 30
"""Bytes of address space of each process; 700 MB are enough on one machine with 2 cores."""


def test_a_short_run_works(place: Place) -> None:
    profile = 'target = "{url}"\nusers = 2\nduration = "1s"\n[[pools]]\nname = "a"\n[[pools.tasks]]\nget = "/"\n'
    with target(says(answer(b"{}"))) as url:
        path = place.write(profile.format(url=url))
        done = subprocess.run(
            [sys.executable, "-m", "agenttop", "--profile", path, "--headless"],
            env=place.env(),
            cwd=place.root,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)),
        )
    assert done.returncode == 0, done.stderr
    assert place.summary()["totals"]["ok"] > 0
