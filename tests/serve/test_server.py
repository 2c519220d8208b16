from __future__ import annotations

import pytest

from agenttop.serve.server import is_ours

TOKEN = "a-token-of-22-letters-"


@pytest.mark.parametrize("path", [f"/{TOKEN}/", f"/{TOKEN}/ws", f"/{TOKEN}"])
@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:9000", "LOCALHOST", "[::1]:1"])
def test_what_is_answered(path: str, host: str) -> None:
    for origin in (None, f"http://{host}", f"https://{host}"):
        assert is_ours(path, host, origin, TOKEN)


@pytest.mark.parametrize(
    ("path", "host", "origin"),
    [
        ("/", "127.0.0.1:8123", None),
        ("", "127.0.0.1:8123", None),
        (f"//{TOKEN}/", "127.0.0.1:8123", None),
        (f"/{TOKEN}x/", "127.0.0.1:8123", None),
        (f"/{TOKEN[:-1]}/", "127.0.0.1:8123", None),
        (f"/x/../{TOKEN}/", "127.0.0.1:8123", None),
        ("/\ud800é/", "127.0.0.1:8123", None),
        # Somebody else's name for 127.0.0.1, and pages of somebody else's.
        (f"/{TOKEN}/", "rebound.example:8123", None),
        (f"/{TOKEN}/", "127.0.0.1.example", None),
        (f"/{TOKEN}/", "127.0.0.1:8123@example", None),
        (f"/{TOKEN}/", "", None),
        (f"/{TOKEN}/ws", "127.0.0.1:8123", "http://example"),
        (f"/{TOKEN}/ws", "127.0.0.1:8123", "http://127.0.0.1:9999"),
        (f"/{TOKEN}/ws", "127.0.0.1:8123", "null"),
        (f"/{TOKEN}/ws", "127.0.0.1:8123", ""),
    ],
)
def test_what_is_not(path: str, host: str, origin: str | None) -> None:
    assert not is_ours(path, host, origin, TOKEN)
