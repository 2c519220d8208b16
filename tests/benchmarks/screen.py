"""What it costs to look: CPU of the live screen and of the controller that feeds it, and bytes to the terminal, a
second and a key."""

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
#: Keys whose pictures are counted, at these sizes: what is pressed, and what leaves it again.
KEYS = {":": "\x1b", "/": "\x1b", "q": "\x1b", "?": "\x1b", "e": "\x1b", "5": "\x1b", "ctrl+p": "\x1b"}
KEY_SIZES = SIZES[:2]
#: Draws the screen whole.
REDRAW = "\x0c"
#: Bytes that a prompt or a question may cost, and what a screen may cost of what it costs when it is drawn whole.
LINE_BYTES, SCREEN_SHARE = 1000, 1.2
#: What the program gets to start and to draw its first screens.
START_S = 4
#: And to draw what a key asks for.
KEY_S = 1.5


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
        for size in KEY_SIZES:
            _keys(results, url, size)
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


def _keys(results: Results, url: str, size: tuple[int, int]) -> None:
    """Bytes that keys cost, on a screen that is frozen so that the run itself costs next to none."""
    profile = profiles.SCREEN.format(url=url, seconds=600)
    name = f"{size[0]}x{size[1]}"
    with _terminal(*size) as terminal, started(profile, terminal=terminal.slave) as program:
        program.workers()
        time.sleep(START_S)

        def cost(keys: str) -> int:
            before = terminal.drawn
            terminal.send(keys)
            time.sleep(KEY_S)
            return terminal.drawn - before

        cost(" ")
        whole = cost(REDRAW)
        results.add(f"all of {name}", bytes=whole)
        for key, leave in KEYS.items():
            there = cost({"ctrl+p": "\x10"}.get(key, key))
            back = cost(leave)
            results.add(f"{key} {name}", bytes=there, bytes_back=back)
            line = key in ":/q"
            for what, drawn in ((key, there), (f"leaving {key}", back)):
                most = LINE_BYTES if line else SCREEN_SHARE * whole
                results.expect(drawn < most, f"{what} at {name} costs {drawn} bytes, more than {most:.0f}")


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
