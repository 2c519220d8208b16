"""Users who wait for a budget: in the order in which they came, and nothing is lost with one that leaves."""

from __future__ import annotations

import asyncio

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant
from agenttop.budget.terms import Terms
from agenttop.users.reservations import Reservations

WORST = Amount(1, 70)


def reservations(granted: int) -> tuple[Reservations, list[Draw]]:
    """With so many tokens, of which no more can be had for now; and what is asked for."""
    asked: list[Draw] = []
    made = Reservations(Terms(tokens=1_000, max_output=70), asked.append)
    made.take(Grant(Amount(0, granted), scarce=True))
    return made, asked


async def waiting(made: Reservations, *worst: Amount) -> list[asyncio.Task[bool]]:
    """One user each, that waits by now."""
    tasks = [asyncio.create_task(made.wait(each)) for each in worst]
    await asyncio.sleep(0)
    return tasks


async def test_what_a_request_leaves_is_for_those_who_wait_in_their_order() -> None:
    made, _ = reservations(140)
    assert made.hold(WORST)
    assert made.hold(WORST)
    first, second = await waiting(made, WORST, Amount(1, 20))
    made.settle(WORST, Amount(1, 50))  # 20 are left: enough for the second, who came later
    assert not made.hold(Amount(1, 1))
    await asyncio.sleep(0)
    assert not first.done()
    assert not second.done()
    made.settle(WORST, Amount(1, 0))
    assert await first
    assert await second
    assert made.budget.left == NOTHING


async def test_the_run_is_asked_when_nothing_is_in_flight_that_could_leave_any() -> None:
    made, asked = reservations(70)
    assert made.hold(WORST)
    (user,) = await waiting(made, WORST)
    made.take(Grant(Amount(0, 70), scarce=True))
    assert [draw.need.tokens for draw in asked] == [70]
    made.settle(WORST, Amount(1, 50))
    assert [draw.need.tokens for draw in asked] == [70, 70]
    assert asked[-1].returned == Amount(0, 20)  # another worker may have the rest
    made.take(Grant(Amount(0, 70), dry=True))
    assert not await user


async def test_a_larger_request_is_refused_and_a_smaller_one_still_waits() -> None:
    made, _ = reservations(70)
    assert made.hold(WORST)
    large, larger, small = await waiting(made, WORST, Amount(1, 90), Amount(1, 10))
    made.take(Grant(Amount(0, 70), dry=True))
    assert not await large
    assert not await larger
    assert not small.done()
    made.refuse()
    assert not await small
    assert not await made.wait(Amount(1, 10))


async def test_one_that_leaves_while_it_waits_holds_nothing() -> None:
    made, _ = reservations(70)
    assert made.hold(WORST)
    leaving, staying = await waiting(made, WORST, WORST)
    made.settle(WORST, NOTHING)  # the first has it, and is cut before it can go on
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert await staying
    assert made.budget.held == WORST
    gone, last = await waiting(made, WORST, WORST)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    made.settle(WORST, NOTHING)
    assert await last
