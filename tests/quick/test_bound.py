"""Tests of agenttop.quick.bound, agenttop.quick.look."""

from __future__ import annotations

import json

from agenttop.quick.bound import MAX_PACING_S, Bound, asked_tokens, plan, searched
from agenttop.quick.exchange import Answer, Ask
from agenttop.quick.finding import Found
from agenttop.quick.look import look_at, one_user

BODY = json.dumps({"max_tokens": 64})


def chat(times: list[float], end_s: float) -> Answer:
    """A streamed answer whose pieces come at these times."""
    pieces = [(t_s, b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n') for t_s in times]
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 30, "completion_tokens": 20}}\n\ndata: [DONE]\n\n'
    return Answer(200, {"content-type": "text/event-stream"}, (*pieces, (end_s, usage)), end_s)


def test_a_stream_that_was_held_back_is_told_from_one_that_was_not() -> None:
    held = look_at("openai.chat", chat([0.98, 0.98, 0.99, 0.99], 1.0))
    assert (held.burst, held.why, held.input_tokens, held.output_tokens) == (True, "", 30, 20)
    assert not look_at("openai.chat", chat([0.2, 0.4, 0.6, 0.8], 1.0)).burst
    assert not look_at("openai.chat", chat([0.98], 1.0)).burst  # one piece says nothing
    cut = Answer(200, {"content-type": "text/event-stream"}, ((0.1, b'data: {"choices": []}\n\n'),), 0.2)
    assert look_at("openai.chat", cut).why == "its stream was cut before its end"


def test_one_user_is_the_median_of_good_answers() -> None:
    looks = [look_at("openai.chat", chat([0.1, t_s], t_s)) for t_s in (0.3, 0.5, 0.9)]
    one = one_user([*looks, look_at("openai.chat", Answer(500, seconds=9.0))])
    assert (one.seconds, one.first_s, one.tokens, one.why) == (0.5, 0.1, 50, "status 500")


def test_the_plan_keeps_the_bound() -> None:
    one = one_user([look_at("openai.chat", chat([0.1, 0.2], 0.2))])
    found = Found(Ask("http://h", BODY), "openai.chat", "m", chat([], 0.2))
    made = plan(found, one, Bound().less(5, 250))
    assert (made.left.requests, made.left.tokens) == (995, 199_750)
    assert (made.worst_input, made.worst_output) == (60, 64)
    assert 0.2 < made.pacing_s <= MAX_PACING_S
    slow = one_user([look_at("openai.chat", chat([0.1, 9.0], 9.0))])
    assert plan(found, slow, Bound()).pacing_s == 0.0
    assert not plan(found, one, Bound(tokens=100)).possible
    table = searched({"name": "x", "users": 1, "duration": "1s", "pools": [{"name": "hit"}]}, made)
    assert table["budget"]["requests"] == 995
    assert table["search"]["to"] == 32
    assert "users" not in table
    assert table["pools"] == [{"name": "quick", "pacing": f"{round(made.pacing_s * 1000)}ms"}] or made.pacing_s == 1.0


def test_a_body_tells_its_longest_answer() -> None:
    assert asked_tokens(BODY) == 64
    assert asked_tokens('{"max_tokens": true}') is asked_tokens("no") is asked_tokens(None) is None
