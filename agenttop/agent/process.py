"""The embedded agent as a child process, for the demo and for tests."""

import contextlib
import http.client
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from agenttop.agent.server import GRACE_S, READY_PREFIX


class AgentProcessError(RuntimeError):
    """The agent did not start; the message says what it wrote to standard error."""


class AgentProcess:
    """An agent of its own on 127.0.0.1, stopped with the `with` block, or when this process dies.

    `config` has the keys of the agent's TOML file, `preset` among them: `AgentProcess({"preset": "quiet"})`. Times are
    seconds or strings such as `250ms`. It starts in a session of its own: Ctrl-C in the terminal does not reach it.
    """

    def __init__(
        self,
        config: Mapping[str, object] | None = None,
        *,
        config_file: Path | None = None,
        port: int = 0,
        start_timeout_s: float = 20.0,
    ) -> None:
        self._arguments = [f"--{key.replace('_', '-')}={value}" for key, value in (config or {}).items()]
        if config_file is not None:
            self._arguments.append(f"--config={config_file}")
        self._port = port
        self._start_timeout_s = start_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Return `http://127.0.0.1:PORT`, without a slash at the end."""
        return self._url

    @property
    def pid(self) -> int:
        """Return its process id, 0 when it does not run."""
        return self._process.pid if self._process is not None else 0

    def start(self) -> None:
        """Start it and wait until it accepts connections. Raises AgentProcessError when it does not."""
        if self._process is not None:
            return
        command = [sys.executable, "-m", "agenttop.agent.server", f"--port={self._port}", f"--parent-pid={os.getpid()}"]
        # The child finds the same agenttop, wherever this process was started.
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(part for part in (root, os.environ.get("PYTHONPATH", "")) if part)
        with tempfile.TemporaryFile() as errors:
            self._process = subprocess.Popen(
                [*command, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
            line = self._first_line(self._process)
            if not line.startswith(READY_PREFIX):
                code = self._process.poll()
                self.stop()
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip() or f"nothing within {self._start_timeout_s:g} s"
                raise AgentProcessError(f"the agent did not start (exit code {code}): {said}")
        self._url = line.removeprefix(READY_PREFIX).strip()

    def _first_line(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        deadline = time.monotonic() + self._start_timeout_s
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(descriptor, 4096) if ready else b""
            if not chunk:
                break
            line += chunk
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)  # it closed its output: its exit code is about to be there
        return line.decode()

    def stats(self) -> dict[str, Any]:
        """Return what it has served so far: the body of `GET /stats`. Raises OSError when it does not run."""
        address = urlsplit(self._url)
        if address.hostname is None or address.port is None:
            raise ConnectionError("the agent has not been started")
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
        try:
            connection.request("GET", "/stats")
            body: dict[str, Any] = json.loads(connection.getresponse().read())
            return body
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop it, gracefully first; do nothing when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(timeout=GRACE_S + 2)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
