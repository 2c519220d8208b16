"""Tests of agenttop.cli.hit.

A quick look without a profile: what the server got, and what is said of it.
"""

from __future__ import annotations

import json
import socket
import tomllib

from agenttop.agent.process import AgentProcess
from agenttop.journal.journal import read_journal
from tests.e2e.harness import Place
from tests.e2e.targets import answer, target


def test_what_is_typed_is_what_the_server_gets(place: Place) -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        connection.sendall(answer(b'{"said": "sesame-open"}', "403 Forbidden"))

    with target(behave) as url:
        body = '{"text": "{hi} ${THERE}", "n": [1.5]}'
        headers = ("-H", "authorization: Bearer sesame-open", "-H", "X-Run: $RUN", "-H", "accept: text/x")
        run = place.finish(
            "hit", f"{url}/a?b=c", "-c", 2, "-z", "3s", "-d", body, *headers, "--headless", env={"RUN": "seven"}
        )
    assert run.wait() == 0, run.err.text()
    head, _, content = seen[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().lower().split("\r\n")
    assert first == "post /a?b=c http/1.1"
    assert {"authorization: bearer sesame-open", "x-run: seven", "accept: text/x"} <= set(lines)
    assert json.loads(content) == json.loads(body)
    summary = place.summary()
    assert summary["totals"]["requests"] == len(seen)
    assert summary["pools"]["hit"]["users_max"] == 2
    assert summary["profile"]["headers"]["authorization"] == "Bearer ***"
    # Not even where the target says it back.
    everything = run.out.text() + "".join(path.read_text("latin-1") for path in place.directory().iterdir())
    everything += str(list(read_journal(place.directory())))  # compressed in its file
    assert "sesame" not in everything
    assert "agenttop hit 127.0.0.1:" in run.out.text()


def test_a_rate_a_stream_and_a_websocket(place: Place, agent: AgentProcess) -> None:
    chat = json.dumps({"model": "m", "stream": True, "messages": [{"role": "user", "content": "hours?"}]})
    where = f"{agent.url}/v1/chat/completions"
    streams = place.finish(
        "hit", where, "-q", 10, "-z", "2s", "-d", chat, "--dialect", "openai.chat", "--headless", "--out", "s.json"
    )
    assert streams.wait() == 0, streams.err.text()
    summary = json.loads((place.root / "s.json").read_text())
    assert summary["totals"]["ok"] == agent.stats()["requests"]["POST /v1/chat/completions"]["200"] == 20
    assert summary["totals"]["ttft_ms"]["count"] == 20
    url = agent.url.replace("http", "ws") + "/v1/realtime?model=m"
    turns = place.finish(
        "hit", url, "-c", 2, "-z", "1s", "-d", '{"type": "response.create"}', "--dialect", "openai.realtime",
        "--headless", "--out", "w.json",
    )  # fmt: skip
    assert turns.wait() == 0, turns.err.text()
    summary = json.loads((place.root / "w.json").read_text())
    assert agent.stats()["websocket"]["connections"] == 2
    assert summary["requests"]["hit/message"]["ok"] == agent.stats()["websocket"]["responses"]["completed"] > 0


def test_so_many_requests_and_no_more(place: Place, agent: AgentProcess) -> None:
    body = json.dumps({"user_id": "u", "client_secret": "sesame-open"})
    run = place.finish("hit", agent.url + "/api/sessions", "-n", 25, "-c", 4, "-d", body, "--headless")
    assert run.wait() == 0, run.err.text()
    assert agent.stats()["sessions_created"] == 25
    summary = place.summary()
    assert (summary["totals"]["ok"], summary["run"]["stop_reason"]) == (25, "budget")
    # The journal is compressed.
    kept = str(list(read_journal(place.directory()))) + (place.directory() / "summary.json").read_text()
    assert "client_secret" in kept
    assert "sesame" not in kept + run.out.text() + run.err.text()


def test_the_profile_it_amounts_to_is_written_and_nothing_sent(place: Place, agent: AgentProcess) -> None:
    arguments = ("hit", agent.url + "/api/sessions", "-d", '{"user_id": "u"}', "-H", "x-api-key: sesame", "-z", "1s")
    run = place.finish(*arguments, "--write", "mine.toml")
    assert run.wait() == 0
    assert run.err.lines == ["agenttop: the value of the header x-api-key is not in it: set X_API_KEY"]
    assert agent.stats()["requests"] == {}
    text = (place.root / "mine.toml").read_text()
    assert "sesame" not in text
    assert tomllib.loads(text)["headers"] == {"x-api-key": "${X_API_KEY}"}
    again = place.finish(*arguments, "--write", "mine.toml")
    assert again.wait() == 2
    assert again.err.lines == ["agenttop: mine.toml is there already; name another file"]
    run = place.finish("--profile", "mine.toml", "--headless", env={"X_API_KEY": "sesame"})
    assert run.wait() == 0, run.err.text()
    assert place.summary()["totals"]["ok"] == agent.stats()["sessions_created"] > 0
