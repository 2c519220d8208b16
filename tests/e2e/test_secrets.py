"""A key of the environment goes to the target, and nowhere else."""

from __future__ import annotations

import base64
import html
import json
import socket
from collections.abc import Iterator
from hashlib import sha1
from itertools import cycle
from typing import Any
from urllib.parse import quote

import msgspec
import psutil
import pytest

from agenttop.journal.journal import read_journal
from tests.e2e import targets
from tests.e2e.harness import Place
from tests.e2e.targets import Behaviour, target
from tests.wire.frames import frame

#: With characters that a URL and JSON write otherwise.
KEY = 'sk-very+secret/Zq8"vXw31=='

PROFILE = """
target = "{url}"
users = 3
duration = "10m"
[headers]
authorization = "Bearer ${{API_KEY}}"
[[pools]]
name = "chat"
think_time = "50ms"
  [[pools.tasks]]
  name = "ask"
  post = "/ask?key=${{API_KEY}}"
  json = {{ content = "key ${{API_KEY}}" }}
"""


# The second one puts the key where the excerpt of an error is cut: half a key is a secret too.
@pytest.mark.parametrize("pad", [0, 250])
def test_a_key_appears_nowhere(place: Place, pad: int) -> None:
    env = {"API_KEY": KEY}
    with target(targets.echoes(b" " * pad)) as url:
        profile = place.write(PROFILE.format(url=url))
        with place.start("--profile", profile, "--headless", "--out", place.root / "out.json", env=env) as run:
            viewer = run.viewer()
            viewer.wait(lambda s: s["requests"] > 10)
            seen = [viewer.info, *viewer.snapshots]
            listed = []
            for process in place.processes("agenttop"):
                try:
                    listed += process.cmdline()
                except psutil.NoSuchProcess:
                    continue
            assert any("agenttop.worker.worker" in word for word in listed)
            status = place.finish("ctl", place.directory().name, "status")
            assert json.loads(status.out.text())["state"] == "running"
            run.process.terminate()
            assert run.wait() == 130
        report = place.finish("report", place.directory())
    assert "server_error" in (place.directory() / "summary.json").read_text()
    said = [run.out, run.err, status.out, status.err, report.out, report.err]
    texts = [*listed, *(each.text() for each in said), json.dumps(seen)]
    texts += [path.read_bytes().decode("latin-1") for path in place.root.rglob("*") if path.is_file()]
    # Not in part either, and not in another spelling. A journal is compressed: its report stands for it.
    for form in (KEY[:7], KEY[-7:], quote(KEY, safe="")[:14], quote(KEY, safe="")[-10:], json.dumps(KEY)[-9:-1]):
        assert not [text[max(text.index(form) - 90, 0) :][:200] for text in texts if form in text], form
    # What the run leaves behind is its owner's alone.
    assert place.directory().stat().st_mode & 0o077 == 0


#: One that is a token of HTTP, so that it may be the name of whatever has one.
TOKEN = "sk-Tok3n-0123456789-abcdefghij"

HOSTILE = """
target = "{url}"
users = 8
duration = "3s"
follow_redirects = true
on_429 = "count"
[headers]
authorization = "Bearer ${{TOKEN}}"
[[pools]]
name = "http"
dialect = "json"
think_time = "20ms"
  [[pools.tasks]]
  name = "ask"
  get = "/ask"
  checks = {{ fine = "$.answer == 'no'" }}
[[pools]]
name = "sse"
protocol = "sse"
dialect = "ag-ui"
think_time = "20ms"
  [[pools.tasks]]
  name = "stream"
  post = "/stream"
  json = {{ a = 1 }}
[[pools]]
name = "ws"
protocol = "ws"
think_time = "20ms"
setup = [{{ connect = "/ws" }}]
  [[pools.tasks]]
  name = "say"
  send = {{ a = 1 }}
  expect = "$.done"
[[pools]]
name = "python"
python = "mine.py:Mine"
"""

MINE = """
import os, sys
from agenttop.scripting import User, task

class Mine(User):
    @task
    async def go(self):
        answer = await self.client.get("/ask")
        self.check("said " + os.environ["TOKEN"], False)
        print("out", os.environ["TOKEN"])
        print("err", os.environ["TOKEN"], file=sys.stderr)
        raise ValueError("the key " + os.environ["TOKEN"] + answer.text)
"""


def spelled(key: str) -> Iterator[str]:
    """A key as targets may say it back."""
    yield from (key, key.lower(), key.upper(), quote(key, safe=""), "".join(f"%{ord(c):02x}" for c in key))
    yield from ("".join(f"\\u{ord(c):04X}" for c in key), html.escape(key), "".join(f"&#{ord(c)};" for c in key))
    yield from (base64.b64encode(key.encode()).decode(), base64.b64encode(f"user:{key}".encode()).decode())


def says_it_back() -> Behaviour:
    """Everything that can be said holds the key, each time in another place and another spelling."""
    forms, turns = cycle(list(spelled(TOKEN))), cycle(range(11))
    names = (
        TOKEN,
        TOKEN.lower(),
        quote(f"{TOKEN}=").replace("-", "%2d"),
        base64.b64encode(TOKEN.encode()).decode().rstrip("="),
    )
    named = cycle(names)

    def behave(connection: socket.socket, request: bytes) -> None:
        said, name = next(forms), next(named)
        if request.startswith(b"GET /ws"):
            _upgrade(connection, request)
            connection.recv(1000)
            connection.sendall(frame(0x8, (4401).to_bytes(2, "big") + f"bad {said}".encode()[:120]))
            connection.close()
            return
        head = (
            f'server-timing: {name};dur=5;desc="{said}", x{name};dur=1\r\n'
            f'ratelimit: "{name}";r=5;t=3\r\nx-ratelimit-remaining-{TOKEN.lower()}: 4\r\n'
            f"x-ratelimit-limit-{TOKEN.lower()}: 9\r\nset-cookie: {name}={said}; path=/\r\n"
            f"x-{TOKEN}: {said}\r\nretry-after: {said}\r\n"
        )
        body = json.dumps({TOKEN: said, "error": {"message": said, "code": said, "type": said}, "tool": said})
        if request.startswith(b"POST /stream"):
            connection.sendall(_stream(head, said, next(turns)))
            connection.close()
            return
        status, kind = "200 OK", "application/json"
        turn = next(turns)
        if turn < 4:
            status = (f"500 {said}", f"429 {said}", f"404 {said}", f"599 {said}")[turn]
        elif turn == 4:
            status, head = "302 Found", head + f"location: http://127.0.0.1:1/{said}\r\n"
        elif turn == 5:
            status, head = "302 Found", head + f"location: ftp://{said}/\r\n"
        elif turn == 6:
            kind = f"text/{said}"
        elif turn == 7:
            head += f"content-encoding: {said}\r\n"
        elif turn == 8:
            connection.sendall(f"HTTP/1.1 {said}\r\n\r\n{said}".encode())
            connection.close()
            return
        elif turn == 9:
            head += f"{said} no header: {said}\r\n"
        lines = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body.encode())}\r\n{head}\r\n"
        connection.sendall(lines.encode() + body.encode())

    return behave


def _stream(head: str, said: str, turn: int) -> bytes:
    events: list[dict[str, Any]] = [
        {"type": "RUN_STARTED", "threadId": said, "runId": said},
        {"type": "STEP_STARTED", "stepName": said},
        {"type": "STEP_FINISHED", "stepName": said},
        {"type": "TOOL_CALL_START", "toolCallId": said, "toolCallName": said},
        {"type": said, said: said},
    ]
    events.append([{"type": "RUN_ERROR", "message": said, "code": said}, {"type": "RUN_FINISHED"}][turn % 2])
    body = "".join(f"event: {said}\nid: {said}\ndata: {json.dumps(event)}\n\n" for event in events)
    return f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{head}connection: close\r\n\r\n{body}".encode()


def _upgrade(connection: socket.socket, request: bytes) -> None:
    key = next(
        line.partition(b": ")[2] for line in request.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
    )
    accepts = base64.b64encode(sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    head = f"HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: {accepts}\r\n\r\n"
    connection.sendall(head.encode())


def strings(value: Any) -> Iterator[str]:
    """Every string of a value, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)


# Every door with every spelling some ten times; as fast as can be it would be masked and read for half a minute.
def test_a_key_said_back_by_every_door_is_seen_by_none(place: Place) -> None:
    place.write(MINE, "mine.py")
    with target(says_it_back()) as url:
        profile = place.write(HOSTILE.format(url=url))
        env = {"TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"}
        with place.start("--profile", profile, "--headless", "--out", place.root / "out.json", env=env) as run:
            viewer = run.viewer()
            viewer.drain()
            run.wait()
        report = place.finish("report", place.directory())
        replayed = place.finish("replay", place.directory().name, "--headless")
    directory = place.directory()
    summary = json.loads((directory / "summary.json").read_text())
    journal = msgspec.to_builtins(list(read_journal(directory)))
    log = (directory / "controller.log").read_text()
    shown = [run.out, run.err, report.out, report.err, replayed.out, replayed.err]
    everything = {
        "summary": [*strings(summary)],
        "out": [*strings(json.loads((place.root / "out.json").read_text()))],
        "journal": [*strings(journal)],
        "socket": [*strings([viewer.info, *viewer.snapshots, viewer.ended])],
        "log": log.splitlines(),
        "screen": [line for each in shown for line in each.text().splitlines()],
    }
    # A third of one, from either end.
    hidden = {
        form[part].lower() for form in spelled(TOKEN) for part in (slice(len(form) // 3), slice(-len(form) // 3, None))
    }
    for where, texts in everything.items():
        for text in texts:
            for part in hidden:
                assert part not in text.lower(), f"{where}: {text}"
            assert all(char.isprintable() or where == "journal" for char in text), f"{where}: {text!r}"
    assert any("***" in text for text in everything["summary"])
    assert {"out ***", "err ***"} <= set(everything["log"])
    assert summary["checks"]
    assert summary["totals"]["requests"] > 400, "spellings by doors"
    assert len(summary["requests"]) == 5, summary["requests"].keys()
    assert all(row["requests"] for row in summary["requests"].values()), "each kind was asked"
