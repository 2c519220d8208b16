"""What follows a body is no part of it, however often its head has been seen."""

from __future__ import annotations

import pytest

from agenttop.wire.heads import Heads


@pytest.mark.parametrize(
    ("head", "length", "known"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5, True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nx: y", 7, False),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5", 0, False),
        (b"HTTP/1.1 204 No Content\r\nx: y", 0, True),
        (b"HTTP/1.1 204 No Content\r\nx: y", 2, False),
    ],
)
def test_only_what_a_head_says_itself_is_learned(head: bytes, length: int, known: bool) -> None:
    heads = Heads()
    heads.learn(head, int(head[9:12]), length, None)
    assert (heads.find(head) is not None) is known
