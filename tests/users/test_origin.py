"""Whatever came from a secret stays with its origin, wherever a redirect leads."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from agenttop.metrics.safe_text import SafeText
from agenttop.profile.template import compile_header
from agenttop.users.origin import may_leave
from tests.users import scripts
from tests.users.playing import Script, header, path_of, play, profile
from tests.wire.server import ok, serving

KEY = "sk-0123456789/+abc"
ENV = {"KEY": KEY, "PIN": "777", "USER_ID": "user-4711"}


def moved(port: int, path: str = "/x", status: str = "307 Temporary Redirect", host: str = "127.0.0.1") -> bytes:
    return ok(b"", f"location: http://{host}:{port}{path}", status=status)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-mine", "${KEY}"),
        ("x-mine", "a ${KEY} b"),
        ("x-mine", "${PIN}"),
        ("x-mine", "id=${USER_ID}"),
        ("user-agent", "mine/${KEY}"),
        ("accept", "${KEY}"),
        ("x-mine", quote(KEY, safe="")),
        ("x-mine", base64.b64encode(f"me:{KEY}".encode()).decode()),
        ("x-mine", "{saved}"),
        ("x-mine", "{word}"),
        ("authorization", "Bearer literal"),
        ("x-api-key", "literal"),
        ("cookie", "a=1"),
        ("x-amz-security-token", "literal"),
        ("mcp-session-id", "literal"),
        ("x-hub-signature-256", "literal"),
        ("api-secret", "literal"),
        ("x-password", "literal"),
    ],
)
@pytest.mark.parametrize("status", ["302 Found", "307 Temporary Redirect"])
async def test_a_header_made_of_a_secret_goes_nowhere_else(tmp_path: Path, name: str, value: str, status: str) -> None:
    there = Script(ok(b"there"))
    (tmp_path / "rows.csv").write_text("word\nsesame\n")
    async with serving(there) as other:
        asked = f'{{ get = "/", headers = {{ {name} = "{value}" }} }}'
        steps = f'steps = [{{ get = "/save", save = {{ saved = "$.a" }} }}, {asked}]'
        text = profile(
            steps, top='follow_redirects = true\nheaders = { x-plain = "1", x-who = "{user}", x-k = "${KEY}" }'
        )
        text += '[pools.tasks.data]\nfile = "rows.csv"\n'
        played, requests = await play(tmp_path, text, ok(b'{"a": "t0ken"}'), moved(other.port, status=status), env=ENV)
    assert header(requests[1], name)
    (request,) = there.requests
    assert header(request, name) is None
    assert header(request, "x-k") is None
    assert (header(request, "x-plain"), header(request, "x-who")) == ("1", "1")
    assert [leaf.outcomes for leaf in played.leaves.values()] == [{"ok": 1}, {"ok": 1}]


@pytest.mark.parametrize(
    "body",
    [
        'json = { key = "${KEY}" }',
        'json = { deep = [{ a = "my ${KEY}!" }] }',
        'json = { id = "${USER_ID}" }',
        'body = "key=${KEY}"',
        'form = { key = "${KEY}" }',
    ],
)
@pytest.mark.parametrize("status", ["307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_body_made_of_a_secret_is_sent_nowhere_else(tmp_path: Path, body: str, status: str) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        text = profile(f'post = "/"\n{body}', top="follow_redirects = true")
        played, _ = await play(tmp_path, text, moved(other.port, status=status), env=ENV)
    assert there.requests == []
    assert played.only.outcomes == {"protocol_error": 1}
    origin = f"http://127.0.0.1:{other.port}"
    assert played.message() == (
        f"redirected to another origin, {origin}: the body holds a secret, which stays with its own"
    )


async def test_a_body_that_is_left_behind_is_no_reason_to_stop(tmp_path: Path) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        text = profile('post = "/"\njson = { key = "${KEY}" }', top="follow_redirects = true")
        played, _ = await play(tmp_path, text, moved(other.port, status="303 See Other"), env=ENV)
    assert there.requests[0].startswith(b"GET /x ")
    assert played.only.outcomes == {"ok": 1}


@pytest.mark.parametrize("where", ["/?k={key}", "/a/{key}/b"])
async def test_a_location_that_holds_a_secret_is_not_gone_to(tmp_path: Path, where: str) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        text = profile('get = "/?k=${KEY}"', top="follow_redirects = true")
        path = where.format(key=quote(KEY, safe=""))
        played, _ = await play(tmp_path, text, moved(other.port, path), env=ENV)
    assert there.requests == []
    assert "its URL holds a secret" in played.message()


async def test_a_cookie_that_holds_a_secret_stays_though_its_host_is_the_same(tmp_path: Path) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        text = profile('get = "/"', top='follow_redirects = true\nheaders = { x-k = "${KEY}" }')
        cookies = f"set-cookie: a={KEY}; Path=/"
        first = ok(b"", cookies, f"location: http://127.0.0.1:{other.port}/x", status="302 Found")
        await play(tmp_path, text, first, env=ENV)
    assert header(there.requests[0], "cookie") is None


async def test_at_home_everything_is_sent_again_and_after_elsewhere_too(tmp_path: Path) -> None:
    top = 'follow_redirects = true\nheaders = { x-mine = "${KEY}" }'
    text = profile('post = "/?k=${KEY}"\njson = { key = "${KEY}" }', top=top)
    home = ok(b"", f"location: /again?k={quote(KEY, safe='')}", status="307 Temporary Redirect")
    played, requests = await play(tmp_path, text, home, ok(b"here"), env=ENV)
    assert [path_of(request)[:9] for request in requests] == ["/?k=sk-01", "/again?k="]
    assert header(requests[1], "x-mine") == KEY
    assert KEY.encode() in requests[1].partition(b"\r\n\r\n")[2]
    assert played.only.outcomes == {"ok": 1}


async def test_another_name_of_the_same_host_is_another_origin(tmp_path: Path) -> None:
    script = Script(ok(b"there"))
    async with serving(script) as other:
        text = profile('get = "/"', top='follow_redirects = true\nheaders = { x-mine = "${KEY}" }')
        await play(tmp_path, text, moved(other.port, host="localhost"), env=ENV)
    assert header(script.requests[0], "x-mine") is None


async def test_headers_of_users_own_code_stay_too(tmp_path: Path) -> None:
    there = Script(ok(b"there"))
    async with serving(there) as other:
        body = """
        @task
        async def ask(self):
            headers = {"x-mine": "a", "accept": "text/csv", "authorization": "b"}
            await self.client.get("/", headers=headers)
        """
        _, requests, _ = await scripts.play(tmp_path, body, moved(other.port), top="follow_redirects = true")
    assert header(requests[0], "x-mine") == "a"
    (request,) = there.requests
    assert [header(request, name) for name in ("x-mine", "authorization", "accept")] == [None, None, "text/csv"]


def test_what_is_plain_may_leave() -> None:
    safe = SafeText(ENV.values())
    for name, value in (("x-mine", "1"), ("accept", "*/*"), ("x-user", "{user}"), ("x-id", "{uuid}")):
        assert may_leave(name, compile_header(value), {"user": "1", "uuid": "u"}, safe)
