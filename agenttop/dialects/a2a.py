"""A2A, the Agent2Agent protocol: a message sent to an agent, and its task or answer streamed back.

https://a2a-protocol.org/latest/specification. Events are JSON-RPC responses to ``SendStreamingMessage`` (1.0) or
``message/stream`` (0.x), or their bare results where the HTTP+JSON binding is spoken.
"""

from __future__ import annotations

import re
from typing import Any
from zlib import crc32

import msgspec

from agenttop.dialects.base import DONE, ERROR, OUTPUT, REASONING, Reader
from agenttop.dialects.dialect import Dialect
from agenttop.dialects.failure import MALFORMED, MAX_WORDS
from agenttop.dialects.generic import fail_in_words, fail_rpc, malformed, read_usage, repaired
from agenttop.dialects.heard_a2a import A2AHeard

# What is read of a result; 1.0 names its kind by the member it is in, 0.x by its own ``kind``:
#
#     artifactUpdate   kind "artifact-update"    artifact.parts: output, if one has text, data or a file
#     statusUpdate     kind "status-update"      status.message.parts: output, if one has text
#     message          kind "message"            parts: output; the whole answer, and so the end
#     task             kind "task"               artifacts: output where nothing was before; its history never is
#
#     status.state     completed                              the end
#                      input-required, auth-required          the end: the agent waits for its user
#                      failed, rejected, canceled             failure, in the words of status.message, and the end
#     final: true                                             the end, whatever the state (0.x)
#     metadata         an object under a key with "usage"     tokens
#
# States are spelled so in 0.x, and TASK_STATE_INPUT_REQUIRED in 1.0. A part whose metadata says that it is a thought is
# reasoning. Text that comes again whole, after its pieces, is not counted again. Nothing tells of calls.

_ENDS = frozenset({"completed", "input_required", "auth_required"})
_FAILURES = frozenset({"failed", "rejected", "canceled", "cancelled"})

_PLAIN = 1
_THOUGHT = 2

_WHAT = "an A2A response"

#: The code of TaskNotFoundError (A2A, 8.2 and 9.5): of JSON-RPC, and what the other bindings say in its place.
TASK_NOT_FOUND = -32001
_FORGOTTEN = re.compile(
    r'"code" ?: ?-32001\b|task[ _]?not[ _]?found|task (?:with id )?\S{1,80}+ (?:was |is )?(?:not found|unknown)'
    r"|(?:unknown|no such) task\b",
    re.IGNORECASE,
)


class _Part(msgspec.Struct, gc=False):
    text: Any = None
    data: Any = None
    raw: Any = None
    url: Any = None
    file: Any = None
    metadata: Any = None


class _Parts(msgspec.Struct, gc=False):
    """A message or an artifact."""

    parts: list[_Part] | None = None
    artifact_id: Any = msgspec.field(default=None, name="artifactId")
    metadata: Any = None


class _Status(msgspec.Struct, gc=False):
    state: Any = None
    message: _Parts | None = None


class _Task(msgspec.Struct, gc=False):
    """A task, or an update of one: members of the other kind are absent."""

    kind: Any = None
    status: _Status | None = None
    final: Any = None
    artifact: _Parts | None = None
    append: Any = None
    artifacts: list[_Parts] | None = None
    parts: list[_Part] | None = None
    metadata: Any = None


class _Result(_Task, gc=False):
    artifact_update: _Task | None = msgspec.field(default=None, name="artifactUpdate")
    artifact_update_: _Task | None = msgspec.field(default=None, name="artifact_update")
    status_update: _Task | None = msgspec.field(default=None, name="statusUpdate")
    status_update_: _Task | None = msgspec.field(default=None, name="status_update")
    task: _Task | None = None
    message: Any = None
    msg: Any = None


class _Response(msgspec.Struct, gc=False):
    result: _Result | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Response).decode
_decode_result = msgspec.json.Decoder(_Result).decode


class A2AReader(Reader):
    """Reads the answer to one message."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, tuple[int, int]] = {}
        """Length and checksum of the text said: in all, by artifact, and in messages of the status."""

    def event(self, data: bytes, event: bytes = b"") -> int:
        if not data.strip():
            return 0
        try:
            response = _decode(data)
            if response.error is not None:
                error = response.error
                self.forgot = isinstance(error, dict) and error.get("code") == TASK_NOT_FOUND
                return DONE | fail_rpc(self, response.error)
            result = response.result
            if result is None:
                result = _decode_result(data)
            flags = self._result(result)
        except MALFORMED:
            better = repaired(data)
            if better is not None:
                return self.event(better, event)
            # Keep-alives of a type of their own need not be JSON.
            return malformed(self, _WHAT, data) if event in (b"", b"message", b"error") else 0
        if flags < 0:
            return malformed(self, _WHAT, data)
        if flags & OUTPUT:
            self.chunks += 1
        return flags

    def body(self, data: bytes) -> int:
        return DONE | self.event(data)

    def _result(self, result: _Result) -> int:
        """Return the flags of a result; -1 if it is none."""
        update = result.artifact_update or result.artifact_update_
        if update is not None or result.artifact is not None:
            return self._artifact(update or result)
        update = result.status_update or result.status_update_ or result.task
        if update is not None or result.status is not None or result.final is True:
            return self._task(update or result)
        message = result.message if result.message is not None else result.msg
        if message is not None or result.parts is not None:
            answer = _Parts(result.parts) if message is None else msgspec.convert(message, _Parts)
            self._usage(answer.metadata if message is not None else result.metadata)
            return DONE | self._output(answer, "message")
        return -1

    def _artifact(self, update: _Task) -> int:
        self._usage(update.metadata)
        artifact = update.artifact
        if artifact is None:
            return 0
        # Not appended, it may be the whole in place of its pieces.
        return self._output(artifact, f"artifact {artifact.artifact_id}", again=update.append is not True)

    def _task(self, task: _Task) -> int:
        """Read a task or an update of its status."""
        self._usage(task.metadata)
        flags = 0
        if task.artifacts and not self._said:
            outputs = [self._output(artifact, f"artifact {artifact.artifact_id}") for artifact in task.artifacts]
            flags = OUTPUT if OUTPUT in outputs else max(outputs)
        status = task.status
        if status is None:
            return flags | DONE if task.final is True else flags
        state = str(status.state).lower().removeprefix("task_state_").replace("-", "_")
        message = status.message
        if message is not None:
            self._usage(message.metadata)
        if state in _FAILURES:
            words = _text(message) if message is not None else ""
            return flags | DONE | fail_in_words(self, words or state) | ERROR
        if message is not None:
            flags = self._output(message, "status", again=True, text_only=True) or flags
        return flags | DONE if state in _ENDS or task.final is True else flags

    def _output(self, parts: _Parts, source: str, *, again: bool = False, text_only: bool = False) -> int:
        """Return OUTPUT if there is something new; ``again``: all that was said may be repeated here."""
        output = 0
        for part in parts.parts or ():
            if part.text or (not text_only and (part.data or part.raw or part.url or part.file)):
                output |= _THOUGHT if part.metadata and _is_thought(part.metadata) else _PLAIN
        if not output or self._repeats(_text(parts).encode("utf-8", "replace"), source, again=again):
            return 0
        return OUTPUT if output & _PLAIN else OUTPUT | REASONING

    def _repeats(self, text: bytes, source: str, *, again: bool) -> bool:
        """Return whether the text is all that was said already; else add it to that."""
        said = self._said
        if again and text and (len(text), crc32(text)) in said.values():
            return True
        for key in ("", source):
            length, checksum = said.get(key, (0, 0))
            said[key] = (length + len(text), crc32(text, checksum))
        return False

    def _usage(self, metadata: Any) -> None:
        if isinstance(metadata, dict):
            for name, value in metadata.items():
                if "usage" in name.lower():
                    read_usage(self, value)


def _text(parts: _Parts) -> str:
    return "".join(part.text for part in parts.parts or () if isinstance(part.text, str))


def _is_thought(metadata: Any) -> bool:
    return isinstance(metadata, dict) and any(
        value is True and name.lower().endswith("thought") for name, value in metadata.items()
    )


class A2A(Dialect):
    """The dialect ``a2a``."""

    name = "a2a"
    read_by = A2AReader
    heard = A2AHeard
    protocols = ("http", "sse")
    instead_of_history = 'send the same contextId in every message, such as contextId = "{user}"'

    @classmethod
    def forgets(cls, words: str) -> bool:
        """Return whether they say that a task is not known any more, or another session."""
        return super().forgets(words) or _FORGOTTEN.search(words[:MAX_WORDS]) is not None

    @classmethod
    def streams(cls, body: Any) -> bool:
        """Return whether the method says so: ``SendStreamingMessage``, ``message/stream``."""
        return isinstance(body, dict) and "stream" in str(body.get("method", "")).lower()
