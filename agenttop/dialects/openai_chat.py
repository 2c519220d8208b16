"""The Chat Completions API of OpenAI, and of all that speak it: vLLM, Azure, OpenRouter, Mistral, Gemini, gateways.

https://platform.openai.com/docs/api-reference/chat-streaming. A stream is ``data:`` events of JSON chunks and ends with
``data: [DONE]``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, decoded, fail, gave_up, repaired, stray
from agenttop.dialects.transcript_chat import ChatTranscript
from agenttop.dialects.usage import take_usage

# What is read of a chunk (of a whole answer, ``message`` in place of ``delta``):
#
#     choices[].delta.content / refusal / audio / tool_calls[].function.arguments    output, if not empty
#     choices[].delta.reasoning / reasoning_content / reasoning_details              reasoning
#     choices[].delta.tool_calls[].index                                             one tool call each
#     usage                                   tokens, in whichever chunk it rides; the last one counts. Moonshot has it
#                                             in choices[0], Groq in x_groq
#     error, choices[].error, finish_reason "error" or "abort", object "error", event: error    failure
#
# Fields whose type differs between servers are Any: a surprise there must not cost the chunk.


class _Function(msgspec.Struct, gc=False):
    name: Any = None
    arguments: Any = None
    input: Any = None


class _ToolCall(msgspec.Struct, gc=False):
    index: Any = None
    id: Any = None
    function: _Function | None = None
    custom: _Function | None = None


class _Delta(msgspec.Struct, gc=False):
    content: Any = None
    reasoning: Any = None
    reasoning_content: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    audio: Any = None


class _Choice(msgspec.Struct, gc=False):
    index: Any = 0
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: Any = None
    error: Any = None
    usage: Any = None


class _Chunk(msgspec.Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    x_groq: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode

# What a delta holds, as a bit set.
_PLAIN = 1
_THOUGHT = 2

_NEW = object()


class ChatReader(Reader):
    """Reads one chat completion, streamed or whole."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        super().__init__()
        self._calls: dict[tuple[str, int | str], Any] = {}
        """(choice, index) of every tool call, with the id it was last seen with."""

    def event(self, data: bytes, event: bytes = b"") -> int:
        if data == b"[DONE]":
            return DONE
        try:
            chunk = _decode(data)
        except MALFORMED:
            mended = repaired(_decode, data)
            if mended is None:
                return self._unreadable(data, event)
            chunk = mended
        choices = chunk.choices
        if choices and self.llm_calls is None:
            self.llm_calls = 1
            self.tool_calls = 0
        if choices and len(choices) == 1 and chunk.usage is None and chunk.error is None:
            # Nearly every chunk: a piece of text and nothing else.
            choice = choices[0]
            delta = choice.delta
            if (
                delta is not None
                and delta.content
                and type(delta.content) is str
                and not delta.tool_calls
                and delta.function_call is None
                and choice.finish_reason is None
                and choice.error is None
            ):
                self.chunks += 1
                return OUTPUT
        return self._chunk(chunk, data, event)

    def _chunk(self, chunk: _Chunk, data: bytes, event: bytes) -> int:
        rare = chunk.choices is None or chunk.usage is not None or chunk.x_groq is not None
        flags = self._rare(chunk, data, event) if rare or chunk.error is not None or event else 0
        output = 0
        for choice in chunk.choices or ():
            if choice.delta is not None:
                output |= self._delta(choice.delta, str(choice.index))
            if choice.error is not None or (choice.finish_reason is not None and gave_up(choice.finish_reason)):
                flags |= fail(self, choice.error or f"finish_reason: {choice.finish_reason}")
            if isinstance(choice.usage, dict):
                self._usage(choice.usage)
        if output:
            self.chunks += 1
            # Reasoning alone is reasoning; with anything else in the same chunk it is output.
            flags |= OUTPUT if output & _PLAIN else OUTPUT | REASONING
        return flags

    def body(self, data: bytes) -> int:
        if not data.strip():
            self.spoke = False
            return DONE
        whole = decoded(_decode, data)
        if whole is None:
            return DONE | self._unreadable(data, b"")
        if whole.choices:
            self.llm_calls = 1
            self.tool_calls = 0
        if whole.choices is not None or data.strip() == b"{}":
            self.spoke = False
        flags = DONE | self._rare(whole, data, b"")
        for choice in whole.choices or ():
            if choice.message is not None:
                self.spoke = self._delta(choice.message, str(choice.index)) > 0 or self.spoke
            if choice.error is not None or (choice.finish_reason is not None and gave_up(choice.finish_reason)):
                flags |= fail(self, choice.error or f"finish_reason: {choice.finish_reason}")
            if isinstance(choice.usage, dict):
                self._usage(choice.usage)
        return flags

    def _delta(self, delta: _Delta, choice: str) -> int:
        content = delta.content
        output = 0
        if content:
            output = _PLAIN if type(content) is str else _parts(content)
        if (
            delta.reasoning_content
            or delta.reasoning
            or (delta.reasoning_details and _details(delta.reasoning_details))
        ):
            output |= _THOUGHT
        if delta.tool_calls:
            output |= self._tools(delta.tool_calls, choice)
        if delta.refusal or delta.audio:
            output |= _PLAIN if delta.refusal or _audio(delta.audio) else 0
        if delta.function_call is not None:
            output |= self._tools([_ToolCall(index="function_call", function=delta.function_call)], choice)
        return output

    def _tools(self, calls: list[_ToolCall], choice: str) -> int:
        output = 0
        for position, call in enumerate(calls):
            function = call.function or call.custom
            # Whole answers have no index. Some servers stream parallel calls all with index 0: a call that brings both
            # a name and another id is another call; an id alone is not, for some servers make up one per piece.
            index = call.index if isinstance(call.index, int | str) else position
            known = self._calls.get((choice, index), _NEW)
            named = function is not None and function.name
            if known is _NEW or (named and known and call.id and call.id != known):
                self._calls[choice, index] = call.id
                self.tool_calls = (self.tool_calls or 0) + 1
            if function is not None and (function.arguments or function.input):
                output = _PLAIN
        return output

    def _rare(self, chunk: _Chunk, data: bytes, event: bytes) -> int:
        """Read what few chunks have: usage, and failures."""
        if isinstance(chunk.usage, dict):
            self._usage(chunk.usage)
        elif isinstance(chunk.x_groq, dict) and isinstance(chunk.x_groq.get("usage"), dict):
            self._usage(chunk.x_groq["usage"])
        if chunk.error:
            return fail(self, chunk.error)
        return stray(self, data, event) if not chunk.choices or event == b"error" else 0

    def _usage(self, usage: dict[str, Any]) -> None:
        """Read tokens as the server counts them; what it does not mention stays as it was."""
        prompt, completion = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
        take_usage(
            self,
            usage.get("prompt_tokens"),
            usage.get("completion_tokens"),
            # DeepSeek has its cache hits, xAI and others their reasoning, outside of the details.
            cached=_in(prompt, "cached_tokens", usage.get("prompt_cache_hit_tokens")),
            reasoning=_in(completion, "reasoning_tokens", usage.get("reasoning_tokens")),
            total=usage.get("total_tokens"),
        )

    def _unreadable(self, data: bytes, event: bytes) -> int:
        """Handle unreadable data: an end written with spaces, a keep-alive, or else a failure."""
        text = data.strip()
        if text == b"[DONE]":
            return DONE
        if not text or event not in (b"", b"message", b"error"):
            return 0
        if self.error is None:
            self.error = f"not a chat completion: {data[:200].decode(errors='replace')}"
        return ERROR


def _parts(content: Any) -> int:
    """Return the output of content as a list of typed parts, which Mistral's reasoning models stream."""
    output = 0
    if isinstance(content, list):
        for part in content:
            if isinstance(part, str) and part:
                output |= _PLAIN
            elif isinstance(part, dict):
                if part.get("thinking"):
                    output |= _THOUGHT
                elif part.get("text") or part.get("refusal") or part.get("image_url"):
                    output |= _PLAIN
    return output


def _details(details: Any) -> bool:
    """Return whether OpenRouter's reasoning details are output: with text or a summary, but not encrypted or a
    signature.
    """
    return isinstance(details, list) and any(
        isinstance(detail, dict) and (detail.get("text") or detail.get("summary")) for detail in details
    )


def _audio(audio: Any) -> bool:
    return isinstance(audio, dict) and bool(audio.get("data") or audio.get("transcript"))


def _in(details: Any, name: str, otherwise: Any) -> Any:
    value = details.get(name) if isinstance(details, dict) else None
    return otherwise if value is None else value


class OpenAIChat(Dialect):
    """The dialect ``openai.chat``."""

    name = "openai.chat"
    read_by = ChatReader
    protocols = ("http", "sse")
    asks_to_stream = True
    transcript = ChatTranscript
