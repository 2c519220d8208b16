"""Finds by a few questions how a target is asked: values in, questions out, no I/O.

The order is that of likelihood, and no more than :data:`MOST` are asked:

    a body is given            that one, once
    the path says the dialect  the models of its base, the question
    a base, or nothing         models, chat completions, messages, responses, an agent card (A2A), then the URL itself
    another path               the URL itself (AG-UI; then as its 422 asks for), else as a base

then once more the same question in a form that a refusal asks for. What says why it cannot be asked ends the finding.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from agenttop.dialects import DIALECTS
from agenttop.quick.asks import ANY_MODEL, ASKED, PATHS, QUESTION, api_base, by_path, question, under
from agenttop.quick.exchange import Answer, Ask
from agenttop.quick.recognise import dialect_of

#: Questions that are asked at most.
MOST = 9
#: What models that do not chat are called.
_OTHERS = ("embed", "whisper", "tts", "dall-e", "moderation", "rerank", "image", "audio", "transcribe", "realtime",
           "sora", "guard", "davinci", "babbage", "instruct")  # fmt: skip
_NOT_THERE = (404, 405, 410, 501)


class NotFoundError(Exception):
    """It cannot be asked; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known beforehand; empty what is not."""

    url: str
    dialect: str = ""
    model: str = ""
    body: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """How the target is asked, with the answer that showed it."""

    ask: Ask
    dialect: str
    model: str
    """Empty where the question names none."""
    answer: Answer


Finding = Generator[Ask, Answer, Found]


def find(wanted: Wanted) -> Finding:
    """Find it: yields a question, is sent its answer, returns what was found.

    Raises:
        NotFoundError: it is not found.
    """
    if wanted.body is not None:
        return (yield from _given(wanted))
    by, base = by_path(wanted.url)
    dialect = wanted.dialect or by
    if dialect and dialect not in ASKED:
        raise NotFoundError(f"what is to be asked in {dialect}? Say -d BODY; agenttop explain {dialect} shows one")
    bare = urlsplit(wanted.url).path.rstrip("/").rpartition("/")[2] in ("", "v1")
    found = None
    if dialect and (by or not bare or dialect not in PATHS):
        model = wanted.model or ((yield from _model(base)) if dialect in PATHS and base else "")
        found = yield from _known(dialect, wanted.url, model)
        if found is None and (by or dialect not in PATHS):
            text = f"nothing that speaks {dialect} answers POST {_path(wanted.url)}"
            raise NotFoundError(f"{text}: is the URL right?")
    elif not bare:
        found = yield from _itself(wanted)
    if found is None:
        found = yield from _under(api_base(wanted.url), wanted, dialect)
    if found is None and not dialect and bare:
        found = (yield from _card(wanted.url)) or (yield from _itself(wanted))
    if found is None:
        found = yield from _page(wanted)
    return found


def _given(wanted: Wanted) -> Finding:
    ask = Ask(wanted.url, wanted.body)
    answer = yield ask
    refuse(answer, ask)
    if not answer.ok:
        text = f"POST {_path(ask.url)} is answered with {answer.status}"
        raise NotFoundError(_said(text, answer) + ": is the URL right, and the body (-d)?")
    dialect = wanted.dialect or dialect_of(answer)
    if not dialect:
        raise _no_agent(answer)
    if not answer.streamed and DIALECTS[dialect].streams(_json(wanted.body)):
        raise NotFoundError("the body asks for a stream, and its answer is none: leave stream out of it")
    return Found(ask, dialect, _model_of(wanted.body), answer)


def _model(base: str) -> Generator[Ask, Answer, str]:
    """Return the model to ask: the first in the list that chats."""
    ask = Ask(under(base, "/models"))
    answer = yield ask
    if answer.status in (0, 401, 403):
        refuse(answer, ask)
    return chosen(answer.value) or ANY_MODEL


def chosen(listed: Any) -> str:
    """Return a model of a list of them (``data[].id``); empty if there is none."""
    items = listed.get("data", listed.get("models")) if isinstance(listed, dict) else listed
    names = []
    for item in items if isinstance(items, list) else ():
        name = next((item[key] for key in ("id", "name") if item.get(key)), "") if isinstance(item, dict) else item
        if isinstance(name, str) and name:
            names.append(name)
    chats = [name for name in names if not any(part in name.lower() for part in _OTHERS)]
    return next(iter(chats or names), "")


def _known(dialect: str, url: str, model: str) -> Generator[Ask, Answer, Found | None]:
    """Ask in a dialect; None: it is not there."""
    model = model or (ANY_MODEL if dialect in PATHS else "")
    ask = question(dialect, url, model)
    answer = yield ask
    for _ in range(2):
        other = adapted(ask, answer)
        if other is None:
            break
        ask = other
        answer = yield ask
    if answer.status in _NOT_THERE and not _of_model(answer):
        return None
    refuse(answer, ask)
    if not answer.ok:
        raise _refused(answer, ask, model)
    spoken = dialect_of(answer)
    if spoken in ("", "json") and spoken != dialect:
        return None  # a server that answers every path, with a page or a word
    return Found(ask if answer.streamed else _whole(ask), spoken, model, answer)


def _whole(ask: Ask) -> Ask:
    """Return a question without its wish for a stream, of a target that does not follow it."""
    body = json.loads(ask.body or "{}")
    asked = {key: value for key, value in body.items() if key not in ("stream", "stream_options")}
    return ask if asked == body else Ask(ask.url, json.dumps(asked), ask.headers)


def _under(base: str, wanted: Wanted, dialect: str) -> Generator[Ask, Answer, Found | None]:
    model = wanted.model or (yield from _model(base))
    for name, path in PATHS.items():
        if dialect in ("", name):
            found = yield from _known(name, under(base, path), model)
            if found is not None:
                return found
    return None


def _card(url: str) -> Generator[Ask, Answer, Found | None]:
    """Ask an A2A agent that has a card at the root."""
    origin = urlunsplit(urlsplit(url)._replace(path="", query=""))
    answer = yield Ask(origin + "/.well-known/agent-card.json")
    card = answer.value if answer.ok else None
    if not isinstance(card, dict) or not isinstance(card.get("url"), str):
        return None
    # Whatever it calls itself: nothing is sent to another host than the one that was named.
    parts = urlsplit(card["url"])
    return (yield from _known("a2a", urlunsplit(urlsplit(url)._replace(path=parts.path, query=parts.query)), ""))


def _itself(wanted: Wanted) -> Generator[Ask, Answer, Found | None]:
    """Ask the URL as it is: in AG-UI, whose events tell it, and then as it says that it wants."""
    ask = question("ag-ui", wanted.url, "")
    answer = yield ask
    if answer.status in _NOT_THERE or (answer.html and answer.status != 401):
        return None
    if (body := asked_for(answer, wanted.model)) is not None:
        ask = Ask(wanted.url, body)
        answer = yield ask
    refuse(answer, ask)
    if isinstance(answer.value, dict) and answer.value.get("jsonrpc") and "error" in answer.value:
        return (yield from _known("a2a", wanted.url, ""))
    if answer.ok and (dialect := dialect_of(answer)):
        return Found(ask, dialect, "", answer)
    if answer.ok:
        return None
    text = f"POST {_path(ask.url)} is answered with {answer.status}"
    raise NotFoundError(f"{_said(text, answer)}: say what it wants with -d BODY, and --dialect if you know it")


def _page(wanted: Wanted) -> Finding:
    """Ask for the URL itself, to say what is there."""
    ask = Ask(wanted.url)
    answer = yield ask
    refuse(answer, ask)
    raise _no_agent(answer)


# -- refusals


def adapted(ask: Ask, answer: Answer) -> Ask | None:
    """Return the same question in a form that a refusal of one of its keys asks for; None if it is none."""
    if answer.status not in (400, 422) or ask.body is None:
        return None
    body, words = json.loads(ask.body), answer.body.decode(errors="replace")
    if "max_tokens" in body and "max_completion_tokens" in words:
        body["max_completion_tokens"] = body.pop("max_tokens")
    elif "stream_options" in body and "stream_options" in words:
        del body["stream_options"]
    else:
        return None
    return Ask(ask.url, json.dumps(body), ask.headers)


def asked_for(answer: Answer, model: str) -> str | None:
    """Return the body that a 422 of FastAPI asks for (``detail[].loc`` of what is missing), as JSON text; else None."""
    value = answer.value
    detail = value.get("detail") if answer.status == 422 and isinstance(value, dict) else None
    body: dict[str, Any] = {}
    for item in detail if isinstance(detail, list) else ():
        loc = item.get("loc") if isinstance(item, dict) else None
        if not isinstance(loc, list) or len(loc) != 2 or loc[0] != "body" or item.get("type") != "missing":
            return None
        body[str(loc[1])] = (model or ANY_MODEL) if loc[1] == "model" else QUESTION
    return json.dumps(body) if body else None


def refuse(answer: Answer, ask: Ask) -> None:
    """Raise why no question at all is answered there, if that is so.

    Raises:
        NotFoundError: it is.
    """
    where = f"{ask.method} {_path(ask.url)}"
    if not answer.status:
        raise NotFoundError(f"{where}: {answer.failure}")
    if answer.status in (401, 403):
        text = f"it wants a key, or another one ({answer.status})"
        raise NotFoundError(f"{_said(text, answer)}: say -H 'authorization: Bearer $NAME', taken from the environment")
    if answer.status == 429:
        wait = answer.headers.get("retry-after", "")
        again = f", and asks to come back in {wait[:40]}s" if wait.strip().isdigit() else ""
        raise NotFoundError(_said(f"it refuses the first user already (429){again}", answer) + "; wait, and try again")
    if 300 <= answer.status < 400:
        to = answer.headers.get("location", "").partition("?")[0][:200]
        raise NotFoundError(f"{where} is redirected to {to or 'nowhere'}: say that URL, if it is the agent's")
    if answer.status >= 500:
        raise NotFoundError(_said(f"{where} fails with {answer.status} for one user already", answer))


def _refused(answer: Answer, ask: Ask, model: str) -> NotFoundError:
    text = _said(f"POST {_path(ask.url)} is answered with {answer.status}", answer)
    if _of_model(answer):
        return NotFoundError(f"{text}: the model asked for was {model!r}; say --model NAME")
    return NotFoundError(f"{text}: say what it wants with -d BODY")


def _of_model(answer: Answer) -> bool:
    """Return whether a refusal is of the model."""
    value = answer.value
    error = isinstance(value, dict) and ("error" in value or value.get("object") == "error" or "message" in value)
    return bool(error) and "model" in answer.body.decode(errors="replace").lower()


def _no_agent(answer: Answer) -> NotFoundError:
    what = "a page for people (HTML)" if answer.html else f"{answer.kind or 'an answer without a type'}"
    text = f"no agent that is known answers there, but {what} with status {answer.status}"
    return NotFoundError(f"{text}; name the path of the agent, or say -d BODY and --dialect")


def _said(text: str, answer: Answer) -> str:
    return f"{text}, and says: {answer.words}" if answer.words else text


def _path(url: str) -> str:
    return urlsplit(url).path or "/"


def _model_of(body: str | None) -> str:
    value = _json(body)
    model = value.get("model") if isinstance(value, dict) else None
    return model if isinstance(model, str) else ""


def _json(body: str | None) -> Any:
    try:
        return json.loads(body or "")
    except (ValueError, RecursionError):
        return None
