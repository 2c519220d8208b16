"""nginx as the fastest target there is, and wrk and hey as the measure of what it gives."""

from __future__ import annotations

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.machine import client_cores, server_cores, started_on
from tests.benchmarks.program import BenchmarkError

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 16384;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ return 200 "ok\\n"; }}
  }}
}}
"""
_RATE = re.compile(r"Requests/sec:\s+([\d.]+)")


class Missing(Exception):
    """A tool is not installed; the message says how to get it."""


def find(tool: str) -> str:
    """Where a tool is.

    Raises:
        Missing: it is nowhere on the path.
    """
    # Debian keeps daemons where only root's path leads.
    found = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing(f"{tool} is not installed; Debian and Ubuntu: apt install {tool} · macOS: brew install {tool}")
    return found


@contextlib.contextmanager
def nginx() -> Iterator[str]:
    """nginx on 127.0.0.1 and on the server's core, answering 200 to everything; its URL.

    Raises:
        Missing: it is not installed.
        BenchmarkError: it did not start.
    """
    binary = find("nginx")
    with tempfile.TemporaryDirectory(prefix="agenttop-nginx-") as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = Path(folder, "nginx.conf")
        config.write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
        with started_on(server_cores()):
            process = subprocess.Popen(
                [binary, "-c", str(config), "-p", folder, "-e", f"{folder}/error.log"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            _wait_for(port, process, Path(folder, "error.log"))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def rate_of(tool: str, url: str, users: int, seconds: int) -> float:
    """Requests per second of wrk (one thread) or hey over so many keep-alive connections.

    Raises:
        Missing: it is not installed.
        BenchmarkError: it failed.
    """
    command = [find(tool)]
    command += ["-t1", f"-c{users}", f"-d{seconds}s"] if tool == "wrk" else ["-c", str(users), "-z", f"{seconds}s"]
    command.append(f"{url}/")
    with started_on(client_cores()):
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60, check=False
        )
    found = _RATE.search(done.stdout)
    if found is None:
        raise BenchmarkError(f"{tool} ended with code {done.returncode}: {(done.stderr or done.stdout).strip()[:300]}")
    return float(found[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise BenchmarkError(f"nginx did not start: {log.read_text(errors='replace').strip() if log.exists() else ''}")
