"""What is granted is never more than there is, whatever workers ask for and whichever die."""

from __future__ import annotations

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
    assert not ledger.exhausted
    assert ledger.draw(1, draw(Amount(101, 1))).dry
    assert ledger.exhausted


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
    assert ledger.exhausted  # the dead one is not asked


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
        self.sent = NOTHING

    @rule(worker=st.integers(0, 2), body=st.integers(0, 400), most=st.none() | st.integers(0, 500))
    def send(self, worker: int, body: int, most: int | None) -> None:
        if worker in self.alive:
            worst = self.workers[worker].worst(0, body, most)
            if self.workers[worker].hold(worst):
                self.flying.append((worker, worst))

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
            self.workers[worker].rest()

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
        for purse in self.workers:
            assert purse.left.covers(NOTHING)


TestSpending = Spending.TestCase


@given(requests=st.integers(1, 300), workers=st.integers(1, 4), seed=st.randoms())
def test_workers_that_go_on_until_they_are_dry_use_every_request(requests: int, workers: int, seed: object) -> None:
    ledger = Ledger(Amount(requests), workers)
    asked: list[tuple[int, Draw]] = []
    purses = [WorkerBudget(Terms(requests), lambda d, w=w: asked.append((w, d))) for w in range(workers)]  # type: ignore[misc]
    sent = turns = 0
    while not ledger.exhausted:
        turns += 1
        assert turns < 10_000
        for purse in purses:
            if purse.hold(Amount(1)):
                purse.settle(Amount(1), Amount(1))
                sent += 1
        while asked:
            worker, wanted = asked.pop(0)
            purses[worker].take(ledger.draw(worker, wanted))
    assert sent == requests
