"""Tells which resource of this machine runs out: open files, ephemeral ports, the speed of its network.

A connection that fails for want of them is a ``connect_error`` as any other, but it says nothing about the target. What
the system said is known by its words: they are all that an error leaves behind.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from agenttop.metrics.delta import Delta, ErrorDelta, Network
from agenttop.metrics.outcome import Outcome

#: From this share on files and ports are all but gone.
NEAR = 0.95
#: A failure that says "no port" is believed where so much of the range can be in use at all; a target without a route
#: fails with the same words.
CREDIBLE = 0.5
NIC_PERCENT = 90.0
NIC_SECONDS = 3
#: How long a failure is news: users that try again seldom must not make the word flicker.
FAILED_SECONDS = 3.0

#: What a reason asks of the user.
FILES_ADVICE = "connections fail here, not at the target; raise it with ulimit -n, or use more workers"
MACHINE_FILES_ADVICE = "connections fail here, not at the target; raise fs.file-max"
PORTS_ADVICE = (
    "connections fail here, not at the target; widen net.ipv4.ip_local_port_range, keep connections alive, "
    "or load more than one address of the target"
)
NIC_ADVICE = "what is measured is this machine's network; use another machine or a faster interface"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a generator is saturated: what is exhausted, how far (more is worse), in words, and what to do about it."""

    kind: str
    value: float
    text: str
    advice: str


def _words(number: int) -> str:
    """Return an error's text as the wire writes it down."""
    return os.strerror(number).lower()


_NO_FILE = _words(errno.EMFILE)
_NO_FILE_IN_SYSTEM = _words(errno.ENFILE)
_NO_PORT = _words(errno.EADDRNOTAVAIL)


class Failures:
    """Counts connections that failed with certain words."""

    __slots__ = ("_last_s", "_words", "count")

    def __init__(self, words: str) -> None:
        self._words = words
        self._last_s: float | None = None
        self.count = 0

    def observe(self, errors: Iterable[ErrorDelta]) -> None:
        """Count the failures with these words among ``errors``."""
        for error in errors:
            if error.outcome == Outcome.CONNECT_ERROR and error.message == self._words:
                self.count += error.count
                self._last_s = max(self._last_s or 0.0, error.last_s)

    def recent(self, t_s: float) -> bool:
        """Return whether there was one in the last :data:`FAILED_SECONDS`."""
        return self._last_s is not None and t_s - self._last_s <= FAILED_SECONDS


@dataclass(slots=True)
class Files:
    """Open files of one worker."""

    open: int = 0
    limit: int = 0
    refused: Failures = field(default_factory=lambda: Failures(_NO_FILE))

    def observe(self, delta: Delta) -> None:
        """Take the worker's newest figures."""
        self.open, self.limit = delta.health.open_files, delta.health.file_limit
        self.refused.observe(delta.errors)

    def judge(self, t_s: float) -> Reason | None:
        """Return the reason if the worker is near its limit or was refused a file; else None."""
        refused = self.refused.recent(t_s)
        if not refused and not (self.limit and self.open >= NEAR * self.limit):
            return None
        # Whoever was refused one had them all, whatever is open since.
        most = max(self.open, self.limit) if refused else self.open
        text = f"{grouped(most)} of {grouped(self.limit)} open files" if self.limit else "no open file left"
        return Reason("open files", most, text, FILES_ADVICE)


@dataclass(slots=True)
class Machine:
    """What all workers of one machine share: network, ports and the system's files."""

    network: Network | None = None
    nic: list[float] = field(default_factory=list)
    no_port: Failures = field(default_factory=lambda: Failures(_NO_PORT))
    no_file: Failures = field(default_factory=lambda: Failures(_NO_FILE_IN_SYSTEM))

    def observe(self, delta: Delta) -> None:
        """Take what one worker says of its machine."""
        self.no_port.observe(delta.errors)
        self.no_file.observe(delta.errors)
        if delta.health.network is not None:
            self.network = delta.health.network
            self.nic = [*self.nic[1 - NIC_SECONDS :], self.network.nic_percent]

    def judge(self, t_s: float, connections: int) -> list[Reason]:
        """Return what is exhausted. ``connections`` is the number of all workers' connections to one address."""
        found = (self._files(t_s), self._ports(t_s, connections), self._nic())
        return [reason for reason in found if reason is not None]

    def _files(self, t_s: float) -> Reason | None:
        if not self.no_file.recent(t_s):
            return None
        return Reason("open files", self.no_file.count, "this machine has no open file left", MACHINE_FILES_ADVICE)

    def _ports(self, t_s: float, connections: int) -> Reason | None:
        """Return the reason if no ephemeral port is left, or nearly none.

        Sockets of other programs and in TIME_WAIT may hold ports to other addresses, or none at all: alone they prove
        nothing.
        """
        network = self.network or Network(0, 0, 0)
        used = network.sockets + network.time_wait
        if self.no_port.recent(t_s) and used >= CREDIBLE * network.ports:
            of = f" of {grouped(network.ports)}" if network.ports else ""
            waiting = f" ({grouped(network.time_wait)} in TIME_WAIT)" if network.time_wait else ""
            text = f"no ephemeral port left{of}{waiting}"
            return Reason("ephemeral ports", network.ports + self.no_port.count, text, PORTS_ADVICE)
        if network.ports and connections >= NEAR * network.ports:
            text = f"{grouped(connections)} of {grouped(network.ports)} ephemeral ports to one address"
            return Reason("ephemeral ports", connections, text, PORTS_ADVICE)
        return None

    def _nic(self) -> Reason | None:
        network = self.network
        if network is None or len(self.nic) < NIC_SECONDS or min(self.nic) < NIC_PERCENT:
            return None
        percent = sum(self.nic) / len(self.nic)
        text = f"network {network.nic} at {percent:.0f} % of its {grouped(network.nic_mbit)} Mbit/s"
        return Reason("network", percent, text, NIC_ADVICE)


def grouped(number: int) -> str:
    """Return a number with its thousands apart: ``12 480``."""
    return f"{number:,}".replace(",", " ")
