"""Tests of agenttop.cli.quick, agenttop.quick.prober.

What a URL of which nothing is known holds: agents in several dialects, and targets whose truth is known.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agenttop.agent.process import AgentProcess
from agenttop.profile.load import load_profile
from tests.e2e.harness import Place
from tests.e2e.targets import answer, says, target

#: As short as a look can be: one level or two.
SHORT = ("--users", "2", "-z", "12s", "--headless")
CHAT = b'{"object": "chat.completion", "choices": [{"index": 0, "message": {"content": "Hello there"}}], '
CHAT += b'"usage": {"prompt_tokens": 9, "completion_tokens": 3}}'


def told(place: Place, *words: object, code: int = 0, patience_s: float = 120.0) -> str:
    """What it says, on one line."""
    run = place.finish("quick", *words, patience_s=patience_s)
    assert run.wait() == code, run.out.text() + run.err.text()
    return " ".join((run.out.text() + " " + run.err.text()).split())


@pytest.mark.parametrize(
    ("path", "body", "dialect", "stats"),
    [
        ("", None, "openai.chat, model default", "POST /v1/chat/completions"),
        *(
            pytest.param(*case, marks=pytest.mark.idle)
            for case in (
                ("/v1/messages", None, "anthropic.messages, model default", "POST /v1/messages"),
                ("/v1/responses", None, "openai.responses, model default", "POST /v1/responses"),
                ("/ag-ui", None, "ag-ui", "POST /ag-ui"),
                ("/api/sessions/s/messages", '{"content": "hours?"}', "json", "POST /api/sessions/{id}/messages"),
            )
        ),
    ],
)
def test_the_embedded_agent_is_found_in_its_dialects(
    place: Place, path: str, body: str | None, dialect: str, stats: str
) -> None:
    said = () if body is None else ("-d", body)
    with AgentProcess({"preset": "quiet", "first_token": "30ms", "spread": 0}) as agent:
        out = told(place, agent.url + path, *SHORT, "-o", "found.toml", *said)
        sent = agent.stats()["requests"]
    assert f"{dialect}, POST {agent.url}" in out
    assert "works " in out
    assert "at least 2 users, 90% answered within" in out
    assert "no end was found within 2 users, the bound" in out
    # The questions are counted, and nothing else is sent beside what the summary has.
    totals = place.summary()["totals"]
    asked = sum(sum(by.values()) for by in sent.values()) - totals["requests"]
    assert 3 <= asked <= 12
    assert f"{totals['requests'] + asked} requests sent in all" in out
    assert sent[stats]["200"] >= totals["ok"] > 0
    loaded = load_profile(place.root / "found.toml")
    assert loaded.profile.pools[0].dialect == dialect.partition(",")[0]
    assert "agenttop capacity --profile found.toml" in out


def test_a_queue_of_one_is_called_that(place: Place) -> None:
    one = threading.Lock()

    def behave(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"GET"):
            connection.sendall(answer(b'{"data": [{"id": "text-embedding-x"}, {"id": "tiny"}]}'))
            return
        with one:
            time.sleep(0.3)
        connection.sendall(answer(CHAT))

    with target(behave) as url:
        out = told(place, url, "--headless", "--users", 8, "-z", "50s")
    assert "openai.chat, model tiny" in out
    assert "requests wait in a queue of one" in out
    assert "uvicorn --workers" in out
    found = place.summary()["search"]["capacity"]
    assert 1 <= found <= 4
    assert f"holds {found:.0f} user" in out


@pytest.mark.idle
def test_a_limit_of_tokens_a_minute_is_called_that(place: Place) -> None:
    config = {"preset": "quiet", "first_token": "50ms", "spread": 0, "output_tokens": 40, "tokens_per_minute": 18_000}
    with AgentProcess(config) as agent:
        out = told(place, agent.url, "--headless", "--users", 32, "-z", "50s")
    assert "is refused with 429, by tokens a minute" in out
    assert "a larger quota of tokens" in out
    assert place.summary()["search"]["limited_by"] == "rate_limited"


@pytest.mark.idle
def test_a_stream_that_comes_in_one_burst(place: Place) -> None:
    config = {"preset": "quiet", "first_token": "100ms", "tokens_per_second": 100, "spread": 0, "buffered_streams": 1}
    with AgentProcess(config) as agent:
        out = told(place, agent.url, *SHORT)
    assert "its stream comes in one burst at the end" in out
    assert "proxy_buffering off" in out


def events(*data: object) -> bytes:
    """An event stream of JSON."""
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in data)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (says(answer(b"<!doctype html><p>hello", kind="text/html")), "a page for people (HTML) with status 200"),
        (says(answer(b"<html>no", "404 Not Found", "text/html")), "a page for people (HTML) with status 404"),
        (says(answer(b'{"error": {"message": "no key"}}', "401 Unauthorized")), "it wants a key, or another one (401)"),
        (says(answer(b'{"error": "busy"}', "429 Too Many Requests")), "it refuses the first user already (429)"),
        (says(answer(b'{"error": "broken"}', "500 Internal Server Error")), "fails with 500 for one user already"),
        (says(b"HTTP/1.1 301 Moved\r\nlocation: https://h/x?k=1\r\ncontent-length: 0\r\n\r\n"), "redirected to https://h/x:"),
        (says(b"SSH-2.0-x\r\n", close=True), "GET /v1/models: "),
    ],
)  # fmt: skip
def test_what_is_no_agent_is_told_in_a_line_and_gets_no_load(
    place: Place, behave: Callable[[socket.socket, bytes], None], words: str
) -> None:
    seen: list[bytes] = []

    def counted(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        behave(connection, request)

    with target(counted) as url:
        out = told(place, url, "--headless", "-o", "p.toml", code=1)
    assert words in out
    assert len([request for request in seen if request]) <= 9
    assert not (place.root / "p.toml").exists()
    assert "Traceback" not in out


def test_what_is_not_there(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    out = told(place, f"http://127.0.0.1:{port}", "--headless", code=1)
    assert f"cannot connect to 127.0.0.1:{port}: " in out


def test_the_bound_is_kept_and_keys_are_shown_nowhere(place: Place) -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket, request: bytes) -> None:
        if request:
            seen.append(request)
        ok = b"bearer sesame-{open}" in request.lower()
        connection.sendall(answer(CHAT) if ok else answer(b"{}", "401 Unauthorized"))

    with target(behave) as url:
        run = place.finish(
            "quick", f"{url}/v1/chat/completions", "--model", "m", "-n", 30, "--headless", "-o", "p.toml",
            "-H", "authorization: Bearer $KEY", env={"KEY": "sesame-{open}"},
        )  # fmt: skip
    out = run.out.text() + run.err.text()
    assert run.wait() == 0, out
    assert "at most 30 requests, 200 000 tokens and 32 users at a time" in out.splitlines()[0]
    assert len(seen) <= 30
    text = (place.root / "p.toml").read_text()
    assert "Bearer ${KEY}" in text
    kept = text + out + "".join(path.read_text("latin-1") for path in place.directory().iterdir() if path.is_file())
    assert "sesame" not in kept


def test_a_secret_in_a_body_is_not_said_again(place: Place) -> None:
    body = '{"message": "hello", "api_key": "sesame-open"}'
    with target(says(answer(b'{"reply": "Hello"}'))) as url:
        out = told(place, f"{url}/chat", "--users", 1, "-z", "8s", "--headless", "-d", body)
    assert "go on" in out
    assert "sesame" not in out


def test_a_missing_field_is_filled_as_a_422_asks(place: Place) -> None:
    def behave(connection: socket.socket, request: bytes) -> None:
        body: Any = json.loads(request.partition(b"\r\n\r\n")[2] or b"{}")
        if "message" in body:
            connection.sendall(answer(b'{"reply": "Hello"}'))
            return
        detail = [{"type": "missing", "loc": ["body", "message"], "msg": "Field required"}]
        connection.sendall(answer(json.dumps({"detail": detail}).encode(), "422 Unprocessable Entity"))

    with target(behave) as url:
        out = told(place, f"{url}/chat", *SHORT, "-o", "p.toml")
    assert f"json, POST {url}/chat" in out
    assert "message = " in Path(place.root / "p.toml").read_text()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("ws://h",), "for a WebSocket say: agenttop hit"),
        (("http://h", "--users", "33"), "must be 1 to 32"),
        (("http://h", "-n", "5"), "-n 5: "),
        (("http://h", "--dialect", "nope"), "--dialect: expected one of json, "),
        (("http://h", "-o", "there.toml"), "there.toml is there already"),
        (("localhost:80",), "expected a URL that begins with http://"),
        (("http://h", "-d", "{}", "--model", "m"), "--model goes without -d"),
    ],
)
def test_what_cannot_be_asked_for(place: Place, words: tuple[str, ...], line: str) -> None:
    (place.root / "there.toml").write_text("")
    out = told(place, *words, code=2)
    assert line in out
    assert os.linesep.join(out.splitlines()).count("Traceback") == 0
