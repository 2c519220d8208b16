"""The server of streams that knows the truth: ``stream_server.c``, compiled on the spot; where that cannot be, the one
in Python (``sse_server``)."""

from __future__ import annotations

import atexit
import contextlib
import functools
import http.client
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.machine import server_cores, started_on
from tests.benchmarks.nginx import Missing
from tests.benchmarks.program import ROOT, BenchmarkError
from tests.benchmarks.results import Results

SOURCE = Path(__file__).with_name("stream_server.c")


@functools.cache
def compiled(source: Path = SOURCE) -> Path:
    """The server as a program, compiled once in the life of this process and gone with it.

    Raises:
        Missing: there is no C compiler, or the system is none that it compiles for.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        raise Missing("there is no C compiler; Debian and Ubuntu: apt install gcc libc6-dev")
    folder = tempfile.mkdtemp(prefix="agenttop-benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    program = Path(folder, source.stem)
    command = [compiler, "-O2", "-Wall", "-o", str(program), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        first = next((line for line in done.stderr.splitlines() if "error" in line), "no reason given")
        raise Missing(f"{source.name} does not compile here: {first}")
    return program


@contextlib.contextmanager
def serving_streams(
    results: Results, *, tokens: int = 80, rate: float = 40.0, first_ms: float = 200.0, spread_ms: float = 0.0
) -> Iterator[int]:
    """The server on 127.0.0.1, on the server's core; its port. It ends with us: its standard input does.

    Args:
        results: where it is noted that the server in C could not be had.
        tokens: content chunks of a stream whose request does not say; only the server in C takes this and the others.
        rate: chunks a second of such a stream.
        first_ms: its time to the first of them.
        spread_ms: by chance it takes up to so much longer, so that streams do not go in step.

    Raises:
        BenchmarkError: it did not start.
    """
    try:
        command = [str(compiled()), str(tokens), str(rate), str(first_ms), str(spread_ms)]
    except Missing as missing:
        results.note(f"served from Python, whose delay is in all figures: {missing}")
        command = [sys.executable, "-m", "tests.benchmarks.sse_server"]
    with started_on(server_cores()):
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise BenchmarkError("the server of streams did not start")
        yield int(line)
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()


def tell(port: int, path: str) -> None:
    """POST to the server and wait for its answer.

    Raises:
        BenchmarkError: it refused.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", path)
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise BenchmarkError(f"POST {path}: {answer.status}")
    finally:
        connection.close()
