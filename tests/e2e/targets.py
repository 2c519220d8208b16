"""Targets that behave as badly as targets do, each on a port of its own of 127.0.0.1."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

Behaviour = Callable[[socket.socket, bytes], None]
"""What happens to a connection after its request has been read (it is empty where nothing came)."""


@contextlib.contextmanager
def target(behave: Behaviour) -> Iterator[str]:
    """A server that reads a request, behaves, and reads the next until ``behave`` closes or raises OSError."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    open_now: set[socket.socket] = set()

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while request := read_request(connection):
                behave(connection, request)
        open_now.discard(connection)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            open_now.add(connection)
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # Closing alone does not wake a thread that waits in accept.
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in list(open_now):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        accepting.join()


def read_request(connection: socket.socket) -> bytes:
    """One request with its body; empty where the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
        if data.startswith(b"\x16"):  # a TLS handshake, where plain HTTP was meant
            return data
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json") -> bytes:
    """A whole answer."""
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def says(data: bytes, *, close: bool = False) -> Behaviour:
    """Always the same bytes."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(data)
        if close:
            connection.close()

    return behave


def closes(connection: socket.socket, request: bytes) -> None:
    """No answer at all."""
    connection.close()


def endless_headers(connection: socket.socket, request: bytes) -> None:
    """Headers until the client has had enough."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x-more: " + b"y" * 4000 + b"\r\n")


def huge_body(size: int) -> Behaviour:
    """A body of so many bytes, if the client takes them."""

    def behave(connection: socket.socket, request: bytes) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {size}\r\n\r\n".encode())
        block = b"z" * (1 << 20)
        for _ in range(size >> 20):
            connection.sendall(block)

    return behave


def echoes(before: bytes) -> Behaviour:
    """An error that repeats everything the client said, as debug pages do, after some other words."""

    def behave(connection: socket.socket, request: bytes) -> None:
        body = json.dumps({"error": {"message": (before + request).decode("latin-1")}}).encode()
        connection.sendall(answer(body, "500 Internal Server Error"))

    return behave


class Hanging:
    """Answers while it is told to, and hangs while not."""

    def __init__(self) -> None:
        self.answering = threading.Event()
        self.answering.set()

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        self.answering.wait()
        connection.sendall(answer(b"{}"))
