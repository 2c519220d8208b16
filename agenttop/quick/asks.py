"""The smallest question in each dialect that can be asked without more being known than a URL."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from agenttop.quick.exchange import Ask

QUESTION = "Say hello in one sentence."
#: What an answer may be long, in tokens, where it can be asked for.
ANSWER_TOKENS = 64
#: The name that is sent where no list of models tells one, and nobody named it.
ANY_MODEL = "default"
_TURN = {"role": "user", "content": QUESTION}


def _chat(model: str) -> dict[str, Any]:
    asked = {"model": model, "messages": [_TURN], "max_tokens": ANSWER_TOKENS, "stream": True}
    return asked | {"stream_options": {"include_usage": True}}


def _messages(model: str) -> dict[str, Any]:
    return {"model": model, "messages": [_TURN], "max_tokens": ANSWER_TOKENS, "stream": True}


def _responses(model: str) -> dict[str, Any]:
    return {"model": model, "input": QUESTION, "max_output_tokens": ANSWER_TOKENS, "stream": True}


def _ag_ui(model: str) -> dict[str, Any]:
    del model
    turn = {"id": "quick-message", **_TURN}
    rest: dict[str, Any] = {"state": {}, "tools": [], "context": [], "forwardedProps": {}}
    return {"threadId": "quick-thread", "runId": "quick-run", "messages": [turn], **rest}


def _a2a(model: str) -> dict[str, Any]:
    del model
    parts = [{"kind": "text", "text": QUESTION}]
    message = {"role": "user", "kind": "message", "messageId": "quick-message", "parts": parts}
    return {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": message}}


_BODIES: dict[str, Callable[[str], dict[str, Any]]] = {
    "openai.chat": _chat,
    "anthropic.messages": _messages,
    "openai.responses": _responses,
    "ag-ui": _ag_ui,
    "a2a": _a2a,
}
#: Dialects that can be asked, and those of them that stand at a path of their own under a base.
ASKED = tuple(_BODIES)
PATHS = {"openai.chat": "/chat/completions", "anthropic.messages": "/messages", "openai.responses": "/responses"}
_HEADERS = {"anthropic.messages": ("anthropic-version: 2023-06-01",)}


def question(dialect: str, url: str, model: str) -> Ask:
    """Return the question of one of :data:`ASKED`."""
    return Ask(url, json.dumps(_BODIES[dialect](model)), _HEADERS.get(dialect, ()))


def by_path(url: str) -> tuple[str, str]:
    """Return the dialect that a URL's path is of, and the base it stands under; two empty texts if none."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    for dialect, ending in PATHS.items():
        # /messages and /responses alone are anybody's.
        if path.endswith(ending if dialect == "openai.chat" else f"/v1{ending}"):
            return dialect, urlunsplit(parts._replace(path=path.removesuffix(ending)))
    if path.rpartition("/")[2].lower().replace("_", "-") in ("ag-ui", "agui"):
        return "ag-ui", ""
    return "", ""


def api_base(url: str) -> str:
    """Return the base of an API that is asked at ``/v1``: a URL that ends so, or the same with it."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return urlunsplit(parts._replace(path=path if path.rpartition("/")[2] == "v1" else f"{path}/v1"))


def under(base: str, path: str) -> str:
    """Return a URL with a path behind its own, before its query."""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + path))
