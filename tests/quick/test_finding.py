"""Tests of agenttop.quick.finding, agenttop.quick.recognise, agenttop.quick.asks, agenttop.quick.exchange.

Answers in, dialect out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from agenttop.quick.exchange import Answer, Ask
from agenttop.quick.finding import MOST, Found, NotFoundError, Wanted, chosen, find
from agenttop.quick.recognise import dialect_of

Target = Callable[[Ask], Answer]
HTML = Answer(200, {"content-type": "text/html"}, ((0.1, b"<html>"),))
NOTHING = Answer(404, {"content-type": "application/json"}, ((0.1, b'{"detail": "Not Found"}'),))


def whole(value: object, status: int = 200) -> Answer:
    """A whole answer of JSON."""
    return Answer(status, {"content-type": "application/json"}, ((0.1, json.dumps(value).encode()),), 0.1)


def stream(*values: object, name: str = "") -> Answer:
    """A stream of events."""
    head = f"event: {name}\n" if name else ""
    pieces = tuple((0.1 * at, f"{head}data: {json.dumps(each)}\n\n".encode()) for at, each in enumerate(values))
    return Answer(200, {"content-type": "text/event-stream; charset=utf-8"}, pieces, 1.0)


@pytest.mark.parametrize(
    ("answer", "dialect"),
    [
        (stream({"choices": []}), "openai.chat"),
        (stream({"type": "response.created", "response": {}}), "openai.responses"),
        (stream({"type": "message_start", "message": {}}, name="message_start"), "anthropic.messages"),
        (stream({"type": "RUN_STARTED"}), "ag-ui"),
        (stream({"jsonrpc": "2.0", "result": {"kind": "task"}}), "a2a"),
        (stream({"run_id": "r"}, name="metadata"), "langgraph"),
        (stream({"author": "x", "invocationId": "e"}), "adk"),
        (stream({"token": "x"}), "json"),
        (stream("ping", {"choices": []}), "openai.chat"),
        (whole({"choices": []}), "openai.chat"),
        (whole({"object": "response"}), "openai.responses"),
        (whole({"type": "message", "content": []}), "anthropic.messages"),
        (whole({"jsonrpc": "2.0", "result": {"kind": "message"}}), "a2a"),
        (whole({"jsonrpc": "2.0", "result": {"protocolVersion": "1"}}), "mcp"),
        (whole({"reply": "x"}), "json"),
        (whole({"choices": []}, 500), ""),
        (HTML, ""),
        (Answer(200, {"content-type": "text/plain"}, ((0.1, b"ok"),)), ""),
        (Answer(), ""),
    ],
)
def test_an_answer_tells_its_dialect(answer: Answer, dialect: str) -> None:
    assert dialect_of(answer) == dialect


def asked(wanted: Wanted, target: Target) -> tuple[Found | NotFoundError, list[str]]:
    """What is found of a target, and the paths that were asked."""
    finding, paths = find(wanted), list[str]()
    ask = next(finding)
    while True:
        paths.append(f"{ask.method} {urlsplit(ask.url).path}")
        try:
            ask = finding.send(target(ask))
        except StopIteration as end:
            return end.value, paths
        except NotFoundError as error:
            return error, paths


def at(**paths: Answer) -> Target:
    """A target that answers at the ends of some paths."""

    def answer(ask: Ask) -> Answer:
        path = urlsplit(ask.url).path
        return next((found for end, found in paths.items() if path.endswith(end)), NOTHING)

    return answer


MODELS = whole({"data": [{"id": "text-embedding-3"}, {"id": "gpt-x"}]})


@pytest.mark.parametrize(
    ("url", "target", "dialect", "paths"),
    [
        ("http://h", at(models=MODELS, completions=stream({"choices": []})), "openai.chat",
         ["GET /v1/models", "POST /v1/chat/completions"]),
        ("http://h/v1", at(models=MODELS, messages=stream({"type": "message_start", "message": {}})),
         "anthropic.messages", ["GET /v1/models", "POST /v1/chat/completions", "POST /v1/messages"]),
        ("http://h/v1/responses?k=1", at(responses=whole({"object": "response"})), "openai.responses",
         ["GET /v1/models", "POST /v1/responses"]),
        ("http://h/agent", at(agent=stream({"type": "RUN_STARTED"})), "ag-ui", ["POST /agent"]),
        ("http://h/ag-ui", at(**{"ag-ui": stream({"type": "RUN_STARTED"})}), "ag-ui", ["POST /ag-ui"]),
        ("http://h/openai", at(completions=whole({"choices": []})), "openai.chat",
         ["POST /openai", "GET /openai/v1/models", "POST /openai/v1/chat/completions"]),
    ],
)  # fmt: skip
def test_a_target_is_found_by_few_questions(url: str, target: Target, dialect: str, paths: list[str]) -> None:
    found, seen = asked(Wanted(url), target)
    assert isinstance(found, Found)
    assert (found.dialect, seen) == (dialect, paths)
    if dialect == "openai.responses":
        assert found.ask.url.endswith("?k=1")
        assert "stream" not in json.loads(found.ask.body or "")  # it did not follow that wish


def test_a_question_is_put_as_a_refusal_asks() -> None:
    def target(ask: Ask) -> Answer:
        body = json.loads(ask.body or "{}")
        if "max_tokens" in body:
            return whole({"error": {"message": "max_tokens is unsupported, use max_completion_tokens"}}, 400)
        if "stream_options" in body:
            return whole({"error": {"message": "stream_options: extra"}}, 422)
        return stream({"choices": []})

    found, seen = asked(Wanted("http://h/v1/chat/completions", model="m"), target)
    assert isinstance(found, Found)
    assert json.loads(found.ask.body or "")["max_completion_tokens"] == 64
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (lambda ask: HTML, "a page for people (HTML)"),
        (lambda ask: NOTHING, "no agent that is known answers there"),
        (lambda ask: Answer(failure="no route"), "GET /v1/models: no route"),
        (lambda ask: whole({"error": {"message": "bad key"}}, 403), "says: bad key: say -H"),
        (lambda ask: whole({"error": {"message": "The model default is not there"}}, 404), "say --model NAME"),
        (lambda ask: whole({"jsonrpc": "2.0", "error": {"code": -32600}}), "no agent that is known"),
    ],
)
def test_what_cannot_be_asked_ends_within_the_bound(target: Target, words: str) -> None:
    for url in ("http://h", "http://h/v1", "http://h/other/path"):
        found, seen = asked(Wanted(url), target)
        assert isinstance(found, NotFoundError)
        assert len(seen) <= MOST
        if url == "http://h":
            assert words in str(found)


def test_no_other_host_than_the_one_named_is_asked() -> None:
    def target(ask: Ask) -> Answer:
        assert urlsplit(ask.url).netloc == "h"
        if ask.url.endswith("agent-card.json"):
            return whole({"url": "https://elsewhere/a2a"})
        return whole({"jsonrpc": "2.0", "result": {"kind": "message"}}) if ask.url.endswith("/a2a") else NOTHING

    found, _ = asked(Wanted("http://h"), target)
    assert isinstance(found, Found)
    assert found.dialect == "a2a"


def test_the_model_that_chats_is_chosen() -> None:
    assert chosen({"data": [{"id": "whisper-1"}, {"id": "x-chat"}]}) == "x-chat"
    assert chosen({"models": [{"name": "llama"}]}) == "llama"
    assert chosen({"data": [{"id": "embed"}]}) == "embed"
    assert chosen(None) == chosen({"data": 1}) == chosen([]) == ""
