from __future__ import annotations

from typing import Any

import msgspec

from agenttop.controller.watcher import HANG_S, MAX_PLACES, Watcher
from agenttop.metrics.boxes import BoxRow
from agenttop.metrics.delta import ErrorDelta
from agenttop.metrics.snapshot import KEPT_EVENTS, Cause, Generator, Snapshot, Trust
from tests.metrics.fakes import FakeRun


def picture(t_s: float, **changes: Any) -> Snapshot:
    """A quiet second of a run, with what is different about it."""
    run = FakeRun(seconds=1, storm=None)
    aggregate = run.aggregate()
    base = aggregate.snapshot(run.situation(1))
    quiet: dict[str, Any] = {
        "t_s": t_s,
        "causes": (),
        "requests": 1000 + int(t_s),
        "failed": 0,
        "rate_limited": 0,
        "retry_after_s": None,
        "in_flight": 5,
        "oldest_s": 0.1,
        "generator": Generator(1, 1, 5.0, 1.0, None, 50.0, 10, False),
    }
    return msgspec.structs.replace(base, **(quiet | changes))


def told(watcher: Watcher) -> list[tuple[str, str]]:
    return [(event.level, event.text) for event in watcher.take()]


def test_quiet_seconds_are_not_worth_a_line() -> None:
    watcher = Watcher()
    for t_s in range(1, 20):
        watcher.look(picture(float(t_s)))
    assert told(watcher) == []


def test_the_first_of_each_kind_of_failure_is_told_once() -> None:
    watcher = Watcher()
    cause = Cause("server_error", 1, (1,), 2.5, 2.5, "500: out of memory")
    for t_s in (3.0, 4.0):
        watcher.look(picture(t_s, causes=(cause,), failed=1))
    assert [(e.t_s, e.level, e.text) for e in watcher.take()] == [
        (2.5, "warn", "first server error (5xx): 500: out of memory")
    ]
    watcher.look(picture(5.0, causes=(cause, Cause("timeout", 1, (1,), 4.5, 4.5, "no answer")), failed=2))
    assert told(watcher) == [("warn", "first timeout: no answer")]


def test_answers_that_say_nothing_are_told_once() -> None:
    watcher = Watcher()
    for t_s, silent in ((1.0, 0), (2.0, 3), (3.0, 9)):
        watcher.look(picture(t_s, said_nothing=silent))
    assert told(watcher) == [("warn", "3 answers said nothing: no output, no usage, no error")]


def test_streams_that_are_none_are_told_once_for_each_request() -> None:
    watcher = Watcher()
    first, *rest = picture(1.0).table
    for t_s, one_burst in ((1.0, 4), (2.0, 97), (3.0, 99)):
        row = msgspec.structs.replace(first, streamed=100, one_burst=one_burst)
        watcher.look(picture(t_s, table=(row, *rest)))
    ((level, text),) = told(watcher)
    assert level == "warn"
    assert text.startswith(f"{first.pool}/{first.name}: 97% of its streams came in one burst: ")


def test_the_first_refusal_is_told_with_its_wait() -> None:
    watcher = Watcher()
    watcher.look(picture(1.0, requests=100_000, failed=1, rate_limited=1, retry_after_s=2.0))
    watcher.look(picture(2.0, requests=100_001, failed=2, rate_limited=2, retry_after_s=2.0))
    assert told(watcher) == [("warn", "first refusal (429), retry after 2s")]


def test_shares_are_told_when_they_are_crossed_upwards() -> None:
    watcher = Watcher()
    for t_s, failed in ((1.0, 5), (2.0, 25), (3.0, 25), (4.0, 300), (5.0, 300)):
        watcher.look(picture(t_s, requests=1000, cancelled=int(t_s), failed=failed))
    assert told(watcher) == [
        ("warn", "2% of the requests failed otherwise"),
        ("warn", "25% of the requests failed otherwise"),
    ]
    watcher.look(picture(6.0, requests=1000, cancelled=6, failed=360, rate_limited=60))
    assert ("warn", "5% of the requests refused (429)") in told(watcher)


def test_a_share_of_few_requests_says_nothing() -> None:
    watcher = Watcher()
    watcher.look(picture(1.0, requests=3, failed=3))
    assert told(watcher) == []


def test_a_hang_and_its_end() -> None:
    watcher = Watcher()
    watcher.look(picture(1.0, requests=10))
    for t_s in (2.0, 3.0, 4.0, 5.0):
        watcher.look(picture(t_s, requests=10, oldest_s=t_s - 1))
    assert told(watcher) == []
    for t_s in (6.0, 7.0, 8.0):
        watcher.look(picture(t_s, requests=10, oldest_s=t_s - 1))
    assert told(watcher) == [("error", f"no answer for {HANG_S:.0f}s")]
    watcher.look(picture(9.0, requests=11))
    watcher.look(picture(10.0, requests=12))
    assert told(watcher) == [("info", "answers again after 8s")]


def test_nothing_in_flight_is_no_hang() -> None:
    watcher = Watcher()
    for t_s in range(1, 30):
        watcher.look(picture(float(t_s), requests=10, in_flight=0, oldest_s=0.0))
    assert told(watcher) == []


def test_a_saturated_generator_is_told_when_it_begins() -> None:
    watcher = Watcher()
    bad = Generator(1, 1, 95.0, 9.0, None, 50.0, 10, True, ("worker 0: CPU 95%",))
    for t_s, generator in ((1.0, bad), (2.0, bad)):
        watcher.look(picture(t_s, generator=generator))
    assert told(watcher) == [("error", "generator saturated: worker 0: CPU 95%")]
    watcher.look(picture(3.0))
    watcher.look(picture(4.0, generator=bad))
    (ended, begun) = told(watcher)
    assert ended == ("info", "generator keeps up again after 2s")
    assert begun[0] == "error"


def test_a_late_generator_is_no_event() -> None:
    watcher = Watcher()
    late = Generator(1, 1, 95.0, 9.0, None, 50.0, 10, True, ("loop lag",), Trust("late", "lag 6ms, 1 % of p50"))
    watcher.look(picture(1.0, generator=late))
    assert told(watcher) == []


def test_the_newest_are_kept() -> None:
    watcher = Watcher()
    for number in range(KEPT_EVENTS + 10):
        watcher.say(float(number), f"event {number}")
    kept = [event.text for event in watcher.events]
    assert (kept[0], kept[-1], len(kept)) == ("event 10", f"event {KEPT_EVENTS + 9}", KEPT_EVENTS)
    assert len(watcher.take()) == KEPT_EVENTS + 10
    assert watcher.take() == []


def test_an_exception_of_users_code_is_told_once_for_its_place() -> None:
    def error(words: str, outcome: str = "user_error") -> ErrorDelta:
        return ErrorDelta(0, 0, outcome, words, 3, 1.25, 1.5)

    watcher = Watcher()
    watcher.exceptions([error("Shop.buy raised KeyError: 1 (a.py:17)"), error("500", "server_error")])
    watcher.exceptions([error("Shop.buy raised KeyError: 2 (a.py:17)"), error("Shop.buy raised OSError (a.py:18)")])
    assert told(watcher) == [
        ("error", "Shop.buy raised KeyError: 1 (a.py:17)"),
        ("error", "Shop.buy raised OSError (a.py:18)"),
    ]
    watcher.exceptions(error(f"x (a.py:{line})") for line in range(100, 200))
    assert len(told(watcher)) == MAX_PLACES - 2


def test_a_box_that_falls_silent_and_a_clock_that_is_not_known() -> None:
    watcher = Watcher()

    def look(t_s: float, state: str, error_ms: float | None) -> list[tuple[str, str]]:
        row = BoxRow("b2", state, 1, 5, 0, 10.0, 5.0, None, None, None, 1.0, error_ms)
        watcher.look(picture(t_s, boxes=(row,)))
        return told(watcher)

    assert look(1.0, "up", 4.9) == []
    assert look(2.0, "silent", 4.9) == [("warn", "b2 does not answer")]
    assert look(3.0, "silent", None) == []
    assert look(4.0, "up", 7.25) == [
        ("info", "b2 answers again"),
        ("warn", "the clock of b2 is known to 7.2 ms only: what it measures may stand in the second before or after"),
    ]
    assert look(5.0, "up", 9.0) == []
    assert look(6.0, "lost", 9.0) == [], "who gives it up has said it"
