"""What a refusal asks for, and whether it is as the profile wants it."""

from __future__ import annotations

import codecs
from array import array
from pathlib import Path
from typing import Any, cast

import pytest

from agenttop.dialects.hints import Hint
from agenttop.metrics.delta import VIOLATION
from agenttop.metrics.outcome import Outcome
from agenttop.metrics.recorder import Leaf
from agenttop.users.answer import Answer
from agenttop.users.compile import compile_pools, layout_of
from agenttop.users.policy import RefusalPolicy
from agenttop.users.refusals import UNDER_LIMIT_NS, Conformance
from tests.profile.writing import SMALL, load
from tests.users.playing import play, profile
from tests.users.test_outcomes import CHAT, POST
from tests.wire.server import chunked, ok

RULES = '[rate_limit]\nbody_matches = "(?i)retry"\n'
HINT = "retry-after: 1"
SECOND = UNDER_LIMIT_NS


def kinds(sums: dict[str, int]) -> dict[str, int]:
    """Violations by kind."""
    return {name.removeprefix(VIOLATION): count for name, count in sums.items() if name.startswith(VIOLATION)}


@pytest.mark.parametrize(
    ("body", "headers", "wanted"),
    [
        (b"please Retry later", (HINT,), {}),
        (b"retry", ("retry-after: Sun, 06 Nov 2094 08:49:37 GMT",), {}),
        (b"retry", ("retry-after-ms: 20",), {}),
        (b"retry", ("x-ratelimit-reset-requests: 6m0s", "x-ratelimit-remaining-requests: 0"), {}),
        (b"retry", ("anthropic-ratelimit-tokens-reset: 2094-11-06T08:49:37Z",), {}),
        (b"go away", (HINT,), {"body does not match": 1}),
        (b"", (HINT,), {"body does not match": 1}),
        (b"retry", (), {"no Retry-After": 1}),
        (b"retry", ("retry-after: soon",), {"unreadable Retry-After": 1}),
        (b"retry", ("retry-after: soon", "ratelimit-reset: 5"), {}),
        (b"go away", (), {"no Retry-After, body does not match": 1}),
    ],
)
async def test_refusals_conform_or_not(
    tmp_path: Path, body: bytes, headers: tuple[str, ...], wanted: dict[str, int]
) -> None:
    played, _ = await play(tmp_path, profile(top=RULES), ok(body, *headers, status="429 x"), ok(b"x"))
    leaf = played.only
    assert leaf.outcomes == {"rate_limited": 1, "ok": 1}
    assert kinds(leaf.sums) == wanted
    assert leaf.sums.get("rate_limit_violations", 0) == sum(wanted.values())
    assert leaf.sums.get("conformant", 0) == (not wanted)


async def test_each_demand_can_be_left_out(tmp_path: Path) -> None:
    bare = ok(b"no", status="429 x")
    for rules in ("[rate_limit]\nretry_after = false\n", '[rate_limit]\nbody_matches = "n.$"\nretry_after = false\n'):
        played, _ = await play(tmp_path, profile(top=rules), bare, ok(b"x"))
        assert (played.only.sums["conformant"], kinds(played.only.sums)) == (1, {})


async def test_a_hint_may_be_the_dialects_own(tmp_path: Path) -> None:
    body = b'{"error": {"code": "rate_limit_exceeded", "message": "Rate limit reached. Please retry after 2s."}}'
    pool = 'dialect = "openai.chat"'
    played, _ = await play(tmp_path, profile(POST, top=RULES, pool=pool), ok(body, status="429 x"), ok(b"{}"))
    assert (played.only.sums["conformant"], kinds(played.only.sums)) == (1, {})


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
@pytest.mark.parametrize("body", [b'{"error": {"retry_after": 2}}', b'{"retry_after": 2}'])
async def test_a_hint_may_stand_in_json_behind_a_byte_order_mark(tmp_path: Path, mark: bytes, body: bytes) -> None:
    for pool in ("", 'dialect = "openai.chat"'):
        text = profile(POST, top="[rate_limit]\n", pool=pool)
        played, _ = await play(tmp_path, text, ok(mark + body, status="429 x"), ok(b"{}"))
        assert kinds(played.only.sums) == {}
        assert played.only.hists["retry_after"].count == 1


async def test_refusals_within_a_stream_are_judged_by_their_words(tmp_path: Path) -> None:
    def stream(words: str) -> bytes:
        error = b'data: {"error": {"code": "rate_limit_exceeded", "message": "%s"}}\n\n' % words.encode()
        return chunked(error, headers=("content-type: text/event-stream",))

    answers = (stream("Please try again in 2s, or retry"), stream("Go away"))
    played, _ = await play(tmp_path, profile(POST, top=RULES, pool=CHAT), *answers)
    assert played.only.outcomes == {"rate_limited": 2}
    assert played.only.sums["conformant"] == 1
    assert kinds(played.only.sums) == {"no Retry-After, body does not match": 1}


async def test_failures_beside_a_refusal_came_under_limit(tmp_path: Path) -> None:
    refused = ok(b"retry", HINT, status="429 x")
    answers = [ok(status="503 x"), refused, ok(status="500 x"), ok(status="400 x"), ok(b"x"), ok(status="500 x")]
    played, _ = await play(tmp_path, profile(top=RULES), *answers)
    assert kinds(played.only.sums) == {"500 under limit": 2, "503 under limit": 1, "400 under limit": 1}
    assert (played.only.sums["conformant"], played.only.sums["rate_limit_violations"]) == (1, 4)


async def test_failures_of_another_request_did_not(tmp_path: Path) -> None:
    steps = 'steps = [{ get = "/a" }, { get = "/b" }]'
    refused = ok(b"retry", HINT, status="429 x")
    answers = [ok(b"x"), refused, ok(status="500 x"), ok(b"x"), ok(b"x")]
    played, _ = await play(tmp_path, profile(task=steps, top=RULES), *answers)
    assert [kinds(leaf.sums) for leaf in played.leaves.values()] == [{}, {}]
    assert played.leaves["GET /a"].outcomes == {"ok": 2, "server_error": 1}


def judged(*events: tuple[int, Outcome, int]) -> dict[str, int]:
    """Violations of (ns, outcome, status) in this order; refusals conform."""
    judge = Conformance(RefusalPolicy("count", 3, True, None, False))
    leaf = Leaf(0, 0)
    answer = Answer()
    answer.begin(cast("Any", None))
    for at_ns, outcome, status in events:
        if outcome is Outcome.RATE_LIMITED:
            judge.refused(leaf, answer, Hint(1.0), at_ns)
        else:
            judge.failed(leaf, outcome, status, at_ns)
    assert leaf.rate_limit_violations == sum(leaf.violations.values())
    return leaf.violations


LIMITED, BROKEN = (Outcome.RATE_LIMITED, 429), (Outcome.SERVER_ERROR, 500)


def test_a_second_before_or_after_is_under_limit_and_no_more() -> None:
    assert judged((9 * SECOND, *LIMITED), (10 * SECOND, *BROKEN)) == {"500 under limit": 1}
    assert judged((9 * SECOND, *LIMITED), (10 * SECOND + 1, *BROKEN)) == {}
    assert judged((9 * SECOND, *BROKEN), (10 * SECOND, *LIMITED)) == {"500 under limit": 1}
    assert judged((9 * SECOND, *BROKEN), (10 * SECOND + 1, *LIMITED)) == {}


def test_each_failure_is_counted_once() -> None:
    beside = [(SECOND, *LIMITED), (SECOND, *BROKEN), (SECOND, *LIMITED), (SECOND, *LIMITED)]
    assert judged(*beside) == judged((SECOND, *BROKEN), *[(SECOND, *LIMITED)] * 3) == {"500 under limit": 1}


def test_only_failures_that_should_have_been_refusals_are() -> None:
    others = [Outcome.TIMEOUT, Outcome.CONNECT_ERROR, Outcome.PROTOCOL_ERROR, Outcome.TRUNCATED, Outcome.CHECK_FAILED]
    assert judged((0, *LIMITED), *((1, outcome, 200) for outcome in others)) == {}
    assert judged((0, *LIMITED), (1, Outcome.STREAM_ERROR, 200)) == {"200 with an error under limit": 1}
    assert judged((0, *LIMITED), (1, Outcome.STREAM_ERROR, 0)) == {"error under limit": 1}  # on a WebSocket


def test_without_rules_nothing_is_judged(tmp_path: Path) -> None:
    for text, judges in ((SMALL, False), (SMALL + "[rate_limit]", True), ('on_429 = "honor"' + SMALL, False)):
        found = load(tmp_path, text).profile
        layout = layout_of(found)
        policy = compile_pools(found, layout)[0].refusals
        assert layout.rate_limit == (policy is not None and policy.judged) == judges


def test_a_leaf_that_is_taken_begins_again_at_nothing() -> None:
    leaf = Leaf(0, 0)
    leaf.violation("x")
    leaf.latency = array("q", [1])
    first = leaf.take()
    assert first is not None
    assert first.delta.sums == {"rate_limit_violations": 1, VIOLATION + "x": 1}
    assert leaf.take() is None


GOOGLE = (
    b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Quota. Retry later", "details": ['
    b'{"@type": "type.googleapis.com/google.rpc.QuotaFailure"},'
    b'{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}]}}'
)


@pytest.mark.parametrize("dialect", ["json", "openai.chat", "adk", "anthropic.messages", "mcp", "a2a"])
@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        (GOOGLE, (), 3.0),
        (b"[" + GOOGLE + b"]", (), 3.0),
        (b'{"error": {"message": "Rate limit reached. Please retry, or try again in 20s."}}', (), 20.0),
        (b"Rate limit, retry. Try again in 1m5s", (), 65.0),
        (b'{"detail": "retry", "retry_after": 7}', (), 7.0),
        (b"retry", ("ratelimit-reset: 5",), 5.0),
        (b"retry", ("date: Sun, 06 Nov 1994 08:49:30 GMT", "retry-after: Sun, 06 Nov 1994 08:49:37 GMT"), 7.0),
        (b"retry", ("retry-after: Sun, 06 Nov 1994 08:49:37 GMT",), 0.0),
        (b"retry", ("retry-after-ms: 250", "retry-after: 1"), 0.25),
    ],
)
async def test_a_hint_is_recorded_as_it_is_judged(
    tmp_path: Path, dialect: str, body: bytes, headers: tuple[str, ...], seconds: float
) -> None:
    text = profile(top=RULES, pool=f'dialect = "{dialect}"')
    played, _ = await play(tmp_path, text, ok(body, *headers, status="429 x"), ok(b"", status="204 x"))
    leaf = played.only
    assert kinds(leaf.sums) == {}
    assert leaf.hists["retry_after"].count == 1
    assert leaf.hists["retry_after"].total / 1e6 == pytest.approx(seconds, rel=1e-3)
