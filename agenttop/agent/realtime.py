"""WebSocket /v1/realtime, in the manner of OpenAI's Realtime API, text only.

A client that sends `OpenAI-Beta: realtime=v1` gets the event names of the beta.
"""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import msgspec
from starlette.types import Receive, Scope, Send

from agenttop.agent.call import BadRequest
from agenttop.agent.conversation import Conversation
from agenttop.agent.endpoint import State
from agenttop.agent.generation import content_text, offered_tools, token_cap
from agenttop.agent.limits import KeyLimit, refusal_body, refusal_headers
from agenttop.agent.plan import count_tokens, make_plan
from agenttop.agent.realtime_response import RealtimeResponse

_CLIENT_EVENTS = ("session.update", "conversation.item.create", "response.create", "response.cancel")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Refused(Exception):
    """A client event that cannot be served, told in an `error` event."""

    def __init__(self, message: str, code: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


class Realtime:
    """The endpoint: refuses the handshake with 429 while the key is limited, else holds one conversation."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stats = self._state.stats
        await receive()  # websocket.connect
        headers = dict(scope["headers"])
        limit = self._state.limits.of(headers.get(b"authorization", b""))
        refusal = limit.check()
        if refusal is not None:
            stats.refused += 1
            body = _encode(refusal_body(refusal))
            head = [(b"content-type", b"application/json"), *refusal_headers(refusal), *limit.headers()]
            await send({"type": "websocket.http.response.start", "status": 429, "headers": head})
            await send({"type": "websocket.http.response.body", "body": body})
            return
        stats.connections += 1
        stats.open_sockets += 1
        conversation = RealtimeConversation(
            self._state, limit, scope, send, beta=b"realtime=v1" in headers.get(b"openai-beta", b"")
        )
        try:
            # A client can ask for these subprotocols to carry its key from a browser.
            subprotocol = "realtime" if "realtime" in scope.get("subprotocols", ()) else None
            await send({"type": "websocket.accept", "subprotocol": subprotocol})
            await conversation.hold(receive)
        finally:
            stats.open_sockets -= 1


class RealtimeConversation:
    """One connection: reads client events, and runs one response at a time beside the reading."""

    def __init__(self, state: State, limit: KeyLimit, scope: Scope, send: Send, *, beta: bool) -> None:
        self._state = state
        self._limit = limit
        model = parse_qs(scope["query_string"].decode("latin-1")).get("model", [state.config.model])[0]
        self._conversation = Conversation(send, model, state.config.max_turns, beta=beta)
        self._response: RealtimeResponse | None = None
        self._running: asyncio.Task[bool] | None = None

    async def hold(self, receive: Receive) -> None:
        """Serve the connection until either side ends it."""
        await self._conversation.opened()
        try:
            while not await self._next(receive):
                pass
        finally:
            if self._running is not None and self._response is not None:
                self._response.left = True
                self._running.cancel()
                await asyncio.gather(self._running, return_exceptions=True)

    async def _next(self, receive: Receive) -> bool:
        """Read and serve one event; return whether the connection is over."""
        reading = asyncio.ensure_future(receive())
        try:
            # The response can end the connection itself, by cutting it.
            while not reading.done():
                waiting = {reading, self._running} if self._running is not None else {reading}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if self._running is not None and self._running.done():
                    if self._ended(self._running):
                        return True
                    self._running = None
        finally:
            reading.cancel()
        message = reading.result()
        if message["type"] != "websocket.receive":
            return True
        self._state.stats.messages_in += 1
        client_event: dict[str, Any] = {}
        try:
            client_event = self._parse(message)
            await self._serve(client_event)
        except BadRequest as error:
            await self._conversation.error(str(error), error.code, None, client_event.get("event_id"))
        except Refused as error:
            await self._conversation.error(str(error), error.code, error.param, client_event.get("event_id"))
        return False

    @staticmethod
    def _ended(running: asyncio.Task[bool]) -> bool:
        """Return whether the response that is done dropped the connection. Raises what it raised, unless the client
        left.
        """
        try:
            return running.result()
        except OSError:  # how uvicorn tells a sender that the client left
            return False

    @staticmethod
    def _parse(message: Any) -> dict[str, Any]:
        try:
            data = _decode(message.get("text") or message.get("bytes") or "")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Refused("The message is not valid JSON.", "invalid_json") from None
        if not isinstance(data, dict) or not isinstance(data.get("type"), str):
            raise Refused("The event should be a JSON object with a type.", "invalid_event", "type")
        return data

    async def _serve(self, client_event: dict[str, Any]) -> None:
        kind = client_event["type"]
        if kind == "session.update":
            await self._conversation.update(_object(client_event, "session"))
        elif kind == "conversation.item.create":
            await self._conversation.add(_item(client_event))
        elif kind == "response.create":
            await self._respond(client_event.get("response"))
        elif kind == "response.cancel":
            if self._running is None or self._response is None or self._running.done():
                raise Refused("There is no active response to cancel.", "response_cancel_not_active")
            self._running.cancel()
        else:
            supported = ", ".join(repr(name) for name in _CLIENT_EVENTS)
            raise Refused(f"Invalid value: '{kind}'. Supported values are: {supported}.", "invalid_value", "type")

    async def _respond(self, options: object) -> None:
        if self._running is not None and not self._running.done():
            raise Refused("Conversation already has an active response.", "conversation_already_has_active_response")
        options = options if isinstance(options, dict) else {}
        conversation = self._conversation
        cap = (
            token_cap({**conversation.session, **options}, "max_output_tokens")
            if _capped(conversation.session, options)
            else None
        )
        instructions = options.get("instructions")
        tokens = conversation.tokens + (count_tokens(instructions) if isinstance(instructions, str) else 0)
        choice = options.get("tool_choice", conversation.session.get("tool_choice"))
        refusal = self._limit.admit(max(1, tokens))
        plan = None
        if refusal is None:
            plan = make_plan(
                self._state.config,
                self._state.next_number(),
                tokens,
                conversation.question,
                loops=False,
                may_call=conversation.asked and choice != "none",
                max_output_tokens=cap,
                tools=offered_tools(options.get("tools", conversation.session.get("tools"))),
            )
        self._response = RealtimeResponse(self._state, self._limit, conversation)
        self._running = asyncio.create_task(self._response.live(plan, refusal))


def _capped(session: dict[str, Any], options: dict[str, Any]) -> bool:
    return {**session, **options}.get("max_output_tokens", "inf") not in ("inf", None)


def _object(client_event: dict[str, Any], key: str) -> dict[str, Any]:
    value = client_event.get(key)
    if not isinstance(value, dict):
        raise Refused(f"Missing required parameter: '{key}'.", "missing_required_parameter", key)
    return value


def _item(client_event: dict[str, Any]) -> dict[str, Any]:
    item = _object(client_event, "item")
    if item.get("type") not in ("message", "function_call", "function_call_output"):
        raise Refused(
            f"Invalid value: {item.get('type')!r}. Supported values are: 'message', 'function_call', "
            "'function_call_output'.",
            "invalid_value",
            "item.type",
        )
    if item["type"] == "message" and not content_text(item.get("content")) and item.get("role") == "user":
        raise Refused("A user message needs a content part with text.", "invalid_value", "item.content")
    return item
