"""Tests of agenttop.cli.serve, agenttop.serve.viewer.

A run in a browser: only with the token, only to look at.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from agenttop.agent.process import AgentProcess
from tests.e2e.browser import CHROMIUM, page
from tests.e2e.harness import PATIENCE_S, Place, Run, Viewer, until

PROFILE = """
target = "{url}"
users = 3
duration = "10m"
[[pools]]
name = "chat"
think_time = "20ms"
  [[pools.tasks]]
  name = "ask"
  post = "/api/sessions/s/messages"
  json = {{ content = "hours?" }}
"""


@contextmanager
def served(place: Place, agent: AgentProcess) -> Iterator[tuple[str, Run, Viewer]]:
    """The address of a run, who serves it, and a viewer of our own."""
    profile = place.write(PROFILE.format(url=agent.url))
    with place.start("--profile", profile, "--headless") as run:
        viewer = run.viewer()
        viewer.wait(lambda s: s["users"] == 3)
        with place.start("serve") as serving:
            address = serving.line("http://").split()[0]
            yield address, serving, viewer
        run.process.send_signal(signal.SIGTERM)
        run.wait()


def answer(address: str, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """What a server answers to a path: its status, headers and body."""
    parts = urlsplit(address)
    client = HTTPConnection(str(parts.hostname), parts.port, timeout=PATIENCE_S)
    try:
        client.request("GET", path, headers=headers)
        found = client.getresponse()
        return found.status, dict(found.headers), found.read().decode(errors="replace")
    finally:
        client.close()


def test_a_browser_needs_the_token_and_can_only_look(place: Place, agent: AgentProcess) -> None:
    with served(place, agent) as (address, serving, viewer):
        parts = urlsplit(address)
        assert parts.hostname == "127.0.0.1"
        token = parts.path.strip("/")
        assert len(token) >= 20
        for path, wanted in ((f"/{token}/", 200), ("/", 404), ("/ws", 404), (f"/{token}x/", 404), ("/static/", 404)):
            code, headers, _ = answer(address, path)
            assert code == wanted, path
            assert (headers["Referrer-Policy"], headers["Cache-Control"]) == ("no-referrer", "no-store")
        assert answer(address, f"/{token}/", Host=f"rebound.example:{parts.port}")[0] == 404
        assert answer(address, f"/{token}/static/..%2f..%2fserver.py")[0] in (403, 404)
        with pytest.raises(InvalidStatus, match="404"):
            connect(f"ws://{parts.netloc}/{token}/ws", origin=Origin("http://elsewhere.example")).close()
        # A tunnel brings it to another port, under another name.
        shown = answer(address, f"/{token}/", Host="localhost:9999")[2]
        assert f'"ws://localhost:9999/{token}/ws"' in shown
        assert "127.0.0.1" not in shown
        screen = ""
        with connect(f"ws://{parts.netloc}/{token}/ws?width=120&height=40", max_size=1 << 24) as socket:

            def says(words: str) -> bool:
                nonlocal screen
                message = socket.recv(timeout=PATIENCE_S)
                screen += message.decode(errors="replace") if isinstance(message, bytes) else ""
                return words in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen)

            until(lambda: says("only looking"), "the screen in the browser")
            for key in ("]", "q"):
                socket.send(json.dumps(["stdin", key]))
                if key == "]":
                    until(lambda: says("this viewer only looks"), "a refusal")
            # q leaves at once: there is nothing to ask.
            until(lambda: not place.processes("agenttop.serve.viewer"), "the end of the viewer")
        assert viewer.wait(lambda s: True)["target_users"] == 3
        serving.process.send_signal(signal.SIGINT)
        assert serving.wait() == 0
        place.gone("agenttop.serve")
        assert viewer.wait(lambda s: True)["state"] == "running"


def test_a_run_that_ends_while_it_is_watched(place: Place, agent: AgentProcess) -> None:
    with served(place, agent) as (address, serving, viewer):
        parts = urlsplit(address)
        with connect(f"ws://{parts.netloc}{parts.path}ws", max_size=1 << 24) as socket:
            socket.recv(timeout=PATIENCE_S)
            socket.send("garbage")  # whoever has the token may send anything
        with connect(f"ws://{parts.netloc}{parts.path}ws", max_size=1 << 24) as socket:
            socket.recv(timeout=PATIENCE_S)
            viewer.command("stop now")
            list(socket)  # to its end
        viewer.drain()
        run = place.directory().name
        place.gone("agenttop.controller")
        assert answer(address, parts.path)[0::2] == (
            410,
            f"The run {run} is over. What it measured: agenttop report {run}\n",
        )
        serving.process.send_signal(signal.SIGTERM)
        assert serving.wait() == 0
        assert serving.err.lines == []
        assert serving.out.lines == [serving.line("http://")]


def test_a_port_that_is_taken_is_told(place: Place, agent: AgentProcess) -> None:
    with served(place, agent) as (address, _, _):
        port = urlsplit(address).port
        second = place.finish("serve", "--port", port)
        assert second.process.returncode == 2
        assert f"agenttop: --port {port}: " in second.err.text()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_real_browser_shows_it(place: Place, agent: AgentProcess, tmp_path: Path) -> None:
    with served(place, agent) as (address, _, viewer):
        with page(address, tmp_path) as shown:
            until(lambda: "-first-byte" in (shown.value("document.body.className") or ""), "a first byte")
            viewer.wait(lambda s: s["t_s"] > 5)
            picture = shown.picture()
            assert picture.startswith(b"\x89PNG")
            assert len(picture) > 30_000  # a blank page has a third of it
            keep = os.environ.get("SCREENSHOT")
            if keep:
                Path(keep).write_bytes(picture)
            shown.type("]")
            shown.type("q")
            until(lambda: "-closed" in (shown.value("document.body.className") or ""), "the end of the viewer")
        assert viewer.wait(lambda s: True)["target_users"] == 3
