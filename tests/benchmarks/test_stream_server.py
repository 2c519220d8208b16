"""The server in C that the figures are held against: what it sends, and that it counts what it sent."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.nginx import Missing
from tests.benchmarks.program import ask
from tests.benchmarks.results import Results
from tests.benchmarks.stream_server import compiled, serving_streams, tell

needs_compiler = pytest.mark.skipif(
    shutil.which("cc") is None or not hasattr(socket, "AF_PACKET"), reason="it takes a C compiler, and Linux"
)


@pytest.fixture
def port() -> Iterator[int]:
    """A server whose streams have 3 tokens and hardly take time."""
    results = Results("test")
    with serving_streams(results, tokens=3, rate=1000, first_ms=1) as port:
        assert results.notes == []
        yield port


def exchange(port: int, *pieces: bytes) -> bytes:
    """What comes back for a request in pieces, until the server closes; each waits for an answer to the one before."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        received = b""
        for i, piece in enumerate(pieces):
            received += connection.recv(65536) if i else b""
            connection.sendall(piece)
        while data := connection.recv(65536):
            received += data
        return received


def post(path: str, body: bytes = b"{}", *headers: str) -> bytes:
    """A request after which the connection ends."""
    lines = [f"POST {path} HTTP/1.1", "host: x", f"Content-Length: {len(body)}", "connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def events(answer: bytes) -> list[Any]:
    """The data of an event stream in chunked encoding: JSON, or the text where it is none."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"text/event-stream" in head
    whole = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        whole += body[: int(size, 16)]
        assert body[int(size, 16) :][:2] == b"\r\n"
        body = body[int(size, 16) + 2 :]
    texts = [event.removeprefix(b"data: ").decode() for event in whole.removesuffix(b"\n\n").split(b"\n\n")]
    return [json.loads(text) if text.startswith("{") else text for text in texts]


def contents(answer: bytes) -> int:
    """How many content chunks a chat completion has."""
    return sum("sent_ns" in event for event in events(answer))


@needs_compiler
def test_stream_is_a_chat_completion(port: int) -> None:
    role, *chunks, finish, usage, done = events(exchange(port, post("/v1/chat/completions?tokens=2&rate=500")))

    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert [chunk["choices"][0]["delta"]["content"] for chunk in chunks] == [" token"] * 2
    assert int(chunks[0]["sent_ns"]) < int(chunks[1]["sent_ns"])
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert usage["usage"] == {"prompt_tokens": 8, "completion_tokens": 2, "total_tokens": 10}
    assert done == "[DONE]"


@needs_compiler
@pytest.mark.parametrize(
    ("query", "body", "tokens"),
    [
        ("", b"{}", 3),
        ("", b'{"max_tokens": 5, "stream": true}', 5),
        ("", b'{"max_completion_tokens":4}', 4),
        ("", b'{"max_tokens": null}', 3),
        ("?tokens=2", b'{"max_tokens": 5}', 2),
    ],
)
def test_tokens_are_of_query_body_or_command_line(port: int, query: str, body: bytes, tokens: int) -> None:
    assert contents(exchange(port, post(f"/v1/chat/completions{query}", body))) == tokens


@needs_compiler
def test_body_that_waits_for_leave(port: int) -> None:
    head, _, body = post("/v1/chat/completions", b'{"x":"' + b"a" * 300_000 + b'"}', "Expect: 100-continue").partition(
        b"\r\n\r\n"
    )
    leave, _, answer = exchange(port, head + b"\r\n\r\n", body).partition(b"\r\n\r\n")

    assert leave == b"HTTP/1.1 100 Continue"
    assert contents(answer) == 3


@needs_compiler
def test_requests_one_after_the_other_in_one_piece(port: int) -> None:
    first = post("/v1/chat/completions").replace(b"connection: close\r\n", b"")
    last = b"GET /health HTTP/1.1\r\nconnection: close\r\n\r\n"
    streamed, _, health = exchange(port, first + last).partition(b"0\r\n\r\n")

    assert streamed.count(b"sent_ns") == 3
    assert health.endswith(b'{"status":"ok"}')


@needs_compiler
def test_probe_says_how_long_it_took(port: int) -> None:
    role, event = events(exchange(port, post("/probe?tokens=1&rate=1&first_ms=2")))

    assert role["object"] == "chat.completion.chunk"
    assert event["done"] is True
    assert event["total_s"] >= 0.002


@needs_compiler
def test_what_clients_ask_first(port: int) -> None:
    assert ask(port, "/health") == {"status": "ok"}
    assert [model["id"] for model in ask(port, "/v1/models")["data"]] == ["benchmark"]
    assert "error" in ask(port, "/nothing")


@needs_compiler
def test_stats_count_what_was_sent(port: int) -> None:
    for _ in range(4):
        exchange(port, post("/v1/chat/completions?tokens=5&rate=1000&first_ms=3"))
    ask(port, "/work?ms=1")
    stats = ask(port, "/stats")

    assert (stats["requests"], stats["streams"], stats["work"], stats["broken"]) == (5, 4, 1, 0)
    assert stats["chunks"] == 20
    assert 3 <= stats["ttft_ms"]["p50"] <= stats["ttft_ms"]["p90"] <= stats["ttft_ms"]["p99"]
    assert stats["latency_ms"]["p50"] >= 7
    assert stats["chunks_per_s"] > 0


@needs_compiler
def test_stream_that_its_reader_leaves_is_broken(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(post("/v1/chat/completions?tokens=100000&rate=1"))
        assert b"assistant" in connection.recv(65536)
    stats = ask(port, "/stats")

    assert (stats["streams"], stats["broken"]) == (0, 1)


@needs_compiler
def test_stall_is_followed_by_all_that_waited(port: int) -> None:
    tell(port, "/stall?ms=50&work=2")
    answers = [ask(port, "/work?ms=1") for _ in range(3)]

    assert answers == [{"done": True}] * 3
    assert ask(port, "/stats")["work"] == 3


@needs_compiler
def test_what_is_no_request_ends_the_connection(port: int) -> None:
    assert exchange(port, b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n") == b""
    assert exchange(port, b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n") == b""


@needs_compiler
def test_what_does_not_compile_is_missing(tmp_path: Path) -> None:
    source = tmp_path / "broken.c"
    source.write_text("#error no such system\n")

    with pytest.raises(Missing, match=r"broken\.c does not compile here: .*no such system"):
        compiled(source)


def test_without_a_compiler_the_server_in_python_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    compiled.cache_clear()
    results = Results("test")
    with serving_streams(results) as port:
        stats = ask(port, "/stats")

    assert [note for note in results.notes if "served from Python" in note and "no C compiler" in note]
    assert stats["requests"] == stats["streams"] == 0
    assert stats["latency_ms"] == {"p50": 0.0, "p90": 0.0, "p99": 0.0}
