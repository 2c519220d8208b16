"""What it costs to look: CPU of the live screen and of the controller that feeds it, and bytes to the terminal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import struct
import termios
import threading
import time
from collections.abc import Iterator

import psutil

from tests.benchmarks import profiles
from tests.benchmarks.nginx import nginx
from tests.benchmarks.options import Options, begin
from tests.benchmarks.program import BenchmarkError, started
from tests.benchmarks.results import Results
from tests.benchmarks.targets import judge

#: Columns and rows.
SIZES = ((80, 24), (120, 40), (200, 60))
#: What the program gets to start and to draw its first screens.
START_S = 4


class Pty:
    """A terminal that counts what is drawn on it, and understands nothing of it."""

    def __init__(self, rows: int, columns: int) -> None:
        self._master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.drawn = 0
        """Bytes so far."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def send(self, keys: str) -> None:
        """Type."""
        os.write(self._master, keys.encode())

    def close(self) -> None:
        """Take it away."""
        self._over.set()
        self._thread.join()
        os.close(self.slave)
        os.close(self._master)

    def _read(self) -> None:
        while not self._over.is_set():
            ready, _, _ = select.select([self._master], [], [], 0.1)
            if ready:
                self.drawn += len(os.read(self._master, 65536))


def screen(options: Options) -> Results:
    """CPU of viewer and controller, and bytes drawn, over some seconds of a run with eight rows and 20 users."""
    results = begin("screen: the live screen, 8 requests, 20 users, about 200 requests/s, 1 Hz")
    results.note("CPU in percent of one core, user and system; the worker's is no part of it")
    seconds = 8 if options.quick else 20
    with nginx() as url:
        for _ in range(options.rounds):
            for size in SIZES:
                _round(results, url, seconds, size)
    judge(results, "viewer 120x40", "bytes_per_s", at_most=4000)
    judge(results, "viewer 200x60", "CPU_percent", at_most=3)
    judge(results, "both 200x60", "CPU_percent", at_most=5)
    return results


def _round(results: Results, url: str, seconds: int, size: tuple[int, int]) -> None:
    # It is told to end before its plan does, so that the end is in no figure.
    profile = profiles.SCREEN.format(url=url, seconds=START_S + seconds + 30)
    with _terminal(*size) as terminal, started(profile, terminal=terminal.slave) as program:
        viewer, controller = psutil.Process(program.process.pid), program.controller()
        program.workers()
        time.sleep(START_S)
        if not terminal.drawn:
            raise BenchmarkError("nothing was drawn")
        before, drawn, began = (cpu_s(viewer), cpu_s(controller)), terminal.drawn, time.monotonic()
        time.sleep(seconds)
        took = time.monotonic() - began
        of_viewer, of_controller = cpu_s(viewer) - before[0], cpu_s(controller) - before[1]
        drawn = terminal.drawn - drawn
    name = f"{size[0]}x{size[1]}"
    results.add(f"viewer {name}", CPU_percent=100 * of_viewer / took, bytes_per_s=drawn / took)
    results.add(f"controller {name}", CPU_percent=100 * of_controller / took)
    results.add(f"both {name}", CPU_percent=100 * (of_viewer + of_controller) / took)


def cpu_s(process: psutil.Process) -> float:
    """Seconds of CPU that a process has used, its children not counted."""
    times = process.cpu_times()
    return float(times.user + times.system)


@contextlib.contextmanager
def _terminal(columns: int, rows: int) -> Iterator[Pty]:
    terminal = Pty(rows, columns)
    try:
        yield terminal
    finally:
        terminal.close()
