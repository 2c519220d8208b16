"""Conversations: what a user has said and was answered, as JSON, ready for the next request.

    body = the request's own keys + opening turns + exchange + exchange … + the new turn

An exchange is a turn of the user's with its answer and the results of the tools that this called, so that neither
stands without the other when the oldest are forgotten.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Owed, Transcript
from agenttop.profile.model import Step, Task
from agenttop.profile.template import Template, compile_json, compile_text

#: The name of the result of every tool that has none of its own, and what it is where the profile says nothing.
ANY_TOOL = "*"
NO_RESULT = "{}"

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request adds to its conversation, compiled."""

    form: type[Transcript]
    rest: Template
    """The body without its turns."""
    fixed: tuple[tuple[bytes, Template], ...]
    """Members of it that stay what they were in the first request."""
    opening: Template | None
    """A list of turns, as all the following; None for an empty one."""
    said: Template | None
    blocks: Template | None
    """The content of the first turn said, if results of tools can stand before it."""
    after: Template | None
    """What is said after that."""
    results: dict[str, Template]
    """What the tools return, by name."""
    most: int | None
    """Exchanges that are kept; None: all."""


class Exchange(NamedTuple):
    """One exchange as JSON without the brackets of its lists; empty bytes are nothing."""

    said: bytes
    blocks: bytes
    after: bytes
    answer: bytes = b""
    results: bytes = b""
    """Blocks that begin the user's next message."""

    @property
    def size(self) -> int:
        """Return its size in bytes."""
        return sum(map(len, self))


def compile_turn(task: Task, step: Step, form: type[Transcript]) -> Turn:
    """Compile a request of a task with ``history``, in whose dialect answers leave transcripts of this ``form``."""
    body = dict(step.json_)
    given = body.pop(form.key)
    turns = [{"role": "user", "content": given}] if isinstance(given, str) else list(given)
    opening = [turn for turn in turns if turn.get("role") in form.opening]
    said = [turn for turn in turns if turn.get("role") not in form.opening]
    if form.numbered:
        opening = [{"id": f"opening-{index}", **turn} for index, turn in enumerate(opening, 1)]
        said = [{"id": f"turn-{{history_turn}}-{index}", **turn} for index, turn in enumerate(said, 1)]
    joins = form.carries and bool(said) and said[0].get("role") == "user"
    content = said[0].get("content") if joins else []
    return Turn(
        form=form,
        fixed=tuple((_encode(key), compile_json(body.pop(key))) for key in form.fixed if key in body),
        rest=compile_json(body),
        opening=_list(opening),
        said=_list(said),
        blocks=_list([{"type": "text", "text": content}] if isinstance(content, str) else list(content or ())),
        after=_list(said[1:] if joins else said),
        results={name: _result(value) for name, value in task.tool_results.items()},
        most=task.history_turns,
    )


class Conversation:
    """The conversation of one user with one target."""

    __slots__ = ("_exchanges", "_fixed", "_opening", "_size", "turns")

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque()
        self._size = 0
        self._opening = b""
        self._fixed: dict[bytes, bytes] = {}
        self.turns = 0
        """Number of exchanges so far, forgotten ones included."""

    def ask(self, turn: Turn, variables: dict[str, str]) -> tuple[bytes, Exchange]:
        """Return the body of the next request and the exchange that it begins, which is not kept yet but for ``fixed``.

        Raises:
            KeyError: a variable is not there.
        """
        variables["history_turn"] = str(self.turns + 1)
        for key, template in turn.fixed:
            if key not in self._fixed:
                self._fixed[key] = template.fill(variables)
        exchange = Exchange(
            _filled(turn.said, variables), _filled(turn.blocks, variables), _filled(turn.after, variables)
        )
        members = [turn.rest.fill(variables)[1:-1]]
        members += [b"%b:%b" % (key, self._fixed[key]) for key, _ in turn.fixed]
        members.append(b"%b:[%b]" % (_encode(turn.form.key), self._turns(_filled(turn.opening, variables), exchange)))
        return b"{%b}" % b",".join(filter(None, members)), exchange

    def keep(self, turn: Turn, exchange: Exchange, answered: list[Any], variables: dict[str, str]) -> bool:
        """Keep an exchange that went well.

        Args:
            turn: what was asked.
            exchange: the same, as it was sent.
            answered: what the transcript of the answer says; empty where nothing is to be kept.
            variables: may stand in the results of tools.

        Returns:
            Whether something was forgotten, for all of it would have been too large, or cannot be written again.
        """
        if not answered:
            return False
        try:
            answer, results = _written(turn, answered, variables)
        except RecursionError:  # it was read where the stack was less deep
            return True
        self._opening = _filled(turn.opening, variables) or self._opening
        exchange = exchange._replace(answer=answer, results=results)
        self._exchanges.append(exchange)
        self._size += exchange.size
        self.turns += 1
        while turn.most is not None and len(self._exchanges) > turn.most:
            self._forget()
        large = self._size > MAX_TRANSCRIPT_BYTES
        while self._size > MAX_TRANSCRIPT_BYTES:
            self._forget()
        return large

    def _turns(self, opening: bytes, new: Exchange) -> bytes:
        parts = [opening or self._opening]
        carried = b""
        for exchange in (*self._exchanges, new):
            if carried:
                blocks = b"%b,%b" % (carried, exchange.blocks) if exchange.blocks else carried
                parts += (b'{"role":"user","content":[%b]}' % blocks, exchange.after)
            else:
                parts.append(exchange.said)
            parts.append(exchange.answer)
            carried = exchange.results
        return b",".join(filter(None, parts))

    def _forget(self) -> None:
        """Forget the oldest exchange, and those after it that mean nothing without it.

        In these the user said nothing; its tools returned something.
        """
        self._size -= self._exchanges.popleft().size
        while self._exchanges and not self._exchanges[0].said:
            self._size -= self._exchanges.popleft().size


def _list(items: list[Any]) -> Template | None:
    return compile_json(items) if items else None


def _filled(items: Template | None, variables: dict[str, str]) -> bytes:
    return items.fill(variables)[1:-1] if items is not None else b""


def _written(turn: Turn, answered: list[Any], variables: dict[str, str]) -> tuple[bytes, bytes]:
    """Return the turns of an answer, and the results that the user's next message begins with."""
    answer: list[bytes] = []
    results: list[bytes] = []
    for item in answered:
        if isinstance(item, Owed):
            result = _encode(turn.form.result(item, _returned(turn, item.name, variables)))
            (results if turn.form.carries else answer).append(result)
        else:
            answer.append(_encode(item))
    return b",".join(answer), b",".join(results)


def _result(value: Any) -> Template:
    """Compile a tool's result: text as it is, anything else as JSON, as most tools return."""
    return compile_text(value) if isinstance(value, str) else compile_json(value)


def _returned(turn: Turn, tool: str, variables: dict[str, str]) -> str:
    template = turn.results.get(tool) or turn.results.get(ANY_TOOL)
    return template.fill(variables).decode() if template is not None else NO_RESULT
