"""Reads what targets say about their own failures: the words, whether it is a limit, and how long to wait."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from agenttop.dialects.base import ERROR, RATE_LIMITED, Reader

#: What decoding an answer raises, whatever is wrong with it; the last, where it is nested without end.
MALFORMED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

#: Parts of codes and types that mean a limit. A quota used up is one as well: servers answer it with 429.
_LIMITS = ("rate_limit", "ratelimit", "rate limit", "too_many_requests", "toomanyrequests", "throttl",
           "resource_exhausted", "insufficient_quota", "quota_exceeded")  # fmt: skip

#: Where an error object keeps what it is; the value may be a string or a number.
_CODES = ("code", "type", "status", "status_code", "raw_status_code", "error_type")

#: How clients of models begin or spell a limit in the words of their exceptions: frameworks pass them on as text.
_LIMIT_WORDS = re.compile(
    r"^429\b|(?:http|code|status|error)\W{0,3}429\b|rate[ _-]?limit|too[ _]many[ _]requests|resource[ _]?exhausted"
    r"|quota exceeded|\(throttl",
    re.IGNORECASE,
)

_TRY_AGAIN = re.compile(r"(?:try again|retry) (?:in|after) ((?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+)(?![a-z])")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

#: Reasons to stop that mean that the target gave up: ``abort`` of vLLM and SGLang, ``insufficient_system_resource`` of
#: DeepSeek, ``network_error`` of Zhipu, ``error_limit`` and ``error_toxic`` of Cohere. A filter of contents and a limit
#: of length are documented ends of an answer that is one.
_GAVE_UP = frozenset({"error", "abort", "aborted", "cancelled", "canceled", "failed", "timeout", "network_error",
                      "server_error", "internal_error", "insufficient_system_resource", "error_limit",
                      "error_toxic"})  # fmt: skip

_decode: Callable[[bytes | str], Any] = msgspec.json.Decoder().decode

_T = TypeVar("_T")

#: Where an error object says how long to wait, and in what part of a second; the last is of google.rpc.RetryInfo.
_WAITS = (("retry_after_ms", 0.001), ("retry_after", 1.0), ("retry_after_seconds", 1.0), ("retryAfter", 1.0),
          ("retryDelay", 1.0), ("retry_delay", 1.0))  # fmt: skip
_DELAY = re.compile(r"(\d{1,9}(?:\.\d{0,9})?)s?", re.ASCII)

#: Details of an error that are looked at.
MAX_DETAILS = 16

#: Characters of a target's words that are kept.
MAX_WORDS = 500


def fail(reader: Reader, error: Any) -> int:
    """Note a failure the target tells of, and return its flags.

    ``error`` is what stands in an error's place: an object, a string, a number. The first failure's words are kept: a
    second event is mostly the same failure told again.
    """
    words, codes, wait = _words(error), [], None
    if isinstance(error, dict):
        codes = [error[name] for name in _CODES if error.get(name) is not None]
        wait = _wait(error)
        for holder in (error.get("metadata"), *_details(error)) if wait is None else ():
            wait = _wait(holder) if wait is None else wait
    elif isinstance(error, str | int) and not isinstance(error, bool):
        codes = [error]
    limited = any(code == 429 or _is_limit(str(code)) for code in codes)
    if reader.error is None:
        reader.error = words
    if reader.retry_after_s is None:
        reader.retry_after_s = wait if wait is not None else _try_again(words) if limited else None
    return ERROR | RATE_LIMITED if limited else ERROR


def stray(reader: Reader, data: bytes, event: bytes = b"") -> int:
    """Return the flags of an event that a dialect does not know: of a failure told in another way than its own, or 0.

    Whoever stands before an agent (a gateway, a server's framework) tells its failures in its own way:

    - an event called ``error``, whatever is in it: sse-starlette, proxies of Anthropic's API, LangServe;
    - ``{"error": …}``: OpenAI and who copies it, TGI, Ollama, LiteLLM, OpenRouter;
    - ``{"type": "error", …}``, ``{"object": "error", …}``: Anthropic, vLLM of old;
    - ``{"throttlingException": …}``: Bedrock's streams, passed on as JSON.
    """
    named = event == b"error"
    if not named and not may_fail(data):
        return 0
    try:
        value = _decode(data)
    except MALFORMED:
        value = repaired(_decode, data)
        if value is None and named:
            value = data.decode(errors="replace").strip()[:MAX_WORDS]
    return stray_value(reader, value, named=named)


def may_fail(data: bytes) -> bool:
    """Return whether data contains a word that every such failure has."""
    # find, for "in" first takes the bytes for a number: 250 ns instead of 50.
    return data.find(b"rror") >= 0 or data.find(b"xception") >= 0


def stray_value(reader: Reader, value: Any, *, named: bool = False) -> int:
    """Do the same with decoded JSON; ``named``: it came in an event called ``error``."""
    if isinstance(value, dict):
        error = value.get("error")
        if isinstance(error, dict) and error:
            return fail(reader, error)
        if (isinstance(error, str) and error) or "error" in (value.get("type"), value.get("object")):
            return fail(reader, value)
        for name, detail in value.items():
            if name.endswith("Exception") and isinstance(detail, dict | str):
                return fail(reader, {"type": name, **(detail if isinstance(detail, dict) else {"message": detail})})
    return fail(reader, value) if named else 0


def gave_up(reason: Any) -> bool:
    """Return whether a reason to stop (``finish_reason``, ``stop_reason``) means that the target failed."""
    return isinstance(reason, str) and reason.lower() in _GAVE_UP


def decoded(decode: Callable[[bytes | str], _T], data: bytes) -> _T | None:
    """Decode a whole answer, with broken UTF-8 replaced; return None if that is not possible."""
    try:
        return decode(data)
    except MALFORMED:
        return repaired(decode, data)


def repaired(decode: Callable[[str], _T], data: bytes) -> _T | None:
    """Decode with broken UTF-8 replaced, as the event-stream format does; return None if that was not the trouble."""
    try:
        return decode(data.decode("utf-8", "replace"))
    except MALFORMED:
        return None


def tells_limit(words: Any) -> bool:
    """Return whether the words of an exception that a target passes on are of a limit; it may pass no code
    with them.
    """
    return isinstance(words, str) and _LIMIT_WORDS.search(words.strip()) is not None


def _is_limit(code: str) -> bool:
    code = code.strip().lower()
    return code == "429" or any(part in code for part in _LIMITS)


def _words(error: Any) -> str:
    if isinstance(error, dict):
        for name in ("message", "detail", "error", "code", "type", "reason"):
            if isinstance(value := error.get(name), str | int) and value != "":
                return str(value)[:MAX_WORDS]
        return "error"
    return str(error)[:MAX_WORDS] if error not in (None, True, "", [], {}) else "error"


def _wait(holder: Any) -> float | None:
    if not isinstance(holder, dict):
        return None
    for name, scale in _WAITS:
        value = holder.get(name)
        if isinstance(value, str) and (delay := _DELAY.fullmatch(value)):
            value = float(delay[1])
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9:
            return value * scale
    return None


def _details(error: dict[str, Any]) -> list[Any]:
    """Return the details of an error of Google's APIs (google.rpc.Status)."""
    details = error.get("details")
    return details[:MAX_DETAILS] if isinstance(details, list) else [details]


def told_wait(data: bytes) -> float | None:
    """Return the seconds that the body of a refusal asks to wait, whatever its dialect; None where it does not say.

    Read are the members that error objects have (see :func:`fail`), at the top, under ``error`` and in a list of such;
    and "try again in 20s" of their words, or of a body that is no JSON.
    """
    try:
        value = _decode(data)
    except MALFORMED:
        return _try_again(data[:MAX_WORDS].decode(errors="replace"))
    for each in value[:1] if isinstance(value, list) else [value]:
        for holder in (each.get("error"), each) if isinstance(each, dict) else ():
            wait = next((seconds for at in _holders(holder) if (seconds := _wait(at)) is not None), None)
            if wait is None and isinstance(holder, dict | str) and holder:
                wait = _try_again(_words(holder))
            if wait is not None:
                return wait
    return None


def _holders(error: Any) -> list[Any]:
    return [error, error.get("metadata"), *_details(error)] if isinstance(error, dict) else []


def _try_again(words: str) -> float | None:
    """Return the seconds of OpenAI's "Please try again in 6m0s": without headers, as on a WebSocket, the only hint."""
    match = _TRY_AGAIN.search(words.lower())
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(match[1])) if match else None


#: A session by one of its names, and which: an id has no space in it. Nothing here is looked at twice.
_SESSION = r"(?:session|thread|conversation|chat|context|interaction)(?:[ _-]?ids?)?+"
_WHICH = r"(?: with(?: the)?(?: given)? id)?+[\W_]{0,4}+"
_WAS = r"(?:(?:has|have|was|is|are|does|did|could|can|been|already)[ _])*+"
_LOST = (
    r"(?:not[ _-]?(?:be[ _-])?(?:found|known|exist|recognized|valid\b|initialized)|(?:doesn't|didn't) exist"
    r"|no longer (?:exist|valid|available|known|active)|unknown|invalid|expired|terminated|gone\b|missing\b)"
)
#: How targets say that they do not know (any more) what a client takes for its session.
_FORGOTTEN = re.compile(
    rf"{_SESSION}{_WHICH}(?:{_WAS}{_LOST}|\S{{1,80}}+ {_WAS}{_LOST})"
    rf"|(?:unknown|invalid|expired|no such|no valid|no active|unrecognized|(?:could not|couldn't|cannot|can't) find)"
    rf"[ _-](?:(?:the|a|mcp|this|any) )?(?:session|thread|conversation)"
    rf"|\bno (?:\w{{1,20}} )?(?:session|thread|conversation) (?:was )?found"
    rf"|server not initialized",
    re.IGNORECASE,
)


def forgets_session(words: str) -> bool:
    """Return whether the words of a failure say that a session (thread, conversation, …) is not known any more.

    They are those of MCP's SDKs ("Session not found", "No valid session ID provided", "Server not initialized"), OpenAI
    ("No thread found with id …", "Conversation with id … not found"), LangGraph ("Thread … not found"), ADK ("Session
    not found: …"), and codes such as ``session_expired``.
    """
    return _FORGOTTEN.search(words[:MAX_WORDS]) is not None
