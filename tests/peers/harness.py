"""Starts a peer, asks it something, and reads its answer through a dialect."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from agenttop.dialects import DIALECTS, dialect_named
from agenttop.dialects.base import Reader
from agenttop.wire.sse import SseParser

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = os.environ.get("PEERS_PYTHON", sys.executable)
START_S = 90.0


@dataclass
class Heard:
    """One answer: its status and headers, the flags of events that have any, what the reader counted."""

    status: int
    headers: httpx.Headers
    reader: Reader
    flags: list[int] = field(default_factory=list)

    @property
    def tokens(self) -> tuple[int | None, int | None, int | None, int | None]:
        """input, output, cached, reasoning"""
        reader = self.reader
        return reader.input_tokens, reader.output_tokens, reader.cached_tokens, reader.reasoning_tokens


@contextmanager
def serve(module: str, folder: Path, *needs: str) -> Iterator[str]:
    """The base URL of a server, ``tests.peers.servers.<module>``; skips where a module it ``needs`` is missing."""
    for name in needs:
        attempt = [PYTHON, "-W", "ignore", "-c", f"import {name}"]
        if subprocess.run(attempt, cwd=folder, capture_output=True).returncode != 0:
            pytest.skip(f"{name} is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [PYTHON, "-W", "ignore", "-m", f"tests.peers.servers.{module}", str(port), str(folder)]
    quiet = {**os.environ, "LANGSMITH_TRACING": "false", "NO_COLOR": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=quiet, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    )  # fmt: skip
    said: list[str] = []
    settled = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "Uvicorn running on" in line or "Application started up in" in line:
                settled.set()
        settled.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert settled.wait(START_S), "".join(said[-30:])
        assert process.poll() is None, "".join(said[-30:])
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
        listener.join()
        if process.stdout is not None:
            process.stdout.close()


def hear(url: str, body: Any, dialect: str, headers: dict[str, str] | None = None) -> Heard:
    """Post JSON and read the answer, an event stream or not; skips where there is no such dialect yet."""
    if dialect not in DIALECTS:
        pytest.skip(f"there is no dialect {dialect}")
    reader = dialect_named(dialect).reader()
    with (
        httpx.Client(timeout=30, trust_env=False) as client,
        client.stream("POST", url, json=body, headers=headers) as answer,
    ):
        heard = Heard(answer.status_code, answer.headers, reader)
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            parser = SseParser()
            for data in answer.iter_raw():
                heard.flags += [flags for event, text in parser.feed(data) if (flags := reader.event(text, event))]
            assert not parser.pending
        elif data := answer.read():
            heard.flags.append(reader.body(data))
    return heard


def post(url: str, body: Any) -> Any:
    """Post JSON and return the JSON of the answer. A server that says it is up may not listen for a moment more."""
    with httpx.Client(timeout=30, trust_env=False, transport=httpx.HTTPTransport(retries=5)) as client:
        answer = client.post(url, json=body)
        answer.raise_for_status()
        return answer.json()
