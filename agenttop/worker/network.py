"""Measures the network of this machine: ephemeral ports, sockets that hold one, interfaces near their speed limit.

Some 0.2 ms a measurement; the interfaces are looked at only where one of them has a speed to compare with.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil

from agenttop.metrics.delta import Network

EVERY_NS = 1_000_000_000
_PROC = Path("/proc")


class NetworkGauge:
    """Measures once a second, however often it is asked.

    Args:
        now_ns: ``perf_counter_ns``.
        proc: where the kernel's files are; macOS has none, and ports are unknown there.
    """

    def __init__(self, now_ns: int, proc: Path = _PROC) -> None:
        self._proc = proc
        self._ports = port_range(proc)
        self._mbit = nic_speeds()
        self._last_ns = now_ns
        self._bytes = self._counters()

    def measure(self, now_ns: int) -> Network | None:
        """Return the newest figures; None if the last ones are not a second old, or no file is left to look with.

        Args:
            now_ns: ``perf_counter_ns``.
        """
        seconds = (now_ns - self._last_ns) / 1e9
        if seconds < EVERY_NS / 1e9:
            return None
        self._last_ns = now_ns
        try:
            sockets, time_wait = tcp_sockets(self._proc)
            before, self._bytes = self._bytes, self._counters()
        except OSError:
            return None
        percents = [
            (100.0 * max(new - old for new, old in zip(now, before[nic], strict=True)) * 8e-6 / seconds / mbit, nic)
            for nic, mbit in self._mbit.items()
            if (now := self._bytes.get(nic)) is not None and nic in before
        ]
        percent, nic = max(percents, default=(0.0, ""))
        return Network(self._ports, sockets, time_wait, nic, max(percent, 0.0), self._mbit.get(nic, 0))

    def _counters(self) -> dict[str, tuple[int, int]]:
        """Return (sent, received) bytes by interface."""
        if not self._mbit:
            return {}
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
        return {nic: (counters[nic].bytes_sent, counters[nic].bytes_recv) for nic in self._mbit if nic in counters}


def nic_speeds() -> dict[str, int]:
    """Return the Mbit/s of each interface that is up and reports a speed; loopback and most virtual ones do not."""
    with contextlib.suppress(OSError):
        stats = psutil.net_if_stats().items()
        return {nic: stat.speed for nic, stat in stats if stat.isup and stat.speed > 0 and "loopback" not in stat.flags}
    return {}


def port_range(proc: Path = _PROC) -> int:
    """Return how many ephemeral ports there are; 0 if the system does not say."""
    with contextlib.suppress(OSError, ValueError):
        low, high = (int(word) for word in (proc / "sys/net/ipv4/ip_local_port_range").read_text().split())
        return high - low + 1
    return 0


def tcp_sockets(proc: Path = _PROC) -> tuple[int, int]:
    """Return the TCP sockets in use, and those in TIME_WAIT besides; zeros if the system does not say.

    Raises:
        OSError: it would, but there is no file left to read it with.
    """
    used = waiting = 0
    for name, kind in (("sockstat", "TCP:"), ("sockstat6", "TCP6:")):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, ValueError):
            for line in (proc / "net" / name).read_text().splitlines():
                words = line.split()
                if words[:1] == [kind]:
                    figures = dict(zip(words[1::2], map(int, words[2::2]), strict=False))
                    used += figures.get("inuse", 0)
                    waiting += figures.get("tw", 0)
    return used, waiting
