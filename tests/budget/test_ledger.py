"""What is granted is never more than there is, whatever workers ask for and whichever die."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from agenttop.budget.amount import NOTHING, Amount
from agenttop.budget.ledger import Draw, Grant, Ledger
from agenttop.budget.terms import Terms
from agenttop.budget.worker_budget import WorkerBudget

CAP = Amount(100, 10_000, 0)


def draw(need: Amount, wish: Amount = NOTHING, spent: Amount = NOTHING, held: Amount = NOTHING) -> Draw:
    return Draw(spent, held, need, wish)


def test_a_need_is_granted_and_a_wish_as_far_as_it_leaves_the_others_some() -> None:
    ledger = Ledger(CAP, 2)
    assert ledger.draw(0, draw(Amount(1, 100), Amount(90, 9_000))) == Grant(Amount(25, 2_500))
    assert ledger.draw(1, draw(Amount(1, 100), Amount(2, 200))) == Grant(Amount(2, 200))
    assert ledger.free == Amount(73, 7_300)


def test_a_need_that_is_not_there_grants_nothing_and_says_so() -> None:
    ledger = Ledger(CAP, 2)
    assert ledger.draw(0, draw(Amount(1, 10_001))) == Grant(NOTHING, dry=True)
    assert ledger.dry
    assert ledger.draw(1, draw(Amount(101, 1))).dry


def test_a_need_that_may_yet_come_back_is_waited_for_and_all_are_told() -> None:
    ledger = Ledger(Amount(0, 100), 2)
    ledger.draw(0, draw(Amount(0, 70)))
    assert ledger.draw(1, draw(Amount(0, 50))) == Grant(NOTHING, scarce=True)
    assert not ledger.dry
    assert ledger.grant(0).scarce
    # It used 40 of its 70 and gives the rest back.
    back = replace(draw(NOTHING, spent=Amount(0, 40)), returned=Amount(0, 30))
    assert ledger.draw(0, back) == Grant(Amount(0, 70), scarce=True)
    assert ledger.draw(1, draw(Amount(0, 50))) == Grant(Amount(0, 50))
    assert not ledger.scarce
    assert ledger.draw(1, draw(Amount(0, 50), spent=Amount(0, 5))) == Grant(Amount(0, 55))


def test_a_need_is_beyond_the_budget_when_not_even_all_that_is_held_would_pay() -> None:
    ledger = Ledger(Amount(0, 100), 2)
    ledger.draw(0, draw(Amount(0, 70)))
    assert ledger.draw(1, draw(Amount(0, 60))).scarce
    ledger.draw(0, draw(NOTHING, spent=Amount(0, 41), held=Amount(0, 29)))
    assert ledger.draw(1, draw(Amount(0, 60))).dry
    assert ledger.dry


def test_a_request_that_was_sent_does_not_come_back() -> None:
    ledger = Ledger(Amount(2), 1)
    ledger.draw(0, draw(Amount(1), Amount(2)))
    holding = draw(Amount(1), held=Amount(2))
    assert ledger.draw(0, replace(holding, sent=1)).scarce  # the other has no connection yet
    assert ledger.draw(0, replace(holding, sent=2)).dry


def test_totals_that_come_twice_count_once() -> None:
    ledger = Ledger(Amount(0, 100), 2)
    ledger.draw(0, draw(Amount(0, 70)))
    back = replace(draw(NOTHING), returned=Amount(0, 30))
    assert ledger.draw(0, back) == ledger.draw(0, back)
    assert ledger.free == Amount(0, 60)


def test_a_worker_that_needs_less_is_not_dry_any_more() -> None:
    ledger = Ledger(CAP, 1)
    assert ledger.draw(0, draw(Amount(1, 10_001))).dry
    assert ledger.draw(0, draw(Amount(1, 10_000))) == Grant(Amount(1, 10_000))
    assert not ledger.dry


def test_what_a_dead_worker_was_granted_is_not_given_out_again() -> None:
    ledger = Ledger(Amount(10), 2)
    ledger.draw(0, draw(Amount(6)))
    ledger.gone(0)
    assert ledger.free == Amount(4)
    assert ledger.draw(1, draw(Amount(5))).dry


def test_what_was_used_beyond_the_worst_case_is_not_given_out_again() -> None:
    ledger = Ledger(Amount(0, 1_000), 2)
    ledger.draw(0, draw(Amount(0, 100)))
    ledger.draw(0, draw(NOTHING, spent=Amount(0, 700)))
    assert ledger.free == Amount(0, 300)
    ledger.draw(0, draw(NOTHING, spent=Amount(0, 1_200)))
    assert ledger.free == NOTHING


class Spending(RuleBasedStateMachine):
    """Workers that hold, settle and die, against a ledger; messages between them arrive late."""

    workers: list[WorkerBudget]
    alive: set[int]

    @initialize(
        requests=st.none() | st.integers(1, 200),
        tokens=st.none() | st.integers(1, 20_000),
        cost=st.none() | st.integers(1, 10**6),
        workers=st.integers(1, 3),
    )
    def begin(self, requests: int | None, tokens: int | None, cost: int | None, workers: int) -> None:
        self.terms = Terms(requests, tokens, cost, max_output=300, input_price=3, output_price=10, cached_price=1)
        self.ledger = Ledger(self.terms.cap, workers)
        self.asked: list[tuple[int, Draw]] = []
        self.workers = [WorkerBudget(self.terms, lambda d, w=w: self.asked.append((w, d))) for w in range(workers)]  # type: ignore[misc]
        self.flying: list[tuple[int, Amount]] = []
        self.alive = set(range(workers))
        self.waiting: dict[int, Amount] = {}
        self.sent = NOTHING

    @rule(worker=st.integers(0, 2), body=st.integers(0, 400), most=st.none() | st.integers(0, 500))
    def send(self, worker: int, body: int, most: int | None) -> None:
        if worker in self.alive:
            worst = self.workers[worker].worst(0, body, most)
            if self.workers[worker].hold(worst):
                self.flying.append((worker, worst))
            else:
                self.waiting[worker] = worst
                self.workers[worker].need(worst)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), part=st.floats(0, 1))
    def answer(self, data: st.DataObject, part: float) -> None:
        worker, worst = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        used = Amount(1, int(worst.tokens * part), int(worst.cost * part))
        self.sent = self.sent.plus(used)  # the target has done it, whoever hears of it
        if worker in self.alive:
            self.workers[worker].settle(worst, used)

    @precondition(lambda self: self.asked)
    @rule()
    def grant(self) -> None:
        worker, wanted = self.asked.pop(0)
        grant = self.ledger.draw(worker, wanted)
        if worker in self.alive:
            self.workers[worker].take(grant)

    @rule(worker=st.integers(0, 2))
    def rest(self, worker: int) -> None:
        if worker in self.alive:
            self.workers[worker].rest(self.waiting.get(worker, NOTHING))

    @rule(worker=st.integers(0, 2))
    def hear_of_others(self, worker: int) -> None:
        if worker in self.alive:
            self.workers[worker].take(self.ledger.grant(worker))

    @precondition(lambda self: len(self.alive) > 1)
    @rule(worker=st.integers(0, 2))
    def die(self, worker: int) -> None:
        if worker in self.alive:
            self.alive.remove(worker)
            self.ledger.gone(worker)

    @invariant()
    def never_more_than_the_cap(self) -> None:
        if not hasattr(self, "terms"):
            return
        # What the target has seen: all that was answered and, at worst, all that is in flight.
        seen = self.sent
        for _, worst in self.flying:
            seen = seen.plus(worst)
        assert self.terms.cap.covers(self.terms.capped(seen))
        for worker, purse in enumerate(self.workers):
            assert purse.left.covers(NOTHING)
            granted = self.ledger.grant(worker).granted
            assert granted.covers(purse.granted)


TestSpending = Spending.TestCase


class Row:
    """Workers whose users wait in a row, each with a request in flight at a time, until the budget has no more."""

    def __init__(self, terms: Terms, workers: int, users: int, choice: Random) -> None:
        self.choice = choice
        self.ledger = Ledger(terms.cap, workers)
        self.asked: list[tuple[int, Draw]] = []
        self.flying: list[list[Amount]] = [[] for _ in range(workers)]
        self.purses = [self.purse(terms, worker) for worker in range(workers)]
        self.users = users
        self.alive = set(range(workers))
        self.used = NOTHING

    def purse(self, terms: Terms, worker: int) -> WorkerBudget:
        return WorkerBudget(terms, lambda draw: self.asked.append((worker, draw)), lambda: len(self.flying[worker]))

    def go(self, worst: Amount, least: float, dies: int = 0) -> None:
        """Until the budget has no more; the first worker dies in turn ``dies``."""
        turns = 0
        while not self.ledger.dry:
            turns += 1
            assert turns < 20_000
            if turns == dies:
                self.alive.remove(0)
                self.ledger.gone(0)
            for worker in sorted(self.alive):
                self.turn(worker, worst, least)
            self.choice.shuffle(self.asked)
            while self.asked:
                worker, wanted = self.asked.pop(0)
                if worker in self.alive:
                    self.purses[worker].take(self.ledger.draw(worker, wanted))
            for worker in self.alive if self.ledger.scarce else ():
                self.purses[worker].take(self.ledger.grant(worker))

    def turn(self, worker: int, worst: Amount, least: float) -> None:
        """Send what can be, tell how things stand, hear some answers."""
        purse, flying, waits = self.purses[worker], self.flying[worker], False
        while len(flying) < self.users and not waits:
            waits = not purse.hold(worst)
            if not waits:
                flying.append(worst)
        if waits:
            purse.need(worst)
        purse.rest(worst if waits else NOTHING)
        for _ in range(self.choice.randint(0, len(flying))):
            used = Amount(1, math.ceil(worst.tokens * self.choice.uniform(least, 1)))
            purse.settle(flying.pop(), used)
            self.used = self.used.plus(used)


@given(requests=st.integers(1, 300), workers=st.integers(1, 4), users=st.integers(1, 50), seed=st.integers(0, 2**32))
def test_workers_that_go_on_until_they_are_dry_use_every_request(
    requests: int, workers: int, users: int, seed: int
) -> None:
    row = Row(Terms(requests), workers, users, Random(seed))
    row.go(Amount(1), 1.0)
    assert row.used.requests + sum(len(flying) for flying in row.flying) == requests


@given(
    tokens=st.integers(100, 3_000),
    worst=st.integers(10, 100),
    least=st.floats(0.2, 1),
    workers=st.integers(1, 4),
    users=st.integers(1, 200),
    seed=st.integers(0, 2**32),
)
def test_what_is_left_of_tokens_is_less_than_one_request(
    tokens: int, worst: int, least: float, workers: int, users: int, seed: int
) -> None:
    row = Row(Terms(tokens=tokens, max_output=worst), workers, users, Random(seed))
    row.go(Amount(1, worst), least)
    assert tokens - worst < row.used.tokens <= tokens


@given(
    worst=st.integers(10, 100),
    workers=st.integers(2, 4),
    turn=st.integers(1, 30),
    least=st.floats(0.2, 1),
    seed=st.integers(0, 2**32),
)
def test_of_a_worker_that_dies_no_more_is_lost_than_it_was_granted(
    worst: int, workers: int, turn: int, least: float, seed: int
) -> None:
    row = Row(Terms(tokens=3_000, max_output=worst), workers, 20, Random(seed))
    row.go(Amount(1, worst), least, dies=turn)
    lost = row.ledger._accounts[0].has.tokens - row.purses[0].spent.tokens if 0 not in row.alive else 0
    assert 3_000 - worst - lost < row.used.tokens <= 3_000
