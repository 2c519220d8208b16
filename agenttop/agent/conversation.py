"""The state of one realtime connection, and the events about it."""

import uuid
from collections import deque
from typing import Any

import msgspec
from starlette.types import Send

from agenttop.agent.clerk import remember
from agenttop.agent.generation import content_text
from agenttop.agent.plan import count_tokens
from agenttop.agent.questions import question

_encode = msgspec.json.Encoder().encode


def new_id(prefix: str) -> str:
    """Return an id as the API has them: `item_…`."""
    return f"{prefix}_{uuid.uuid4().hex[:20]}"


class Conversation:
    """The items so far (only their sizes are kept), the session's settings, and the way to the client."""

    def __init__(self, send: Send, model: str, max_turns: int, *, beta: bool) -> None:
        self._send = send
        self.beta = beta
        self.id = new_id("conv")
        self.session: dict[str, Any] = {
            "type": "realtime",
            "object": "realtime.session",
            "id": new_id("sess"),
            "model": model,
            "output_modalities": ["text"],
            "instructions": "You are a helpful agent.",
            "tools": [],
            "tool_choice": "auto",
            "max_output_tokens": "inf",
        }
        # A turn is a question and an answer.
        self._sizes: deque[int] = deque(maxlen=2 * max_turns + 1)
        self._last_item: str | None = None
        self.question = question("")
        self.asked = False  # whether the newest item is a user's message

    @property
    def tokens(self) -> int:
        """Return the tokens of the items remembered."""
        return sum(self._sizes)

    async def emit(self, kind: str, **fields: object) -> None:
        """Send one server event."""
        data = {"type": kind, "event_id": new_id("event"), **fields}
        await self._send({"type": "websocket.send", "text": _encode(data).decode()})

    async def error(self, message: str, code: str, param: str | None, event_id: object) -> None:
        """Tell the client of a mistake in its event `event_id`; the connection stays open."""
        error = {"type": "invalid_request_error", "code": code, "message": message, "param": param}
        await self.emit("error", error={**error, "event_id": event_id})

    async def opened(self) -> None:
        """Greet the client."""
        await self.emit("session.created", session=self.session)

    async def update(self, session: dict[str, Any]) -> None:
        """Change the settings given; what the session is cannot be changed."""
        fixed = {key: self.session[key] for key in ("type", "object", "id")}
        self.session = {**self.session, **session, **fixed}
        await self.emit("session.updated", session=self.session)

    async def add(self, item: dict[str, Any]) -> None:
        """Add an item of the client's."""
        if item["type"] == "message":
            text = content_text(item.get("content"))
        else:
            text = str(item.get("output") or item.get("arguments") or "")
        self.asked = item["type"] == "message" and item.get("role", "user") == "user"
        if self.asked:
            self.question = question(text, remember(self.question.memory, self.question.text))
        self.remember(count_tokens(text))
        previous = self._last_item
        added = {"id": new_id("item"), **item, "object": "realtime.item", "status": "completed"}
        self._last_item = str(added["id"])
        if self.beta:
            await self.emit("conversation.item.created", previous_item_id=previous, item=added)
        else:
            await self.emit("conversation.item.added", previous_item_id=previous, item=added)
            await self.emit("conversation.item.done", previous_item_id=previous, item=added)

    async def item_begun(self, item: dict[str, Any]) -> None:
        """Tell of an item of a response, still in progress."""
        name = "conversation.item.created" if self.beta else "conversation.item.added"
        await self.emit(name, previous_item_id=self._last_item, item=item)

    async def item_done(self, item: dict[str, Any], tokens: int) -> None:
        """Add an item of a response, complete."""
        self.asked = False
        self.remember(tokens)
        previous, self._last_item = self._last_item, str(item["id"])
        if not self.beta:
            await self.emit("conversation.item.done", previous_item_id=previous, item=item)

    def remember(self, tokens: int) -> None:
        """Make later calls read `tokens` more."""
        self._sizes.append(tokens)
