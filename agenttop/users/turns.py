"""Sends the requests of a user that are turns of a conversation."""

from __future__ import annotations

from agenttop.dialects.transcript import MAX_TRANSCRIPT_BYTES, Listening
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep
from agenttop.users.history import Conversation
from agenttop.users.request import request
from agenttop.users.retries import request_patiently

FORGOT = (
    f"conversations of more than {MAX_TRANSCRIPT_BYTES >> 20} MiB forget their oldest turns; "
    "history_turns says how many to keep"
)


async def take_turn(user: UserBase, step: CompiledStep) -> bool:
    """Send a request with all that was said before it; return whether it is ok in the end.

    Only then it is kept: a turn that failed was never taken.
    """
    turn = step.turn
    assert turn is not None
    if user.conversation is None:
        user.conversation = Conversation()
    conversation, variables = user.conversation, user.variables
    user.make(step)
    body, exchange = conversation.ask(turn, variables)
    whole_step = step.saying(body, variables)
    whole = await (request_patiently(user, whole_step) if user.pool.compiled.patient else request(user, whole_step))
    reader = user.answer.reader
    if whole and isinstance(reader, Listening):
        transcript = reader.transcript
        if conversation.keep(turn, exchange, transcript.turn(), variables) or transcript.full:
            user.pool.note(FORGOT)
    return whole
