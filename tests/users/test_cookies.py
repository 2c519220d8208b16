"""Cookies: what a user is given it sends back, where it may, until its session ends."""

from __future__ import annotations

import asyncio
import itertools
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttop.users import cookies as module
from agenttop.users.cookies import Cookies
from agenttop.wire.httpx_transport import HttpxTransport
from agenttop.wire.target import parse_target
from tests.users.playing import Script, counting_again, ended, header, path_of, play, playing, pool_of, profile
from tests.wire.frames import accepting
from tests.wire.h2_server import Stream, speaking_h2
from tests.wire.server import Reader, Writer, ok, serving

GET = b"GET %b HTTP/1.1\r\nhost: x\r\n\r\nbody"


def sent(jar: Cookies, url: str, path: str = "/") -> str | None:
    """The cookies that go to a URL."""
    data = GET % path.encode()
    got = jar.add(data, parse_target(url))
    if got == data:
        return None
    head, _, rest = got.partition(b"\r\ncookie: ")
    value, _, body = rest.partition(b"\r\n\r\n")
    assert b"%b\r\n\r\n%b" % (head, body) == data
    return value.decode("latin-1")


def kept(*set_cookie: str, url: str = "http://a.example.com", path: str = "/login/now") -> Cookies:
    jar = Cookies()
    jar.keep("\n".join(set_cookie), GET % path.encode(), parse_target(url))
    return jar


@pytest.mark.parametrize(
    ("set_cookie", "url", "path", "value"),
    [
        ("a=1", "http://a.example.com", "/login", "a=1"),
        ("a=1", "http://a.example.com", "/login/x?y", "a=1"),
        ("a=1", "http://a.example.com", "/logins", None),
        ("a=1", "http://a.example.com", "/", None),
        ("a=1; Path=/", "http://a.example.com", "/", "a=1"),
        ("a=1; path=/", "http://a.example.com:8080", "/", "a=1"),
        ("a=1; Path=/", "http://b.example.com", "/", None),
        ("a=1; Path=/", "http://x.a.example.com", "/", None),
        ("a=1; Path=/; Domain=example.com", "http://b.example.com", "/", "a=1"),
        ("a=1; Path=/; Domain=.Example.com", "http://b.example.com", "/", "a=1"),
        ("a=1; Path=/; Domain=example.com", "http://badexample.com", "/", None),
        ("a=1; Path=/; Domain=b.example.com", "http://b.example.com", "/", None),
        ("a=1; Path=/; Domain=com", "http://b.com", "/", None),
        ("a=1; Path=/; Secure", "http://a.example.com", "/", None),
        ("a=1; Path=/; Secure; HttpOnly; SameSite=Lax", "https://a.example.com", "/", "a=1"),
        ("a=1; Path=/; Secure", "wss://a.example.com", "/", "a=1"),
        ("a=1; Path=/; Max-Age=60", "http://a.example.com", "/", "a=1"),
        ("a=1; Path=/; Max-Age=0", "http://a.example.com", "/", None),
        ("a=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://a.example.com", "/", None),
        ("a=1; Path=/; Expires=Wed, 21 Oct 2215 07:28:00 GMT", "http://a.example.com", "/", "a=1"),
        ("a=1; Path=/; Max-Age=60; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "http://a.example.com", "/", "a=1"),
        ("a=b=c,d; Path=/", "http://a.example.com", "/", "a=b=c,d"),
        ('a="q, q"; Path=/; Version=1', "http://a.example.com", "/", 'a="q, q"'),
        ("a=\xe9; Path=/", "http://a.example.com", "/", "a=\xe9"),
        ("a=; Path=/", "http://a.example.com", "/", "a="),
        ("=1", "http://a.example.com", "/login", None),
        ("a=" + "x" * module.MAX_LENGTH + "; Path=/", "http://a.example.com", "/", None),
    ],
)
def test_where_a_cookie_goes(set_cookie: str, url: str, path: str, value: str | None) -> None:
    assert sent(kept(set_cookie), url, path) == value


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_hosts_without_a_domain(host: str) -> None:
    for domain in ("", f"; Domain={host.strip('[]')}" if "[" not in host else ""):
        jar = kept(f"a=1; Path=/{domain}", url=f"http://{host}:8000")
        assert sent(jar, f"http://{host}:8000") == "a=1"
        assert sent(jar, f"http://{host}") == "a=1"
        assert sent(jar, "http://other.localhost") is None
        assert sent(jar, "http://1.127.0.0.1") is None


def test_several_cookies_are_one_header_and_the_longest_path_is_first() -> None:
    jar = kept("a=1; Path=/", "b=2; Expires=Wed, 21 Oct 2215 07:28:00 GMT", "c=3; Path=/")
    assert sent(jar, "http://a.example.com", "/login/x") == "b=2; a=1; c=3"
    assert sent(jar, "http://a.example.com", "/") == "a=1; c=3"
    jar.keep("a=4; Path=/\nc=; Path=/; Max-Age=-1", GET % b"/", parse_target("http://a.example.com"))
    assert sent(jar, "http://a.example.com", "/") == "a=4"


def test_a_cookie_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    jar = kept("a=1; Path=/; Max-Age=60", "b=2; Path=/")
    assert sent(jar, "http://a.example.com") == "a=1; b=2"
    later = time.time() + 61
    monkeypatch.setattr("http.cookiejar.time.time", lambda: later)
    monkeypatch.setattr(module, "time", lambda: later)
    assert [sent(jar, "http://a.example.com") for _ in range(2)] == ["b=2"] * 2


def test_only_so_many_are_kept() -> None:
    jar = kept(*(f"n{number}=1; Path=/" for number in range(module.MAX_COOKIES + 5)))
    value = sent(jar, "http://a.example.com")
    assert value is not None
    assert len(value.split("; ")) == module.MAX_COOKIES
    assert value.endswith(f"n{module.MAX_COOKIES + 4}=1")


LINES = st.lists(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"])), max_size=3)
ATTRIBUTES = st.sampled_from(["a=1", "Path=/", "Path", "Max-Age=" + "9" * 400, "Expires=1", "Domain=.", "Port=1", "="])


@given(LINES, st.lists(ATTRIBUTES, max_size=4))
def test_whatever_a_target_sets(lines: list[str], attributes: list[str]) -> None:
    jar = kept("; ".join(attributes), *lines)
    sent(jar, "http://a.example.com", "/login/now")


# -- users


async def test_a_user_sends_its_cookies_with_everything_that_follows(tmp_path: Path) -> None:
    text = profile(
        'steps = [{ get = "/a" }, { post = "/b", json = { n = "{random}" } }]',
        before='[[pools.setup]]\npost = "/login"\n',
    )
    login = ok(b"", "Set-Cookie: sid=s3cret; Path=/; HttpOnly", "set-cookie: csrf=1,2; Path=/b")
    played, requests = await play(tmp_path, text, login, ok(b""), ok(b"", "set-cookie: sid=2; Path=/"), *[ok(b"")] * 2)
    assert [(path_of(request), header(request, "cookie")) for request in requests] == [
        ("/login", None),
        ("/a", "sid=s3cret"),
        ("/b", "csrf=1,2; sid=s3cret"),
        ("/a", "sid=2"),
        ("/b", "csrf=1,2; sid=2"),
    ]
    assert requests[2].endswith(b"}")
    assert sum(leaf.sums["bytes_sent"] for leaf in played.leaves.values()) == sum(map(len, requests))


async def test_nobody_else_has_them_and_none_are_kept_where_the_profile_says_so(tmp_path: Path) -> None:
    given_one = ok(b"", "set-cookie: a=1; Path=/")
    for top, pool in (("cookies = false", ""), ("", "cookies = false")):
        _, requests = await play(tmp_path, profile(top=top, pool=pool), given_one, given_one, ok(b""))
        assert [header(request, "cookie") for request in requests] == [None] * 3
    _, requests = await play(tmp_path, profile(top="cookies = false", pool="cookies = true"), given_one, ok(b""))
    assert header(requests[1], "cookie") == "a=1"


async def test_a_cookie_of_the_profile_wins(tmp_path: Path) -> None:
    steps = 'steps = [{ get = "/", headers = { Cookie = "mine={user}" } }, { get = "/" }]'
    set_one = ok(b"", "set-cookie: a=1; Path=/")
    _, requests = await play(tmp_path, profile(steps), set_one, ok(b""), ok(b""), ok(b""))
    assert [header(request, "cookie") for request in requests] == ["mine=1", "a=1"] * 2
    assert all(request.lower().count(b"cookie:") == 1 for request in requests)


async def test_a_pool_without_pauses_goes_on_as_before_and_its_cookies_go_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = counting_again(monkeypatch)
    plain, set_one = ok(b"x"), ok(b"x", "set-cookie: a=1; Path=/")
    answers = [plain, plain, plain, set_one, plain, plain, set_one, set_one, plain, plain]
    played, requests = await play(tmp_path, profile(), *answers)
    assert [header(request, "cookie") for request in requests] == [None] * 4 + ["a=1"] * 6
    assert any(followed)
    assert played.only.outcomes == {"ok": len(answers)}
    assert played.pools[0].iterations == len(answers)
    assert played.only.sums["bytes_sent"] == sum(map(len, requests))


async def test_a_head_that_is_known_still_sets_its_cookie(tmp_path: Path) -> None:
    step = "get = '/'\nchecks = { read = 'body contains \"x\"' }"
    set_one = ok(b"x", "set-cookie: a=1; Path=/; Max-Age=60")
    drop = ok(b"x", "set-cookie: a=1; Path=/; Max-Age=0")
    _, requests = await play(tmp_path, profile(step), *[set_one, drop] * 3)
    assert [header(request, "cookie") for request in requests] == [None, "a=1"] * 3


async def test_a_session_begins_without_cookies(tmp_path: Path) -> None:
    text = profile(before='[[pools.setup]]\nget = "/login"\n')
    set_one = ok(b"", "set-cookie: a=1; Path=/")
    failed = ok(b"", "set-cookie: a=2; Path=/", status="500 no")
    _, requests = await play(tmp_path, text, failed, set_one, ok(b""))
    assert [(path_of(request), header(request, "cookie")) for request in requests] == [
        ("/login", None),
        ("/login", None),
        ("/", "a=1"),
    ]


async def test_redirects_take_the_cookies_of_their_host(tmp_path: Path) -> None:
    there = Script(ok(b"", "set-cookie: there=1; Path=/", "location: /z", status="302 Found"), ok(b"there"))
    async with serving(there) as other:
        step = 'steps = [{ get = "/a" }, { get = "/b" }]'
        elsewhere = f"location: http://localhost:{other.port}/x"
        _, requests = await play(
            tmp_path,
            profile(step, top="follow_redirects = true"),
            ok(b"", "set-cookie: home=1; Path=/", "location: /next", status="302 Found"),
            ok(b"", "set-cookie: home=2; Path=/", elsewhere, status="307 Temporary Redirect"),
            ok(b"home"),
        )
    assert [(path_of(request), header(request, "cookie")) for request in requests] == [
        ("/a", None),
        ("/next", "home=1"),
        ("/b", "home=2"),
    ]
    assert [(path_of(request), header(request, "cookie")) for request in there.requests] == [
        ("/x", None),
        ("/z", "there=1"),
    ]


async def test_a_request_that_is_sent_again_takes_the_newest(tmp_path: Path) -> None:
    busy = ok(b"", "retry-after: 0", "set-cookie: a=1; Path=/", status="429 x")
    _, requests = await play(tmp_path, profile(top='on_429 = "retry"'), busy, ok(b""))
    assert [header(request, "cookie") for request in requests] == [None, "a=1"]


async def test_a_handshake_sets_and_takes_cookies(tmp_path: Path) -> None:
    numbers = itertools.count(1)

    async def upgrade(reader: Reader, writer: Writer) -> None:
        writer.write(accepting(script.requests[-1], b"set-cookie: a=%d; Path=/\r\n" % next(numbers)))

    steps = 'steps = [{ connect = "/ws" }, { close = true }, { connect = "/ws" }, { close = true }]'
    script = Script(upgrade, upgrade)
    async with playing(tmp_path, profile(task=steps, pool='protocol = "ws"'), script) as (pool, _, _):
        pool.aim(1)
        await ended(pool)
    assert [header(request, "cookie") for request in script.requests] == [None, "a=1"]


async def test_the_same_over_http2(tmp_path: Path) -> None:
    seen: list[bytes | None] = []

    async def script(stream: Stream) -> None:
        seen.append(stream.headers.get(b"cookie"))
        if len(seen) == 3:
            pool.finish(sending=True)
        stream.answer(("set-cookie", "a=1; Path=/"), ("set-cookie", "b=2; Path=/"), end=True)

    async with serving(speaking_h2(script)) as server:
        pool, _, _ = pool_of(tmp_path, profile().replace("{port}", str(server.port)))
        pool.transport = HttpxTransport(asyncio.get_running_loop(), None, 5.0, http2=True)
        pool.aim(1)
        await ended(pool)
    assert seen == [None, b"a=1; b=2", b"a=1; b=2"]


async def test_what_the_answer_to_a_retry_sets_is_kept(tmp_path: Path) -> None:
    busy = ok(b"later", "retry-after: 0", status="429 Too Many Requests")
    text = profile(task='steps = [{ get = "/a" }, { get = "/b" }]', top='on_429 = "retry"\n')
    _, requests = await play(tmp_path, text, busy, ok(b"x", "set-cookie: late=1; Path=/"), ok(b"x"))
    assert [b"late=1" in request for request in requests] == [False, False, True]
