from __future__ import annotations

import os
import socket
import struct
import sys

import pytest

from agenttop.runs.peer import peer_user


class Asked:
    """A socket that answers what a system would."""

    def __init__(self, answer: bytes | OSError) -> None:
        self.answer = answer
        self.question: tuple[int, int, int] | None = None

    def getsockopt(self, level: int, option: int, size: int, /) -> bytes:
        self.question = (level, option, size)
        if isinstance(self.answer, OSError):
            raise self.answer
        return self.answer


@pytest.mark.skipif(not sys.platform.startswith(("linux", "darwin")), reason="the system does not tell")
def test_ourselves() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert peer_user(here) == os.getuid()


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="Linux's own")
def test_linux() -> None:
    assert peer_user(Asked(struct.pack("iII", 4711, 1000, 100)), "linux") == 1000


@pytest.mark.parametrize("platform", ["darwin", "freebsd14"])
def test_macos_and_the_bsds(platform: str) -> None:
    asked = Asked(struct.pack("IIh2x16I", 0, 501, 2, *range(16)))
    assert peer_user(asked, platform) == 501
    assert asked.question == (0, 1, 76)


def test_where_it_is_not_told() -> None:
    assert peer_user(Asked(OSError()), "darwin") is None
    assert peer_user(Asked(b""), "darwin") is None
    assert peer_user(Asked(b""), "sunos5") is None
