"""numpy's OpenBLAS starts no threads of its own, in no process of the program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_COUNT = "; import os, sys; print(len(os.listdir('/proc/self/task')), 'numpy' in sys.modules)"
_NAMES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
_HERE = {name: text for name, text in os.environ.items() if name not in _NAMES}

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")


def said(code: str, **env: str) -> str:
    """What a Python of its own prints."""
    return subprocess.run(
        [sys.executable, "-c", code], env=_HERE | env, capture_output=True, text=True, check=True
    ).stdout.strip()


@linux
@pytest.mark.parametrize(
    "process",
    ["agenttop.worker.worker", "agenttop.controller.controller", "agenttop.cli.run", "agenttop.cli.replay"],
)
def test_a_process_with_numpy_has_one_thread(process: str) -> None:
    assert said(f"import {process}{_COUNT}") == "1 True"


@linux
@pytest.mark.parametrize("process", ["agenttop.agent.server", "agenttop.cli.main"])
def test_a_process_that_needs_no_numpy_has_none(process: str) -> None:
    assert said(f"import {process}{_COUNT}") == "1 False"


@linux
@pytest.mark.parametrize("process", ["agenttop.serve.viewer", "agenttop.tui.app", "agenttop.scripting.describe"])
def test_numpy_adds_no_thread_to_the_others(process: str) -> None:
    assert said(f"import {process}, numpy{_COUNT}") == "1 True"


@pytest.mark.parametrize("name", _NAMES)
def test_a_number_that_was_set_is_not_overruled(name: str) -> None:
    code = f"import agenttop.metrics, os; print([os.environ.get(name) for name in {_NAMES}])"
    assert said(code, **{name: "3"}) == str(["3" if name == other else None for other in _NAMES])
