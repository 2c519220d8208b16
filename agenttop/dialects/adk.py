"""Agents of Google's Agent Development Kit: ``POST …/sessions``, then ``POST /run_sse`` (or ``/run``, one JSON list).

https://google.github.io/adk-docs/. A stream is ``data:`` events without names, each one event of the session, and ends
with the connection. Keys are camelCase; a server of one's own may write snake_case.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import SAVE, Dialect
from agenttop.dialects.failure import MALFORMED, MAX_WORDS, fail, stray, tells_limit
from agenttop.dialects.heard_adk import AdkHeard

# What is read of an event:
#
#     partial: true                           a piece of a model's answer: its parts are output
#     no partial, of a model                  the model's whole answer: output only where no piece of it came before
#     content.parts[].text / inlineData / executableCode / functionCall.args    output, if not empty; thought: reasoning
#     content.parts[].functionCall            a tool call, by id; counted in whole answers
#     content.parts[].functionResponse        the end of a model's answer
#     usageMetadata                           tokens; the last of an answer counts, for it runs on in the pieces
#     errorCode, error                        failure, unless the code only says where the model stopped
#
# A call of the model is its pieces and the whole answer after them, by author and branch. Where any answer tells its
# tokens, those that tell none are no call: callbacks and agents that use no model speak for themselves.

#: Codes that are a reason to stop and no failure: an answer cut by its own limit is one.
_STOPPED = frozenset({"STOP", "MAX_TOKENS", "FINISH_REASON_STOP", "FINISH_REASON_MAX_TOKENS"})

#: Function calls with which the kit itself asks the user for something.
_ASKS = "adk_request_"

_PLAIN = 1
_THOUGHT = 2


class _FunctionCall(msgspec.Struct, gc=False):
    id: Any = None
    name: Any = None
    args: Any = None
    partialArgs: Any = None
    partial_args: Any = None


class _Part(msgspec.Struct, gc=False):
    text: Any = None
    thought: Any = None
    functionCall: _FunctionCall | None = None
    function_call: _FunctionCall | None = None
    functionResponse: Any = None
    function_response: Any = None
    inlineData: Any = None
    inline_data: Any = None
    executableCode: Any = None
    executable_code: Any = None


class _Content(msgspec.Struct, gc=False):
    parts: list[_Part] | None = None
    role: Any = None


class _Event(msgspec.Struct, gc=False):
    id: Any = None
    author: Any = None
    branch: Any = None
    partial: Any = None
    content: _Content | None = None
    usageMetadata: Any = None
    usage_metadata: Any = None
    errorCode: Any = None
    error_code: Any = None
    errorMessage: Any = None
    error_message: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_events = msgspec.json.Decoder(list[_Event] | _Event).decode

_Tokens = tuple[int | None, int | None, int | None, int | None]
_UNKNOWN: _Tokens = (None, None, None, None)


# What came in pieces, as a bit set: text or reasoning, tool calls.
_WORDS = 1
_CALLS = 2


class _Answer:
    """One call of a model, as far as it has come."""

    __slots__ = ("closed", "content", "ids", "kinds", "text", "tokens")

    def __init__(self) -> None:
        self.kinds = 0
        self.closed = False
        self.content = False
        self.ids: set[str] = set()
        """Ids of the whole answers: one that is repeated says nothing new."""
        self.text = ""
        self.tokens: _Tokens | None = None


class AdkReader(Reader):
    """Reads one invocation."""

    __slots__ = ("_answers", "_current", "_tools")

    def __init__(self) -> None:
        super().__init__()
        self._answers: list[_Answer] = []
        self._current: dict[tuple[Any, Any], _Answer] = {}
        """The last answer of every author and branch, until a tool has answered it."""
        self._tools: set[Any] = set()

    def event(self, data: bytes, event: bytes = b"") -> int:
        try:
            flags = self._read(_decode(data))
            return stray(self, data, event) if not flags and event == b"error" else flags
        except (*MALFORMED, TypeError):
            # TypeError: an author or id that cannot be one.
            return self._unreadable(data, event)

    def body(self, data: bytes) -> int:
        """Read the list of events that ``/run`` answers; of anything else only an error is read."""
        if not data.strip():
            return DONE
        flags = DONE
        try:
            whole = _decode_events(data)
            if isinstance(whole, list):
                output = 0
                for message in whole:
                    output |= self._read(message)
                self.spoke = bool(output & OUTPUT)
                flags |= output & ~(OUTPUT | REASONING)
            if isinstance(whole, _Event) and whole.error:
                flags |= fail(self, whole.error)
        except (msgspec.ValidationError, TypeError):
            return DONE
        except MALFORMED:
            return DONE | self._unreadable(data, b"")
        # A body did not stream: what it holds is no chunk.
        self.chunks = 0
        return flags

    def _read(self, message: _Event) -> int:
        content = message.content
        parts = (content.parts if content is not None else None) or []
        usage = message.usageMetadata or message.usage_metadata
        code = message.errorCode or message.error_code
        flags = 0
        if message.error or (code and str(code) not in _STOPPED):
            words = message.errorMessage or message.error_message
            # The code may be but the class of an exception.
            flags = fail(
                self, message.error or {"code": code, "message": words, "status": 429 if tells_limit(words) else None}
            )
        key = (message.author, message.branch)
        if any(part.functionResponse or part.function_response for part in parts):
            self._current.pop(key, None)
            return flags
        of_model = content is None or content.role in ("model", None)
        if message.author == "user" or not of_model or not (parts or usage):
            return flags
        output = self._piece(key, parts) if message.partial is True else self._whole(key, message, parts)
        if isinstance(usage, dict):
            # Nearly every piece has it, and mostly one figure of it has changed.
            answer = self._current[key]
            first = answer.tokens is None
            tokens = _merged(answer.tokens or _UNKNOWN, _tokens(usage))
            if tokens != answer.tokens:
                answer.tokens = tokens
                self._sum_tokens()
            if first:
                self._count_calls()
        if output:
            self.chunks += 1
            flags |= OUTPUT if output & _PLAIN else OUTPUT | REASONING
        return flags

    def _piece(self, key: tuple[Any, Any], parts: list[_Part]) -> int:
        output = came = 0
        for part in parts:
            kind = _kind(part)
            if kind:
                output |= kind
                came |= _CALLS if part.functionCall or part.function_call else _WORDS
        answer = self._current.get(key)
        if answer is None or (answer.closed and output):
            answer = self._begin(key)
        answer.kinds |= came
        if output and not answer.content:
            answer.content = True
            self._count_calls()
        return output

    def _whole(self, key: tuple[Any, Any], message: _Event, parts: list[_Part]) -> int:
        answer = self._current.get(key)
        text = "".join(part.text for part in parts if isinstance(part.text, str))
        calls = [call for part in parts if (call := part.functionCall or part.function_call) is not None]
        if answer is None or (answer.closed and not _repeats(answer, message.id, text, bool(calls))):
            answer = self._begin(key)
        again = answer.closed
        if message.id in answer.ids:
            return 0
        answer.closed = True
        answer.text = text or answer.text
        if message.id is not None:
            answer.ids.add(message.id)
        if parts and not answer.content:
            answer.content = True
            self._count_calls()
        for call in calls:
            if not (isinstance(call.name, str) and call.name.startswith(_ASKS)):
                self._tools.add(call.id if call.id is not None else len(self._tools))
        self.tool_calls = len(self._tools)
        output = 0
        for part in parts:
            kind = _CALLS if part.functionCall or part.function_call else _WORDS
            if not answer.kinds & kind and not (again and kind == _WORDS):
                output |= _kind(part)
        return output

    def _begin(self, key: tuple[Any, Any]) -> _Answer:
        answer = self._current[key] = _Answer()
        self._answers.append(answer)
        return answer

    def _count_calls(self) -> None:
        telling = sum(answer.tokens is not None for answer in self._answers)
        self.llm_calls = telling or sum(answer.content for answer in self._answers)
        self.tool_calls = len(self._tools)

    def _sum_tokens(self) -> None:
        total = _UNKNOWN
        for answer in self._answers:
            if answer.tokens is not None:
                total = _added(total, answer.tokens) if total is not _UNKNOWN else answer.tokens
        self.input_tokens, self.output_tokens, self.cached_tokens, self.reasoning_tokens = total
        self.input_tokens = self.input_tokens or None
        if self.input_tokens is None and not self.output_tokens:
            self.output_tokens = self.cached_tokens = self.reasoning_tokens = None

    def _unreadable(self, data: bytes, event: bytes) -> int:
        """Handle what is no event. Older servers write an error's words into JSON as they are, quotes and line breaks
        too.
        """
        text = data.strip()
        if not text or event not in (b"", b"message", b"error"):
            return 0  # a keep-alive
        if text.startswith(b'{"error": "'):
            return fail(self, text[11:].decode(errors="replace").removesuffix('"}')[:MAX_WORDS])
        if self.error is None:
            self.error = f"not an event of an agent: {data[:200].decode(errors='replace')}"
        return ERROR


def _repeats(answer: _Answer, event_id: Any, text: str, calls: bool) -> bool:
    """Return whether a whole answer after a whole answer is of the same call of the model.

    It is with the same id (a server may send an event twice, once with its artifacts), and without anything to say. Of
    an answer that came in pieces also the same text, and the tool calls, which may come apart from the text.
    """
    if event_id in answer.ids or not (text or calls):
        return True
    return bool(answer.kinds & _WORDS) and (text == answer.text if text else not answer.kinds & _CALLS)


def _kind(part: _Part) -> int:
    """Return what a part is, or 0 if it is empty."""
    if part.text:
        return _THOUGHT if part.thought else _PLAIN
    call = part.functionCall or part.function_call
    if call is not None:
        return _PLAIN if call.args or call.partialArgs or call.partial_args else 0
    for blob in (part.inlineData, part.inline_data, part.executableCode, part.executable_code):
        if isinstance(blob, dict) and (blob.get("data") or blob.get("code")):
            return _PLAIN
    return 0


def _tokens(usage: dict[str, Any]) -> _Tokens:
    """Return (input, output, cached, reasoning); output includes the reasoning, as everywhere else."""
    read = _number(usage, "promptTokenCount", "prompt_token_count")
    made = _number(usage, "candidatesTokenCount", "candidates_token_count")
    thought = _number(usage, "thoughtsTokenCount", "thoughts_token_count")
    tools = _number(usage, "toolUsePromptTokenCount", "tool_use_prompt_token_count")
    total = _number(usage, "totalTokenCount", "total_token_count")
    # Gemini counts thoughts apart from candidates. Models behind a gateway may have them in both: the total tells.
    if thought is not None and (total is None or total > (read or 0) + (made or 0)):
        made = (made or 0) + thought
    if tools is not None:
        read = (read or 0) + tools
    return read, made, _number(usage, "cachedContentTokenCount", "cached_content_token_count"), thought


def _number(usage: dict[str, Any], camel: str, snake: str) -> int | None:
    value = usage.get(camel)
    if value is None:
        value = usage.get(snake)
    return value if type(value) is int and value >= 0 else None


def _merged(old: _Tokens, new: _Tokens) -> _Tokens:
    """Return the figures told last, each on its own."""
    if None not in new or old is _UNKNOWN:
        return new
    a, b, c, d = new
    return (
        old[0] if a is None else a,
        old[1] if b is None else b,
        old[2] if c is None else c,
        old[3] if d is None else d,
    )


def _added(left: _Tokens, right: _Tokens) -> _Tokens:
    a, b, c, d = (y if x is None else x if y is None else x + y for x, y in zip(left, right, strict=True))
    return a, b, c, d


class Adk(Dialect):
    """The dialect ``adk``."""

    name = "adk"
    read_by = AdkReader
    heard = AdkHeard
    terminal = False
    protocols = ("http", "sse")
    instead_of_history = f"write {SAVE} as sessionId"
