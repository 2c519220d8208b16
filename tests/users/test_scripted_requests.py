"""Tests of agenttop.users.script_client, agenttop.users.scripted_answer, agenttop.users.adhoc,
agenttop.scripting.client.

What a user's code asks for, as it goes over the wire and comes back.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.users.playing import header, path_of
from tests.users.scripts import play
from tests.wire.server import chunked, ok

TASK = """
@task
async def buy(self):
    {}
"""


def task(*lines: str) -> str:
    """One task of these lines."""
    return TASK.format("\n    ".join(lines))


async def sent(tmp_path: Path, call: str, *, top: str = "", pool: str = "") -> bytes:
    """The request that a call sends."""
    played, requests, _ = await play(tmp_path, task(f"await self.client.{call}"), ok(b"{}"), top=top, pool=pool)
    assert played.errors == []
    return requests[0]


async def mistake(tmp_path: Path, call: str) -> str:
    """What is raised by a call that cannot be sent."""
    lines = ["try:", f"    await self.client.{call}", "except Exception as error:"]
    lines += ["    self.log.append(f'{type(error).__name__}: {error}')"]
    lines += ["await self.client.get('/')"]
    _, requests, log = await play(tmp_path, task(*lines), ok(b""))
    assert len(requests) == 1
    return str(log[0])


@pytest.mark.parametrize(
    ("call", "line", "kind", "body"),
    [
        ("get('/a b/ü?x=1')", "GET /a%20b/%C3%BC?x=1", None, ""),
        ("get('/{not}/%7Ba%')", "GET /%7Bnot%7D/%7Ba%25", None, ""),
        ("get('/a', query={'q': ['1 2', '&'], 'b': True})", "GET /a?q=1%202&q=%26&b=true", None, ""),
        ("get('/a?z=0', query={'q': 1.5})", "GET /a?z=0&q=1.5", None, ""),
        ("delete('/a')", "DELETE /a", None, ""),
        ("post('/a')", "POST /a", None, ""),
        ("post('/a', json={'a': [1, None, 'ü{x}']})", "POST /a", "application/json", '{"a":[1,null,"ü{x}"]}'),
        ("put('/a', json=[])", "PUT /a", "application/json", "[]"),
        ("patch('/a', body='ü')", "PATCH /a", "text/plain; charset=utf-8", "ü"),
        ("post('/a', body=b'x')", "POST /a", "application/octet-stream", "x"),
        ("post('/a', body='')", "POST /a", "text/plain; charset=utf-8", ""),
        ("post('/a', form={'a': 'x y', 'b': [1, 2]})", "POST /a", "application/x-www-form-urlencoded", "a=x+y&b=1&b=2"),
        ("post('/a', body='{}', headers={'Content-Type': 'text/csv'})", "POST /a", "text/csv", "{}"),
        ("request('POST', '/a', json=0)", "POST /a", "application/json", "0"),
    ],
)
async def test_a_request_is_as_it_was_asked_for(
    tmp_path: Path, call: str, line: str, kind: str | None, body: str
) -> None:
    request = await sent(tmp_path, call)
    assert request.startswith(f"{line} HTTP/1.1\r\nhost: ".encode())
    assert header(request, "content-type") == kind
    assert request.partition(b"\r\n\r\n")[2].decode() == body
    length = None if line.startswith(("GET", "DELETE")) else str(len(body.encode()))
    assert header(request, "content-length") == length


async def test_headers_are_those_of_the_profile_the_pool_and_the_request(tmp_path: Path) -> None:
    top = 'headers = { x-a = "profile {user}", x-b = "profile", x-c = "{uuid}" }'
    pool = 'headers = { x-b = "pool {iteration}" }'
    request = await sent(tmp_path, "get('/', headers={'X-A': 'mine', 'x-d': 4})", top=top, pool=pool)
    names = [line.partition(b":")[0] for line in request.split(b"\r\n")[1:]]
    assert len(names) - 2 == len(set(names) - {b""})
    found = {name: header(request, name) for name in ("x-a", "x-b", "x-d", "accept")}
    assert found == {"x-a": "mine", "x-b": "pool 1", "x-d": "4", "accept": "*/*"}
    assert len(header(request, "x-c") or "") == 36


async def test_a_header_value_cannot_break_out(tmp_path: Path) -> None:
    request = await sent(tmp_path, r"get('/', headers={'x-a': 'b\r\nx-evil: 1'})")
    assert header(request, "x-a") == "bx-evil: 1"
    assert header(request, "x-evil") is None


async def test_requests_are_counted_under_their_name_or_what_is_running(tmp_path: Path) -> None:
    body = """
    async def setup(self): await self.client.get("/1")

    @task(name="buy it")
    async def buy(self):
        await self.client.get("/2")
        await self.client.get("/3", name="ask")
        await self.client.get("/4", name="ask")
        await self.client.get("/5", name="setup")
    """
    played, _, _ = await play(tmp_path, body, *[ok(b"")] * 5)
    assert {name: leaf.outcomes["ok"] for name, leaf in played.leaves.items()} == {"setup": 2, "buy it": 1, "ask": 2}


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (
            "get('/', name='asks')",
            "ValueError: no row is called 'asks'; add it to requests of Shop (did you mean \"ask\"?)",
        ),
        (
            "get('/', name='zzz')",
            "ValueError: no row is called 'zzz'; add it to requests of Shop (there are: buy, ask, pay)",
        ),
        ("get('http://a/')", "ValueError: expected a path that begins with \"/\", not 'http://a/'; the host belongs"),
        ("get('/a#b')", "ValueError: a path has no #fragment"),
        ("get(None)", 'TypeError: expected a path such as "/api/sessions", not NoneType'),
        ("get('/', jsn=1)", "TypeError: "),
        ("post('/', json=1, body='')", "ValueError: a request has one body: give one of json=, body= and form="),
        ("post('/', json=object())", "TypeError: Encoding objects of type object is unsupported"),
        ("post('/', body=1)", "TypeError: expected text or bytes as body, not int; json= takes anything"),
        ("get('/', headers={'a b': ''})", "ValueError: headers.a b: expected the name of a header"),
        (
            "get('/', headers={'Connection': ''})",
            "ValueError: headers.Connection: connection is set by agenttop itself",
        ),
        ("get('/', headers={'a': None})", "TypeError: expected text as the value of a header, not NoneType"),
        ("get('/', timeout=0)", "ValueError: a timeout is a number of seconds above 0, or a duration such as"),
        ("get('/', timeout='soon')", "ValueError: "),
        ("get('/', dialect='morse')", "ValueError: dialect: expected one of json, custom, openai.chat"),
        ("get('/', checks={'a': 'stats == 2'})", "ValueError: checks.a: bad check: expected a JSONPath"),
        ("request('BREW', '/')", "ValueError: expected one of GET, POST, PUT, PATCH, DELETE, not 'BREW'"),
        ("connect('/')", 'ValueError: connect belongs to a pool with protocol = "ws"; this one has "http"'),
        ("send('/')", 'ValueError: send belongs to a pool with protocol = "ws"; this one has "http"'),
    ],
)
async def test_what_cannot_be_sent_says_what_to_write(tmp_path: Path, call: str, expected: str) -> None:
    assert (await mistake(tmp_path, call)).startswith(expected)


async def test_one_request_at_a_time(tmp_path: Path) -> None:
    both = "await asyncio.gather(self.client.get('/a'), self.client.get('/b'), return_exceptions=True)"
    _, requests, log = await play(tmp_path, task(f"self.log += {both}"), ok(b""))
    assert [path_of(request) for request in requests] == ["/a"]
    assert (log[0].ok, str(log[1])) == (True, "a user sends one request at a time; await the other one first")


# -- answers

CHAT = [
    b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
    b'data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}\n\n',
    b"data: [DONE]\n\n",
]
STREAM = chunked(*CHAT, headers=("content-type: text/event-stream",))
ASK = "a = await self.client.post('/', json={{'stream': True}}, {})"


async def test_a_stream_is_measured_and_handed_out(tmp_path: Path) -> None:
    body = task(ASK.format("dialect='openai.chat', stream=True, name='ask'"), "self.log.append(a)")
    played, requests, (answer,) = await play(tmp_path, body, STREAM)
    assert header(requests[0], "accept") == "text/event-stream"
    leaf = played.leaves["ask"]
    assert (leaf.outcomes, leaf.hists["ttft"].count, leaf.sums["output_tokens"]) == ({"ok": 1}, 1, 2)
    assert (answer.ok, answer.input_tokens, answer.output_tokens) == (True, 3, 2)
    assert 0 < answer.ttfb <= answer.ttft <= answer.latency < 20
    assert answer.body == b"".join(CHAT)
    assert json.loads(answer.events[1])["choices"][0]["delta"]["content"] == "Hi"
    assert answer.events[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("pool", "option", "expected"),
    [
        ('protocol = "sse"', "", "protocol_error"),
        ('protocol = "sse"', "stream=False", "ok"),
        ("", "stream=True", "protocol_error"),
        ("", "", "ok"),
    ],
)
async def test_whether_a_stream_is_asked_for(tmp_path: Path, pool: str, option: str, expected: str) -> None:
    body = task(ASK.format(option), "self.log.append(a.outcome)")
    played, requests, log = await play(tmp_path, body, ok(b"{}"), pool=pool)
    assert log == [expected]
    assert played.only.outcomes == {expected: 1}
    assert header(requests[0], "accept") == ("text/event-stream" if expected != "ok" else "*/*")


async def test_setup_of_a_streaming_pool_takes_json(tmp_path: Path) -> None:
    body = "async def setup(self): (await self.client.get('/')).raise_for_status()\n" + task(
        "await self.client.get('/')"
    )
    played, _, _ = await play(tmp_path, body, ok(b"{}"), STREAM, pool='protocol = "sse"\ndialect = "openai.chat"')
    assert {name: leaf.outcomes for name, leaf in played.leaves.items()} == {"setup": {"ok": 1}, "buy": {"ok": 1}}


async def test_what_a_target_does_wrong_is_an_answer(tmp_path: Path) -> None:
    body = task("a = await self.client.get('/')", "self.log.append((a.status, a.outcome, a.error, a.json()))")
    limited = ok(b'{"wait":1}', "retry-after: 1", status="429 Too Many Requests")
    played, _, log = await play(tmp_path, body, limited, ok(b"[1]", status="404 Not Found"))
    assert log == [
        (429, "rate_limited", '429 Too Many Requests: {"wait":1}', {"wait": 1}),
        (404, "client_error", "404 Not Found: [1]", [1]),
    ]
    assert played.only.outcomes == {"rate_limited": 1, "client_error": 1}


async def test_a_check_of_a_request_makes_it_fail(tmp_path: Path) -> None:
    body = task(
        "a = await self.client.get('/', checks={'has a': '$.a'})", "self.log.append((a.ok, a.outcome, a.error))"
    )
    played, _, log = await play(tmp_path, body, ok(b'{"a":1}'), ok(b"{}"))
    assert log == [(True, "ok", ""), (False, "check_failed", "check failed: has a")]
    assert played.checks == {"has a": (1, 1)}
    assert played.only.outcomes == {"ok": 1, "check_failed": 1}


async def test_redirects_and_retries_of_the_profile_hold(tmp_path: Path) -> None:
    body = task("a = await self.client.post('/', json=1, headers={'x-a': 'b'})", "self.log.append((a.status, a.text))")
    busy = ok(b"", "retry-after: 0", status="429 Too Many Requests")
    there = ok(b"", "location: /there", status="307 x")
    top = 'follow_redirects = true\non_429 = "retry"'
    played, requests, log = await play(tmp_path, body, busy, there, ok(b"done"), top=top)
    assert log == [(200, "done")]
    assert [path_of(request) for request in requests] == ["/", "/", "/there"]
    assert [header(request, "x-a") for request in requests] == ["b"] * 3
    assert requests[2].endswith(b"\r\n\r\n1")
    assert (played.only.outcomes, played.only.sums["retries"]) == ({"ok": 1}, 1)


async def test_no_connection_is_an_answer_too(tmp_path: Path) -> None:
    body = task(
        "a = await self.client.get('/')",
        "self.client.close()",
        "self.log.append((a.status, a.outcome, a.latency))",
        "if not a.ok: self._life.pool.finish(sending=True)",
    )
    played, _, log = await play(tmp_path, body, ok(b""), pool='target = "http://127.0.0.1:9"')
    assert log == [(0, "connect_error", None)]
    assert played.only.outcomes == {"connect_error": 1}
