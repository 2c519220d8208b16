"""Tests of agenttop.users.user, agenttop.users.base, agenttop.users.shared, agenttop.users.messages.

A user's life: kept connections, sessions, variables, redirects, WebSockets.
"""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from agenttop.users import user as users
from agenttop.users.shared import PoolShared
from agenttop.users.user import VirtualUser
from agenttop.wire import http1
from agenttop.wire.target import Target, parse_target
from agenttop.wire.transport import Connection
from tests.users.playing import (
    Play,
    Script,
    ended,
    header,
    path_of,
    play,
    playing,
    pool_of,
    profile,
    talking,
    then_close,
)
from tests.wire.frames import CLOSE, TEXT, accept, frame, read_frame
from tests.wire.reading import until
from tests.wire.server import Reader, Writer, ok, serving

# -- connections


async def test_a_connection_is_kept(tmp_path: Path) -> None:
    answers = [ok(b"x" * size) for size in range(20)]
    played, requests = await play(tmp_path, profile(), *answers)
    leaf = played.only
    assert leaf.outcomes == {"ok": 20}
    assert leaf.status == {200: 20}
    assert leaf.sums == {
        "attempts": 20,
        "connections_opened": 1,
        "connections_reused": 19,
        "bytes_sent": sum(map(len, requests)),
        "bytes_received": sum(map(len, answers)),
    }
    assert {name: hist.count for name, hist in leaf.hists.items()} == {
        "latency": 20,
        "response_time": 20,
        "ttfb": 20,
        "connect": 1,
    }
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, 20)


async def test_a_kept_connection_that_closes_as_we_send_is_opened_again(tmp_path: Path) -> None:
    played, requests = await play(tmp_path, profile(), ok(b"x"), then_close(), ok(b"y"))
    leaf = played.only
    assert leaf.outcomes == {"ok": 2}
    assert (leaf.sums["connections_reopened"], leaf.sums["connections_opened"], leaf.sums["attempts"]) == (1, 2, 3)
    assert played.errors == []
    assert len(requests) == 3


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("policy", ["count", "retry"])
async def test_what_is_sent_again_is_counted_from_its_first_send(tmp_path: Path, method: str, policy: str) -> None:
    text = profile(f'{method} = "/"', top=f'on_429 = "{policy}"')
    played, requests = await play(tmp_path, text, ok(b"x"), then_close(), ok(b"y"))
    leaf = played.only
    assert (leaf.outcomes, leaf.sums["sent_again"], len(requests)) == ({"ok": 2}, 1, 3)
    assert leaf.sums["bytes_sent"] == sum(map(len, requests))
    # The time that the other connection took is in the latency.
    assert leaf.hists["latency"].high > leaf.hists["connect"].low


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("answers", [(ok(b"x"),), (ok(status="429 x"), ok(b"x"))], ids=["first", "after a refusal"])
async def test_what_a_target_has_had_for_a_while_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str, answers: tuple[bytes, ...]
) -> None:
    monkeypatch.setattr(http1, "RACE_NS", -1)
    played, requests = await play(tmp_path, profile(f'{method} = "/"'), *answers, then_close())
    leaf = played.only
    assert leaf.outcomes["protocol_error"] == 1
    assert leaf.hists["time_to_failure"].count == len(answers)
    assert "sent_again" not in leaf.sums
    assert len(requests) == len(answers) + 1
    assert "connection closed before an answer" in [error.message for error in played.errors]


async def test_what_cannot_be_sent_again_fails_with_all_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)
    connect, calls = PoolShared.connect, list[int]()

    async def once(pool: PoolShared, target: Target) -> Connection:
        calls.append(0)
        if len(calls) == 2:
            target = parse_target("http://127.0.0.1:1")
        return await connect(pool, target)

    monkeypatch.setattr(PoolShared, "connect", once)
    played, _ = await play(tmp_path, profile(), ok(b"x"), then_close())
    leaf = played.only
    assert leaf.outcomes == {"ok": 1, "connect_error": 1}
    assert leaf.hists["time_to_failure"].high > 0
    assert leaf.sums["sent_again"] == 1


async def test_a_fresh_connection_that_closes_is_an_error(tmp_path: Path) -> None:
    played, _ = await play(tmp_path, profile(), ok(b"x"), then_close(), then_close())
    assert played.only.outcomes == {"ok": 1, "protocol_error": 1}
    assert played.only.sums["connections_reopened"] == 1


@pytest.mark.parametrize("keep", ["connection: close", "connection: keep-alive"])
async def test_a_connection_is_closed_where_the_target_says_so(tmp_path: Path, keep: str) -> None:
    played, _ = await play(tmp_path, profile(), *[ok(b"x", keep)] * 3)
    assert played.only.outcomes == {"ok": 3}
    assert played.only.sums["connections_opened"] == (3 if keep.endswith("close") else 1)
    assert played.errors == []


# -- sessions and variables

SESSION = """
[[pools.setup]]
post = "/session"
save = { session = "$.id" }
"""


async def test_what_was_saved_is_sent(tmp_path: Path) -> None:
    text = profile('get = "/of/{session}"\nheaders = { x-turn = "{iteration}" }', before=SESSION)
    played, requests = await play(tmp_path, text, ok(b'{"id": "s 1"}'), ok(b"x"), ok(b"y"))
    assert [path_of(request) for request in requests] == ["/session", "/of/s%201", "/of/s%201"]
    assert [header(request, "x-turn") for request in requests] == [None, "1", "2"]
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, 2)


async def test_what_was_saved_from_a_header_is_sent(tmp_path: Path) -> None:
    text = profile(
        'get = "/"\nheaders = { x-session = "{session}" }', before=SESSION.replace("$.id", "header X-Session")
    )
    played, requests = await play(tmp_path, text, ok(b"", "X-SESSION: s-1"), ok(b"x"), ok(b"y"))
    assert [header(request, "x-session") for request in requests] == [None, "s-1", "s-1"]
    assert played.errors == []


async def test_a_set_up_that_fails_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(users, "RETRY_S", 0.0)
    monkeypatch.setattr("agenttop.users.base.RETRY_S", 0.0)
    text = profile('get = "/of/{session}"', before=SESSION)
    played, requests = await play(tmp_path, text, ok(status="503 x"), ok(b"{}"), ok(b'{"id": 7}'), ok(b"x"))
    assert [path_of(request) for request in requests] == ["/session", "/session", "/session", "/of/7"]
    assert played.leaves["POST /session"].outcomes == {"server_error": 1, "check_failed": 1, "ok": 1}
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, 1)


async def test_a_failed_step_ends_its_task(tmp_path: Path) -> None:
    steps = 'steps = [{ get = "/a" }, { get = "/b" }]'
    played, requests = await play(
        tmp_path, profile(task=steps), ok(b"x"), ok(b"x"), ok(status="500 x"), ok(b"x"), ok(status="500 x")
    )
    assert [path_of(request) for request in requests] == ["/a", "/b", "/a", "/a", "/b"]
    (pool,) = played.pools
    assert pool.iterations == 1
    assert played.leaves["GET /a"].outcomes == {"ok": 2, "server_error": 1}
    assert played.leaves["GET /b"].outcomes == {"ok": 1, "server_error": 1}


async def test_a_tear_down_comes_last(tmp_path: Path) -> None:
    text = profile() + '[[pools.teardown]]\ndelete = "/session"\n'
    script = Script(ok(b"x"), ok(b"y"), ok(b"gone"))
    async with playing(tmp_path, text, script) as (pool, layout, recorder):
        script.pool = None
        pool.aim(1)
        (user,) = pool.tasks
        await until(lambda: len(script.requests) == 2)
        user.retire()
        await ended(pool)
        played = Play(layout, recorder)
    assert [request.split(b" ")[0] for request in script.requests] == [b"GET", b"GET", b"DELETE"]
    assert played.leaves["DELETE /session"].outcomes == {"ok": 1}


async def test_checks_are_counted_each(tmp_path: Path) -> None:
    step = 'get = "/"\nchecks = { id = "$.id", small = "$.n < 3", fine = "status == 200" }'
    played, _ = await play(tmp_path, profile(step), ok(b'{"id": 1, "n": 2}'), ok(b'{"n": 5}'))
    assert played.checks == {"id": (1, 1), "small": (1, 1), "fine": (2, 0)}
    assert played.only.outcomes == {"ok": 1, "check_failed": 1}


# -- what answers tell


async def test_retry_after_is_recorded(tmp_path: Path) -> None:
    limited = ok(b"", "retry-after: 3", status="429 x")
    played, _ = await play(tmp_path, profile(), limited, ok(b"", status="429 x"), ok(b"x"))
    leaf = played.only
    assert leaf.outcomes == {"rate_limited": 2, "ok": 1}
    assert (leaf.hists["retry_after"].count, leaf.hists["retry_after"].total) == (1, 3_000_000)


async def test_phases_are_recorded(tmp_path: Path) -> None:
    timed = ok(b"x", "server-timing: context_load;dur=2.5, llm_call;dur=100000")
    played, _ = await play(tmp_path, profile(), timed, ok(b"x"))
    hists = played.only.hists
    assert hists["phase.context_load"].total == 2_500
    assert hists["phase.llm_call"].total == 100_000_000
    assert (hists["phase_share.llm_call"].count, hists["phase_share.llm_call"].total) == (1, 1000)  # not more than all
    assert 0 < hists["phase_share.context_load"].total <= 1000
    assert (hists["unattributed"].count, hists["unattributed"].total) == (1, 0)
    assert hists["latency"].count == 2


# -- WebSocket

WS = 'protocol = "ws"\n'
CONNECT = '[[pools.setup]]\nconnect = "/ws"\n'
SEND = 'send = { ask = "{iteration}" }\nexpect = "$.done"'


async def talk(folder: Path, text: str, *connections: list[bytes]) -> tuple[Play, list[bytes]]:
    """The replies to the messages of each connection, which then ends. The last reply of all ends the run."""
    messages: list[bytes] = []
    handle = talking(connections, messages, lambda: pool.finish(sending=True))
    async with serving(handle) as server:
        pool, layout, recorder = pool_of(folder, text.replace("{port}", str(server.port)))
        pool.aim(1)
        await ended(pool)
        return Play(layout, recorder), messages


DONE = frame(TEXT, b'{"part": 1}') + frame(TEXT, b'{"done": true}')


async def test_messages_are_requests(tmp_path: Path) -> None:
    played, messages = await talk(tmp_path, profile(SEND, pool=WS, before=CONNECT), [DONE, DONE])
    assert messages == [b'{"ask":"1"}', b'{"ask":"2"}']
    (connect, sends) = played.leaves.values()
    assert (connect.outcomes, connect.status, connect.hists["connect"].count) == ({"ok": 1}, {101: 1}, 1)
    assert (sends.outcomes, sends.sums["attempts"]) == ({"ok": 2}, 2)
    assert sends.sums["bytes_received"] == 2 * len(DONE)
    assert (sends.hists["latency"].count, sends.hists["ttft"].count) == (2, 2)
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (1, 2)


async def test_a_lost_websocket_is_set_up_again(tmp_path: Path) -> None:
    lost = frame(CLOSE, struct.pack("!H", 1012) + b"restart")
    played, messages = await talk(tmp_path, profile(SEND, pool=WS, before=CONNECT), [DONE, lost], [DONE])
    assert len(messages) == 3
    (connect, sends) = played.leaves.values()
    assert connect.outcomes == {"ok": 2}
    assert sends.outcomes == {"ok": 2, "truncated": 1}
    assert played.message() == "closed by the target with code 1012: restart"
    (pool,) = played.pools
    assert (pool.sessions, pool.iterations) == (2, 2)


CLOSED_WITH = {
    "refused": (frame(CLOSE, struct.pack("!H", 4401) + b"bad token"), "closed by the target with code 4401: bad token"),
    "restart": (frame(CLOSE, struct.pack("!H", 1012)), "closed by the target with code 1012"),
    "no word": (b"", "connection closed without a close frame"),
    "no frame": (b"\xff\xff", "malformed WebSocket frame"),
    "no text": (frame(TEXT, b"\xff\xfe"), "a text message that is not UTF-8"),
}


@pytest.mark.parametrize("name", CLOSED_WITH)
@pytest.mark.parametrize("turns", [0, 1])
async def test_a_websocket_found_closed_is_a_failure(tmp_path: Path, name: str, turns: int) -> None:
    last, words = CLOSED_WITH[name]

    async def handle(reader: Reader, writer: Writer) -> None:
        await accept(reader, writer)
        for _ in range(turns):
            await read_frame(reader)
            writer.write(DONE)
        await answered.wait()
        writer.write(last)

    answered = asyncio.Event()
    async with serving(handle) as server:
        text = profile(SEND, pool=WS, before=CONNECT).replace("{port}", str(server.port))
        pool, layout, recorder = pool_of(tmp_path, text)
        user, send = VirtualUser(pool, 1), pool.compiled.tasks[0].steps[0]
        assert await user._perform(pool.compiled.setup[0])
        for _ in range(turns):
            assert await user._perform(send)
        answered.set()
        await until(lambda: user.socket is not None and not user.socket.open)
        assert not await user._perform(send)
        assert not user.session_goes_on()
        user.close()
    played = Play(layout, recorder)
    connect, sends = played.leaves.values()
    outcome = "protocol_error" if name.startswith("no ") and name != "no word" else "truncated"
    assert connect.outcomes == {"ok": 1}
    assert sends.outcomes == {outcome: 1, **({"ok": turns} if turns else {})}
    assert (sends.sums["sessions_lost"], sends.hists["time_to_failure"].count) == (1, 1)
    assert words in played.message()


async def test_a_session_lost_after_its_turn_is_counted(tmp_path: Path) -> None:
    bye = frame(CLOSE, struct.pack("!H", 1001))
    played, _ = await talk(tmp_path, profile(SEND, pool=WS, before=CONNECT), [DONE + bye], [DONE])
    (connect, sends) = played.leaves.values()
    assert (connect.outcomes, sends.outcomes) == ({"ok": 2}, {"ok": 2})
    assert sends.sums["sessions_lost"] == 1
    assert played.errors == []


REFUSALS = {
    "429": (ok(b"full", "retry-after: 2", status="429 x"), "rate_limited", 429, "429 Too Many Requests: full"),
    "200": (ok(b"a page"), "protocol_error", 200, "no WebSocket: status 200 instead of 101"),
    "wrong key": (
        b"HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: wrong\r\n\r\n",
        "protocol_error",
        101,
        "answered with a wrong key",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_an_upgrade_that_is_refused(tmp_path: Path, name: str) -> None:
    answer, outcome, status, words = REFUSALS[name]
    played, _ = await play(tmp_path, profile(SEND, pool=WS, before=CONNECT), answer)
    assert played.only.outcomes == {outcome: 1}
    assert played.only.status == {status: 1}
    assert words in played.message()
    assert ("retry_after" in played.only.hists) == (status == 429)
    assert played.pools == []


@pytest.mark.parametrize("where", ["top", "pool"])
async def test_headers_of_all_requests_know_the_iteration(tmp_path: Path, where: str) -> None:
    text = profile(**{where: 'headers = { x-turn = "{iteration}" }'})
    _, requests = await play(tmp_path, text, ok(b""), ok(b""), ok(b""))
    assert [header(request, "x-turn") for request in requests] == ["1", "2", "3"]
