from __future__ import annotations

import errno
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from agenttop.worker.network import NetworkGauge, nic_speeds, port_range, tcp_sockets

SOCKSTAT = "sockets: used 50\nTCP: inuse 23 orphan 0 tw 135 alloc 23 mem 202\nUDP: inuse 7 mem 0\n"
SECOND = 1_000_000_000


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for name, text in (
        ("sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
        ("net/sockstat", SOCKSTAT),
        ("net/sockstat6", "TCP6: inuse 4\nUDP6: inuse 1\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


class Interfaces:
    """Network interfaces that count what a test says they carried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.carried = {"lo": (0, 0), "eth0": (0, 0), "wlan0": (0, 0)}
        speeds = {"lo": (0, True), "eth0": (1_000, True), "wlan0": (100, True), "eth1": (10_000, False)}
        stats = {
            name: SimpleNamespace(speed=speed, isup=up, flags="up,loopback" if name == "lo" else "up")
            for name, (speed, up) in speeds.items()
        }
        monkeypatch.setattr(psutil, "net_if_stats", lambda: stats)
        monkeypatch.setattr(psutil, "net_io_counters", self._counters)

    def _counters(self, *, pernic: bool, nowrap: bool) -> dict[str, SimpleNamespace]:
        return {nic: SimpleNamespace(bytes_sent=out, bytes_recv=in_) for nic, (out, in_) in self.carried.items()}


def test_ports_and_sockets(proc: Path) -> None:
    assert port_range(proc) == 28_232
    assert tcp_sockets(proc) == (27, 135)


def test_a_system_that_does_not_say(tmp_path: Path) -> None:
    assert port_range(tmp_path) == 0
    assert tcp_sockets(tmp_path) == (0, 0)


def test_only_interfaces_that_are_up_and_know_their_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    Interfaces(monkeypatch)
    assert nic_speeds() == {"eth0": 1_000, "wlan0": 100}


def test_measured_once_a_second_and_only_then(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nics = Interfaces(monkeypatch)
    gauge = NetworkGauge(0, proc)
    assert gauge.measure(SECOND - 1) is None
    nics.carried |= {"eth0": (1_000_000, 200_000_000), "wlan0": (1_250_000, 0), "lo": (10**12, 10**12)}
    network = gauge.measure(2 * SECOND)
    assert network is not None
    assert (network.ports, network.sockets, network.time_wait) == (28_232, 27, 135)
    # 200 MB in 2 s are 800 Mbit/s.
    assert (network.nic, network.nic_mbit, round(network.nic_percent)) == ("eth0", 1_000, 80)
    assert gauge.measure(2 * SECOND + 250_000_000) is None


def test_an_interface_that_went_away_or_began_anew(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nics = Interfaces(monkeypatch)
    nics.carried["eth0"] = (10**9, 10**9)
    gauge = NetworkGauge(0, proc)
    nics.carried = {"eth0": (0, 0)}
    network = gauge.measure(SECOND)
    assert network is not None
    assert network.nic_percent == 0.0


def test_without_a_file_to_look_with_there_is_no_figure(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> str:
        raise OSError(errno.EMFILE, "Too many open files")

    Interfaces(monkeypatch)
    gauge = NetworkGauge(0, proc)
    with monkeypatch.context() as full:
        full.setattr(Path, "read_text", refuse)
        assert gauge.measure(SECOND) is None
    assert gauge.measure(2 * SECOND) is not None
