"""The whole program as a user runs it, and servers of ours for it to load; each in processes of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import client_cores, server_cores, started_on

ROOT = Path(__file__).resolve().parents[2]
#: Beyond what the profile's stages take: start, graceful stop, summary.
PATIENCE_S = 60.0


class BenchmarkError(Exception):
    """A benchmark cannot go on; the message says why."""


def run_program(profile: str, *, lasts_s: float, root: Path = ROOT) -> dict[str, Any]:
    """Run a profile with one worker; its summary.

    Args:
        profile: the text of the profile.
        lasts_s: how long its stages take.
        root: the checkout whose program it is.

    Raises:
        BenchmarkError: it did not end as it should, or not in time.
    """
    with tempfile.TemporaryDirectory(prefix="agenttop-benchmark-") as folder:
        file, out = Path(folder, "profile.toml"), Path(folder, "summary.json")
        file.write_text(profile, encoding="utf-8")
        command = [sys.executable, "-m", "agenttop", "--profile", str(file)]
        command += ["--headless", "--workers", "1", "--on-hangup", "stop", "--out", str(out)]
        # Neither the user's defaults nor their directory of runs have a part in this.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AGENTTOP_")}
        environment |= {"XDG_STATE_HOME": folder, "XDG_CONFIG_HOME": folder, "PYTHONPATH": str(root)}
        with started_on(client_cores()):
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        try:
            _, errors = process.communicate(timeout=lasts_s + PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise BenchmarkError(f"the program took longer than {lasts_s + PATIENCE_S:g} s") from None
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
        if process.returncode != 0:
            raise BenchmarkError(f"the program ended with code {process.returncode}: {errors.strip()}")
        summary: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
        return summary


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
