"""LangGraph servers: ``POST /threads``, then ``POST /threads/{thread_id}/runs/stream``; or ``POST /runs/stream``.

https://docs.langchain.com/langsmith/streaming. A stream is named events and ends with the connection: servers of today
send no event for it, older ones sent ``end``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, fail, stray, tells_limit
from agenttop.dialects.heard_langgraph import LangGraphHeard
from agenttop.dialects.usage import count, reconciled

# What is read, by the name of the event; a subgraph's has "|" and its namespace after it:
#
#     messages            [message, metadata]: a piece of an AI message (AIMessageChunk), or a whole message (ai)
#     messages/partial    [message]: the AI message so far; output where it grew
#     messages/complete   [message]: a whole message
#     updates             {node: {"messages": [message]}}: whole messages, after the last one of a human
#     values              {"messages": [message]}: the whole state again and again; the first is what the run began with
#     error               failure
#     end                 the end
#
# A message that came in pieces, or was there already, is no output when it comes again. Messages of tools and humans
# are not read. Tokens of pieces are added up, as LangChain adds its chunks; those of a whole message replace them.

#: What LangChain's ids for one call of a model begin with.
_OWN = ("lc_run-", "run-")
_AI = frozenset({"ai", "AIMessage", "assistant"})
_HUMAN = frozenset({"human", "HumanMessage", "user"})

_PLAIN = 1
_THOUGHT = 2


class _Call(msgspec.Struct, gc=False):
    name: Any = None
    args: Any = None
    id: Any = None
    index: Any = None


class _Message(msgspec.Struct, gc=False):
    type: Any = None
    role: Any = None
    id: Any = None
    content: Any = None
    additional_kwargs: Any = None
    tool_call_chunks: list[_Call] | None = None
    tool_calls: list[_Call] | None = None
    invalid_tool_calls: list[_Call] | None = None
    usage_metadata: Any = None


class _Metadata(msgspec.Struct, gc=False):
    langgraph_checkpoint_ns: Any = ""


class _Pair(msgspec.Struct, array_like=True, gc=False):
    message: _Message
    metadata: _Metadata | None = None


class _State(msgspec.Struct, gc=False):
    messages: Any = None


_decode_pair = msgspec.json.Decoder(_Pair).decode
_decode_list = msgspec.json.Decoder(list[_Message]).decode
_decode_updates = msgspec.json.Decoder(dict[str, Any]).decode
_decode_state = msgspec.json.Decoder(_State).decode


class _Seen:
    """What is known of one AI message."""

    __slots__ = ("args", "calls", "in_pieces", "text", "thought", "tokens", "tools")

    def __init__(self) -> None:
        self.in_pieces = False
        self.text = 0
        self.thought = 0
        self.args = 0
        self.calls: dict[int | str, Any] = {}
        """Index of every tool call that came in pieces, with its id."""
        self.tools = 0
        self.tokens: tuple[int | None, ...] | None = None


class LangGraphReader(Reader):
    """Reads one run."""

    __slots__ = ("_begun", "_calls", "_seen")

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, _Seen | None] = {}
        """AI messages by id; None for one that was there before the run."""
        self._calls: dict[str, list[int]] = {}
        """By task: how many messages have an id of LangChain's, and how many one of the provider's."""
        self._begun: set[bytes] = set()

    def event(self, data: bytes, event: bytes = b"") -> int:
        try:
            if event == b"messages" or event.startswith(b"messages|"):
                pair = _decode_pair(data)
                message = pair.message
                known = self._seen.get(message.id)
                if (
                    known is not None
                    and known.in_pieces
                    and message.content
                    and type(message.content) is str
                    and not message.tool_call_chunks
                    and message.usage_metadata is None
                    and message.type == "AIMessageChunk"
                ):
                    # Nearly every event: a piece of text and nothing else.
                    self.chunks += 1
                    return OUTPUT
                task = pair.metadata.langgraph_checkpoint_ns if pair.metadata is not None else ""
                return self._output(self._message(message, str(task)))
            return self._rare(data, event)
        except (*MALFORMED, TypeError):
            # TypeError: an id that cannot be one.
            return self._unreadable(data)

    def body(self, data: bytes) -> int:
        """Read the final state, as ``/runs/wait`` answers it: the AI messages after the last one of a human."""
        try:
            state = msgspec.json.decode(data) if data.strip() else None
            if not isinstance(state, dict):
                return DONE
            if state.get("__error__"):
                return DONE | self._failure(state["__error__"])
            for message in _turn(_messages(state.get("messages"))):
                self._message(message, "")
        except (*MALFORMED, TypeError):
            return DONE | self._unreadable(data)
        return DONE

    def _rare(self, data: bytes, event: bytes) -> int:
        kind, _, space = event.partition(b"|")
        output = 0
        if kind in (b"messages/partial", b"messages/complete"):
            for message in _decode_list(data):
                output |= self._message(message, "")
        elif kind == b"updates":
            for update in _decode_updates(data).values():
                for part in update if isinstance(update, list) else (update,):
                    # A graph within the graph repeats the whole conversation here.
                    for message in _turn(_messages(part.get("messages") if isinstance(part, dict) else None)):
                        output |= self._message(message, "") if message.id is not None else 0
        elif kind == b"values":
            messages = [message for message in _messages(_decode_state(data).messages) if message.id is not None]
            if space not in self._begun:
                self._begun.add(space)
                for message in messages:
                    self._seen.setdefault(message.id, None)
            for message in messages:
                output |= self._message(message, "")
        elif kind == b"error":
            return self._failure(msgspec.json.decode(data))
        elif kind == b"end":
            return DONE
        elif kind in (b"", b"message"):
            return stray(self, data)  # of something before the server: its own events have names
        return self._output(output)

    def _output(self, output: int) -> int:
        if not output:
            return 0
        self.chunks += 1
        return OUTPUT if output & _PLAIN else OUTPUT | REASONING

    def _message(self, message: _Message, task: str) -> int:
        """Note an AI message, or a piece of one, and return what of it is new output."""
        piece = message.type == "AIMessageChunk"
        if not piece and not _is(message, _AI):
            return 0
        if message.id in self._seen:
            known = self._seen[message.id]
            if known is None:
                return 0
        else:
            known = self._seen[message.id] = _Seen()
            self._count_call(message.id, task)
        text, thought = _lengths(message)
        output = self._piece(known, message, text, thought) if piece else _whole(known, message, text, thought)
        self.tool_calls = sum(seen.tools for seen in self._seen.values() if seen is not None)
        if isinstance(message.usage_metadata, dict):
            tokens = _tokens(message.usage_metadata)
            known.tokens = _added(known.tokens, tokens) if piece and known.tokens is not None else tokens
            self._sum_tokens()
        return output

    def _piece(self, known: _Seen, message: _Message, text: int, thought: int) -> int:
        known.in_pieces = True
        output = (_PLAIN if text else 0) | (_THOUGHT if thought else 0)
        for position, call in enumerate(message.tool_call_chunks or ()):
            index = call.index if isinstance(call.index, int | str) else call.id or position
            # An index used again with both a name and another id is another call.
            before = known.calls.get(index)
            if index not in known.calls or (call.name and call.id and before and call.id != before):
                known.calls[index] = call.id
                known.tools += 1
            if _args(call):
                output |= _PLAIN
        return output

    def _count_call(self, message_id: Any, task: str) -> None:
        # One call may have several ids, for providers tell theirs in the middle of LangChain's; a message that a node
        # made up has one too. Within a task those of LangChain count, and others only where there are none.
        counts = self._calls.setdefault(task, [0, 0])
        counts[0 if isinstance(message_id, str) and message_id.startswith(_OWN) else 1] += 1
        self.llm_calls = sum(own or other for own, other in self._calls.values())

    def _sum_tokens(self) -> None:
        total: tuple[int | None, ...] = (None, None, None, None)
        for seen in self._seen.values():
            if seen is not None and seen.tokens is not None:
                total = _added(total, seen.tokens)
        self.input_tokens, self.output_tokens, self.cached_tokens, self.reasoning_tokens = total
        self.input_tokens = self.input_tokens or None

    def _failure(self, error: Any) -> int:
        """Note the class and the words of an exception; either may tell of a limit."""
        if not isinstance(error, dict):
            return fail(self, {"message": str(error), "code": 429} if tells_limit(error) else error)
        name, words = error.get("error"), error.get("message")
        if isinstance(name, dict):  # of something before the server
            return fail(self, name)
        limited = tells_limit(name) or tells_limit(words)
        return fail(self, {"message": words or name, "type": name, "code": 429 if limited else error.get("code")})

    def _unreadable(self, data: bytes) -> int:
        if self.error is None:
            self.error = f"not an answer of LangGraph: {data[:200].decode(errors='replace')}"
        return ERROR


def _is(message: _Message, kinds: frozenset[str]) -> bool:
    kind = message.type if message.type is not None else message.role
    return isinstance(kind, str) and kind in kinds


def _messages(value: Any) -> list[_Message]:
    """Return the messages in a state; anything else is left out."""
    found = []
    for each in value if isinstance(value, list) else (value,):
        if isinstance(each, dict):
            try:
                found.append(msgspec.convert(each, _Message))
            except msgspec.ValidationError:
                continue
    return found


def _turn(messages: list[_Message]) -> list[_Message]:
    """Return the messages after the last one of a human."""
    last = max((at for at, message in enumerate(messages) if _is(message, _HUMAN)), default=-1)
    return messages[last + 1 :]


def _whole(known: _Seen, message: _Message, text: int, thought: int) -> int:
    """Note a message as it is by now; return what grew, if it did not come in pieces."""
    calls = [*(message.tool_calls or ()), *(message.invalid_tool_calls or ())]
    known.tools = max(known.tools, len(calls))
    if known.in_pieces:
        return 0
    args = sum(map(_args, calls))
    output = (_PLAIN if text > known.text or args > known.args else 0) | (_THOUGHT if thought > known.thought else 0)
    known.text, known.thought, known.args = max(known.text, text), max(known.thought, thought), max(known.args, args)
    return output


def _args(call: _Call) -> int:
    """Return the length of a tool call's arguments, text in a piece and an object in a whole message."""
    if isinstance(call.args, str):
        return len(call.args)
    return len(msgspec.json.encode(call.args)) if call.args else 0


def _lengths(message: _Message) -> tuple[int, int]:
    """Return how much text and how much reasoning a message has."""
    text = thought = 0
    if isinstance(message.additional_kwargs, dict):
        thought = _length(message.additional_kwargs.get("reasoning_content"))
    content = message.content
    if isinstance(content, str):
        return len(content), thought
    for part in content if isinstance(content, list) else ():
        if isinstance(part, str):
            text += len(part)
        elif isinstance(part, dict):
            more = sum(_length(part.get(name)) for name in ("thinking", "reasoning", "reasoning_content", "summary"))
            thought += more
            if not more and part.get("type") != "redacted_thinking":
                text += sum(_length(part.get(name)) for name in ("text", "refusal", "image_url", "data", "base64"))
    return text, thought


def _length(value: Any) -> int:
    """Return the length of text, as text, in a list of parts, or in a part of its own."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_length(value.get(name)) for name in ("text", "url"))
    return sum(map(_length, value)) if isinstance(value, list) else 0


def _tokens(usage: dict[str, Any]) -> tuple[int | None, ...]:
    """Return (input, output, cached, reasoning)."""
    read, made = usage.get("input_token_details"), usage.get("output_token_details")
    hits = count(read.get("cache_read")) if isinstance(read, dict) else None
    thought = count(made.get("reasoning")) if isinstance(made, dict) else None
    told = count(usage.get("input_tokens")), count(usage.get("output_tokens"))
    if not any(told):
        return None, None, None, None  # pieces have 0 where the last one tells
    total = count(usage.get("total_tokens"))
    # Of a piece one of them may be 0, for they are added up.
    read_tokens, written = told if not all(told) else reconciled(*told, thought, total)
    return read_tokens, written, hits, thought


def _added(left: tuple[int | None, ...], right: tuple[int | None, ...]) -> tuple[int | None, ...]:
    return tuple(b if a is None else a if b is None else a + b for a, b in zip(left, right, strict=True))


class LangGraph(Dialect):
    """The dialect ``langgraph``."""

    name = "langgraph"
    read_by = LangGraphReader
    heard = LangGraphHeard
    terminal = False
    protocols = ("http", "sse")
    instead_of_history = 'write save = { thread = "$.thread_id" } in setup, and post to /threads/{thread}/runs/stream'
