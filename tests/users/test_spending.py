"""Tests of agenttop.users.terms, agenttop.users.reservations.

Users who pay: what each request holds before it is sent, and what it has used when it has ended.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.worker_budget import WorkerBudget
from agenttop.metrics.outcome import Outcome
from tests.users.playing import Action, Play, Script, ended, nothing, playing, profile, then_close
from tests.users.test_outcomes import CHAT, POST, events
from tests.wire.reading import until
from tests.wire.server import chunked, ok

TOKENS = "[budget]\ntokens = 100_000\nmax_output_tokens = 100\nmax_input_tokens = 50\n"
WORST = 150
BUSY = ok(b"later", "retry-after-ms: 1", status="429 Too Many Requests")


def told(read: int, written: int) -> bytes:
    """A stream of a chat that tells its usage."""
    usage = json.dumps({"choices": [], "usage": {"prompt_tokens": read, "completion_tokens": written}})
    chunk = json.dumps({"choices": [{"delta": {"content": "a"}}]})
    lines = [f"data: {line}\n\n".encode() for line in (chunk, usage, "[DONE]")]
    return chunked(*lines, headers=("content-type: text/event-stream",))


async def spend(folder: Path, text: str, *answers: bytes | Action) -> tuple[Play, WorkerBudget, list[bytes]]:
    """One user, until the script has ended: what was recorded, what was spent, what was asked."""
    script = Script(*answers)
    async with playing(folder, text, script) as (pool, layout, recorder):
        assert pool.reservations is not None
        pool.aim(1)
        await ended(pool)
        return Play(layout, recorder), pool.reservations.budget, script.requests


def chat(top: str = TOKENS, step: str = POST) -> str:
    return profile(step, pool=CHAT, top=top)


@pytest.mark.parametrize(
    ("answer", "tokens", "kept"),
    [
        (told(12, 30), 42, 0),
        (told(12, 500), 512, 0),
        (events("a", "b"), WORST, 1),
        (BUSY, 0, 0),
        (ok(b"no", status="404 x"), 0, 0),
        (ok(b"oops", status="503 x"), WORST, 1),
        (events("a", done=False), WORST, 1),
        (then_close(), WORST, 1),
    ],
    ids=["told", "told more than the worst", "not told", "429", "404", "503", "truncated", "closed"],
)
async def test_what_an_answer_has_used(tmp_path: Path, answer: bytes | Action, tokens: int, kept: int) -> None:
    _, budget, _ = await spend(tmp_path, chat(), answer)
    assert budget.spent[:2] == (1, tokens)
    assert (budget.held, budget.kept) == (NOTHING, kept)


async def test_a_step_that_calls_no_model_uses_no_tokens(tmp_path: Path) -> None:
    text = profile('get = "/"\nmax_output_tokens = 0', top=TOKENS)
    _, budget, _ = await spend(tmp_path, text, ok(b"{}"), ok(b"{}"))
    assert (budget.spent, budget.held, budget.kept) == (Amount(2), NOTHING, 0)


async def test_the_worst_case_is_held_while_a_request_is_in_flight(tmp_path: Path) -> None:
    text = profile(POST, pool=CHAT, top="[budget]\ntokens = 100_000\nmax_output_tokens = 100\n")
    script = Script(nothing, ok(b""))
    async with playing(tmp_path, text, script) as (pool, _, _):
        assert pool.reservations is not None
        pool.aim(1)
        await until(lambda: bool(script.requests))
        # A token a byte of the body, and of the path it goes to.
        assert pool.reservations.budget.held == Amount(
            1, len(b'{"content":"hello"}') + len(b"POST /chat HTTP/1.1") + 100
        )
        pool.cancel()
        await ended(pool)
        # It was cut: nobody knows how much of it the target has done.
        assert pool.reservations.budget.held == NOTHING
        assert pool.reservations.budget.kept == 1


async def test_what_the_budget_does_not_allow_is_not_sent(tmp_path: Path) -> None:
    script = Script(*[ok(b"x")] * 3)
    async with playing(tmp_path, profile(top="[budget]\nrequests = 2\n"), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: bool(pool.leaves[0].outcomes))
        pool.finish(sending=True)
        await ended(pool)
        played = Play(layout, recorder)
    assert len(script.requests) == 2
    assert played.only.outcomes == {"ok": 2, Outcome.BUDGET_REFUSED.value: 1}
    assert played.pools[0].iterations == 2


async def until_refused(folder: Path, top: str, outcome: str, *answers: bytes) -> tuple[Play, Script]:
    """One user until the budget has made something of a request; it sends nothing more."""
    script = Script(*answers)
    async with playing(folder, profile(top=top), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: outcome in pool.leaves[0].outcomes)
        pool.finish(sending=False)
        await ended(pool)
        return Play(layout, recorder), script


async def test_each_retry_is_a_request_and_the_last_refusal_stands(tmp_path: Path) -> None:
    top = 'on_429 = "retry"\nmax_retries = 5\n[budget]\nrequests = 2\n'
    played, script = await until_refused(tmp_path, top, "rate_limited", *[BUSY] * 4)
    assert len(script.requests) == 2
    assert played.only.outcomes["rate_limited"] == 1
    assert played.only.sums["attempts"] == 2


async def test_each_redirect_is_a_request(tmp_path: Path) -> None:
    moved = ok(b"", "location: /on", status="302 Found")
    top = "follow_redirects = true\n[budget]\nrequests = 3\n"
    played, script = await until_refused(tmp_path, top, "cancelled", moved, ok(b"x"), moved, ok(b"never"))
    assert len(script.requests) == 3
    assert (played.only.outcomes["ok"], played.only.outcomes["cancelled"]) == (1, 1)


async def test_a_redirect_that_finds_no_connection_has_used_nothing(tmp_path: Path) -> None:
    nowhere = ok(b"", "location: http://127.0.0.1:9/x", status="302 Found")  # discard: nobody listens there
    text = profile(top="follow_redirects = true\n[budget]\nrequests = 9\n")
    played, budget, requests = await spend(tmp_path, text, nowhere)
    assert played.only.outcomes == {"connect_error": 1}
    assert (budget.spent.requests, budget.held) == (len(requests), NOTHING) == (1, NOTHING)


async def test_a_request_that_is_sent_again_on_another_connection_is_two(tmp_path: Path) -> None:
    closing = then_close()
    script = Script(ok(b"x"), closing, ok(b"x"), ok(b"never"))
    async with playing(tmp_path, profile(top="[budget]\nrequests = 3\n"), script) as (pool, layout, recorder):
        pool.aim(1)
        await until(lambda: Outcome.BUDGET_REFUSED.value in pool.leaves[0].outcomes)
        pool.finish(sending=False)
        await ended(pool)
        assert pool.reservations is not None
        assert pool.reservations.budget.spent.requests == 3
        played = Play(layout, recorder)
    assert len(script.requests) == 3
    assert played.only.outcomes["ok"] == 2


async def test_what_found_no_connection_has_used_nothing(tmp_path: Path) -> None:
    text = chat().replace("{port}", "9")  # discard: nobody listens there
    async with playing(tmp_path, text, Script()) as (pool, _, _):
        assert pool.reservations is not None
        pool.aim(1)
        await until(lambda: bool(pool.leaves[0].outcomes))
        pool.finish(sending=False)
        await ended(pool)
        assert (pool.reservations.budget.spent, pool.reservations.budget.held) == (NOTHING, NOTHING)


async def test_a_websocket_pays_for_its_handshake_and_for_each_answer(tmp_path: Path) -> None:
    task = 'steps = [{ connect = "/ws" }, { send = "x" }]'
    text = profile(task=task, top=TOKENS, pool='protocol = "ws"\ndialect = "openai.realtime"')
    _, budget, requests = await spend(tmp_path, text, ok(b"no", status="403 x"))
    assert (budget.spent, len(requests)) == (Amount(1), 1)


CLAIMS = [
    {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    {"prompt_tokens": 12, "completion_tokens": 0},
    {"prompt_tokens": 12, "completion_tokens": 1, "total_tokens": 13},
    {"prompt_tokens": 12},
    {"completion_tokens": 3},
    {"total_tokens": 3},
    {"prompt_tokens": -4, "completion_tokens": -1},
    {"prompt_tokens": "12", "completion_tokens": "3"},
    {"prompt_tokens": None, "completion_tokens": None},
    {"prompt_tokens": 10**20, "completion_tokens": 10**20},
    None,
]


@pytest.mark.parametrize("claim", CLAIMS)
async def test_usage_that_cannot_be_believed_leaves_the_worst_case_booked(tmp_path: Path, claim: Any) -> None:
    words = [{"choices": [{"index": 0, "delta": {"content": "word"}}]}] * 5
    lines = [json.dumps(each) for each in (*words, {"choices": [], "usage": claim})]
    data = b"".join(f"data: {line}\n\n".encode() for line in (*lines, "[DONE]"))
    stream = chunked(data, headers=("content-type: text/event-stream",))
    _, budget, _ = await spend(tmp_path, chat(), stream, stream)
    assert (budget.spent[:2], budget.kept) == ((2, 2 * WORST), 2)


async def test_usage_told_on_the_way_is_not_what_a_cut_answer_has_used(tmp_path: Path) -> None:
    part = {"choices": [{"index": 0, "delta": {"content": "a"}}], "usage": {"prompt_tokens": 9, "completion_tokens": 1}}
    broken = {"error": {"message": "broken"}}
    lines = [f"data: {json.dumps(each)}\n\n".encode() for each in (part, broken)]
    stream = chunked(*lines, headers=("content-type: text/event-stream",))
    _, budget, _ = await spend(tmp_path, chat(), stream)
    assert (budget.spent[:2], budget.kept) == ((1, WORST), 1)
