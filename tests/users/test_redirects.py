"""Redirects, followed inside the same request (RFC 9110, 15.4)."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from agenttop.users import redirects
from agenttop.users.pool import WATCH_CALLS
from tests.users.playing import Play, Script, ended, header, path_of, play, playing, profile
from tests.wire.server import Reader, Writer, ok, serving

FOLLOW = 'follow_redirects = true\nheaders = { authorization = "Bearer key", x-mine = "1" }'


def moved(where: str, status: str = "302 Found") -> bytes:
    return ok(b"", f"location: {where}", status=status)


async def test_a_redirect_is_an_answer_where_none_is_followed(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(), moved("/b"))
    assert (played.only.outcomes, played.only.status) == ({"ok": 1}, {302: 1})


@pytest.mark.parametrize(("status", "method"), [("302 Found", "GET"), ("307 Temporary Redirect", "POST")])
async def test_a_redirect_within_the_target(tmp_path: Path, status: str, method: str) -> None:
    text = profile('post = "/a"\njson = { x = 1 }', top=FOLLOW)
    played, requests = await play(tmp_path, text, moved("b?c=d", status), ok(b"here"))
    assert [path_of(request) for request in requests] == ["/a", "/b?c=d"]
    assert requests[1].startswith(method.encode())
    assert header(requests[1], "authorization") == "Bearer key"
    assert requests[1].endswith(b'{"x":1}') == (method == "POST")
    assert (played.only.outcomes, played.only.status) == ({"ok": 1}, {200: 1})
    assert (played.only.sums["attempts"], played.only.hists["latency"].count) == (2, 1)
    assert played.only.sums["connections_opened"] == 1


async def test_a_chain_is_cut_at_its_timeout(tmp_path: Path) -> None:
    async def hop(reader: Reader, writer: Writer) -> None:
        assert script.pool is not None
        (user,) = script.pool.tasks
        assert user.connection is not None
        assert 0 < user.since_ns < user.connection.sent_ns
        late = user.since_ns + 1_000_000_001  # of the chain; not of this request
        assert late - user.connection.sent_ns < 1_000_000_000
        for _ in range(WATCH_CALLS):
            script.pool.watch(late)

    script = Script(moved("/b"), hop)
    async with playing(tmp_path, profile(top=f'timeout = "1s"\n{FOLLOW}'), script) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
        played = Play(layout, recorder)
    assert played.only.outcomes == {"timeout": 1}
    assert played.message() == "no whole answer within 1s"


async def test_a_redirect_to_elsewhere_takes_no_credentials(tmp_path: Path) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        text = profile(top=FOLLOW)
        played, requests = await play(tmp_path, text, moved(f"http://127.0.0.1:{other.port}/x"))
    assert header(requests[0], "authorization") == "Bearer key"
    (request,) = there.requests
    assert header(request, "authorization") is None
    assert (header(request, "x-mine"), header(request, "host")) == ("1", f"127.0.0.1:{other.port}")
    assert played.only.outcomes == {"ok": 1}


async def test_a_redirect_to_no_url(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(top=FOLLOW), moved("ftp://127.0.0.1/x"))
    assert played.only.outcomes == {"protocol_error": 1}


async def test_redirects_without_end_come_to_one(tmp_path: Path) -> None:
    played, requests = await play(tmp_path, profile(top=FOLLOW), *[moved("/")] * (redirects.MAX_REDIRECTS + 1))
    assert len(requests) == redirects.MAX_REDIRECTS + 1
    assert played.only.sums["attempts"] == len(requests)
    assert played.only.outcomes == {"protocol_error": 1}


async def test_after_a_redirect_to_elsewhere_the_next_request_goes_to_the_target(tmp_path: Path) -> None:
    there = Script(ok(b"there"), ok(b"wrong"))
    async with serving(there) as other:
        played, requests = await play(
            tmp_path, profile(top=FOLLOW), moved(f"http://127.0.0.1:{other.port}/x"), ok(b"here")
        )
    assert (len(requests), len(there.requests)) == (2, 1)
    assert played.only.outcomes == {"ok": 2}


async def test_a_redirect_to_where_nobody_listens(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        where = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        played, _ = await play(tmp_path, profile(top=FOLLOW), moved(where))
    assert played.only.outcomes == {"connect_error": 1}
    assert played.only.hists["time_to_failure"].low > 0


@pytest.mark.parametrize("where", ["http://[::1", "http://127.0.0.1:port/"])
async def test_a_redirect_to_what_is_no_url_at_all(tmp_path: Path, where: str) -> None:
    played, _ = await play(tmp_path, profile(top=FOLLOW), moved(where))
    assert played.only.outcomes == {"protocol_error": 1}


async def test_where_a_redirect_leads_is_written_as_a_request_can_hold_it(tmp_path: Path) -> None:
    played, requests = await play(tmp_path, profile(top=FOLLOW), moved("/a b?c=%20{}|\xe9"), ok(b"here"))
    assert path_of(requests[1]) == "/a%20b?c=%20%7B%7D%7C%E9"
    assert played.only.outcomes == {"ok": 1}


@pytest.mark.parametrize(
    ("status", "first", "then"),
    [
        ("301 x", "put", "PUT"),
        ("302 x", "delete", "DELETE"),
        ("301 x", "post", "GET"),
        ("303 x", "patch", "GET"),
        ("308 x", "post", "POST"),
    ],
)
async def test_only_a_post_or_an_answer_elsewhere_makes_it_a_get(
    tmp_path: Path, status: str, first: str, then: str
) -> None:
    text = profile(f'{first} = "/a"\njson = {{ x = 1 }}', top=FOLLOW)
    _, requests = await play(tmp_path, text, moved("/b", status), moved("/c", "307 x"), ok(b"here"))
    for request in requests[1:]:
        assert request.startswith(f"{then} ".encode())
        same = then == first.upper()
        assert request.endswith(b'{"x":1}') == same
        assert header(request, "content-type") == ("application/json" if same else None)


@pytest.mark.parametrize("name", ["x-api-key", "api-key", "x-goog-api-key", "proxy-authorization", "cookie"])
async def test_a_providers_key_is_no_more_given_away_than_another(tmp_path: Path, name: str) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        top = f'follow_redirects = true\nheaders = {{ {name} = "k=1" }}'
        _, requests = await play(tmp_path, profile(top=top), moved(f"http://127.0.0.1:{other.port}/x"))
    assert header(requests[0], name) == "k=1"
    assert header(there.requests[0], name) is None
