"""What an A2A agent says: its artifacts, or without any the message that it answers or ends its task with.

Messages of a task's status on the way are notes. Nothing tells of tool calls.
"""

from __future__ import annotations

from typing import Any

import msgspec

from agenttop.dialects.heard import Heard, Said, objects, part, text_of

_WORKING = frozenset({"submitted", "working", ""})


class A2AHeard(Heard):
    """The answer to one message."""

    __slots__ = ("_artifacts", "_message", "_state")

    in_events = True

    def __init__(self) -> None:
        super().__init__()
        self._artifacts: dict[str, list[str]] = {}
        self._message = ""
        self._state = ""

    def take(self, value: dict[str, Any], event: bytes) -> None:
        result = value.get("result")
        result = result if isinstance(result, dict) else value
        update = _member(result, "artifactUpdate", "artifact_update")
        if update is not None or isinstance(result.get("artifact"), dict):
            self._artifact(update or result)
            return
        task = _member(result, "statusUpdate", "status_update", "task")
        if task is not None or isinstance(result.get("status"), dict):
            self._task(task or result)
            return
        message = _member(result, "message", "msg") or (result if "parts" in result else None)
        if message is not None:
            self._message = self._kept(_words(message)) or self._message

    def said(self) -> Said:
        artifacts = list(filter(None, ("".join(pieces) for pieces in self._artifacts.values())))
        return Said("\n".join(artifacts) or self._message, (), self._state or None, self.full)

    def _artifact(self, update: dict[str, Any]) -> None:
        artifact = update.get("artifact")
        if not isinstance(artifact, dict):
            return
        key = str(artifact.get("artifactId") or artifact.get("artifact_id"))
        if update.get("append") is not True or key not in self._artifacts:
            self._artifacts[key] = []  # not appended, it is the whole in place of its pieces
        self.add(self._artifacts[key], _words(artifact))

    def _task(self, task: dict[str, Any]) -> None:
        for artifact in objects(task.get("artifacts")):
            self._artifact({"artifact": artifact})
        status = task.get("status")
        state = text_of(part(status, "state")).lower().removeprefix("task_state_").replace("-", "_")
        self._state = state or self._state
        message = part(status, "message")
        if isinstance(message, dict) and state not in _WORKING:
            self._message = self._kept(_words(message)) or self._message

    def _kept(self, text: str) -> str:
        pieces: list[str] = []
        self.add(pieces, text)
        return "".join(pieces)


def _member(value: dict[str, Any], *names: str) -> dict[str, Any] | None:
    return next((found for name in names if isinstance(found := value.get(name), dict)), None)


def _words(message: dict[str, Any]) -> str:
    """Return the text of a message or an artifact, thoughts left out; without text its data as JSON."""
    parts = [each for each in objects(message.get("parts")) if not _is_thought(each.get("metadata"))]
    text = "".join(text_of(each.get("text")) for each in parts)
    if text:
        return text
    return "\n".join(msgspec.json.encode(each["data"]).decode() for each in parts if each.get("data") is not None)


def _is_thought(metadata: Any) -> bool:
    return isinstance(metadata, dict) and any(
        value is True and name.lower().endswith("thought") for name, value in metadata.items()
    )
