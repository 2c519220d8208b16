from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agenttop.schedule.dealt_arrivals import DealtArrivals
from agenttop.schedule.shares import Deal, Members

# Times are tenths of a second, and an arrival comes every tenth.
END = 80
_turns = st.lists(st.integers(1, 30), min_size=1, max_size=12)
"""Tenths between two turns of a worker's loop; a long one is a stall."""
_losses = st.lists(st.tuples(st.integers(0, 3), st.integers(1, END)), max_size=3, unique_by=lambda loss: loss[0])


class Worker:
    """A worker whose loop turns now and then: in a turn timers go first, and then what was said is heard."""

    def __init__(self, number: int, turns: list[int]) -> None:
        self.deal = Deal(number, range(4))
        self.dealt = DealtArrivals(self.deal)
        self.begun: list[int] = []
        self.heard = self.seen = 0
        self._turns = turns
        self._next = self._count = 0

    def turns_at(self, now: int) -> bool:
        if now < self._next:
            return False
        self._next = now + self._turns[self._count % len(self._turns)]
        self._count += 1
        return True

    def turn(self, now: int, said: list[tuple[float, Members | None]]) -> None:
        times = [float(tenth) for tenth in range(self.seen + 1, now + 1)]
        self.begun += map(int, self.dealt.take(self.seen + 1, times))
        self.seen = now
        for told, members in said[self.heard :]:
            if members is None:
                self.dealt.settle(told)
            else:
                self.deal.change(members)
                self.begun += map(int, self.dealt.inherited())
        self.heard = len(said)


@given(st.lists(_turns, min_size=4, max_size=4), _losses, st.integers(1, 9))
def test_no_arrival_is_begun_twice_and_none_is_lost_but_with_its_worker(
    turns: list[list[int]], losses: list[tuple[int, int]], leases: int
) -> None:
    """However long the loop of a worker stands still, and whoever is lost meanwhile."""
    workers = [Worker(number, turns[number]) for number in range(4)]
    lost = dict(losses)
    said: list[tuple[float, Members | None]] = []
    for now in range(END + 1):
        for worker in workers:
            if now <= lost.get(worker.deal.worker, END) and worker.turns_at(now):
                worker.turn(now, said)
        if any(moment == now for moment in lost.values()):
            left = tuple(number for number in range(4) if lost.get(number, END + 1) > now)
            said.append((float(now), Members(float(now), left)))
        if now % leases == 0:
            said.append((float(now), None))
    for worker in (each for each in workers if each.deal.worker not in lost):
        worker.turn(END, said)
    begun = [number for worker in workers for number in worker.begun]
    assert len(begun) == len(set(begun))
    # With a worker is lost what was its own until its loss.
    excused = set()
    for number, moment in lost.items():
        judge = Deal(number, range(4))
        for _, members in said:
            if members is not None:
                judge.change(members)
        excused |= {n for n in range(1, moment + 1) if judge.owner(n, float(n)) == number}
    assert set(range(1, END + 1)) - set(begun) <= excused


def test_nothing_is_kept_for_longer_than_word_is_on_its_way() -> None:
    dealt = DealtArrivals(Deal(0, (0, 1)))
    for second in range(100):
        dealt.take(10 * second + 1, [second + tenth / 10 for tenth in range(10)])
        dealt.settle(second - 1.0)
    assert len(dealt) <= 20


def test_who_is_alone_keeps_nothing() -> None:
    dealt = DealtArrivals(Deal(0, (0,)))
    assert dealt.take(1, [1.0, 2.0]) == [1.0, 2.0]
    assert (len(dealt), dealt.inherited()) == (0, [])
