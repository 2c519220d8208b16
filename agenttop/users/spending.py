"""Spends a budget: holds a request's worst case before it is sent, and settles afterwards what it has used."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

from agenttop.budget.amount import Amount
from agenttop.dialects.base import DONE
from agenttop.dialects.usage import believable
from agenttop.metrics.outcome import Outcome
from agenttop.users.answer import Answer
from agenttop.users.base import UserBase
from agenttop.users.compiled import CompiledStep

#: A user whose request the budget refused waits so long: the run is about to end.
REFUSED_S = 1.0


async def afford(user: UserBase, step: CompiledStep) -> bool:
    """Hold what a user's next request may use at worst. Return False if it must not be sent, which is recorded."""
    if await hold(user, step):
        return True
    pool = user.pool
    assert pool.reservations is not None
    if pool.reservations.budget.dry:
        outcomes, refused = pool.leaves[step.request].outcomes, Outcome.BUDGET_REFUSED.value
        outcomes[refused] = outcomes.get(refused, 0) + 1
        if pool.working and not user.retiring:
            await user.sleep(REFUSED_S)
    user.scheduled_ns = 0
    return False


async def hold(user: UserBase, step: CompiledStep) -> bool:
    """Hold what a further attempt of a request may use at worst. Return False if it must not be sent."""
    reservations = user.pool.reservations
    assert reservations is not None
    if user.held is not None:
        settle(user, step)  # the attempt before this one
    length = _length(user, step) if reservations.budget.terms.by_tokens and step.max_output != 0 else 0
    worst = reservations.budget.worst(step.request, length, step.max_output)
    if not reservations.hold(worst):
        if not await reservations.wait(worst):
            return False
        if user.scheduled_ns:
            user.scheduled_ns = perf_counter_ns()  # the wait was the budget's: no lag of ours, no wait of a user
    user.held = worst
    if user.pool.sending:
        return True
    user.release()
    return False


async def hold_again(user: UserBase, step: CompiledStep) -> bool:
    """Do the same while the request is under way and nobody else records it: if cut meanwhile, it is recorded."""
    try:
        return await hold(user, step)
    except asyncio.CancelledError:
        user.cut(step, user.leaf)
        raise


def settle(user: UserBase, step: CompiledStep) -> None:
    """Settle what the request, which has ended, has used of what the user holds for it."""
    worst, user.held = user.held, None
    reservations, answer = user.pool.reservations, user.answer
    assert reservations is not None
    assert worst is not None
    budget = reservations.budget
    reader = answer.reader if answer.step is step else None
    told = reader is not None and (reader.input_tokens is not None or reader.output_tokens is not None)
    if reader is not None and told:
        used = budget.terms.used(worst, reader.input_tokens, reader.output_tokens, reader.cached_tokens)
        if not (believable(reader) and _is_final(answer)):
            used = used.high(worst)
            budget.kept += 1
    elif not worst.tokens or 300 <= answer.status < 500:
        used = Amount(1)
    else:
        used = worst
        budget.kept += 1
    budget.overrun(step.request, worst, used)
    reservations.settle(worst, used)


def _is_final(answer: Answer) -> bool:
    """Return whether an answer is all there is: of one that was cut, the usage told so far may be a part."""
    return not answer.streamed or answer.flags & DONE > 0 or (answer.outcome or ("",))[0] is Outcome.OK


def _length(user: UserBase, step: CompiledStep) -> int:
    """Return the bytes with which a request says something: its message, or its body and its path."""
    if step.made:
        user.make(step)
    whole = step.static or step.fill(user.variables)
    head = whole.find(b"\r\n\r\n") + 4
    return len(whole) if step.kind == "send" else len(whole) - head + whole.find(b"\r\n")
