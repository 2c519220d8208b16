"""Boxes for tests: throw-away SSH servers on 127.0.0.2, 127.0.0.3 …, each with keys and a configuration of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")

_SERVER = """
Port {port}
ListenAddress {address}
HostKey {folder}/host_key
PidFile none
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
Subsystem sftp internal-sftp
SetEnv ATT_FLEET={folder} ATT_BOX={name}
{more}
"""
_CLIENT = """
Host {name}
    HostName {address}
    Port {port}
    IdentityFile {folder}/client_key
    UserKnownHostsFile {folder}/known_hosts
"""


@dataclass
class Box:
    """One SSH server, and what it is called in ``~/.ssh/config``."""

    name: str
    address: str
    port: int
    folder: Path
    server: subprocess.Popen[bytes]

    def processes(self, words: str = "") -> list[psutil.Process]:
        """Return what was started over it (the environment says so) and has these words in its command line."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                own = process.environ()
                ours = own.get("ATT_FLEET") == str(self.folder) and own.get("ATT_BOX") == self.name
                if ours and process.status() != psutil.STATUS_ZOMBIE and words in " ".join(process.cmdline()):
                    found.append(process)
        return found

    @contextlib.contextmanager
    def cut_off(self) -> Iterator[None]:
        """Let nothing through to it or from it meanwhile: whoever forwards for it is stopped, and nobody is told."""
        sessions = psutil.Process(self.server.pid).children(recursive=True)
        sessions = [each for each in sessions if each.name().startswith("sshd")]
        assert sessions
        for session in sessions:
            session.suspend()
        try:
            yield
        finally:
            for session in sessions:
                with contextlib.suppress(psutil.NoSuchProcess):
                    session.resume()


@contextlib.contextmanager
def boxes(home: Path, count: int = 2, more: str = "") -> Iterator[list[Box]]:
    """Start servers that whoever has this ``home`` is let into; ``more`` is added to their configuration."""
    if SSHD is None:
        pytest.skip("there is no sshd: install openssh-server")
    with contextlib.suppress(OSError):
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd as root wants to be rooted
    folder = Path(tempfile.mkdtemp(prefix="att-sshd-"))
    started: list[Box] = []
    try:
        for key in ("host_key", "client_key"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
        shutil.copy(folder / "client_key.pub", folder / "authorized_keys")
        config, known = "", ""
        for number in range(count):
            name, address = f"b{number + 1}", f"127.0.0.{number + 2}"
            with socket.socket() as probe:
                probe.bind((address, 0))
                port = probe.getsockname()[1]
            facts = {"name": name, "address": address, "port": port, "folder": folder}
            file = folder / f"sshd_config_{number}"
            file.write_text(_SERVER.format(**facts, more=more))
            log = (folder / f"log_{number}").open("wb")
            server = subprocess.Popen([SSHD, "-D", "-e", "-f", file], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
            log.close()
            started.append(Box(name, address, port, folder, server))
            config += _CLIENT.format(**facts)
            public = (folder / "host_key.pub").read_text().strip()
            known += f"[{address}]:{port} {public}\n"
        (folder / "known_hosts").write_text(known)
        (home / ".ssh").mkdir(mode=0o700, exist_ok=True)
        (home / ".ssh" / "config").write_text(config)
        for box in started:
            _until_up(box, folder)
        yield started
    finally:
        for box in started:
            for process in box.processes():
                with contextlib.suppress(psutil.Error):
                    process.kill()
            box.server.kill()
            box.server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _until_up(box: Box, folder: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((box.address, box.port), 1):
            return
        logs = "".join(path.read_text() for path in folder.glob("log_*"))
        assert box.server.poll() is None, logs
        assert time.monotonic() < deadline, logs
        time.sleep(0.02)


def environment(home: Path) -> dict[str, str]:
    """Return what makes a program find the ``~/.ssh`` of this home, and no agent of the user's."""
    return {"HOME": str(home), "SSH_AUTH_SOCK": "", "PATH": os.environ["PATH"]}
