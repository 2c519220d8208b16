"""Tests of agenttop.users.history.

``history``: what was said and answered goes along with the next request, in the dialect's form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Owed
from agenttop.users.history import Conversation, compile_turn
from agenttop.users.turns import FORGOT
from tests.dialects.test_transcripts import (
    AG_UI_TURNS,
    THOUGHTS,
    TIME,
    TRANSCRIPTS,
    USES,
    WEATHER,
    call_item,
    message_item,
)
from tests.profile.writing import load
from tests.users.playing import Action, Script, ended, header, path_of, play, playing, profile, then_close
from tests.wire.server import chunked, ok

JSON = "content-type: application/json"
EVENTS = ("content-type: text/event-stream",)
RECORDED = Path(__file__).parents[1] / "dialects" / "recorded"


def answer(body: Any, status: str = "200 OK", *headers: str) -> bytes:
    return ok(json.dumps(body).encode(), JSON, *headers, status=status)


def streamed(name: str) -> bytes:
    return chunked((RECORDED / name).read_bytes(), headers=EVENTS)


def bodies(requests: list[bytes]) -> list[Any]:
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]


def says(text: str) -> bytes:
    return answer({"choices": [{"message": {"role": "assistant", "content": text}}]})


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


CHAT = 'dialect = "openai.chat"'
SYSTEM = {"role": "system", "content": "Be brief."}
CALLED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call_7Yk1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Oslo"}'}},
        {"id": "call_9Qm2", "type": "function", "function": {"name": "get_time", "arguments": "{}"}},
    ],
}


async def test_three_turns_and_a_tool_call(tmp_path: Path) -> None:
    task = """
    history = true
    tool_results = { get_weather = { degrees = 21, of = '"{user}"' }, "*" = "noon {{UTC}}" }
    steps = [
      { post = "/a", json = { model = "m", tools = [1], messages = [
        { role = "system", content = "Be brief." }, { role = "user", content = "How is {user}?" } ] } },
      { post = "/b", json = { model = "m", tools = [1], messages = [] } },
      { post = "/c", json = { model = "m", messages = [ { role = "user", content = "Thanks\\n{iteration}" } ] } },
    ]
    """
    text = profile(task=task, pool=CHAT + '\nprotocol = "sse"')
    played, requests = await play(
        tmp_path, text, streamed("chat_tools.sse"), streamed("chat_text.sse"), streamed("chat_refusal.sse")
    )
    results = [
        {"role": "tool", "tool_call_id": "call_7Yk1", "content": '{"degrees":21,"of":"\\"1\\""}'},
        {"role": "tool", "tool_call_id": "call_9Qm2", "content": "noon {UTC}"},
    ]
    asked = [SYSTEM, user("How is 1?")]
    answered = [*asked, CALLED, *results]
    assert bodies(requests) == [
        {"model": "m", "tools": [1], "messages": asked},
        {"model": "m", "tools": [1], "messages": answered},
        {"model": "m", "messages": [*answered, assistant("Grüße, Welt\u2028🌍"), user("Thanks\n1")]},
    ]
    for request in requests:
        assert header(request, "content-length") == str(len(request.partition(b"\r\n\r\n")[2]))
    assert [leaf.outcomes for leaf in played.leaves.values()] == [{"ok": 1}] * 3
    assert sum(leaf.sums["bytes_sent"] for leaf in played.leaves.values()) == sum(map(len, requests))


async def test_anthropic_has_results_in_the_next_message_of_the_user(tmp_path: Path) -> None:
    task = """
    history = true
    steps = [
      { post = "/", json = { system = "S", max_tokens = 9, messages = [ { role = "user", content = "One" } ] } },
      { post = "/", json = { system = "S", max_tokens = 9, messages = [ { role = "user", content = "Two" } ] } },
      { post = "/", json = { system = "S", max_tokens = 9, messages = [] } },
      { post = "/", json = { max_tokens = 9, messages = [
        { role = "user", content = [ { type = "text", text = "Four", cache_control = { type = "ephemeral" } } ] } ] } },
    ]
    """
    text = profile(task=task, pool='protocol = "sse"\ndialect = "anthropic.messages"')
    names = ["messages_thinking_crlf.sse", "messages_tools.sse", "messages_tools.sse", "messages_text.sse"]
    _, requests = await play(tmp_path, text, *map(streamed, names))
    results = [
        {"type": "tool_result", "tool_use_id": identity, "content": "{}"}
        for identity in ("toolu_01T1x1", "toolu_01T1x2")
    ]
    first = [user("One")]
    second = [*first, {"role": "assistant", "content": THOUGHTS}, user("Two")]
    third = [*second, {"role": "assistant", "content": USES}, {"role": "user", "content": results}]
    four = {"type": "text", "text": "Four", "cache_control": {"type": "ephemeral"}}
    fourth = [*third, {"role": "assistant", "content": USES}, {"role": "user", "content": [*results, four]}]
    assert bodies(requests) == [
        {"system": "S", "max_tokens": 9, "messages": first},
        {"system": "S", "max_tokens": 9, "messages": second},
        {"system": "S", "max_tokens": 9, "messages": third},
        {"max_tokens": 9, "messages": fourth},
    ]


async def test_responses_take_items_back(tmp_path: Path) -> None:
    task = """
    history = true
    steps = [
      { post = "/", json = { store = false, instructions = "I", input = "One" } },
      { post = "/", json = { store = false, input = [
        { role = "developer", content = "D" }, { role = "user", content = "Two" } ] } },
      { post = "/", json = { store = false, input = "Three" } },
    ]
    """
    text = profile(task=task, pool='protocol = "sse"\ndialect = "openai.responses"')
    names = ["responses_tools.sse", "responses_reasoning_crlf.sse", "responses_text.sse"]
    _, requests = await play(tmp_path, text, *map(streamed, names))
    first = [
        user("One"),
        call_item(1, *WEATHER),
        call_item(2, *TIME),
        {"type": "function_call_output", "call_id": "call_7Yk1", "output": "{}"},
        {"type": "function_call_output", "call_id": "call_9Qm2", "output": "{}"},
    ]
    developer = {"role": "developer", "content": "D"}
    assert bodies(requests) == [
        {"store": False, "instructions": "I", "input": [user("One")]},
        {"store": False, "input": [developer, *first, user("Two")]},
        {"store": False, "input": [developer, *first, user("Two"), message_item("42"), user("Three")]},
    ]


async def test_an_ag_ui_thread_stays_and_its_messages_have_ids(tmp_path: Path) -> None:
    task = """
    history = true
    post = "/"
    json = { threadId = "t-{random}", runId = "{random}", state = {}, messages = [
      { role = "user", content = "Hours?" } ] }
    """
    text = profile(task=task, pool='protocol = "sse"\ndialect = "ag-ui"')
    names = ["agui_tools.sse", "agui_truncated.sse", "agui_text.sse"]
    _, requests = await play(tmp_path, text, *map(streamed, names))
    first, second, third = bodies(requests)
    assert first["threadId"] == second["threadId"] == third["threadId"] == f"t-{first['runId']}"
    assert len({first["runId"], second["runId"], third["runId"]}) == 3
    asked = {"id": "turn-1-1", **user("Hours?")}
    turns = list(AG_UI_TURNS["agui_tools.sse"])
    turns[3] = {"id": "agenttop-result-c2", "role": "tool", "toolCallId": "c2", "content": "{}"}
    assert first["messages"] == [asked]
    assert second["messages"] == third["messages"] == [asked, *turns, {"id": "turn-2-1", **user("Hours?")}]
    assert set(third) == {"threadId", "runId", "messages", "state"}


ONE = 'post = "/"\njson = { messages = [ { role = "user", content = "{iteration}" } ] }'


@pytest.mark.parametrize(
    "failed",
    [
        answer({"error": {"message": "no"}}, "429 x"),
        answer({"error": {"message": "no"}}, "500 x"),
        answer({"error": {"message": "no"}}),
        says(""),
        then_close(says("cut")[:-3]),
        then_close(),
    ],
)
async def test_a_turn_that_failed_was_never_taken(tmp_path: Path, failed: bytes | Action) -> None:
    text = profile(task=ONE + "\nhistory = true", pool=CHAT, top='connection = "per_request"')
    _, requests = await play(tmp_path, text, says("a"), failed, says("c"), says("d"))
    assert [body["messages"] for body in bodies(requests)] == [
        [user("1")],
        [user("1"), assistant("a"), user("2")],
        [user("1"), assistant("a"), user("3")],
        [user("1"), assistant("a"), user("3"), assistant("c"), user("4")],
    ]


async def test_a_refused_turn_is_sent_again_as_it_was(tmp_path: Path) -> None:
    busy = answer({"error": {"message": "no"}}, "429 x", "retry-after: 0")
    text = profile(task=ONE + "\nhistory = true", pool=CHAT, top='on_429 = "retry"')
    played, requests = await play(tmp_path, text, says("a"), busy, says("b"), says("c"))
    assert requests[1] == requests[2]
    assert bodies(requests)[3]["messages"] == [user("1"), assistant("a"), user("2"), assistant("b"), user("3")]
    assert (played.only.outcomes, played.only.sums["recovered"]) == ({"ok": 3}, 1)


async def test_a_redirected_turn_takes_its_body_along(tmp_path: Path) -> None:
    moved = ok(b"", "location: /moved", status="307 x")
    text = profile(task=ONE + "\nhistory = true", pool=CHAT, top="follow_redirects = true")
    _, requests = await play(tmp_path, text, says("a"), moved, says("b"))
    assert [path_of(request) for request in requests] == ["/", "/", "/moved"]
    first, second, third = bodies(requests)
    assert len(first["messages"]) == 1
    assert second == third == {"messages": [user("1"), assistant("a"), user("2")]}


async def test_a_session_is_one_conversation_and_a_task_may_be_one_of_its_own(tmp_path: Path) -> None:
    steps = "steps = [ {{ {0} }}, {{ {0} }} ]"
    step = 'post = "/{0}", json = {{ messages = [ {{ role = "user", content = "{0}" }} ] }}'
    apart = steps.format(step.format("apart")) + '\nhistory = "task"\n'
    text = profile(task=apart, pool=CHAT) + "[[pools.tasks]]\n" + ONE + "\nhistory = true\n"
    script = Script(*[says("x")] * 13)
    async with playing(tmp_path, text, script) as (pool, _, _):
        pool.aim(1)
        await ended(pool)
    lengths: dict[str, list[int]] = {"/apart": [], "/": []}
    for request, body in zip(script.requests, bodies(script.requests), strict=True):
        lengths[path_of(request)].append(len(body["messages"]))
    assert lengths["/apart"] == [1, 3] * (len(lengths["/apart"]) // 2)
    assert lengths["/"] == list(range(1, 2 * len(lengths["/"]), 2))
    assert all(len(each) > 2 for each in lengths.values())


async def test_a_new_session_is_a_new_conversation(tmp_path: Path) -> None:
    text = profile(task=ONE + "\nhistory = true", pool=CHAT)
    for _ in range(2):
        _, requests = await play(tmp_path, text, says("a"), says("b"))
        assert [len(body["messages"]) for body in bodies(requests)] == [1, 3]


async def test_steps_of_another_dialect_are_no_turns(tmp_path: Path) -> None:
    other = 'post = "/vote", dialect = "json", json = { stars = 5 }'
    turn = 'post = "/", json = { messages = [ { role = "user", content = "Hi" } ] }'
    text = profile(task=f"history = true\nsteps = [ {{ {turn} }}, {{ {other} }}, {{ {turn} }} ]", pool=CHAT)
    _, requests = await play(tmp_path, text, says("a"), ok(b"{}"), says("b"))
    assert bodies(requests)[1:] == [{"stars": 5}, {"messages": [user("Hi"), assistant("a"), user("Hi")]}]


async def test_so_many_turns_are_kept(tmp_path: Path) -> None:
    text = profile(task=ONE + "\nhistory = true\nhistory_turns = 2", pool=CHAT)
    _, requests = await play(tmp_path, text, *[says(letter) for letter in "abcde"])
    assert bodies(requests)[-1]["messages"] == [user("3"), assistant("c"), user("4"), assistant("d"), user("5")]


async def test_a_conversation_forgets_before_it_is_too_large(tmp_path: Path) -> None:
    text = profile(task=ONE + "\nhistory = true", pool=CHAT)
    long = "x" * (MAX_TRANSCRIPT_BYTES // 2)
    script = Script(says("a"), says(long), says(long), says("d"), says("x" * (MAX_TRANSCRIPT_BYTES + 1)), says("f"))
    async with playing(tmp_path, text, script) as (pool, _, _):
        pool.aim(1)
        await ended(pool)
        assert pool.notes == (FORGOT,)
    counts = [len(body["messages"]) for body in bodies(script.requests)]
    # The first two are forgotten for the third; what is too large in itself was never said.
    assert counts == [1, 3, 5, 3, 5, 5]


# -- the conversation by itself


def turns_of(folder: Path, dialect: str, *messages: str, task: str = "") -> list[Any]:
    steps = ", ".join(f'{{ post = "/", json = {{ {TRANSCRIPTS[dialect].key} = {each} }} }}' for each in messages)
    text = profile(task=f"history = true\n{task}\nsteps = [{steps}]", pool=f'dialect = "{dialect}"')
    (pool,) = load(folder, text.replace("{port}", "1")).profile.pools
    (only,) = pool.tasks
    return [compile_turn(only, step, TRANSCRIPTS[dialect]) for step in only.steps]


def asked(talk: Conversation, turn: Any, *answered: Any) -> Any:
    variables: dict[str, str] = {}
    body, exchange = talk.ask(turn, variables)
    talk.keep(turn, exchange, list(answered), variables)
    return json.loads(body)


@pytest.mark.parametrize("dialect", sorted(TRANSCRIPTS))
def test_calls_are_forgotten_with_their_results(tmp_path: Path, dialect: str) -> None:
    spoken = '[ { role = "user", content = "Hi" } ]'
    question, go_on = turns_of(tmp_path, dialect, spoken, "[]", task="history_turns = 2")
    key = TRANSCRIPTS[dialect].key
    talk = Conversation()
    call, kind = {"call": 1}, "function_call_output"
    asked(talk, question, call, Owed("c1", "f", kind))
    asked(talk, go_on, call, Owed("c2", "f", kind))
    three = asked(talk, go_on, {"text": 1})
    assert json.dumps(three).count('"c1"') >= 1
    # The question is forgotten, and with it all that followed without a word of the user's.
    begun = asked(talk, question, call, Owed("c3", "f", kind))
    assert [turn.get("role") for turn in begun[key]] == ["user"]
    assert [turn for turn in begun[key] if "call" in turn or "text" in turn] == []
    last = asked(talk, question, {"text": 2})
    assert '"c3"' in json.dumps(last)
    again = json.dumps(asked(talk, question, {"text": 3}))
    assert again.count('"c3"') == json.dumps(last).count('"c3"')
    # Two are kept: the one with the call goes, and so does its result, though that stood in the next turn.
    assert '"c3"' not in json.dumps(asked(talk, question, {"text": 4}))


def test_the_newest_opening_is_sent_and_only_once(tmp_path: Path) -> None:
    first, second, third = turns_of(
        tmp_path,
        "openai.chat",
        '[ { role = "system", content = "A" }, { role = "user", content = "1" } ]',
        '[ { role = "user", content = "2" } ]',
        '[ { role = "developer", content = "B" },{ role = "user", content = "3" },{ role = "system", content = "C" } ]',
    )
    talk = Conversation()
    asked(talk, first, {"a": 1})
    assert [turn.get("content", turn) for turn in asked(talk, second, {"a": 2})["messages"]] == [
        "A",
        "1",
        {"a": 1},
        "2",
    ]
    for _ in range(2):
        turns = asked(talk, third)["messages"]
        assert [turn.get("content", turn) for turn in turns] == ["B", "C", "1", {"a": 1}, "2", {"a": 2}, "3"]


async def test_what_tools_return_may_be_made_anew(tmp_path: Path) -> None:
    task = """
    history = true
    tool_results = { "*" = "{iteration} {uuid} {now} {random}" }
    steps = [ { post = "/", json = { messages = [ { role = "user", content = "Hi" } ] } },
              { post = "/", json = { messages = [] } } ]
    """
    played, requests = await play(tmp_path, profile(task=task, pool=CHAT), streamed("chat_tools.sse"), says("done"))
    result = bodies(requests)[1]["messages"][-1]["content"].split()
    assert [len(result), result[0], len(result[1])] == [4, "1", 36]
    assert [leaf.outcomes for leaf in played.leaves.values()] == [{"ok": 2}]


@pytest.mark.parametrize("dialect", sorted(TRANSCRIPTS))
def test_a_turn_that_is_nested_too_deep_to_be_written_is_not_kept(tmp_path: Path, dialect: str) -> None:
    (turn,) = turns_of(tmp_path, dialect, '[ { role = "user", content = "Hi" } ]')
    deep: list[Any] = []
    for _ in range(100_000):  # far deeper than any Python writes: 3.11 gives up at 1000, 3.13 at some 10 000
        deep = [deep]
    talk = Conversation()
    _, exchange = talk.ask(turn, {})
    assert talk.keep(turn, exchange, [{"role": "assistant", "content": deep}], {})
    assert talk.turns == 0
