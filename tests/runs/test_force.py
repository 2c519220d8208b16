from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from agenttop.runs import force
from agenttop.runs.force import end_by_force

#: It goes by the name of a controller, and has workers.
CONTROLLER = """
import subprocess, sys
code, *rest = sys.argv[2:]
pipe = subprocess.PIPE
workers = [subprocess.Popen([sys.executable, "-c", code, *rest], stdin=pipe, stdout=pipe) for _ in range(2)]
for worker in workers:
    worker.stdout.readline()
print(*[worker.pid for worker in workers], flush=True)
sys.stdin.read()
"""
#: Takes its time to go when its controller has.
POLITE = """
import os, pathlib, sys, time
print(flush=True)
sys.stdin.read()
time.sleep(0.2)
pathlib.Path(sys.argv[1], str(os.getpid())).touch()
"""
STUBBORN = "import signal; print(flush=True); signal.pause()"


@contextlib.contextmanager
def controller(worker: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """Such a process, and the ids of its workers."""
    command = [sys.executable, "-c", CONTROLLER, "agenttop.controller", worker, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        workers = [int(pid) for pid in process.stdout.readline().split()]
        try:
            yield process, workers
        finally:
            process.kill()
            for pid in workers:
                with contextlib.suppress(psutil.Error):
                    psutil.Process(pid).kill()


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def test_workers_that_go_by_themselves_are_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(force, "PATIENCE_S", 60.0)
    with controller(POLITE, str(tmp_path)) as (process, workers):
        assert end_by_force(process.pid)
        assert process.wait() < 0
        assert sorted(int(path.name) for path in tmp_path.iterdir()) == sorted(workers)


def test_workers_that_do_not_go_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    wait = psutil.wait_procs

    def patient(processes: list[psutil.Process], timeout: float) -> object:
        waited.append(timeout)
        return wait(processes, timeout=0.0 if len(waited) == 1 else 60.0)

    monkeypatch.setattr(psutil, "wait_procs", patient)
    with controller(STUBBORN) as (process, workers):
        assert all(map(runs, workers))
        assert end_by_force(process.pid)
        assert process.wait() < 0
        assert not any(map(runs, workers))
    assert waited == [force.PATIENCE_S] * 2


def test_a_process_that_is_no_controller_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        assert not end_by_force(other.pid)
        assert other.poll() is None
        other.communicate(b"\n")
    assert other.returncode == 0
    assert not end_by_force(other.pid)
    assert not end_by_force(os.getpid())
