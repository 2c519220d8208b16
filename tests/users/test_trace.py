"""Trace ids in requests, and of the slowest ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agenttop.metrics.delta import WARMUP
from agenttop.users.trace import new_traceparent, next_span
from tests.profile.writing import load
from tests.users.playing import Script, ended, header, play, playing, pool_of, profile, realtime
from tests.users.test_outcomes import CHAT, POST, events
from tests.users.test_redirects import moved
from tests.wire.server import ok

#: https://www.w3.org/TR/trace-context/#traceparent-header-field-values
VALID = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01")
ON = "traceparent = true\n"
BUSY = ok(b"later", "retry-after: 0", status="429 Too Many Requests")


def traces(requests: list[bytes]) -> list[tuple[str, str]]:
    """(trace id, span id) of each request."""
    found = []
    for request in requests:
        assert request.lower().count(b"\r\ntraceparent: ") == 1
        value = header(request, "traceparent")
        assert value is not None
        assert VALID.fullmatch(value)
        _, trace, span, _ = value.split("-")
        found.append((trace, span))
    return found


def test_values_are_valid_and_never_the_same() -> None:
    values = {new_traceparent() for _ in range(1000)}
    assert len(values) == len({value[3:35] for value in values}) == len({value[36:52] for value in values}) == 1000
    assert all(VALID.fullmatch(value) for value in values)
    value = new_traceparent()
    again = next_span(value)
    assert VALID.fullmatch(again)
    assert again[:35] == value[:35]
    assert again[36:52] != value[36:52]


@pytest.mark.parametrize(
    "step", ['get = "/"', 'post = "/"\njson = { user = "{user}" }', 'get = "/"\nchecks = { "ok" = "status == 200" }']
)
async def test_every_request_has_a_trace_of_its_own(tmp_path: Path, step: str) -> None:
    _, requests = await play(tmp_path, profile(step, top=ON + "seed = 7"), *[ok(b"x")] * 4)
    _, again = await play(tmp_path, profile(step, top=ON + "seed = 7"), *[ok(b"x")] * 4)
    found = traces([*requests, *again])
    assert len({trace for trace, _ in found}) == len({span for _, span in found}) == 8


async def test_an_attempt_more_is_another_span_of_the_same_trace(tmp_path: Path) -> None:
    top = ON + 'on_429 = "retry"\nmax_retries = 3'
    step = 'post = "/a"\njson = { traceparent = "\\r\\ntraceparent: 00" }'
    _, requests = await play(tmp_path, profile(step, top=top), BUSY, BUSY, ok(b"x"), ok(b"x"))
    first, second, third, other = traces(requests)
    assert first[0] == second[0] == third[0] != other[0]
    assert len({first[1], second[1], third[1], other[1]}) == 4
    assert len({request.partition(b"\r\n\r\n")[2] for request in requests}) == 1


async def test_so_is_one_on_a_new_connection(tmp_path: Path) -> None:
    async def gone(reader: object, writer: object) -> None:
        writer.close()  # type: ignore[attr-defined]

    played, requests = await play(tmp_path, profile(top=ON), ok(b"x"), gone, ok(b"x"))
    _, lost, again = traces(requests)
    assert lost[0] == again[0]
    assert lost[1] != again[1]
    assert played.only.outcomes == {"ok": 2}


async def test_and_where_a_redirect_leads(tmp_path: Path) -> None:
    _, requests = await play(tmp_path, profile(top=ON + "follow_redirects = true"), moved("/b"), ok(b"x"))
    first, second = traces(requests)
    assert first[0] == second[0]
    assert first[1] != second[1]


async def test_without_the_key_there_is_none_and_nothing_is_kept(tmp_path: Path) -> None:
    async with playing(tmp_path, profile(), script := Script(ok(b"x"), ok(b"x"))) as (pool, layout, recorder):
        pool.aim(1)
        await ended(pool)
    assert not any(b"traceparent" in request for request in script.requests)
    assert not layout.traceparent
    assert recorder.fold().slowest == []
    assert pool.compiled.tasks[0].steps[0].static is not None


async def test_the_slowest_are_kept_with_their_traces(tmp_path: Path) -> None:
    answers = [events("a"), ok(b"no", status="500 x"), events("a", "b")]
    async with playing(tmp_path, profile(POST, top=ON, pool=CHAT), script := Script(*answers)) as (pool, _, recorder):
        pool.aim(1)
        await ended(pool)
    rows = recorder.fold().slowest
    ids = [trace for trace, _ in traces(script.requests)]
    assert [row.trace_id for row in rows] == [ids[0], ids[2]]  # failures are in no distribution, and not here
    for row in rows:
        assert (row.request, row.stage, row.status) == (0, 0, 200)
        assert row.ttft_ms is not None
        assert 0 < row.ttft_ms <= row.latency_ms
        assert row.t_s >= 0
    assert recorder.fold().slowest == []


async def test_the_warm_up_is_not_among_them(tmp_path: Path) -> None:
    async with playing(tmp_path, profile(top=ON), Script(ok(b"x"))) as (pool, _, recorder):
        pool.enter(WARMUP)
        pool.aim(1)
        await ended(pool)
    assert recorder.fold().slowest == []


async def test_an_upgrade_has_one(tmp_path: Path) -> None:
    pool, _, _ = pool_of(tmp_path, realtime(ON))
    (connect,) = pool.compiled.setup
    assert b"".join(piece for piece in connect.head if isinstance(piece, bytes)).endswith(b"\r\n\r\n")
    assert connect.made == {"agenttop_traceparent"}
    assert ("traceparent", "agenttop_traceparent") in [
        (name, *template.variables) for name, template in connect.headers if template.variables
    ]
    (send,) = pool.compiled.tasks[0].steps
    assert not send.made


def test_a_profile_says_nothing_of_the_variable(tmp_path: Path) -> None:
    assert "agenttop_traceparent" not in repr(load(tmp_path, ON + profile().replace("{port}", "1")).masked)
