"""The figures of a second are taken out of the aggregate whole."""

from __future__ import annotations

from collections import Counter

import pytest
from msgspec.structs import replace

from agenttop.metrics.aggregate import Aggregate
from agenttop.metrics.exhaustion import Reason
from agenttop.metrics.trust import Times, grade
from agenttop.verdict.observe import names_of, second_of
from agenttop.verdict.second import Second
from tests.metrics.fakes import FakeRun

RUN = FakeRun(seconds=40, warmup_s=3.0, storm=(10, 20))


def seconds(run: FakeRun = RUN, late: int = 0) -> tuple[Aggregate, list[Second]]:
    """All seconds of a run; what belongs to second ``late`` comes three seconds after it."""
    aggregate, found = Aggregate(run.layout), []
    for second in range(1, run.seconds + 1):
        wanted = [second] if second != late else []
        for of in [*wanted, late] if late and second == late + 3 else wanted:
            for delta in run.deltas(of):
                aggregate.fold(replace(delta, from_s=delta.t_s - 0.25))
        aggregate.second(run.situation(second))
        found.append(second_of(aggregate, run.situation(second), 1.0))
    return aggregate, found


def counted(found: list[Second]) -> Counter[str]:
    total: Counter[str] = Counter()
    for second in found:
        for answers in second.answers.values():
            total.update({"ok": answers.ok, "rate_limited": answers.refused} | dict(answers.failures))
    return +total


@pytest.mark.parametrize("late", [0, 15])
def test_every_answer_is_there_once(late: int) -> None:
    aggregate, found = seconds(late=late)
    live: Counter[str] = Counter()
    for counts in aggregate.live.counts:
        live.update(counts.outcomes)
    del live["cancelled"]
    assert counted(found) == +live
    latencies = sum(a.latency.count for s in found for a in s.answers.values() if a.latency is not None)
    assert latencies == live["ok"]


def test_what_else_is_in_a_second() -> None:
    aggregate, found = seconds()
    one = found[24]
    assert one.t_s == 25.0
    users, _ = aggregate.workers.by_pool()
    assert found[-1].load == users[0] + users[1]  # of the closed pools alone
    assert one.unit == "users"
    assert one.driven == frozenset(range(5))
    assert one.sending
    assert one.stage == 1
    assert (found[1].warmup, found[5].warmup) == (True, False)
    assert not found[-1].sending  # it is done
    total, count = one.phases["llm_call"]
    assert count > 0
    assert total > 0
    assert names_of(RUN.layout)[:3] == ["chat/simple", "chat/multi_turn", "chat/POST /api/sessions"]


def test_nothing_is_sent_in_a_pause() -> None:
    aggregate, _ = seconds()
    now = RUN.situation(20)
    assert second_of(aggregate, now, 1.0).sending
    assert not second_of(aggregate, replace(now, paused=True), 1.0).sending
    assert not second_of(aggregate, replace(now, target_users=0, rate=0.0), 1.0).sending


def short_of(aggregate: Aggregate, reason: Reason) -> None:
    """The generator was short of something in the last second."""
    aggregate.saturation.current = (reason,)
    last = aggregate.timeline.last
    assert last is not None
    times = Times(last.ttft_p50_ms or last.latency_p50_ms, last.latency_p50_ms)
    aggregate.trust.found = grade((reason,), [reason.text], times)


def test_a_lag_counts_against_what_answers_take() -> None:
    aggregate, _ = seconds()
    last = aggregate.timeline.last
    assert last is not None
    assert last.latency_p50_ms is not None
    small, large = 0.004 * last.latency_p50_ms, 0.2 * last.latency_p50_ms
    for kind, unit in (("loop lag", 1000.0), ("schedule lag", 1000.0), ("turn", 1.0)):
        short_of(aggregate, Reason(kind, small * unit, "late", ""))
        assert second_of(aggregate, RUN.situation(20), 1.0).doubts == ""
        short_of(aggregate, Reason(kind, large * unit, "late", ""))
        assert second_of(aggregate, RUN.situation(20), 1.0).doubts.startswith("late; ")


def test_what_spoils_times_and_what_keeps_connections_from_being_opened() -> None:
    aggregate, _ = seconds()
    short_of(aggregate, Reason("CPU", 97.0, "CPU 97 % of its core", ""))
    found = second_of(aggregate, RUN.situation(20), 1.0)
    assert (found.doubts, found.blocked) == ("CPU 97 % of its core", False)
    short_of(aggregate, Reason("ephemeral ports", 99.0, "no port is left", ""))
    assert second_of(aggregate, RUN.situation(20), 1.0).blocked


def test_a_run_of_arrivals_alone_is_judged_by_their_rate() -> None:
    pools = tuple(replace(pool, open=True) for pool in RUN.layout.pools)
    aggregate = Aggregate(replace(RUN.layout, pools=pools))
    aggregate.second(RUN.situation(20))
    found = second_of(aggregate, RUN.situation(20), 1.0)
    assert (found.unit, found.load, found.driven) == ("rate", 8.0, None)
