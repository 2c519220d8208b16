"""Steps that can be sent and cannot work as they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.profile.writing import load, problems

POOL = """
target = "http://127.0.0.1:1"
users = 1
duration = "1s"
[[pools]]
name = "chat"
protocol = "sse"
dialect = "openai.chat"
"""
STREAM = 'json = { stream = true, messages = [{ role = "user", content = "hi" }] }\n'


def step(*lines: str) -> str:
    return "\n".join(("[[pools.tasks.steps]]", *lines, ""))


ASKED = step('name = "run"', 'post = "/threads/{thread}/runs"', STREAM)
SAVED = 'save = { thread = "$.id" }'

STEPS = {
    "a thread is made in the task": (step('post = "/threads"', "stream = false", SAVED) + ASKED, []),
    "a thread is made as a stream": (
        step('name = "make"', 'post = "/threads"', STREAM, SAVED) + ASKED,
        ["chat/make saves thread from JSON", "write stream = false"],
    ),
    "a thread is got as a stream": (
        step('name = "make"', 'get = "/threads"', 'dialect = "json"', SAVED) + ASKED,
        ["chat/make saves thread from JSON"],
    ),
    "a header of a stream": (
        step('post = "/threads"', STREAM, 'save = { thread = "header X-Thread" }') + ASKED, []),
    "a check of JSON in a stream": (
        step('name = "run"', 'post = "/runs"', STREAM, 'checks = { there = "$.id" }'),
        ['chat/run: the check "there" reads JSON'],
    ),
    "a check of the body of a stream": (
        step('post = "/r"', STREAM, "checks = { there = 'body contains \"x\"' }"), []),
    "asked for, and said not to be": (
        step('name = "run"', 'post = "/r"', "stream = false", STREAM), ["chat/run asks for a stream, and stream ="]),
    "not asked for": (step('name = "run"', 'post = "/r"', "json = {}"), ["chat/run does not ask for a stream"]),
    "a thread is made by http": (step('post = "/threads"', 'protocol = "http"', SAVED) + ASKED, []),
    "asked for, and said to be http": (
        step('name = "run"', 'post = "/r"', 'protocol = "http"', STREAM),
        ['chat/run asks for a stream, and protocol = "http" says that its answer is none'],
    ),
    "a step of its own is to stream": (
        step('name = "run"', 'post = "/r"', 'protocol = "sse"', "json = {}"), ["chat/run does not ask for a stream"]),
    "not asked for, and none": (step('post = "/r"', "stream = false", "json = {}"), []),
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_a_step_whose_answer_is_no_stream_says_so(tmp_path: Path, name: str) -> None:
    steps, words = STEPS[name]
    warnings = load(tmp_path, POOL + '[[pools.tasks]]\nname = "t"\n' + steps).warnings
    assert len(warnings) == bool(words), warnings
    assert all(word in warnings[0] for word in words)


@pytest.mark.parametrize(
    ("protocol", "dialect", "more", "words"),
    [
        ("sse", "mcp", "", "stream = false"),
        ("sse", "mcp", "stream = false", ""),
        ("http", "mcp", "", ""),
        ("http", "openai.realtime", "", 'protocol = "ws"'),
        ("sse", "openai.realtime", "stream = false", 'protocol = "ws"'),
        ("sse", "langgraph", "", ""),
        ("sse", "mcp", 'protocol = "http"', ""),
        ("http", "mcp", 'protocol = "sse"', 'write protocol = "http" beside it'),
        ("sse", "mcp", 'protocol = "sse"', 'write protocol = "http" beside it'),
        ("http", "langgraph", 'protocol = "sse"', ""),
        ("http", "openai.realtime", 'protocol = "sse"', 'pool with protocol = "ws"'),
        ("http", "langgraph", 'protocol = "sse"\nstream = false', 'contradicts protocol = "sse"'),
        ("sse", "langgraph", 'protocol = "http"\nstream = true', 'contradicts protocol = "http"'),
        ("sse", "langgraph", 'protocol = "http"\nstream = false', ""),
        ("http", "langgraph", 'protocol = "ws"', 'those of a pool with protocol = "ws"'),
        ("http", "langgraph", 'protocol = "h2"', 'expected "http" or "sse"'),
    ],
)
def test_a_dialect_of_a_step_fits_its_pool(tmp_path: Path, protocol: str, dialect: str, more: str, words: str) -> None:
    text = POOL.replace('"sse"', f'"{protocol}"').replace('dialect = "openai.chat"\n', "")
    text += '[[pools.tasks]]\nname = "t"\n' + step('post = "/m"', f'dialect = "{dialect}"', more)
    if not words:
        load(tmp_path, text)
        return
    (problem,) = problems(tmp_path, text)
    assert "dialect" in str(problem)
    assert words in str(problem)


def conversation(history: str, body: str = "", path: str = "/c", more: str = "") -> str:
    turns = 'messages = [{ role = "user", content = "{uuid}" }]'
    head = f'[[pools.tasks]]\nname = "t"\nhistory = {history}\npost = "{path}"\n{more}\n'
    return head + f"json = {{ stream = true, {turns}{body} }}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (conversation("true", ', thread_id = "{uuid}"'), ["json.thread_id", "{uuid}", "{session_uuid}"]),
        (conversation("true", ', metadata = { sessionId = "s-{random}" }'), ["json.metadata.sessionId", "{random}"]),
        (conversation("true", ', conversation = "{iteration_uuid}"'), ["{iteration_uuid}", "{session_uuid}"]),
        (conversation("true", ', session_id = "{user}-{iteration}"'), ["{iteration}", "{session_uuid}"]),
        (conversation('"task"', ', chat_id = "{uuid}"'), ["json.chat_id", "{iteration_uuid}"]),
        (conversation("true", path="/threads/{uuid}/runs"), ["path", "{uuid}"]),
        (conversation("true", more='headers = { X-Session-Id = "{uuid}" }'), ["headers.x-session-id"]),
        (conversation("true", more='query = { session = "{now}" }'), ["query.session", "{now}"]),
        (conversation("true", ', thread_id = "{session_uuid}"'), []),
        (conversation("true", ', session_id = "{user}"'), []),
        (conversation('"task"', ', session_id = "{iteration_uuid}"'), []),
        (conversation('"task"', ', session_id = "{iteration}"'), []),
        (conversation("true", ', run_id = "{uuid}", request_id = "{uuid}"'), []),
        (conversation("false", ', thread_id = "{uuid}"'), []),
    ],
)
def test_a_conversation_has_one_id(tmp_path: Path, text: str, words: list[str]) -> None:
    warnings = load(tmp_path, POOL + text).warnings
    assert len(warnings) == bool(words), warnings
    assert all(word in warnings[0] for word in words)


def test_a_step_may_not_stream_in_the_dialect_of_its_pool(tmp_path: Path) -> None:
    text = POOL.replace('"sse"', '"http"').replace("openai.chat", "mcp")
    text += '[[pools.tasks]]\nname = "t"\n' + step('post = "/m"', 'protocol = "sse"')
    (problem,) = problems(tmp_path, text)
    assert problem.key.endswith("protocol")
    assert 'write protocol = "http" beside it' in problem.message


def test_a_step_of_a_websocket_has_no_protocol_of_its_own(tmp_path: Path) -> None:
    text = POOL.replace('"sse"', '"ws"').replace("openai.chat", "openai.realtime")
    text += '[[pools.setup]]\nconnect = "/"\n[[pools.tasks]]\nsend = {}\nprotocol = "http"\n'
    (problem,) = problems(tmp_path, text)
    assert 'cannot stand in a pool with protocol = "ws"' in problem.message
