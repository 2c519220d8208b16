"""The whole program as a user runs it, and servers of ours for it to load; each in processes of its own."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from agenttop.journal.journal import Second, read_journal
from agenttop.journal.places import LOG
from tests.benchmarks.machine import Cores, client_cores, server_cores, started_on

ROOT = Path(__file__).resolve().parents[2]
#: Beyond what the profile's stages take: start, graceful stop, summary.
PATIENCE_S = 60.0
SUMMARY = "summary.json"


class BenchmarkError(Exception):
    """A benchmark cannot go on; the message says why."""


class Program:
    """One run of the program, under way, in a folder of its own."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process = process
        """What the user started; the controller is its child, and workers are the controller's."""
        self.folder = folder

    def controller(self) -> psutil.Process:
        """The controller, as soon as there is one. Raises :class:`BenchmarkError` where none comes."""
        return self._children("agenttop.controller", 1)[0]

    def workers(self, count: int = 1) -> list[psutil.Process]:
        """The workers, as soon as there are so many. Raises like :meth:`controller`."""
        return self._children("agenttop.worker.worker", count)

    def finish(self, lasts_s: float) -> dict[str, Any]:
        """Wait for its end; the summary. Raises :class:`BenchmarkError` where that is not as it should be."""
        patience_s = lasts_s + PATIENCE_S
        try:
            _, errors = self.process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"the program took longer than {patience_s:g} s") from None
        if self.process.returncode != 0:
            said = f"{errors or ''}{self._log()}".strip()
            raise BenchmarkError(f"the program ended with code {self.process.returncode}: {said}")
        summary: dict[str, Any] = json.loads((self.folder / SUMMARY).read_text(encoding="utf-8"))
        return summary

    def seconds(self) -> list[Second]:
        """What the journal says of each second so far."""
        (directory,) = (self.folder / "agenttop" / "runs").iterdir()
        return [record for record in read_journal(directory) if isinstance(record, Second)]

    def _log(self) -> str:
        """What the controller and its workers had to say."""
        return "".join(log.read_text(errors="replace")[-2000:] for log in self.folder.glob(f"agenttop/runs/*/{LOG}"))

    def _children(self, module: str, count: int) -> list[psutil.Process]:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            found = [child for child in _descendants(self.process.pid) if module in _command_line(child)]
            if len(found) == count:
                return found
            time.sleep(0.02)
        raise BenchmarkError(f"there were no {count} processes of {module}")


def run_program(profile: str, *, lasts_s: float, root: Path = ROOT) -> dict[str, Any]:
    """Run a profile with one worker; its summary.

    Args:
        profile: the text of the profile.
        lasts_s: how long its stages take.
        root: the checkout whose program it is.

    Raises:
        BenchmarkError: it did not end as it should, or not in time.
    """
    with started(profile, root=root) as program:
        return program.finish(lasts_s)


@contextlib.contextmanager
def started(
    profile: str, *, workers: int = 1, where: Cores | None = None, root: Path = ROOT, terminal: int | None = None
) -> Iterator[Program]:
    """Start the program; what is left of it in the end is ended.

    Args:
        profile: the text of the profile.
        workers: how many.
        where: the cores for all of its processes; the client's by default.
        root: the checkout whose program it is.
        terminal: the pty's slave on which to show the live screen; without it there is none.
    """
    with tempfile.TemporaryDirectory(prefix="agenttop-benchmark-") as name:
        folder = Path(name)
        file = folder / "profile.toml"
        file.write_text(profile, encoding="utf-8")
        command = [sys.executable, "-m", "agenttop", "--profile", str(file), "--workers", str(workers)]
        command += ["--on-hangup", "stop", "--out", str(folder / SUMMARY)]
        # Neither the user's defaults nor their directory of runs have a part in this.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTTOP_")}
        environment |= {"XDG_STATE_HOME": name, "XDG_CONFIG_HOME": name, "PYTHONPATH": str(root)}
        with started_on(client_cores() if where is None else where):
            process = (_headless if terminal is None else _on_terminal(terminal))(command, name, environment)
        try:
            yield Program(process, folder)
        finally:
            _end(process)


def _headless(command: list[str], folder: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, "--headless"],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _on_terminal(slave: int) -> Callable[[list[str], str, dict[str, str]], subprocess.Popen[str]]:
    def take_terminal() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    def start(command: list[str], folder: str, environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            text=True,
            start_new_session=True,
            preexec_fn=take_terminal,
        )

    return start


def _end(process: subprocess.Popen[str]) -> None:
    """End a program that is still there, with all its processes."""
    left = _descendants(process.pid) if process.poll() is None else []
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stderr is not None:
        process.stderr.close()
    _, still = psutil.wait_procs(left, timeout=10)
    for child in still:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _descendants(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _command_line(process: psutil.Process) -> str:
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


@contextlib.contextmanager
def serving(module: str) -> Iterator[int]:
    """A server of this package on 127.0.0.1, on the server's core; its port. It ends with us: its standard input does.

    Raises:
        BenchmarkError: it did not start.
    """
    with started_on(server_cores()):
        process = subprocess.Popen(
            [sys.executable, "-m", f"tests.benchmarks.{module}"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise BenchmarkError(f"{module} did not start")
        yield int(line)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def ask(port: int, path: str) -> dict[str, Any]:
    """The JSON of a GET to 127.0.0.1."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def figure(dist: dict[str, Any] | None, key: str) -> float | None:
    """One figure of a DIST of the summary, in its unit; None where there is no record."""
    return None if dist is None else float(dist[key])
