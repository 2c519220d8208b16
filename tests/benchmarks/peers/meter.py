"""What a client costs while it is under way: CPU and memory of all its processes."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from statistics import median

import psutil

#: Listing the processes of a machine takes milliseconds: not oftener.
_PERIOD_S = 0.25


class Usage:
    """Of the processes that this one started since the meter began, added up; pages they share count for each."""

    def __init__(self) -> None:
        self.rss_mb: float = 0.0
        """The most resident memory at one time."""
        self._cpu_s: dict[int, float] = {}
        self._shares: list[float] = []
        self._sampled_at = time.monotonic()

    @property
    def cpu_share(self) -> float | None:
        """Cores in use: the median over the run, so that neither start nor end weighs in. None: too short a run."""
        return median(self._shares) if self._shares else None

    def add(self, now: float, cpu_s: dict[int, float], rss_bytes: int) -> None:
        """A sample: a time, the CPU seconds that each process has used so far, and the memory of all."""
        if self._cpu_s and cpu_s:
            used = sum(seconds - self._cpu_s.get(pid, 0.0) for pid, seconds in cpu_s.items())
            self._shares.append(used / (now - self._sampled_at))
        self.rss_mb = max(self.rss_mb, rss_bytes / 2**20)
        self._cpu_s, self._sampled_at = cpu_s, now


@contextlib.contextmanager
def metered() -> Iterator[Usage]:
    """Watch the processes that are started within."""
    usage, done = Usage(), threading.Event()
    before = {process.pid for process in psutil.Process().children(recursive=True)}

    def watch() -> None:
        while not done.wait(_PERIOD_S):
            usage.add(time.monotonic(), *_sample(before))

    watcher = threading.Thread(target=watch, name="meter")
    watcher.start()
    try:
        yield usage
    finally:
        done.set()
        watcher.join()


def _sample(without: set[int]) -> tuple[dict[int, float], int]:
    cpu_s, rss_bytes = {}, 0
    for process in psutil.Process().children(recursive=True):
        if process.pid not in without:
            # Between the list and the look it may have ended.
            with contextlib.suppress(psutil.Error):
                times, memory = process.cpu_times(), process.memory_info()
                cpu_s[process.pid] = times.user + times.system
                rss_bytes += memory.rss
    return cpu_s, rss_bytes
